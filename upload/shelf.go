package upload

import (
	"hash/maphash"
	"slices"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
)

// A shelf keeps files that have ended and whose callbacks have returned: most of a long
// list, of which nothing but their FileInfo is needed any more, unless one that did not
// succeed is resumed or deleted. Here they take a fraction of what a file takes that can
// still change. Its zero value is empty.
type shelf struct {
	files  map[FileID]shelved
	keys   map[keyHash]FileID
	totals filelist.Totals
	texts  texts
	last   [2]*binding // of the file before that has succeeded, and of the one that has not: most files of a list go to the same bucket
}

// A keyHash stands for a key: with 128 bits, two keys do not have the same.
type keyHash [2]uint64

var keySeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func hashOf(k checkpoint.Key) keyHash {
	return keyHash{maphash.Comparable(keySeeds[0], k), maphash.Comparable(keySeeds[1], k)}
}

// put puts a file on the shelf.
func (s *shelf) put(e *entry, left *filelist.Left) {
	if s.files == nil {
		s.files, s.keys = make(map[FileID]shelved), make(map[keyHash]FileID)
	}
	s.files[e.id] = s.pack(e, left)
	s.keys[hashOf(left.Key)] = e.id
	s.count(&left.File, 1)
}

// count adds a file to the totals of the shelf, or takes it out of them.
func (s *shelf) count(f *filelist.File, sign int64) {
	t := &s.totals
	t.Files[f.State] += int(sign)
	if f.State == filelist.FileCanceled {
		return
	}
	t.Total += sign * max(f.Size, f.Uploaded)
	t.Uploaded += sign * f.Uploaded
	if f.Skipped {
		t.Skipped += int(sign)
	}
}

// addTo adds the files on the shelf to the totals of the list.
func (s *shelf) addTo(t *filelist.Totals) {
	for state, n := range s.totals.Files {
		t.Files[state] += n
	}
	t.Total += s.totals.Total
	t.Uploaded += s.totals.Uploaded
	t.Skipped += s.totals.Skipped
}

// state returns the state of a file on the shelf.
func (s *shelf) state(id FileID) (state FileState, ok bool) {
	one, ok := s.files[id]
	if ok {
		state = one.text.head().state
	}
	return state, ok
}

// failures yields the files that have failed, with the numbers of their failures.
func (s *shelf) failures(yield func(filelist.ID, int) bool) {
	for id, one := range s.files {
		if h := one.text.head(); h.state == FileFailed && !yield(filelist.ID(id), h.failure) {
			return
		}
	}
}

// unique returns an error for a key that a file on the shelf has.
func (s *shelf) unique(k checkpoint.Key) error {
	if id, ok := s.keys[hashOf(k)]; ok {
		return &filelist.DuplicateError{Key: k, ID: filelist.ID(id)}
	}
	return nil
}

// extrasOf returns the extras of the file that has a key; nil: it has none, or there is no
// such file.
func (s *shelf) extrasOf(k checkpoint.Key) *extras {
	id, ok := s.keys[hashOf(k)]
	if !ok {
		return nil
	}
	e, _ := s.unpack(id)
	return e.extras
}

// file returns a file on the shelf as the list knew it.
func (s *shelf) file(id filelist.ID) filelist.File {
	_, left := s.unpack(FileID(id))
	return left.File
}

// remove takes a file from the shelf that is there.
func (s *shelf) remove(id FileID) (*entry, filelist.Left) {
	e, left := s.unpack(id)
	delete(s.files, id)
	delete(s.keys, hashOf(left.Key))
	s.count(&left.File, -1)
	return e, left
}

// clear empties the shelf.
func (s *shelf) clear() { *s = shelf{} }

// ids returns the files on the shelf, in the order of the list.
func (s *shelf) ids() []FileID {
	ids := make([]FileID, 0, len(s.files))
	for id := range s.files {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// get returns a snapshot of a file on the shelf.
func (s *shelf) get(id FileID) (FileInfo, bool) {
	if _, ok := s.files[id]; !ok {
		return FileInfo{}, false
	}
	e, left := s.unpack(id)
	return e.snapshot(&left.File), true
}
