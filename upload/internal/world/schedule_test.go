package world

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// A schedule is one life of a client: what it has to upload, under which circumstances,
// and what happens meanwhile. It is a value: the same schedule can be run again, or with
// something left out.
type schedule struct {
	Seed   uint64
	Setup  setup
	Events []event // in the order of At
}

// A setup is what does not change.
type setup struct {
	Files     []fileSpec
	Parallel  int
	Retry     time.Duration // RetryInterval
	Delay     time.Duration // of the link, one way
	Rate      int           // of the link, bytes per second and connection
	TokenLife time.Duration // 0: a long-lived key
	Provider  bool          // Options.Credentials; false: Init and OnTokenExpired
	Skew      time.Duration // of the server's clock
}

// A fileSpec is one file.
type fileSpec struct {
	Size int
	Kind fileKind
}

type fileKind int

const (
	fingerprinted fileKind = iota // a Source that any process resumes
	nameless                      // a Source without a fingerprint
	reader                        // a Reader
	late                          // a Source whose destination comes after OnStarted
	direct                        // a Source for calls of Upload
)

var fileKindWords = [...]string{"a source", "a source without a fingerprint", "a Reader", "a source without a destination", "a source for Upload"}

// An event is something that happens at a time, and lasts for a while or not.
type event struct {
	At, For time.Duration
	Kind    eventKind
	File    int        // of those about a file
	Op      osstest.Op // of those about an operation
	Times   int        // of those that hit several requests
}

type eventKind int

const (
	refuse eventKind = iota
	noNames
	silence
	slow
	cut
	strand

	internalError
	throttled
	loseAnswer
	hang
	hangAfterWork
	badGateway
	breakBody
	loseUpload
	flipBit
	denied
	stuck
	otherClock

	expire
	noTokens

	pause
	stop
	cancel
	remove
	restart
	kill
	sweep
	uploadDirect
	setParallel
	failFile

	eventKinds
)

// A trait is what holds of all events of a kind.
type trait struct {
	words  string // with %s for what it is about
	weight int    // how often it comes; 0: see extras
	longer bool   // it ends after For
	subject
}

// A subject is what events of a kind are about.
type subject int

const (
	nothing subject = iota
	aFile
	anOp
	aNumber
)

var traits = [eventKinds]trait{
	refuse:  {"connections are refused, and those that there are reset", 3, true, nothing},
	noNames: {"no name is resolved, and the connections that there are are reset", 1, true, nothing},
	silence: {"the network swallows everything", 3, true, nothing},
	slow:    {"the network has a tenth of its bandwidth", 1, true, nothing},
	cut:     {"all connections are reset", 3, false, nothing},
	strand:  {"all connections go silent for ever", 2, false, nothing},

	internalError: {"%s is answered by 500 InternalError", 2, false, anOp},
	throttled:     {"%s is throttled", 2, false, anOp},
	loseAnswer:    {"the answer to %s is lost", 4, false, anOp},
	hang:          {"%s hangs", 2, false, anOp},
	hangAfterWork: {"%s hangs when its work is done", 2, false, anOp},
	badGateway:    {"%s is answered by a gateway's 502", 1, false, anOp},
	breakBody:     {"the connection of %s breaks within its body", 1, false, anOp},
	loseUpload:    {"the server forgets the upload of %s", 1, false, anOp},
	flipBit:       {"a bit of the body of %s is flipped on its way", 3, false, anOp},
	denied:        {"%s is answered by 403 AccessDenied", 1, false, anOp},
	stuck:         {"each request for the parts or the object of file %s is answered by 500", 2, true, aFile},
	otherClock:    {"%s meets a server whose clock is 20 minutes ahead", 1, false, anOp},

	expire:   {"the token expires", 4, false, nothing},
	noTokens: {"the token expires, and no other is handed out", 4, true, nothing},

	pause:        {"Pause; Resume later", 2, true, nothing},
	stop:         {"Stop; Start later", 2, true, nothing},
	cancel:       {"CancelFile of file %s; ResumeFile later", 3, true, aFile},
	remove:       {"DeleteFile of file %s; AddFile later", 2, true, aFile},
	restart:      {"Close; another client later", 2, true, nothing},
	kill:         {"the process is killed; another one starts later", 4, true, nothing},
	sweep:        {"Sweep of uploads of any age", 1, false, nothing},
	uploadDirect: {"Upload of file %s, with a context that ends later", 2, true, aFile},
	setParallel:  {"SetParallel(%s); back later", 0, true, aNumber},
	failFile:     {"FailFile of file %s; ResumeFile later", 0, true, aFile},
}

func (e event) String() string {
	var about string
	switch traits[e.Kind].subject {
	case aFile:
		about = fmt.Sprint(e.File)
	case aNumber:
		about = fmt.Sprint(e.Times)
	case anOp:
		about = string(e.Op)
		if e.Times > 1 {
			about = fmt.Sprintf("%s (%d times)", e.Op, e.Times)
		}
	}
	words := traits[e.Kind].words
	if strings.Contains(words, "%s") {
		words = fmt.Sprintf(words, about)
	}
	if traits[e.Kind].longer {
		words += ", for " + e.For.String()
	}
	return fmt.Sprintf("%8v  %s", e.At, words)
}

// String returns the schedule in words, a line for each file and event.
func (s schedule) String() string {
	var b strings.Builder
	u := s.Setup
	fmt.Fprintf(&b, "seed %d: %d requests at a time, retries from %v on, %d bytes/s per connection with a delay of %v\n", s.Seed, u.Parallel, u.Retry, u.Rate, u.Delay)
	source := "Init and OnTokenExpired"
	if u.Provider {
		source = "a Provider"
	}
	if u.TokenLife > 0 {
		fmt.Fprintf(&b, "tokens of %v from %s", u.TokenLife, source)
	} else {
		fmt.Fprintf(&b, "a long-lived key from %s", source)
	}
	fmt.Fprintf(&b, "; the server's clock is %v ahead\n", u.Skew)
	for i, f := range u.Files {
		fmt.Fprintf(&b, "    file %d  %s of %d bytes\n", i, fileKindWords[f.Kind], f.Size)
	}
	for _, e := range s.Events {
		fmt.Fprintln(&b, e)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// An action is the beginning or the end of an event.
type action struct {
	at  time.Duration
	ev  event
	end bool
}

// actions returns what is to be done, in order.
func (s schedule) actions() []action {
	var all []action
	for _, e := range s.Events {
		all = append(all, action{e.At, e, false})
		if traits[e.Kind].longer {
			all = append(all, action{e.At + e.For, e, true})
		}
	}
	slices.SortStableFunc(all, func(a, b action) int { return cmp.Compare(a.at, b.at) })
	return all
}
