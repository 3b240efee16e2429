package fskind

import "golang.org/x/sys/unix"

// kinds are the magic numbers of statfs(2) and of linux/magic.h.
var kinds = map[uint32]string{
	0x6969: "NFS", 0x517b: "SMB", 0xff534d42: "CIFS", 0xfe534d42: "SMB", 0x01021997: "9P", 0x5346414f: "AFS",
	0x00c36400: "Ceph", 0x73757245: "Coda", 0x564c: "NCP", 0x0bd00bd0: "Lustre", 0x47504653: "GPFS", 0x65735546: "FUSE",
}

func network(path string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return ""
	}
	return kinds[uint32(st.Type)]
}

// NetworkOf is Network of an open file.
func NetworkOf(fd uintptr) string {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(fd), &st); err != nil {
		return ""
	}
	return kinds[uint32(st.Type)]
}
