package checkpoint

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"sync"
	"time"
)

// journalExt is what the name of a journal has after that of its upload's file.
const journalExt = ".parts"

// journalDelay is how long an added part waits for others before it is handed to the
// system with them.
const journalDelay = 25 * time.Millisecond

// A journal is a file beside that of an upload, of the parts that were added and may
// not be in a transaction yet. It is never synced: a process that is killed leaves in
// it what it had handed to the system, however long the disk takes to sync a
// transaction. After a loss of power it may hold less, and what it holds is checked.
//
// Frames are numbered, and a transaction says up to which number it has them: those
// count that came later.
type journal struct {
	sys  *system
	path string

	mu   sync.Mutex
	f    *os.File // nil before the first write
	size int64    // of what is sound in it
}

const (
	frameHead = 4 + 8 + tagLen // length of the part, number, tag of the record
	maxFrame  = partHead + maxETag + checksumLen
)

// A frame is one part in a journal.
type frame struct {
	number uint64
	tag    [tagLen]byte
	part   Part
}

// appendFrame appends the encoding of f to b. The part is valid.
func appendFrame(b []byte, f frame) []byte {
	from := len(b)
	b = append(b, make([]byte, 4)...)
	b = binary.BigEndian.AppendUint64(b, f.number)
	b = append(b, f.tag[:]...)
	b, _ = f.part.AppendBinary(b)
	binary.BigEndian.PutUint32(b[from:], uint32(len(b)-from-frameHead))
	return appendChecksum(b, from)
}

// readFrames returns the frames that r begins with, and how many bytes they are.
func readFrames(r io.Reader) (frames []frame, size int64) {
	for {
		f, n, ok := nextFrame(r)
		if !ok {
			return frames, size
		}
		frames, size = append(frames, f), size+n
	}
}

// nextFrame reads a frame; false if there is none that is sound.
func nextFrame(r io.Reader) (f frame, size int64, ok bool) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, 0, false
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return frame{}, 0, false
	}
	data := append(head[:], make([]byte, n+checksumLen)...)
	if _, err := io.ReadFull(r, data[frameHead:]); err != nil {
		return frame{}, 0, false
	}
	body, err := checked(data)
	if err != nil {
		return frame{}, 0, false
	}
	p, err := decodePart(body[frameHead:])
	if err != nil {
		return frame{}, 0, false
	}
	return frame{binary.BigEndian.Uint64(head[4:]), [tagLen]byte(head[12:]), p}, int64(len(data)), true
}

// later returns the frames that belong to the record of c and that no transaction
// has.
func (c *content) later(frames []frame) []frame {
	var later []frame
	for _, f := range frames {
		if string(f.tag[:]) == string(c.tag) && f.number > c.number {
			later = append(later, f)
		}
	}
	return later
}

// count returns how many parts there are with those of frames.
func (c *content) count(frames []frame) int {
	numbers := make(map[int]bool)
	for _, f := range c.later(frames) {
		numbers[f.part.Number] = true
	}
	for _, p := range c.parts {
		delete(numbers, p.Number)
	}
	return len(c.parts) + len(numbers)
}

// readJournal returns the frames of the journal at path, and how many bytes they are. One
// that cannot be read has none. Opening a pipe would wait for a writer.
func readJournal(path string) ([]frame, int64) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, 0
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0
	}
	defer f.Close()
	return readFrames(bufio.NewReader(f))
}

// recall returns what the last holder has left. What is written goes behind that.
func (j *journal) recall() []frame {
	j.mu.Lock()
	defer j.mu.Unlock()
	frames, size := readJournal(j.path)
	j.size = size
	return frames
}

// write hands frames to the system. Where that fails, they come with the next
// transaction, which says why, if it fails as well.
func (j *journal) write(frames []byte) {
	if len(frames) == 0 {
		return
	}
	if j.f == nil && j.open() != nil {
		return
	}
	if _, err := j.f.WriteAt(frames, j.size); err == nil {
		j.size += int64(len(frames))
	}
}

// open opens the file to write what comes after the frames that were recalled. A file that
// others know by another name, and whatever is no file, is not written to: that would cut
// what a link leads to, or a backup that is made of links. A new one takes its place.
func (j *journal) open() error {
	flag := os.O_RDWR
	if info, err := os.Lstat(j.path); err != nil || !info.Mode().IsRegular() || isLinked(info) {
		if err == nil {
			_ = os.Remove(j.path)
		}
		j.size, flag = 0, flag|os.O_CREATE|os.O_EXCL
	}
	f, err := j.sys.openFile(j.path, flag, 0o600)
	if err != nil {
		return err
	}
	if err := f.Truncate(j.size); err != nil {
		_ = f.Close()
		return err
	}
	j.f = f
	return nil
}

// forget begins with an empty file, for the one that there was may be gone.
func (j *journal) forget() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.close()
	j.size = 0
}

func (j *journal) close() {
	if j.f != nil {
		_ = j.f.Close()
		j.f = nil
	}
}

// release closes the journal, and removes it unless something in it is still needed.
// A journal that stays is only in the way: nothing in it counts for another upload.
func (j *journal) release(needed bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.close()
	if !needed {
		_ = os.Remove(j.path)
	}
}
