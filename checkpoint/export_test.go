package checkpoint

// OpenDirClosingFirst opens a store that treats files as it has to on Windows.
func OpenDirClosingFirst(dir string) (*Dir, error) {
	sys := hostSystem()
	sys.closeFirst = true
	return openDir(dir, sys)
}
