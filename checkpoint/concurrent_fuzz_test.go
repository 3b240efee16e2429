package checkpoint

import (
	"errors"
	"sync"
	"testing"
)

// FuzzConcurrentWriters lets several goroutines, over two stores in one directory, do
// what the input says, four bytes for a step: who, what, and with which part. Whatever
// they do at the same time, one at a time holds the upload, what a holder added is
// there when it is opened again, and nothing else is.
func FuzzConcurrentWriters(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x00\x01\x01\x02\x00\x02\x02\x03\x00\x00\x03\x04\x00"))
	f.Add([]byte("\x00\x04\x01\x00\x01\x04\x02\x00\x02\x00\x03\x00\x03\x05\x04\x00\x00\x00\x05\x00"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		const writers, most = 4, 400
		steps = steps[:min(len(steps), most)]
		dir := t.TempDir()
		w := &writersOfOne{t: t, stores: []*Dir{mustOpenDir(t, dir, hostSystem()), mustOpenDir(t, dir, hostSystem())}}
		var wg sync.WaitGroup
		for me := range writers {
			wg.Go(func() {
				for at := 0; at+4 <= len(steps); at += 4 {
					if int(steps[at])%writers == me {
						w.step(me, steps[at+1], 1+int(steps[at+2])+256*(int(steps[at+3])%4))
					}
				}
			})
		}
		wg.Wait()
		w.end()
		w.wantAll()
	})
}

// writersOfOne share one upload, and know what must be in it.
type writersOfOne struct {
	t      *testing.T
	stores []*Dir

	mu    sync.RWMutex // held for writing by who opens, begins, closes or removes
	u     Claim        // nil: nobody holds it
	begun bool
	parts sync.Map // numbers that were added since Begin
}

func (w *writersOfOne) step(me int, what byte, number int) {
	switch what % 8 {
	case 0, 1, 2, 3:
		w.add(number)
	case 4:
		w.open(w.stores[me%len(w.stores)])
	case 5:
		w.begin()
	case 6:
		w.flush()
	case 7:
		w.end()
	}
}

func (w *writersOfOne) check(what string, err error, allowed ...error) {
	for _, a := range allowed {
		if errors.Is(err, a) {
			return
		}
	}
	if err != nil {
		w.t.Errorf("%s: %v", what, err)
	}
}

func (w *writersOfOne) open(d *Dir) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u, err := d.Open(w.t.Context(), testKey("a"))
	switch {
	case w.u != nil && !errors.Is(err, ErrInUse):
		w.t.Errorf("Open while it is held: got %v, want ErrInUse", err)
	case w.u == nil && err != nil:
		w.t.Errorf("Open while nobody holds it: %v", err)
	case w.u == nil:
		w.u = u
		w.look()
	}
}

// look compares what is known of the upload with what was added. w.mu is held.
func (w *writersOfOne) look() {
	if err := w.u.Damaged(); err != nil {
		w.t.Error(err)
	}
	_, parts, ok := w.u.Load()
	if ok != w.begun {
		w.t.Errorf("there is a record: %t, want %t", ok, w.begun)
	}
	want := 0
	w.parts.Range(func(any, any) bool { want++; return true })
	for _, p := range parts {
		if _, added := w.parts.Load(p.Number); !added || p != testPart(p.Number) {
			w.t.Errorf("part %+v was never added", p)
		}
	}
	if len(parts) != want {
		w.t.Errorf("%d parts are there, want %d", len(parts), want)
	}
}

func (w *writersOfOne) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.u == nil {
		return
	}
	w.check("Begin", w.u.Begin(w.t.Context(), testRecord("a")))
	w.begun = true
	w.parts.Clear()
}

// add is what many do at the same time.
func (w *writersOfOne) add(number int) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.u == nil {
		return
	}
	err := w.u.Add(testPart(number))
	w.check("Add", err, ErrNoRecord)
	if err == nil {
		w.parts.Store(number, true)
	} else if w.begun {
		w.t.Errorf("Add after Begin: %v", err)
	}
}

func (w *writersOfOne) flush() {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.u != nil {
		w.check("Flush", w.u.Flush(w.t.Context()))
	}
}

func (w *writersOfOne) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.u == nil {
		return
	}
	w.look()
	w.check("Close", w.u.Close())
	w.u = nil
}

func (w *writersOfOne) wantAll() {
	w.open(w.stores[0])
	w.end()
}
