package main

import (
	"fmt"
	"strings"
)

// A destination is an argument like oss://bucket/prefix/.
type destination struct {
	bucket string
	name   string // a prefix that ends in a slash or is empty, or the name of one object
}

const ossScheme = "oss://"

// parseDestination reads a destination.
func parseDestination(text string) (destination, error) {
	rest, found := strings.CutPrefix(text, ossScheme)
	bucket, name, _ := strings.Cut(rest, "/")
	if !found || bucket == "" {
		return destination{}, usageError{fmt.Errorf("destination %q: wanted oss://BUCKET/PREFIX/ or oss://BUCKET/OBJECT", text)}
	}
	if strings.HasPrefix(name, "/") {
		return destination{}, usageError{fmt.Errorf("destination %q: names of objects do not begin with a slash: wanted %s%s/%s", text, ossScheme, bucket, strings.TrimLeft(name, "/"))}
	}
	return destination{bucket, name}, nil
}

// isPrefix reports whether objects are put below the destination, and not at it.
func (d destination) isPrefix() bool { return d.name == "" || strings.HasSuffix(d.name, "/") }

// prefix returns the destination as that of a folder.
func (d destination) prefix() string {
	if d.isPrefix() {
		return d.name
	}
	return d.name + "/"
}

// object returns the object for a file of the given base name.
func (d destination) object(base string) string {
	if d.isPrefix() {
		return d.name + base
	}
	return d.name
}

func (d destination) String() string { return ossScheme + d.bucket + "/" + d.name }
