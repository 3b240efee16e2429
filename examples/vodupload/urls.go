package main

import "strings"

// isURL reports whether a source is to be read by HTTP.
func isURL(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}
