package filelist

import (
	"errors"
	"fmt"
)

// Errors of commands. Package upload exports them under the same names.
var (
	ErrState     = errors.New("upload: wrong state")
	ErrClosed    = errors.New("upload: client is closed (uploads with a checkpoint resume next time)")
	ErrNotListed = errors.New("upload: file does not exist")
)

// A State is what the client is doing.
type State uint8

// The states of a client.
const (
	Init State = iota
	Started
	Paused
	Stopped
	Finished
	Closed
)

var stateNames = [...]string{"init", "started", "paused", "stopped", "finished", "closed"}

// String returns the state's name in lower case.
func (s State) String() string { return name(stateNames[:], int(s), "State") }

// A FileState is the progress of one file as users see it.
type FileState uint8

// The states of a file.
const (
	FileInit FileState = iota
	FileUploading
	FilePaused
	FileSucceeded
	FileFailed
	FileCanceled
)

var fileStateNames = [...]string{"init", "uploading", "paused", "succeeded", "failed", "canceled"}

// FileStates is the number of file states.
const FileStates = len(fileStateNames)

// String returns the state's name in lower case.
func (s FileState) String() string { return name(fileStateNames[:], int(s), "FileState") }

// Terminal reports whether only the user can move the file out of the state.
func (s FileState) Terminal() bool {
	return s == FileSucceeded || s == FileFailed || s == FileCanceled
}

func name(names []string, i int, kind string) string {
	if i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}

// An Action moves a client from one state to another.
type Action uint8

// The actions. Finish and Resupply are the list's own: it is out of work, or has work
// again.
const (
	Start Action = iota
	Pause
	Resume
	Stop
	Close
	Finish
	Resupply
)

var actionNames = [...]string{"Start", "Pause", "Resume", "Stop", "Close", "finish", "add"}

// String returns the name of the call, or a word in lower case for the list's own.
func (a Action) String() string { return name(actionNames[:], int(a), "Action") }

// clientTable is the state machine of a client. What is missing is an error for calls
// of users; the list's own actions leave the state as it is there.
var clientTable = map[State]map[Action]State{
	Init:     {Start: Started, Close: Closed},
	Started:  {Pause: Paused, Stop: Stopped, Close: Closed, Finish: Finished},
	Paused:   {Resume: Started, Stop: Stopped, Close: Closed},
	Stopped:  {Start: Started, Close: Closed},
	Finished: {Start: Started, Stop: Stopped, Close: Closed, Resupply: Started},
	Closed:   {},
}

// Next returns the state after a, or an error that names the state which forbids it.
func (s State) Next(a Action) (State, error) {
	if to, ok := clientTable[s][a]; ok {
		return to, nil
	}
	if s == Closed {
		return s, ErrClosed
	}
	if a >= Finish {
		return s, nil
	}
	return s, fmt.Errorf("%w: %s, the client is %s", ErrState, a, s)
}

// A FileAction moves a file from one state to another.
type FileAction uint8

// The actions of a file.
const (
	FileStart FileAction = iota
	FilePause
	FileStop
	FileSucceed
	FileFail
	FileCancel
	FileReset
)

var fileActionNames = [...]string{"start", "pause", "stop", "succeed", "fail", "CancelFile", "ResumeFile"}

// String returns the name of the call, or a word in lower case for the list's own.
func (a FileAction) String() string { return name(fileActionNames[:], int(a), "FileAction") }

// fileTable is the state machine of a file. A paused or initial file can fail because
// Close fails every file that was started.
var fileTable = map[FileState]map[FileAction]FileState{
	FileInit:      {FileStart: FileUploading, FileCancel: FileCanceled, FileFail: FileFailed},
	FileUploading: {FilePause: FilePaused, FileStop: FileInit, FileSucceed: FileSucceeded, FileFail: FileFailed, FileCancel: FileCanceled},
	FilePaused:    {FileStart: FileUploading, FileStop: FileInit, FileCancel: FileCanceled, FileFail: FileFailed},
	FileSucceeded: {},
	FileFailed:    {FileReset: FileInit},
	FileCanceled:  {FileReset: FileInit},
}

// Next returns the state after a, or an error that names the state which forbids it.
func (s FileState) Next(a FileAction) (FileState, error) {
	if to, ok := fileTable[s][a]; ok {
		return to, nil
	}
	return s, fmt.Errorf("%w: %s, the file is %s", ErrState, a, s)
}
