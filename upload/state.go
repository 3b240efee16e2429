package upload

import "fmt"

// A State is what a [Client] is doing.
type State int

// The states of a client.
const (
	Init     State = iota // nothing was started yet
	Started               // files are being uploaded
	Paused                // what was under way is held until Resume
	Expired               // started, and a new token is needed before anything goes on
	Stopped               // uploading files were set back; Start goes on
	Finished              // nothing is left to do; AddFile goes on by itself
	Closed                // for good
)

var stateNames = [...]string{"init", "started", "paused", "expired", "stopped", "finished", "closed"}

// String returns the state's name in lower case.
func (s State) String() string { return name(stateNames[:], int(s), "State") }

// A FileState is what becomes of one file.
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

var fileStateNames = [...]string{"init", "uploading", "paused", "succeeded", "failed", "canceled"}

// String returns the state's name in lower case.
func (s FileState) String() string { return name(fileStateNames[:], int(s), "FileState") }

func name(names []string, i int, kind string) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}

// terminal reports whether nothing moves a file any more but the user.
func (s FileState) terminal() bool {
	return s == FileSucceeded || s == FileFailed || s == FileCanceled
}

// An action is what moves a client from one state to another.
type action int

const (
	doStart action = iota
	doPause
	doResume
	doStop
	doClose
	doFinish // nothing is left to do
	doAdd    // there is something to do again
)

var actionNames = [...]string{"Start", "Pause", "Resume", "Stop", "Close", "finish", "add"}

func (a action) String() string { return name(actionNames[:], int(a), "action") }

// clientTable is the whole state machine of a client. What is not in it is an
// error for the calls of users; the rest just leaves the state as it is. Expired is not
// in it: it is what Status makes of Started while the credentials have expired, and
// allows the same.
var clientTable = map[State]map[action]State{
	Init:     {doStart: Started, doClose: Closed},
	Started:  {doPause: Paused, doStop: Stopped, doClose: Closed, doFinish: Finished},
	Paused:   {doResume: Started, doStop: Stopped, doClose: Closed},
	Stopped:  {doStart: Started, doClose: Closed},
	Finished: {doStart: Started, doStop: Stopped, doClose: Closed, doAdd: Started},
	Closed:   {},
}

// next returns the state after a, or an error that says which state forbids it.
func (s State) next(a action) (State, error) {
	row := clientTable[s]
	if s == Expired {
		row = clientTable[Started]
	}
	if to, ok := row[a]; ok {
		return to, nil
	}
	if s == Closed {
		return s, ErrClosed
	}
	if a >= doFinish {
		return s, nil
	}
	return s, fmt.Errorf("%w: %s, the client is %s", ErrState, a, s)
}

// A fileAction is what moves a file from one state to another.
type fileAction int

const (
	fileStart fileAction = iota
	filePause
	fileStop
	fileSucceed
	fileFail
	fileCancel
	fileReset
)

var fileActionNames = [...]string{"start", "pause", "stop", "succeed", "fail", "CancelFile", "ResumeFile"}

func (a fileAction) String() string { return name(fileActionNames[:], int(a), "fileAction") }

// fileTable is the whole state machine of a file. That a paused or an initial file
// fails is what Close makes of one that was started and can go on no more.
var fileTable = map[FileState]map[fileAction]FileState{
	FileInit:      {fileStart: FileUploading, fileCancel: FileCanceled, fileFail: FileFailed},
	FileUploading: {filePause: FilePaused, fileStop: FileInit, fileSucceed: FileSucceeded, fileFail: FileFailed, fileCancel: FileCanceled},
	FilePaused:    {fileStart: FileUploading, fileStop: FileInit, fileCancel: FileCanceled, fileFail: FileFailed},
	FileSucceeded: {},
	FileFailed:    {fileReset: FileInit},
	FileCanceled:  {fileReset: FileInit},
}

// next returns the state after a, or an error that says which state forbids it.
func (s FileState) next(a fileAction) (FileState, error) {
	if to, ok := fileTable[s][a]; ok {
		return to, nil
	}
	return s, fmt.Errorf("%w: %s, the file is %s", ErrState, a, s)
}
