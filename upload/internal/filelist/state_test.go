package filelist

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var updateStates = flag.Bool("update", false, "write STATES.md")

// TestClientStates goes through every state and action. What is said here is not
// taken from the table: a cell is the next state, "error", or "stays" for what the
// client finds out by itself and which means nothing in that state.
func TestClientStates(t *testing.T) {
	actions := []Action{Start, Pause, Resume, Stop, Close, Finish, Resupply}
	want := map[State]string{
		//         Start   Pause  Resume  Stop    Close  finish   add
		Init:     "started error  error   error   closed stays    stays",
		Started:  "error   paused error   stopped closed finished stays",
		Paused:   "error   error  started stopped closed stays    stays",
		Stopped:  "started error  error   error   closed stays    stays",
		Finished: "started error  error   stopped closed stays    started",
		Closed:   "error   error  error   error   error  error    error",
	}
	if len(want) != len(stateNames) || len(actions) != len(actionNames) {
		t.Fatalf("%d states and %d actions here, %d and %d in the package", len(want), len(actions), len(stateNames), len(actionNames))
	}
	for from, row := range want {
		for i, cell := range strings.Fields(row) {
			a := actions[i]
			t.Run(fmt.Sprintf("%s when %s", a, from), func(t *testing.T) {
				to, err := from.Next(a)
				switch {
				case from == Closed:
					if err != ErrClosed || to != Closed {
						t.Errorf("got %v, %v; want ErrClosed", to, err)
					}
				case cell == "error":
					checkRefusal(t, err, a.String(), from.String())
					if to != from {
						t.Errorf("got %v with the error, want it to stay %v", to, from)
					}
				case cell == "stays":
					if err != nil || to != from {
						t.Errorf("got %v, %v; want it to stay %v", to, err, from)
					}
				case err != nil || to.String() != cell:
					t.Errorf("got %v, %v; want %s", to, err, cell)
				}
			})
		}
	}
}

func TestFileStates(t *testing.T) {
	actions := []FileAction{FileStart, FilePause, FileStop, FileSucceed, FileFail, FileCancel, FileReset}
	want := map[FileState]string{
		//              start     pause  stop  succeed   fail   CancelFile ResumeFile
		FileInit:      "uploading error  error error     failed canceled   error",
		FileUploading: "error     paused init  succeeded failed canceled   error",
		FilePaused:    "uploading error  init  error     failed canceled   error",
		FileSucceeded: "error     error  error error     error  error      error",
		FileFailed:    "error     error  error error     error  error      init",
		FileCanceled:  "error     error  error error     error  error      init",
	}
	if len(want) != len(fileStateNames) || len(actions) != len(fileActionNames) {
		t.Fatalf("%d states and %d actions here, %d and %d in the package", len(want), len(actions), len(fileStateNames), len(fileActionNames))
	}
	for from, row := range want {
		for i, cell := range strings.Fields(row) {
			a := actions[i]
			t.Run(fmt.Sprintf("%s when %s", a, from), func(t *testing.T) {
				to, err := from.Next(a)
				switch {
				case cell == "error":
					checkRefusal(t, err, a.String(), from.String())
					if to != from {
						t.Errorf("got %v with the error, want it to stay %v", to, from)
					}
				case err != nil || to.String() != cell:
					t.Errorf("got %v, %v; want %s", to, err, cell)
				}
			})
		}
	}
}

// checkRefusal wants an error that says what was asked for, and which state is in
// the way.
func checkRefusal(t *testing.T, err error, action, state string) {
	t.Helper()
	if !errors.Is(err, ErrState) {
		t.Fatalf("got %v, want ErrState", err)
	}
	if !strings.Contains(err.Error(), action) || !strings.HasSuffix(err.Error(), " is "+state) {
		t.Errorf("got %q, want it to name %s and to end with the state %s", err, action, state)
	}
}

// TestStatesHaveNames covers numbers that are no state as well: a program may have
// one from elsewhere.
func TestStatesHaveNames(t *testing.T) {
	for got, want := range map[fmt.Stringer]string{
		Init: "init", Closed: "closed", State(6): "State(6)",
		FileInit: "init", FileCanceled: "canceled", FileState(6): "FileState(6)",
		Start: "Start", FileReset: "ResumeFile",
	} {
		if got.String() != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

const statesPage = "../../STATES.md"

// TestStatesPage fails when the page draws other states than the tables have.
func TestStatesPage(t *testing.T) {
	page := drawStates()
	if *updateStates {
		if err := os.WriteFile(statesPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(statesPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page {
		t.Errorf("%s is not what the tables in state.go say; draw it again with: go test ./upload/internal/filelist -run TestStatesPage -args -update", statesPage)
	}
}

func drawStates() string {
	var b strings.Builder
	b.WriteString(`# The states of a client and of its files

TestStatesPage draws this page from the tables in internal/filelist/state.go, and fails when
the two differ.

## Client

Client.Status returns the state: StateInit for *init*, and so on. A call that is not drawn
for the current state returns ErrState, with the name of that state; after Close, all calls
that would change something return ErrClosed. Words in lower case are not calls: *finish*
means that nothing is left to do, *add* that AddFile or ResumeFile gave the client work
again. Status returns StateExpired for a started client that waits for a new token.

Pause and Stop return at once, while requests in flight are still being interrupted. After
Stop, Wait returns when they have ended.

`)
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> " + Init.String() + ": New\n")
	for from := range State(len(stateNames)) {
		for a := range Action(len(actionNames)) {
			if to, ok := clientTable[from][a]; ok {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, a)
			}
		}
	}
	fmt.Fprintf(&b, "    %s --> [*]\n```\n", Closed)
	b.WriteString(`
When the context that was passed to Start ends, the client stops as by Stop. Upload works
in every state but closed, and waits while the client is paused.

## File

FileInfo.State is the state: FileInit for *init*, and so on. The calls are CancelFile and
ResumeFile; DeleteFile and ClearFiles remove a file from the list in any state, and cancel
it first if it has not ended. All of them return at once; OnCanceled follows when the upload
was aborted, as far as the server allowed. Words in lower case are what happens to a file:
*start* means that it is the file's turn, *pause* and *stop* that Pause or Stop has
interrupted it, and *fail* that it has met an error, or that FailFile was called: it returns
ErrState where no *fail* is drawn.

`)
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> " + FileInit.String() + ": AddFile\n")
	for from := range FileState(len(fileStateNames)) {
		for a := range FileAction(len(fileActionNames)) {
			if to, ok := fileTable[from][a]; ok {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, a)
			}
		}
	}
	b.WriteString("```\n")
	b.WriteString(`
OnStarted is called when a file is started for the first time, and again after
ResumeFile; a start after Pause or Stop is not reported. Each file that was started gets
exactly one of OnSucceeded, OnFailed and OnCanceled. Close fails the files that were started
and have not ended, whatever their state; the others remain in init. CancelFile and FailFile
are reported for files that were never started, too.
`)
	return b.String()
}
