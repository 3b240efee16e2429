//go:build !unix && !windows

package transfer

// errnoOutlook knows no error numbers here.
func errnoOutlook(error) (passes, known bool) { return false, false }
