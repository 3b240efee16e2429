package output

import (
	"os"

	"golang.org/x/sys/windows"
)

// steerable reports whether the console understands how the cursor is moved, and has it do
// so: consoles before Windows 10 do not.
func steerable(f *os.File) bool {
	var mode uint32
	console := windows.Handle(f.Fd())
	if windows.GetConsoleMode(console, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
