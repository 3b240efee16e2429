package hotfolder

// An Event is what the system said about a name in the folder. Events are hints: what they
// lack, the next reading of the folder brings.
type Event struct {
	Kind EventKind
	Name string // with slashes, relative to the folder
	From string // of Renamed: the earlier name in the folder; empty: it came from outside
}

// An EventKind is a kind of [Event].
type EventKind uint8

// The kinds of events.
const (
	Touched  EventKind = iota // something happened to the file: look at it
	Closed                    // a writer closed it
	Renamed                   // it got its name by a rename
	Vanished                  // it was deleted or moved away
	Rescan                    // read the whole folder: events were lost, or a folder came
)

// Events are the events of a folder and of the folders below it.
type Events struct {
	C     <-chan Event
	close func() error
	note  string
}

// Close ends the events. C is closed then.
func (e *Events) Close() error { return e.close() }

// Note says what the system does not see, for people; empty: nothing.
func (e *Events) Note() string { return e.note }

// noEvents are the events of a folder about which the system says nothing.
func noEvents(note string) *Events {
	c := make(chan Event)
	return &Events{C: c, note: note, close: func() error { return nil }}
}
