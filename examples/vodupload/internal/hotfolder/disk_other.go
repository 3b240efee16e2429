//go:build !unix

package hotfolder

func syncDir(string) error { return nil }
