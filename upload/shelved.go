package upload

import (
	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/credentials"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/media"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// shelved is a file on the shelf.
type shelved struct {
	text packed // what is of the file alone
	more more
}

// A more is what a file has beside its text: a binding, which it shares, or that and what
// few files have.
type more interface{ parts() (*binding, *rareInfo) }

func (b *binding) parts() (*binding, *rareInfo)  { return b, nil }
func (r *rareInfo) parts() (*binding, *rareInfo) { return r.place, r }
func (o *ownInfo) parts() (*binding, *rareInfo) {
	return o.place, &rareInfo{kept: &keptInfo{from: o.from}}
}

// ownInfo is of a file that did not succeed and has an opener of its own.
type ownInfo struct {
	place *binding
	from  opener
}

// A binding is what files that go to one bucket share: of those that have succeeded, the
// first two fields.
type binding struct {
	site     *site
	bucket   string
	from     opener // nil: it is of the file alone
	options  *ObjectOptions
	ifExists IfExists
	listing  *transfer.Listing
}

// rareInfo is what few files have.
type rareInfo struct {
	place                      *binding
	info                       *Info
	tag                        any
	videoID, mediaID, mediaURL string
	versionID                  string
	callbackBody               []byte
	kept                       *keptInfo // nil: nothing
}

func (r *rareInfo) isEmpty() bool {
	return r.info == nil && r.tag == nil && r.videoID == "" && r.mediaID == "" && r.mediaURL == "" &&
		r.versionID == "" && r.callbackBody == nil
}

// keptInfo is what few files have of those that did not succeed, and from for these.
type keptInfo struct {
	extras  *extras
	from    opener
	media   *media.Memory
	own     *credentials.Gate
	session *transfer.Session
	err     *Error // that is not about the file as it is now
	cause   error  // of any other
}

func (k *keptInfo) isEmpty() bool {
	return k.extras == nil && k.media == nil && k.own == nil && k.session == nil && k.err == nil && k.cause == nil
}

// bindingOf returns the binding of a file, which is that of the file before where it can be.
func (s *shelf) bindingOf(e *entry) *binding {
	b := binding{site: e.site, bucket: e.bucket}
	last := &s.last[0]
	if e.result == nil {
		last = &s.last[1]
		b.options, b.ifExists, b.listing = e.options, e.ifExists, e.listing
		if isShared(e.from) {
			b.from = e.from
		}
	}
	if *last == nil || **last != b {
		*last = &b
	}
	return *last
}

// isShared reports whether an opener is one of many files. It can be compared then.
func isShared(o opener) bool {
	switch o.(type) {
	case systemOpener, *folder:
		return true
	}
	return false
}

// moreOf returns what a file has beside its text.
func (s *shelf) moreOf(e *entry) more {
	r := rareInfo{place: s.bindingOf(e), info: e.info, tag: e.extras.tagged(), videoID: e.videoID, mediaID: e.mediaID, mediaURL: e.mediaURL}
	var k keptInfo
	var own opener
	if e.result != nil {
		r.versionID, r.callbackBody = e.result.VersionID, e.result.CallbackBody
	} else {
		k = keptOf(e)
		if !isShared(e.from) {
			own = e.from
		}
	}
	switch {
	case !k.isEmpty():
	case r.isEmpty() && own == nil:
		return r.place
	case r.isEmpty():
		return &ownInfo{r.place, own}
	case own == nil:
		return &r
	}
	k.from = own
	r.kept = &k
	return &r
}

func keptOf(e *entry) keptInfo {
	k := keptInfo{media: e.media, own: e.own.Load()}
	if e.extras.onProgress() != nil {
		k.extras = e.extras
	}
	if e.session.Remembers() {
		k.session = e.session
	}
	switch kindOf(e) {
	case otherError:
		k.err = e.err
	case fileError:
		k.cause = e.err.Err
	}
	return k
}

// The bits of a packed file's flags above those of its state.
const (
	flagVerified = 1 << (4 + iota)
	flagSourceOnly
	flagSkipped
	flagByOther
	flagStream
	flagLeftover
	flagUnfingerprinted
	flagOwnDestination
)

func flagsOf(e *entry, f *filelist.File) uint64 {
	flags := uint64(f.State)
	r := e.result
	if r == nil {
		r = new(Result)
	}
	for _, one := range [...]struct {
		flag uint64
		is   bool
	}{
		{flagVerified, r.Verified}, {flagSourceOnly, f.Key == media.Key(e.source)}, {flagSkipped, f.Skipped}, {flagByOther, r.CompletedByOther},
		{flagStream, f.Stream}, {flagLeftover, f.Leftover}, {flagUnfingerprinted, e.unfingerprinted}, {flagOwnDestination, e.ownDestination},
	} {
		if one.is {
			flags |= one.flag
		}
	}
	return flags
}

// pack returns what is kept of a file.
func (s *shelf) pack(e *entry, left *filelist.Left) shelved {
	p := packer{texts: &s.texts}
	p.number(flagsOf(e, &left.File))
	if left.State == filelist.FileFailed {
		p.number(uint64(left.Failure))
	}
	p.text(e.path)
	p.other(e.source, e.path) // they are the same for a file that no link leads to
	p.text(e.object)
	p.text(e.uploadID)
	p.ints(left.Size, left.Size-left.Uploaded, left.Sent, e.partSize)
	p.times(left.Started, left.Ended)
	if e.result != nil {
		p.result(e.result, left.Size)
	} else {
		p.other(e.opened, e.path)
		p.ints(int64(left.Run), int64(left.Ends))
		p.err(e)
	}
	return shelved{p.packed(), s.moreOf(e)}
}

// unpack returns the file on the shelf of an ID as it was put there, but for what a run or
// a clean-up of it makes again.
func (s *shelf) unpack(id FileID) (*entry, filelist.Left) {
	one := s.files[id]
	b, rare := one.more.parts()
	p := unpacker{rest: one.text, texts: &s.texts}
	head := p.head()
	has := func(flag uint64) bool { return head.flags&flag != 0 }
	e := &entry{id: id, site: b.site, bucket: b.bucket, from: b.from, options: b.options, ifExists: b.ifExists, listing: b.listing}
	e.unfingerprinted, e.ownDestination = has(flagUnfingerprinted), has(flagOwnDestination)
	e.path = p.text()
	e.source = p.other(e.path)
	e.object, e.uploadID = p.text(), p.text()
	left := filelist.Left{Failure: head.failure, File: filelist.File{
		ID: filelist.ID(id), State: filelist.FileState(head.state), Stream: has(flagStream), Leftover: head.leftover, Skipped: has(flagSkipped),
	}}
	var missing int64
	p.ints(&left.Size, &missing, &left.Sent, &e.partSize)
	left.Uploaded = left.Size - missing
	left.Started, left.Ended = p.times()
	if left.State == filelist.FileSucceeded {
		r := p.result(left.Size)
		r.Bucket, r.Object, r.Location = e.bucket, e.object, e.target().URL()
		r.Endpoint, r.Verified, r.Skipped, r.CompletedByOther = e.site.text, has(flagVerified), has(flagSkipped), has(flagByOther)
		e.result = r
	} else {
		e.opened = p.other(e.path)
		var run, ends int64
		p.ints(&run, &ends)
		left.Run, left.Ends = int(run), int(ends)
		e.err = p.err(e)
	}
	rare.unpack(e)
	left.Key = media.Key(e.source)
	if !has(flagSourceOnly) {
		left.Key = checkpoint.Key{Source: e.source, Endpoint: e.site.text, Bucket: e.bucket, Object: e.object}
	}
	return e, left
}

// unpack adds to e what few files have.
func (r *rareInfo) unpack(e *entry) {
	if r == nil {
		return
	}
	e.info, e.videoID, e.mediaID, e.mediaURL = r.info, r.videoID, r.mediaID, r.mediaURL
	if r.tag != nil {
		e.extras = &extras{tag: r.tag}
	}
	if res := e.result; res != nil {
		res.VideoID, res.MediaID, res.MediaURL = r.videoID, r.mediaID, r.mediaURL
		res.VersionID, res.CallbackBody = r.versionID, r.callbackBody
	}
	k := r.kept
	if k == nil {
		return
	}
	e.media, e.session = k.media, k.session
	e.own.Store(k.own)
	if k.extras != nil {
		e.extras = k.extras
	}
	if k.from != nil {
		e.from = k.from
	}
	if k.cause != nil {
		e.err.Err = k.cause
	}
	if k.err != nil {
		e.err = k.err
	}
}

// A head is what is first in a packed file.
type head struct {
	flags    uint64
	state    FileState
	leftover bool // it has left something behind
	failure  int
}

func (t packed) head() head {
	p := unpacker{rest: t}
	return p.head()
}

func (p *unpacker) head() head {
	flags := p.number()
	h := head{flags: flags, state: FileState(flags & 0xf), leftover: flags&flagLeftover != 0}
	if h.state == FileFailed {
		h.failure = int(p.number())
	}
	return h
}
