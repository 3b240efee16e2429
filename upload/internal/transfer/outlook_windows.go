package transfer

import (
	"errors"
	"slices"
	"syscall"
)

// passing are the system error codes that a disk or a network share in trouble gives
// (Microsoft documentation, System Error Codes), those of Winsock last.
var passing = []syscall.Errno{
	21,   // ERROR_NOT_READY
	23,   // ERROR_CRC
	31,   // ERROR_GEN_FAILURE
	32,   // ERROR_SHARING_VIOLATION
	33,   // ERROR_LOCK_VIOLATION
	51,   // ERROR_REM_NOT_LIST
	53,   // ERROR_BAD_NETPATH
	54,   // ERROR_NETWORK_BUSY
	55,   // ERROR_DEV_NOT_EXIST
	59,   // ERROR_UNEXP_NET_ERR
	64,   // ERROR_NETNAME_DELETED
	121,  // ERROR_SEM_TIMEOUT
	170,  // ERROR_BUSY
	1117, // ERROR_IO_DEVICE
	1231, // ERROR_NETWORK_UNREACHABLE
	1450, // ERROR_NO_SYSTEM_RESOURCES
	10050, 10051, 10052, 10053, 10054, 10055, 10060, 10061, 10064, 10065,
}

// losing are what is said of an open file of a network share that was disconnected.
var losing = []syscall.Errno{
	55, // ERROR_DEV_NOT_EXIST
	64, // ERROR_NETNAME_DELETED
}

func errnoOutlook(err error) (passes, known bool) {
	var no syscall.Errno
	known = errors.As(err, &no)
	return slices.Contains(passing, no), known
}
