package upload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// A causeKind says what follows in a packed cause.
type causeKind uint64

const (
	noCause     causeKind = iota
	knownCause            // one that many files have
	wrapCause             // one that wraps others: its text, and these
	answerCause           // a *transfer.Error
	opCause               // a *net.OpError
	syscallCause
	pathCause
	dnsCause
)

// A restored error has the text of an error that wrapped others, and wraps them: what can be
// asked of one of package fmt or errors.
type restored struct {
	text string
	errs []error
}

func (r *restored) Error() string   { return r.text }
func (r *restored) Unwrap() []error { return r.errs }

// Is reports whether target is such an error with the same text, around the same: a program
// may have made one of its errors by fmt.Errorf, and ask for it.
func (r *restored) Is(target error) bool {
	return isPlainWrap(target) && target.Error() == r.text && slices.EqualFunc(r.errs, wrapped(target), errors.Is)
}

// plainWraps are the types of which nothing but their text and what they wrap can be asked.
var plainWraps = map[reflect.Type]bool{
	reflect.TypeOf(fmt.Errorf("%w", io.EOF)):           true,
	reflect.TypeOf(fmt.Errorf("%w%w", io.EOF, io.EOF)): true,
	reflect.TypeOf(errors.Join(io.EOF)):                true,
	reflect.TypeFor[*restored]():                       true,
}

// module begins the paths of all packages here.
const module = "github.com/vodupload/vodupload/"

// isPlainWrap reports whether nobody can ask for the type of a wrapping error.
func isPlainWrap(err error) bool {
	t := reflect.TypeOf(err)
	if plainWraps[t] {
		return true
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return strings.HasPrefix(t.PkgPath(), module) && t.Name() != "" && t.Name()[0] >= 'a'
}

// calledPackages are those of the standard library whose errors are called here.
var calledPackages = map[string]bool{
	"context": true, "crypto/tls": true, "crypto/x509": true, "errors": true, "fmt": true, "internal/poll": true,
	"io": true, "io/fs": true, "net": true, "net/http": true, "os": true, "syscall": true,
}

// mayBeCalled reports whether the methods of an error, and of all that it wraps, are of
// the standard library or of this module. Those of others may take any lock, call the client
// or panic: none is called while the client's lock is held.
func mayBeCalled(err error) bool {
	v := reflect.ValueOf(err)
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		if v.IsNil() {
			return false
		}
		t = t.Elem()
	}
	pkg := t.PkgPath()
	if !calledPackages[pkg] && (!strings.HasPrefix(pkg, module) || strings.HasSuffix(pkg, "_test")) {
		return false
	}
	return !slices.ContainsFunc(wrapped(err), func(one error) bool { return one != nil && !mayBeCalled(one) })
}

// wrapped returns the errors that err wraps.
func wrapped(err error) []error {
	switch w := err.(type) {
	case interface{ Unwrap() error }:
		if one := w.Unwrap(); one != nil {
			return []error{one}
		}
	case interface{ Unwrap() []error }:
		return w.Unwrap()
	}
	return nil
}

// cause writes what err, the error of a file, has as its cause, or one within that. It
// returns false where that is made of what nobody knows here.
func (p *packer) cause(e *entry, err *Error, cause error) bool {
	switch c := cause.(type) {
	case nil:
		p.number(uint64(noCause))
		return true
	case *failure: // errors.Is has to find the very error that the caller gave
		return false
	case *transfer.Error:
		p.number(uint64(answerCause))
		p.answer(err, c)
		return p.cause(e, err, c.Err)
	case *net.OpError:
		p.number(uint64(opCause))
		p.common(c.Op)
		p.common(c.Net)
		return p.addr(c.Source) && p.addr(c.Addr) && p.cause(e, err, c.Err)
	case *os.SyscallError:
		p.number(uint64(syscallCause))
		p.common(c.Syscall)
		return p.cause(e, err, c.Err)
	case *fs.PathError:
		p.number(uint64(pathCause))
		p.common(c.Op)
		p.path(e, c.Path)
		return p.cause(e, err, c.Err)
	case *net.DNSError:
		p.number(uint64(dnsCause))
		p.common(c.Err)
		p.common(c.Name)
		p.common(c.Server)
		p.bools(c.IsTimeout, c.IsTemporary, c.IsNotFound)
		return p.cause(e, err, c.UnwrapErr)
	}
	inner := wrapped(cause)
	if _, ok := cause.(*filelist.GroupError); ok || len(inner) == 0 { // those that wait have one in common
		n := p.texts.known(cause)
		p.number(uint64(knownCause))
		p.number(n)
		return n > 0
	}
	if !isPlainWrap(cause) {
		return false
	}
	p.number(uint64(wrapCause))
	p.number(uint64(len(inner)))
	rest := cause.Error()
	for _, one := range inner {
		if before, after, found := strings.Cut(rest, one.Error()); found {
			p.bools(true)
			p.common(before)
			rest = after
		} else {
			p.bools(false)
		}
		if !p.cause(e, err, one) {
			return false
		}
	}
	p.common(rest)
	return true
}

// cause returns what a packer has written.
func (p *unpacker) cause(e *entry, err *Error) error {
	switch causeKind(p.number()) {
	case knownCause:
		return p.texts.errors[p.number()-1]
	case answerCause:
		a := p.answer(err)
		a.Err = p.cause(e, err)
		return a
	case opCause:
		c := &net.OpError{Op: p.common(), Net: p.common(), Source: p.addr(), Addr: p.addr()}
		c.Err = p.cause(e, err)
		return c
	case syscallCause:
		c := &os.SyscallError{Syscall: p.common()}
		c.Err = p.cause(e, err)
		return c
	case pathCause:
		c := &fs.PathError{Op: p.common(), Path: p.path(e)}
		c.Err = p.cause(e, err)
		return c
	case dnsCause:
		c := &net.DNSError{Err: p.common(), Name: p.common(), Server: p.common()}
		p.bools(&c.IsTimeout, &c.IsTemporary, &c.IsNotFound)
		c.UnwrapErr = p.cause(e, err)
		return c
	case wrapCause:
		r := new(restored)
		for range p.number() {
			var found bool
			if p.bools(&found); found {
				r.text += p.common()
			}
			one := p.cause(e, err)
			if r.errs = append(r.errs, one); found {
				r.text += one.Error()
			}
		}
		r.text += p.common()
		return r
	}
	return nil
}

// answer writes an answer of the server, or what came in its place, without its cause.
func (p *packer) answer(err *Error, a *transfer.Error) {
	same := a.Op == err.Op && a.Bucket == err.Bucket && a.Object == err.Object && a.UploadID == err.UploadID &&
		a.Part == err.Part && a.Status == err.Status && a.RequestID == err.RequestID
	p.bools(same, a.Unanswered, a.Unsent, a.Source)
	if !same {
		p.common(a.Op)
		p.common(a.Bucket)
		p.text(a.Object)
		p.text(a.UploadID)
		p.ints(int64(a.Part), int64(a.Status))
		p.id(a.RequestID)
	}
	p.common(a.Code)
	p.common(a.Message)
	p.common(a.EC)
	p.common(a.Endpoint)
	p.ints(int64(a.Class), int64(a.Delay), int64(a.Generation))
}

func (p *unpacker) answer(err *Error) *transfer.Error {
	var same bool
	a := new(transfer.Error)
	p.bools(&same, &a.Unanswered, &a.Unsent, &a.Source)
	if same {
		a.Op, a.Bucket, a.Object, a.UploadID = err.Op, err.Bucket, err.Object, err.UploadID
		a.Part, a.Status, a.RequestID = err.Part, err.Status, err.RequestID
	} else {
		a.Op, a.Bucket, a.Object, a.UploadID = p.common(), p.common(), p.text(), p.text()
		a.Part, a.Status = int(p.int()), int(p.int())
		a.RequestID = p.id()
	}
	a.Code, a.Message, a.EC, a.Endpoint = p.common(), p.common(), p.common(), p.common()
	a.Class, a.Delay, a.Generation = transfer.Class(p.int()), time.Duration(p.int()), uint64(p.int())
	return a
}

// addr writes the address of a connection; false: it is of a kind that is not known here.
func (p *packer) addr(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	switch {
	case a == nil:
		p.number(0)
		return true
	case !ok, tcp == nil:
		return false
	}
	p.number(1)
	if four := tcp.IP.To4(); four != nil {
		p.text(string(four))
	} else {
		p.text(string(tcp.IP))
	}
	p.number(uint64(tcp.Port))
	p.common(tcp.Zone)
	return true
}

func (p *unpacker) addr() net.Addr {
	if p.number() == 0 {
		return nil
	}
	a := &net.TCPAddr{IP: net.IP(p.text()), Port: int(p.number()), Zone: p.common()}
	if len(a.IP) == 0 {
		a.IP = nil
	}
	return a
}

// path writes the path of an error, which mostly is that of the file.
func (p *packer) path(e *entry, path string) {
	switch path {
	case e.path:
		p.number(0)
	case e.opened:
		p.number(1)
	default:
		p.number(2)
		p.text(path)
	}
}

func (p *unpacker) path(e *entry) string {
	switch p.number() {
	case 0:
		return e.path
	case 1:
		return e.opened
	}
	return p.text()
}

// known returns the number of an error that wraps none; 0: it has none.
func (t *texts) known(err error) uint64 {
	if !reflect.ValueOf(err).Comparable() {
		return 0
	}
	n, ok := t.causes[err]
	if ok || len(t.errors) == maxTexts {
		return n
	}
	if t.causes == nil {
		t.causes = make(map[error]uint64)
	}
	t.errors = append(t.errors, err)
	n = uint64(len(t.errors))
	t.causes[err] = n
	return n
}
