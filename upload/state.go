package upload

import (
	"fmt"

	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// A State is what a [Client] is doing.
type State int

// The states of a client.
const (
	StateInit     State = iota // not started yet
	StateStarted               // files are being uploaded
	StatePaused                // what was under way is held until Resume
	StateExpired               // started, and a new token is needed
	StateStopped               // uploading files were set back; Start continues with them
	StateFinished              // nothing is left to do; AddFile starts it again
	StateClosed                // for good
)

var stateNames = [...]string{"init", "started", "paused", "expired", "stopped", "finished", "closed"}

// String returns the state's name in lower case.
func (s State) String() string { return name(stateNames[:], int(s), "State") }

// states are the states of the list as users see them.
var states = [...]State{
	filelist.Init: StateInit, filelist.Started: StateStarted, filelist.Paused: StatePaused,
	filelist.Stopped: StateStopped, filelist.Finished: StateFinished, filelist.Closed: StateClosed,
}

// A FileState is the progress of one file.
type FileState int

// The states of a file.
const (
	FileInit      FileState = iota // in the list, waiting for its turn
	FileUploading                  // started
	FilePaused                     // held by Pause
	FileSucceeded                  // the object is there
	FileFailed                     // ended by an error; ResumeFile sets it back
	FileCanceled                   // ended by CancelFile; ResumeFile sets it back
)

// String returns the state's name in lower case.
func (s FileState) String() string {
	if s < 0 || int(s) >= filelist.FileStates {
		return fmt.Sprintf("FileState(%d)", int(s))
	}
	return filelist.FileState(s).String()
}

func name(names []string, i int, kind string) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}
