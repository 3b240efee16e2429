package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// tick is how far apart two updates of a viewer are at least.
const tick = 250 * time.Millisecond

// maxViewers bounds how many streams there are at a time.
const maxViewers = 100

// A hub makes each update once, for all viewers. Nothing is made while there is none.
type hub struct {
	ctx context.Context // of the dashboard

	mu      sync.Mutex
	viewers map[*viewer]bool
	running bool
	idle    sync.Cond // broadcast when it does not run any more

	making  sync.Mutex // held while an update is made; taken before mu
	from    producer
	latest  map[string]frame // by topic; those of parts end in the file's ID
	version uint64           // of the newest frame
	updated time.Time
	updates int // how many there were
}

// A frame is one topic as JSON, and as an event of the stream. It never changes.
type frame struct {
	topic   string // as viewers know it
	body    []byte
	version uint64 // no two frames have the same
}

// A viewer has the frames that its stream has not sent yet: at most one for each topic, so
// that one that is slow sees the latest and not each.
type viewer struct {
	file upload.FileID // whose parts it wants to see; 0: none
	wake chan struct{} // has room for one

	mu    sync.Mutex
	ready map[string]frame  // by topic
	seen  map[string]uint64 // versions that were ready once
}

func newHub(ctx context.Context, from producer) *hub {
	h := &hub{ctx: ctx, from: from, viewers: map[*viewer]bool{}}
	h.idle.L = &h.mu
	return h
}

// enter adds a viewer; nil: there are too many.
func (h *hub) enter(file upload.FileID) *viewer {
	v := &viewer{file: file, wake: make(chan struct{}, 1), ready: map[string]frame{}, seen: map[string]uint64{}}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.viewers) >= maxViewers {
		return nil
	}
	h.viewers[v] = true
	if !h.running && h.ctx.Err() == nil {
		h.running = true
		go h.run()
	}
	return v
}

func (h *hub) leave(v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.viewers, v)
}

// wait waits until nothing is made any more, once the context has ended.
func (h *hub) wait() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.running {
		h.idle.Wait()
	}
}

// run makes updates until the last viewer has left.
func (h *hub) run() {
	beat := time.NewTicker(tick)
	defer beat.Stop()
	for h.goesOn() {
		h.update()
		select {
		case <-beat.C:
		case <-h.ctx.Done():
		}
	}
}

// goesOn reports whether there is a viewer. If not, run has ended.
func (h *hub) goesOn() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.viewers) > 0 && h.ctx.Err() == nil {
		return true
	}
	h.running = false
	h.idle.Broadcast()
	return false
}

// update makes one update, and hands each viewer what is new to it.
func (h *hub) update() {
	h.making.Lock()
	defer h.making.Unlock()
	all := h.snapshot()
	h.refresh(chosen(all))
	for _, v := range all {
		v.take(h.latest)
	}
}

func (h *hub) snapshot() (all []*viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for v := range h.viewers {
		all = append(all, v)
	}
	return all
}

// chosen are the files whose parts viewers want to see.
func chosen(all []*viewer) map[upload.FileID]bool {
	files := make(map[upload.FileID]bool)
	for _, v := range all {
		if v.file != 0 {
			files[v.file] = true
		}
	}
	return files
}

// refresh makes all topics, and keeps the frames of those that are as they were. making is
// held.
func (h *hub) refresh(files map[upload.FileID]bool) {
	next := make(map[string]frame)
	put := func(key, topic string, value any) {
		body, err := json.Marshal(value)
		if err != nil {
			return // there is nothing in it that has no JSON
		}
		if old, ok := h.latest[key]; ok && bytes.Equal(old.body, body) {
			next[key] = old
			return
		}
		h.version++
		next[key] = frame{topic, body, h.version}
	}
	for topic, value := range h.from.values() {
		put(topic, topic, value)
	}
	for id := range files {
		put(partsKey(id), topicParts, h.from.parts(id))
	}
	h.latest, h.updated = next, time.Now()
	h.updates++
}

func partsKey(id upload.FileID) string { return topicParts + " " + strconv.FormatInt(int64(id), 10) }

// now returns all topics, for one who asks once. What was made a moment ago will do.
func (h *hub) now(file upload.FileID) map[string]json.RawMessage {
	h.making.Lock()
	defer h.making.Unlock()
	_, known := h.latest[partsKey(file)]
	if fresh := !h.updated.IsZero() && time.Since(h.updated) < tick; !fresh || file != 0 && !known {
		files := chosen(h.snapshot())
		if file != 0 {
			files[file] = true
		}
		h.refresh(files)
	}
	all := make(map[string]json.RawMessage)
	for key, f := range h.latest {
		if f.topic != topicParts || key == partsKey(file) {
			all[f.topic] = f.body
		}
	}
	return all
}

// take makes ready what is new to the viewer.
func (v *viewer) take(latest map[string]frame) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key, f := range latest {
		if f.topic == topicParts && key != partsKey(v.file) || v.seen[f.topic] == f.version {
			continue
		}
		v.ready[f.topic], v.seen[f.topic] = f, f.version
	}
	if len(v.ready) == 0 {
		return
	}
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// next returns what is ready, and takes it from there.
func (v *viewer) next() map[string]frame {
	v.mu.Lock()
	defer v.mu.Unlock()
	ready := v.ready
	v.ready = map[string]frame{}
	return ready
}
