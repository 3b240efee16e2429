package target

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// An Endpoint is the address of a region of OSS, as [ParseEndpoint] read it. Two
// endpoints that mean the same are equal.
type Endpoint struct {
	Scheme string // "http" or "https"
	Host   string // lower case, with the port if it is not the scheme's own
	Region string // "cn-hangzhou"; empty if the name has none

	// Custom says that the host is a domain which is mapped to the bucket, so that no
	// bucket stands before it (OSS documentation, Access OSS through a custom domain
	// name). No name says that: it is for the caller to set.
	Custom bool
}

// ParseEndpoint reads an endpoint: a host name or an IP address, with or without a
// port, with or without "http://" or "https://" before it. Without a scheme it is
// https. The region is read from the names that OSS gives its endpoints, like
// oss-cn-hangzhou.aliyuncs.com and oss-cn-hangzhou-internal.aliyuncs.com; the names for
// acceleration, and users' own domains, have none.
//
// The error of ParseEndpoint says what was got and what was wanted.
func ParseEndpoint(s string) (Endpoint, error) {
	e, err := parseEndpoint(s)
	if err != nil {
		return Endpoint{}, fmt.Errorf("endpoint %q: %w", redacted(s), err)
	}
	return e, nil
}

// String returns the normalised form, which ParseEndpoint reads back to an equal
// Endpoint: "https://oss-cn-hangzhou.aliyuncs.com".
func (e Endpoint) String() string { return e.Scheme + "://" + e.Host }

func parseEndpoint(s string) (Endpoint, error) {
	e := Endpoint{Scheme: "https"}
	rest := s
	if scheme, after, ok := strings.Cut(s, "://"); ok {
		e.Scheme, rest = strings.ToLower(scheme), after
	}
	if e.Scheme != "http" && e.Scheme != "https" {
		return e, fmt.Errorf("scheme %q: want http or https", e.Scheme)
	}
	rest = strings.TrimSuffix(rest, "/")
	if err := onlyHost(rest); err != nil {
		return e, err
	}
	name, port, err := splitPort(rest)
	if err != nil {
		return e, err
	}
	if name, err = normaliseHost(name); err != nil {
		return e, err
	}
	e.Host = name
	if port != "" && port != defaultPort(e.Scheme) {
		e.Host += ":" + port
	}
	e.Region = regionOf(name)
	return e, nil
}

// HostOf returns the host of an endpoint that a server names, or "" for what does not
// look like a name of one. A bucket's name before it goes.
func HostOf(s, bucket string) string {
	e, err := ParseEndpoint(s)
	if err != nil || e.isAddress() || !strings.Contains(e.Host, ".") {
		return ""
	}
	if bucket != "" {
		return strings.TrimPrefix(e.Host, bucket+".")
	}
	return e.Host
}

// onlyHost returns an error if s has anything before or after a host and a port.
func onlyHost(s string) error {
	switch {
	case s == "":
		return errors.New("no host: want one like oss-cn-hangzhou.aliyuncs.com")
	case strings.Contains(s, "@"):
		return errors.New("it has user information: want only a host; keys are given as credentials")
	case strings.ContainsAny(s, "/\\"):
		return errors.New("it has a path: want only a host; bucket and object are given apart")
	case strings.Contains(s, "?"):
		return errors.New("it has a query: want only a host")
	case strings.Contains(s, "#"):
		return errors.New("it has a fragment: want only a host")
	}
	return nil
}

// splitPort splits "host:port". The port is canonical, and empty if there is none.
func splitPort(s string) (host, port string, err error) {
	if end := strings.LastIndexByte(s, ']'); strings.HasPrefix(s, "[") && end > 0 {
		host, port = s[:end+1], s[end+1:]
		if port == "" {
			return host, "", nil
		}
		if port[0] != ':' {
			return "", "", fmt.Errorf("%q after the address: want a colon and a port", port)
		}
		port = port[1:]
	} else {
		var ok bool
		if host, port, ok = strings.Cut(s, ":"); !ok {
			return s, "", nil
		}
		if strings.Contains(port, ":") {
			return "", "", errors.New("too many colons: want an IPv6 address in brackets")
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", "", fmt.Errorf("port %q: want 1 to 65535", port)
	}
	return host, strconv.FormatUint(n, 10), nil
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// normaliseHost returns host in lower case and without a dot at its end, or what is
// wrong with it. Addresses come back in their canonical text.
func normaliseHost(host string) (string, error) {
	if strings.HasPrefix(host, "[") {
		a, err := netip.ParseAddr(strings.Trim(host, "[]"))
		if err != nil || !a.Is6() || a.Zone() != "" {
			return "", fmt.Errorf("address %q: want an IPv6 address without a zone", host)
		}
		return "[" + a.String() + "]", nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.String(), nil
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if len(name) > 253 {
		return "", fmt.Errorf("host has %d characters: want at most 253", len(name))
	}
	labels := strings.Split(name, ".")
	for _, l := range labels {
		if err := checkLabel(l); err != nil {
			return "", err
		}
	}
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", fmt.Errorf("host %q ends in a number, and is no IPv4 address", host)
	}
	return name, nil
}

// checkLabel returns an error if l cannot stand between two dots of a host name. An
// underscore is not of the standard, but of the names that containers get.
func checkLabel(l string) error {
	if l == "" {
		return errors.New("host has an empty part: want no dots side by side")
	}
	if len(l) > 63 {
		return fmt.Errorf("%d characters between two dots: want at most 63", len(l))
	}
	for _, c := range l {
		switch {
		case isLower(c), isDigit(c), c == '-', c == '_':
		case c > 0x7f:
			return fmt.Errorf("host has %q in it: want the ASCII form of the name (xn--…)", c)
		default:
			return fmt.Errorf("host has %q in it: want letters, digits, hyphens and dots", c)
		}
	}
	if l[0] == '-' || l[len(l)-1] == '-' {
		return fmt.Errorf("%q begins or ends with a hyphen", l)
	}
	return nil
}

// redacted hides what stands before an @, and behind a ? or #: it may be a key and its
// secret, or a token.
func redacted(s string) string {
	s = redactUserInfo(s)
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		return s[:i+1] + "…"
	}
	return s
}

func redactUserInfo(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return s
	}
	if scheme := strings.Index(s, "://"); scheme >= 0 && scheme < at {
		return s[:scheme+3] + "…" + s[at:]
	}
	return "…" + s[at:]
}
