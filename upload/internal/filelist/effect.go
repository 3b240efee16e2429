package filelist

// A Kind says what an [Effect] asks for.
type Kind uint8

// The kinds of effects.
const (
	StartRun  Kind = iota // start run number Run; Slot: it has a slot already
	Interrupt             // end the run, with cause Err
	CleanUp               // remove what the file left, then call Cleaned
	Release               // the source will not be read again: close what the user gave to read
	Notify                // report an event to the user
	Held                  // Hold keeps the file from its turn; Err: why its endpoint is away
	Freed                 // that hold has ended
	Rest                  // a watched file has come to rest; Err: why without an end
	Over                  // a file has ended and is to leave the list: call Leave with Run after the callback
	Drop                  // the file is gone: forget all about it
)

// An Event is what callbacks report.
type Event uint8

// The events.
const (
	NoEvent Event = iota
	EventStarted
	EventSucceeded
	EventFailed // Err: why; Silent where the file was never started, unless its group failed it
	EventCanceled
	EventFinished // about the whole list
)

// An Effect asks the owner of the list to do something. Effects are carried out in
// their order.
type Effect struct {
	Kind   Kind
	Event  Event
	File   ID // 0 for EventFinished
	Run    int
	Slot   bool
	Silent bool
	Hold   Hold
	Err    error
}

// maxSpare is how many effects the list keeps room for: a decision about a long list has many
// more, once.
const maxSpare = 256

func (l *List) effect(e Effect) { l.effects = append(l.effects, e) }

func (l *List) notify(f *node, event Event) {
	l.effect(Effect{Kind: Notify, Event: event, File: f.ID})
}

// Take returns the effects of all decisions since the last Take. The slice is valid
// until the next decision, and files that were dropped can be looked at by [List.Get]
// until the next Take.
func (l *List) Take() []Effect {
	for _, id := range l.gone {
		if f := l.files[id]; f != nil && f.Deleted { // it has not returned
			delete(l.files, id)
		}
		l.files = Shrink(l.files, &l.peaks.files)
	}
	l.gone = append(l.gone[:0], l.dropped...)
	l.dropped = l.dropped[:0]
	taken := l.effects
	l.effects = l.spare[:0]
	if l.spare = taken; cap(taken) > maxSpare {
		l.spare = nil
	}
	return taken
}
