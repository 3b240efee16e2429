package hotfolder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// An inotify says more than portable watchers do: which file was closed by its writer, and
// which got its name by a rename.
type inotify struct {
	dir     string
	f       *os.File
	skip    func(name string) bool
	c       chan Event
	stop    chan struct{}
	once    sync.Once
	done    sync.WaitGroup
	folders map[int32]string // by watch descriptor, with slashes; "." is the folder itself
	moved   string           // the name of the last IN_MOVED_FROM
	cookie  uint32           // of it
}

const inotifyMask = unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_CREATE |
	unix.IN_DELETE | unix.IN_ONLYDIR | unix.IN_EXCL_UNLINK

// Listen returns the events of dir. skip reports folders that need no watching. Where the
// system cannot watch, the events are none, and Note says why.
func Listen(dir string, skip func(name string) bool) *Events {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return noEvents(fmt.Sprintf("inotify: %v", err))
	}
	w := &inotify{
		dir: dir, skip: skip, f: os.NewFile(uintptr(fd), "inotify"), c: make(chan Event, 256), stop: make(chan struct{}),
		folders: make(map[int32]string),
	}
	if err := w.watch("."); err != nil {
		return noEvents(errors.Join(err, w.f.Close()).Error())
	}
	w.done.Go(w.run)
	return &Events{C: w.c, close: w.end}
}

func (w *inotify) end() error {
	var err error
	w.once.Do(func() {
		close(w.stop)
		err = w.f.Close()
		w.done.Wait()
	})
	return err
}

// watch adds a folder and those below it.
func (w *inotify) watch(name string) error {
	return filepath.WalkDir(filepath.Join(w.dir, filepath.FromSlash(name)), func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil // reading the folder reports it
		}
		rel, err := filepath.Rel(w.dir, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel != "." && w.skip(rel) {
			return fs.SkipDir
		}
		wd, err := w.add(p)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return nil
		}
		if errors.Is(err, unix.ENOSPC) {
			return fmt.Errorf("inotify: too many folders: raise fs.inotify.max_user_watches")
		}
		if err != nil {
			return fmt.Errorf("inotify: %s: %w", p, err)
		}
		w.folders[int32(wd)] = rel
		return nil
	})
}

func (w *inotify) add(p string) (wd int, err error) {
	conn, err := w.f.SyscallConn()
	if err != nil {
		return 0, err
	}
	ctlErr := conn.Control(func(fd uintptr) { wd, err = unix.InotifyAddWatch(int(fd), p, inotifyMask) })
	return wd, errors.Join(err, ctlErr)
}

func (w *inotify) run() {
	defer close(w.c)
	buf := make([]byte, 64<<10)
	for {
		n, err := w.f.Read(buf)
		if err != nil {
			return // closed, or of no more use: the folder is read every few seconds
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			wd := int32(binary.NativeEndian.Uint32(buf[at:]))
			mask, cookie := binary.NativeEndian.Uint32(buf[at+4:]), binary.NativeEndian.Uint32(buf[at+8:])
			length := int(binary.NativeEndian.Uint32(buf[at+12:]))
			at += unix.SizeofInotifyEvent
			name, _, _ := bytes.Cut(buf[at:at+length], []byte{0})
			at += length
			if !w.handle(wd, mask, cookie, string(name)) {
				return
			}
		}
	}
}

// handle reports whether to continue.
func (w *inotify) handle(wd int32, mask, cookie uint32, base string) bool {
	if mask&unix.IN_Q_OVERFLOW != 0 {
		return w.send(Event{Kind: Rescan})
	}
	folder, ok := w.folders[wd]
	if mask&unix.IN_IGNORED != 0 {
		delete(w.folders, wd)
		return true
	}
	if !ok || base == "" {
		return true
	}
	name := path.Join(folder, base)
	if mask&unix.IN_ISDIR != 0 {
		return w.handleFolder(mask, name)
	}
	switch {
	case mask&unix.IN_MOVED_FROM != 0:
		w.moved, w.cookie = name, cookie
		return w.send(Event{Kind: Touched, Name: name})
	case mask&unix.IN_MOVED_TO != 0:
		from := ""
		if cookie == w.cookie {
			from = w.moved
		}
		w.moved, w.cookie = "", 0
		return w.send(Event{Kind: Renamed, Name: name, From: from})
	case mask&unix.IN_CLOSE_WRITE != 0:
		return w.send(Event{Kind: Closed, Name: name})
	case mask&unix.IN_DELETE != 0:
		return w.send(Event{Kind: Vanished, Name: name})
	}
	return w.send(Event{Kind: Touched, Name: name})
}

func (w *inotify) handleFolder(mask uint32, name string) bool {
	switch {
	case w.skip(name):
		return true
	case mask&(unix.IN_MOVED_FROM|unix.IN_MOVED_TO) != 0:
		for wd, folder := range w.folders { // names of folders that moved within are wrong now
			if folder == name || strings.HasPrefix(folder, name+"/") {
				delete(w.folders, wd)
			}
		}
	}
	if mask&(unix.IN_CREATE|unix.IN_MOVED_TO) != 0 {
		_ = w.watch(name)
	}
	return w.send(Event{Kind: Rescan})
}

func (w *inotify) send(e Event) bool {
	select {
	case w.c <- e:
		return true
	case <-w.stop:
		return false
	}
}
