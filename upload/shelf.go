package upload

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/media"
	"github.com/vodupload/vodupload/upload/internal/target"
)

// A shelf keeps files that have succeeded and whose callbacks have returned: most of a
// long list, of which nothing but their FileInfo is needed any more. Here they take a
// fraction of what a file takes that can still change. Its zero value is empty.
type shelf struct {
	files   map[FileID]shelved
	keys    map[keyHash]FileID
	bytes   int64    // of all
	skipped int      // how many were skipped
	last    *binding // of the file before: most files of a list go to the same bucket
}

// A keyHash stands for a key: with 128 bits, two keys do not have the same.
type keyHash [2]uint64

var keySeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

func hashOf(k checkpoint.Key) keyHash {
	return keyHash{maphash.Comparable(keySeeds[0], k), maphash.Comparable(keySeeds[1], k)}
}

// shelved is a file on the shelf.
type shelved struct {
	text  string // see pack
	place *binding
	rare  *rareInfo // nil: it has none
}

// A binding is what files that go to one bucket share.
type binding struct {
	site   *site
	bucket string
}

// rareInfo are the parts of a FileInfo that few files have.
type rareInfo struct {
	info                       *Info
	tag                        any
	videoID, mediaID, mediaURL string
	versionID                  string
	callbackBody               []byte
}

func (r *rareInfo) isEmpty() bool {
	return r.info == nil && r.tag == nil && r.videoID == "" && r.mediaID == "" && r.mediaURL == "" &&
		r.versionID == "" && r.callbackBody == nil
}

// put puts a file on the shelf.
func (s *shelf) put(e *entry, f *filelist.File) {
	if s.files == nil {
		s.files, s.keys = make(map[FileID]shelved), make(map[keyHash]FileID)
	}
	if s.last == nil || s.last.site != e.site || s.last.bucket != e.bucket {
		s.last = &binding{e.site, e.bucket}
	}
	one := shelved{text: pack(e, f), place: s.last}
	r := e.result
	rare := rareInfo{e.info, e.extras.tagged(), e.videoID, e.mediaID, e.mediaURL, r.VersionID, r.CallbackBody}
	if !rare.isEmpty() {
		one.rare = &rare
	}
	s.files[e.id] = one
	s.keys[hashOf(f.Key)] = e.id
	s.bytes += f.Size
	if f.Skipped {
		s.skipped++
	}
}

// has reports whether a file is on the shelf.
func (s *shelf) has(id FileID) bool {
	_, ok := s.files[id]
	return ok
}

// unique returns an error for a key that a file on the shelf has.
func (s *shelf) unique(k checkpoint.Key) error {
	if id, ok := s.keys[hashOf(k)]; ok {
		return &filelist.DuplicateError{Key: k, ID: filelist.ID(id)}
	}
	return nil
}

// remove takes a file from the shelf, and reports whether it was there.
func (s *shelf) remove(id FileID) bool {
	one, ok := s.files[id]
	if ok {
		info, key := one.unpack(id)
		delete(s.files, id)
		delete(s.keys, hashOf(key))
		s.bytes -= info.Size
		if info.Result.Skipped {
			s.skipped--
		}
	}
	return ok
}

// addTo adds the files on the shelf to the totals of the list.
func (s *shelf) addTo(t *filelist.Totals) {
	t.Files[filelist.FileSucceeded] += len(s.files)
	t.Total += s.bytes
	t.Uploaded += s.bytes
	t.Skipped += s.skipped
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
	one, ok := s.files[id]
	if !ok {
		return FileInfo{}, false
	}
	info, _ := one.unpack(id)
	return info, true
}

// pack writes what is of the file alone: texts with their lengths, then numbers.
func pack(e *entry, f *filelist.File) string {
	r := e.result
	b := make([]byte, 0, 256)
	source := e.source
	if source == e.path {
		source = "" // as it is for a file that no link leads to
	}
	for _, text := range []string{e.path, source, e.object, r.ETag, e.uploadID} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	var flags uint64
	for i, flag := range []bool{r.Verified, f.Key == media.Key(e.source), r.Skipped, r.CompletedByOther} {
		if flag {
			flags |= 1 << i
		}
	}
	b = binary.LittleEndian.AppendUint64(b, r.CRC64)
	for _, n := range []int64{
		int64(flags), f.Size, r.Size - f.Size, f.Sent, e.partSize, f.Started.UnixNano(), int64(f.Ended.Sub(f.Started)),
		int64(r.Parts), int64(r.ResumedParts), r.ResumedBytes, r.SentBytes, int64(r.Duration),
	} {
		b = binary.AppendVarint(b, n)
	}
	return string(b)
}

// unpack returns what pack and put have kept of a file, and its key.
func (s *shelved) unpack(id FileID) (FileInfo, checkpoint.Key) {
	p := unpacker(s.text)
	path, source, object, etag, uploadID := p.text(), p.text(), p.text(), p.text(), p.text()
	crc := binary.LittleEndian.Uint64([]byte(p[:8]))
	p = p[8:]
	flags, size, more, sent, partSize := p.number(), p.number(), p.number(), p.number(), p.number()
	started := time.Unix(0, p.number())
	ended := started.Add(time.Duration(p.number()))
	t := target.Target{Endpoint: s.place.site.endpoint, Region: s.place.site.region, Bucket: s.place.bucket, Object: object}
	r := &Result{
		Endpoint: s.place.site.text, Bucket: t.Bucket, Object: object, Location: t.URL(), ETag: etag, CRC64: crc,
		Verified: flags&1 != 0, Skipped: flags&4 != 0, CompletedByOther: flags&8 != 0, Size: size + more, Parts: int(p.number()), ResumedParts: int(p.number()),
		ResumedBytes: p.number(), SentBytes: p.number(), Duration: time.Duration(p.number()),
	}
	info := FileInfo{
		ID: id, Path: path, Endpoint: r.Endpoint, Bucket: t.Bucket, Object: object, State: FileSucceeded,
		Size: size, Uploaded: size, Sent: sent, UploadID: uploadID, PartSize: partSize,
		Started: started, Ended: ended, Result: r,
	}
	if x := s.rare; x != nil {
		info.Info, info.Tag = x.info, x.tag
		info.VideoID, info.MediaID, info.MediaURL = x.videoID, x.mediaID, x.mediaURL
		r.VideoID, r.MediaID, r.MediaURL = x.videoID, x.mediaID, x.mediaURL
		r.VersionID, r.CallbackBody = x.versionID, x.callbackBody
	}
	if source == "" {
		source = path
	}
	if flags&2 != 0 {
		return info, media.Key(source)
	}
	return info, checkpoint.Key{Source: source, Endpoint: r.Endpoint, Bucket: t.Bucket, Object: object}
}

// An unpacker is what is left to read of a text of pack.
type unpacker string

func (p *unpacker) text() string {
	n, size := binary.Uvarint([]byte((*p)[:min(len(*p), binary.MaxVarintLen64)]))
	text := (*p)[size : size+int(n)]
	*p = (*p)[size+int(n):]
	return string(text)
}

func (p *unpacker) number() int64 {
	n, size := binary.Varint([]byte((*p)[:min(len(*p), binary.MaxVarintLen64)]))
	*p = (*p)[size:]
	return n
}
