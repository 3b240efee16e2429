package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A Source supplies the bytes of a file that is not one on disk: a section of a larger
// file, an object in memory, a film on another server; package upload/source has one for
// HTTP. Where each read costs a request, it should be a [Sectioner] as well.
type Source interface {
	// ReadAt reads any range, from many goroutines at once, and the same bytes each
	// time. A read cannot be interrupted: one that hangs keeps the file uploading,
	// with its slot and its claim, until it returns.
	//
	// An error that cannot be temporary fails the file at once: one that wraps
	// [ErrFileNotExist], [ErrFileChanged], fs.ErrNotExist, fs.ErrPermission or
	// fs.ErrClosed, for example, a panic, and a call of runtime.Goexit. io.EOF before Size
	// bytes is ErrFileChanged. After any other error the read is repeated like a request:
	// see Options.RetryCount. If the error has a method RetryAfter() time.Duration, the
	// pause before that lasts at least so long, up to 5 minutes.
	//
	// Before the object is made, one byte at offset Size is read: a source that has
	// more bytes than Size says is [ErrFileChanged]. If reading costs a request, return
	// io.EOF for that offset without one, as the sources of [NewSource] do.
	io.ReaderAt

	// Size is the number of bytes.
	Size() int64

	// Fingerprint identifies these bytes: other bytes must have another fingerprint. A
	// later process resumes an upload whose source has the same fingerprint, and reads
	// only one of the parts that were sent again. A fingerprint that changes while the
	// bytes are sent fails the file with [ErrFileChanged]. If it is empty when the file
	// is added, the upload does not survive the end of the process, and a later run
	// reads the bytes of the parts that were sent before it resumes.
	//
	// Fingerprint and Size are called when the file is added, when a run of it
	// begins, and around each request that sends bytes, from many goroutines at once.
	// They may call the client's methods.
	Fingerprint() string
}

// NewSource returns the first size bytes of r as a Source; what r has beyond them is not
// read. See [Source] for fingerprint.
func NewSource(r io.ReaderAt, size int64, fingerprint string) Source {
	return section{io.NewSectionReader(r, 0, max(size, 0)), size, fingerprint}
}

// A Sectioner is a [Source] that can return a section as one stream, as a server that is
// asked for a range does. Each attempt to send a part calls Section once, and so does each
// part, or whole file, that is read for its CRC64; no part is held in memory. By ReadAt,
// which reads at most 64 KiB at a time over TLS and 256 KiB without, a part of 1 MiB would be
// 16 requests or 4. ReadAt is left for what is read out of order: the first bytes, and the
// byte at offset Size.
type Sectioner interface {
	// Section returns a reader of the n bytes from off on; n is at least 1, and the section
	// lies within Size. It is called from many goroutines at once.
	//
	// The reader has to return exactly n bytes, and io.EOF after them. One that ends early
	// is an error that may pass, as that of a connection that broke; one with more bytes
	// fails the file, for it may have other bytes altogether. Errors of Section and of the
	// reader are what those of [Source].ReadAt are.
	//
	// The reader is closed once, also if it came with an error, and not while it reads.
	// ctx ends with the attempt, at the latest after Options.StallTimeout without
	// progress: Section or a Read that is under way then has to return, and its error
	// counts for nothing. One that does not return keeps the file uploading, with its slot
	// and its claim.
	Section(ctx context.Context, off, n int64) (io.ReadCloser, error)
}

type section struct {
	*io.SectionReader
	size        int64 // as it was given: it may be negative, which is an error of the file
	fingerprint string
}

func (s section) Size() int64         { return s.size }
func (s section) Fingerprint() string { return s.fingerprint }

// An opener opens the bytes of a file, given its path without symbolic links.
type opener interface {
	open(path string) (transfer.Source, error)
}

// A systemOpener opens a file of the system. seen says that there was a regular one at the
// path right before.
type systemOpener struct{ seen bool }

func (o systemOpener) open(path string) (transfer.Source, error) {
	if o.seen {
		return transfer.OpenSeen(path)
	}
	return transfer.OpenFile(path)
}

type fsOpener struct{ fsys fs.FS }

func (o fsOpener) open(path string) (transfer.Source, error) {
	return isolated(func() (transfer.Source, error) { return transfer.OpenFS(o.fsys, path) })
}

type sourceOpener struct{ source Source }

func (o sourceOpener) open(path string) (transfer.Source, error) {
	return isolated(func() (transfer.Source, error) {
		if size := o.source.Size(); size < 0 {
			return nil, fmt.Errorf("%w: File.Source: %s has size %d", ErrInvalidArgument, path, size)
		}
		return newUserSource(o.source), nil
	})
}

// A namedOpener opens a file that is known by [File].SourceName.
type namedOpener struct{ opener }

func (o namedOpener) open(path string) (transfer.Source, error) {
	src, err := o.opener.open(path)
	if err != nil {
		return nil, err
	}
	return transfer.Named(src), nil
}

// isolated opens a source by code of the user's, which may do anything.
func isolated(open func() (transfer.Source, error)) (src transfer.Source, err error) {
	err = transfer.Isolate("opening the source", func() (err error) {
		src, err = open()
		return err
	})
	return src, err
}

// A StrongFingerprint is a [Source] that may know that its fingerprint cannot be wrong: one
// made by a digest of all bytes, or a strong ETag of a server. Nothing of a resumed upload
// is read again then, while of any other fingerprint one part is the sample.
type StrongFingerprint interface {
	// StrongFingerprint reports whether equal fingerprints mean equal bytes.
	StrongFingerprint() bool
}

// A userSource is a Source of the user's as transfer sees it.
type userSource struct {
	Source
	state checkpoint.Source
	sure  bool // the fingerprint cannot be wrong
}

// Vouched implements [transfer.Voucher].
func (s *userSource) Vouched() bool { return s.sure }

func newUserSource(s Source) transfer.Source {
	u := &userSource{Source: s, state: checkpoint.Source{Size: s.Size(), Fingerprint: s.Fingerprint()}}
	if strong, ok := s.(StrongFingerprint); ok && u.state.Fingerprint != "" {
		u.sure = strong.StrongFingerprint()
	}
	if sections, ok := s.(Sectioner); ok {
		return &sectionedSource{u, sections}
	}
	return u
}

// A sectionedSource is a userSource that is a [Sectioner].
type sectionedSource struct {
	*userSource
	sections Sectioner
}

func (s *sectionedSource) Section(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	r, err := s.sections.Section(ctx, off, n)
	if r == nil {
		return nil, asGone(err)
	}
	return &sectionBody{r}, asGone(err)
}

// A sectionBody is a reader that [Sectioner].Section returned.
type sectionBody struct{ io.ReadCloser }

func (b *sectionBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	return n, asGone(err)
}

// A goneError is an [ErrFileNotExist] of a source as package transfer knows it: one that
// does not pass.
type goneError struct{ error }

func (e *goneError) Unwrap() error        { return e.error }
func (e *goneError) Is(target error) bool { return target == fs.ErrNotExist }

func asGone(err error) error {
	if err != nil && err != io.EOF && errors.Is(err, ErrFileNotExist) {
		return &goneError{err}
	}
	return err
}

func (s *userSource) State() checkpoint.Source { return s.state }

func (s *userSource) Check() error {
	if size := s.Size(); size != s.state.Size {
		return fmt.Errorf("%w: it has %d bytes, it had %d", ErrFileChanged, size, s.state.Size)
	}
	if print := s.Fingerprint(); print != s.state.Fingerprint {
		return fmt.Errorf("%w: its fingerprint is %q, it was %q", ErrFileChanged, print, s.state.Fingerprint)
	}
	return nil
}

// ReadAt makes a source that is shorter than it said an error that is not retried.
func (s *userSource) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.Source.ReadAt(p, off)
	if err == io.EOF && n < len(p) && off+int64(n) < s.state.Size {
		return n, fmt.Errorf("%w: it ends at byte %d, it said to have %d", ErrFileChanged, off+int64(n), s.state.Size)
	}
	return n, asGone(err)
}

func (s *userSource) Touched() (bool, error) { return false, nil }

func (s *userSource) Close() error { return nil }
