//go:build !linux

package hotfolder

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// Listen returns the events of dir. skip reports folders that need no watching. What is
// seen here is that something happened, neither renames nor closes.
func Listen(dir string, skip func(name string) bool) *Events {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return noEvents(err.Error())
	}
	l := &listener{dir: dir, skip: skip, w: w, c: make(chan Event, 256), stop: make(chan struct{})}
	if err := l.watch("."); err != nil {
		_ = w.Close()
		return noEvents(err.Error())
	}
	l.done.Go(l.run)
	return &Events{C: l.c, close: l.end}
}

type listener struct {
	dir  string
	skip func(name string) bool
	w    *fsnotify.Watcher
	c    chan Event
	stop chan struct{}
	once sync.Once
	done sync.WaitGroup
}

func (l *listener) end() error {
	var err error
	l.once.Do(func() {
		close(l.stop)
		err = l.w.Close()
		l.done.Wait()
	})
	return err
}

// watch adds a folder and those below it.
func (l *listener) watch(name string) error {
	return filepath.WalkDir(filepath.Join(l.dir, filepath.FromSlash(name)), func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil // reading the folder reports it
		}
		if rel := l.relative(p); rel != "." && l.skip(rel) {
			return fs.SkipDir
		}
		if err := l.w.Add(p); err != nil {
			return fmt.Errorf("watch %s: %w", p, err)
		}
		return nil
	})
}

func (l *listener) relative(p string) string {
	rel, err := filepath.Rel(l.dir, p)
	if err != nil {
		return "."
	}
	return filepath.ToSlash(rel)
}

func (l *listener) run() {
	defer close(l.c)
	for {
		var e Event
		select {
		case <-l.stop:
			return
		case got, ok := <-l.w.Events:
			if !ok {
				return
			}
			e = Event{Kind: Touched, Name: l.relative(got.Name)}
			if got.Has(fsnotify.Create) && !l.skip(e.Name) {
				_ = l.watch(e.Name) // if it is a folder
			}
		case _, ok := <-l.w.Errors:
			if !ok {
				return
			}
			e = Event{Kind: Rescan}
		}
		select {
		case l.c <- e:
		case <-l.stop:
			return
		}
	}
}
