package upload

import (
	"slices"

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
type more interface{ parts() (*binding, []any) }

func (b *binding) parts() (*binding, []any)   { return b, nil }
func (o *oneInfo) parts() (*binding, []any)   { return o.place, o.values[:] }
func (t *twoInfo) parts() (*binding, []any)   { return t.place, t.values[:] }
func (t *threeInfo) parts() (*binding, []any) { return t.place, t.values[:] }
func (p *progressInfo) parts() (*binding, []any) {
	return p.place, append(p.values[:len(p.values):len(p.values)], p.progress)
}
func (r *rareInfo) parts() (*binding, []any) { return r.place, r.values }

// isBound reports whether something counts on the file: its group, or the gate of its Provider.
func (s *shelved) isBound() bool {
	_, values := s.more.parts()
	return slices.ContainsFunc(values, func(value any) bool {
		switch value.(type) {
		case *providerGate, *filelist.Rank:
			return true
		}
		return false
	})
}

// What few files have is one value, each of a type of its own, but for a tag, which is the first
// then; or several.
type (
	oneInfo struct {
		place  *binding
		values [1]any
	}
	twoInfo struct {
		place  *binding
		values [2]any
	}
	threeInfo struct {
		place  *binding
		values [3]any
	}
	progressInfo struct { // as three, in 48 bytes instead of 64
		place    *binding
		progress progressValue
		values   [2]any
	}
	rareInfo struct {
		place  *binding
		values []any
	}
)

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

// The types of values that others have as well.
type (
	progressValue func(FileInfo)
	causeValue    struct{ error }
	textsValue    struct {
		videoID, mediaID, mediaURL, versionID string
		callbackBody                          []byte
	}
)

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

// moreOf returns what a file has beside its text. kept says what of its error that lacks.
func (s *shelf) moreOf(e *entry, left *filelist.Left, kept errorKind) more {
	place := s.bindingOf(e)
	var values []any
	add := func(has bool, value any) {
		if has {
			values = append(values, value)
		}
	}
	add(e.extras.tagged() != nil, e.extras.tagged())
	texts := textsOf(e)
	add(!texts.isEmpty(), texts)
	add(e.info != nil, e.info)
	if e.result == nil {
		add(e.extras.onProgress() != nil, progressValue(e.extras.onProgress()))
		gate := e.extras.takeGate()
		add(gate != nil, gate)
		add(left.Rank != nil, left.Rank)
		add(e.from != nil && !isShared(e.from), fromOf(e.from))
		add(e.media != nil, e.media)
		add(e.own.Load() != nil, e.own.Load())
		add(e.session.Remembers(), e.session)
		add(kept == otherError, e.err)
		add(kept == fileError, causeOf(e.err))
	}
	switch len(values) {
	case 0:
		return place
	case 1:
		return &oneInfo{place, [1]any(values)}
	case 2:
		return &twoInfo{place, [2]any(values)}
	case 3:
		for i, value := range values {
			if progress, ok := value.(progressValue); ok {
				return &progressInfo{place, progress, [2]any(slices.Delete(values, i, i+1))}
			}
		}
		return &threeInfo{place, [3]any(values)}
	}
	return &rareInfo{place, values}
}

// fromOf returns an opener as a value: a Source, if it is one's.
func fromOf(from opener) any {
	if o, ok := from.(sourceOpener); ok {
		return o.source
	}
	return from
}

func causeOf(err *Error) causeValue {
	if err == nil {
		return causeValue{}
	}
	return causeValue{err.Err}
}

func textsOf(e *entry) *textsValue {
	t := &textsValue{videoID: e.videoID, mediaID: e.mediaID, mediaURL: e.mediaURL}
	if e.result != nil {
		t.versionID, t.callbackBody = e.result.VersionID, e.result.CallbackBody
	}
	return t
}

func (t *textsValue) isEmpty() bool {
	return t.videoID == "" && t.mediaID == "" && t.mediaURL == "" && t.versionID == "" && t.callbackBody == nil
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
	flagRemembers
	flagTag
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
		{flagRemembers, e.remembers || e.session.PutUnknown()}, {flagTag, e.extras.tagged() != nil},
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
	kept := noError
	if e.result != nil {
		p.result(e.result, left.Size)
	} else {
		p.other(e.opened, e.path)
		p.ints(int64(left.Run), int64(left.Ends))
		kept = p.err(e)
	}
	return shelved{p.packed(), s.moreOf(e, left, kept)}
}

// unpack returns the file on the shelf of an ID as it was put there, but for what a run or
// a clean-up of it makes again.
func (s *shelf) unpack(id FileID) (*entry, filelist.Left) {
	one := s.files[id]
	b, values := one.more.parts()
	p := unpacker{rest: one.text, texts: &s.texts}
	head := p.head()
	has := func(flag uint64) bool { return head.flags&flag != 0 }
	e := &entry{id: id, site: b.site, bucket: b.bucket, from: b.from, options: b.options, ifExists: b.ifExists, listing: b.listing}
	e.unfingerprinted, e.ownDestination, e.remembers = has(flagUnfingerprinted), has(flagOwnDestination), has(flagRemembers)
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
	unpackValues(e, has(flagTag), values)
	left.Rank = seatOf(has(flagTag), values)
	left.Key = media.Key(e.source)
	if !has(flagSourceOnly) {
		left.Key = checkpoint.Key{Source: e.source, Endpoint: e.site.text, Bucket: e.bucket, Object: e.object}
	}
	return e, left
}

// unpackValues adds to e what few files have.
func unpackValues(e *entry, tagged bool, values []any) {
	if tagged {
		e.extra().tag, values = values[0], values[1:]
	}
	for _, value := range values {
		switch v := value.(type) {
		case *textsValue:
			v.unpack(e)
		case *Info:
			e.info = v
		case *providerGate:
			e.extra().provider = v.provider
			e.extra().gate.Store(v)
		case progressValue:
			e.extra().progress = v
		case opener:
			e.from = v
		case Source:
			e.from = sourceOpener{v}
		case *media.Memory:
			e.media = v
		case *credentials.Gate:
			e.own.Store(v)
		case *transfer.Session:
			e.session = v
		case *Error:
			e.err = v
		case causeValue:
			e.err.Err = v.error
		}
	}
}

// seatOf returns the place in a group that is among the values.
func seatOf(tagged bool, values []any) *filelist.Rank {
	if tagged {
		values = values[1:]
	}
	for _, value := range values {
		if rank, ok := value.(*filelist.Rank); ok {
			return rank
		}
	}
	return nil
}

// extra returns the extras of e, new ones if it has none.
func (e *entry) extra() *extras {
	if e.extras == nil {
		e.extras = new(extras)
	}
	return e.extras
}

func (t *textsValue) unpack(e *entry) {
	e.videoID, e.mediaID, e.mediaURL = t.videoID, t.mediaID, t.mediaURL
	if r := e.result; r != nil {
		r.VideoID, r.MediaID, r.MediaURL, r.VersionID, r.CallbackBody = t.videoID, t.mediaID, t.mediaURL, t.versionID, t.callbackBody
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
