package upload

import (
	"fmt"
	"slices"
	"strings"

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

// MarshalText returns the state's name. A number that is no state is [ErrInvalidArgument].
func (s State) MarshalText() ([]byte, error) { return marshalName(stateNames[:], int(s), "State") }

// UnmarshalText reads the name of a state.
func (s *State) UnmarshalText(text []byte) error {
	return unmarshalName(s, stateNames[:], text, "State")
}

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
func (s FileState) String() string { return name(fileStateNames[:], int(s), "FileState") }

// MarshalText returns the state's name. A number that is no state is [ErrInvalidArgument].
func (s FileState) MarshalText() ([]byte, error) {
	return marshalName(fileStateNames[:], int(s), "FileState")
}

// UnmarshalText reads the name of a state.
func (s *FileState) UnmarshalText(text []byte) error {
	return unmarshalName(s, fileStateNames[:], text, "FileState")
}

var fileStateNames = func() (names [filelist.FileStates]string) {
	for s := range names {
		names[s] = filelist.FileState(s).String()
	}
	return names
}()

func name(names []string, i int, kind string) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}

func marshalName(names []string, i int, kind string) ([]byte, error) {
	if i < 0 || i >= len(names) {
		return nil, fmt.Errorf("%w: %s: got %d, want 0 to %d", ErrInvalidArgument, kind, i, len(names)-1)
	}
	return []byte(names[i]), nil
}

func unmarshalName[T ~int | ~uint8](to *T, names []string, text []byte, kind string) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return fmt.Errorf("%w: %s: got %q, want one of %s", ErrInvalidArgument, kind, text, strings.Join(names, ", "))
	}
	*to = T(i)
	return nil
}
