package descriptors

import (
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
)

// Exhausted reports whether something could not be opened because the process, or the
// system, has too many descriptors open. That says nothing about what was to be opened,
// and passes.
func Exhausted(err error) bool {
	if err == nil {
		return false
	}
	for _, e := range exhausted {
		if errors.Is(err, e) {
			return true
		}
	}
	var dns *net.DNSError
	return errors.As(err, &dns) && (textual(dns) || none())
}

// textual reports whether a query for a name has met it: package net keeps the text only.
func textual(dns *net.DNSError) bool {
	return strings.HasSuffix(dns.Err, syscall.EMFILE.Error()) || strings.HasSuffix(dns.Err, syscall.ENFILE.Error())
}

// none reports whether there is no descriptor left now. The resolver of the C library
// says "no such host" where it could not open its files and sockets.
func none() bool {
	f, err := os.Open(os.DevNull)
	if err == nil {
		_ = f.Close()
		return false
	}
	return Exhausted(err)
}
