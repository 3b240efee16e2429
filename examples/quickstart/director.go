package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

const (
	bucket      = "media"
	ownFileSize = 64 << 20
)

// A show is one run of the quickstart.
type show struct {
	dir     string // of all that it makes
	path    string // of the file
	size    int64
	object  string
	server  *osstest.Server
	tokens  *tokenServer
	view    *view
	retries retries
}

// director runs the server, and the two processes that upload.
func director(ctx context.Context, file string, out *os.File) (err error) {
	dir, err := os.MkdirTemp("", "vodupload-quickstart-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &show{dir: dir, path: file, view: newView(out)}
	fmt.Fprintln(out, "An upload that survives a killed process, server errors and an expired token")
	s.view.next("An OSS server starts, on this machine")
	if err := s.prepare(); err != nil {
		return err
	}
	s.server = osstest.NewServer(&osstest.Options{Dir: filepath.Join(dir, "oss"), Buckets: []string{bucket}})
	defer s.server.Close()
	s.tokens = newTokenServer(s.server)
	defer s.tokens.Close()
	s.view.say("objects go to %s, tokens come from %s", s.server.URL, s.tokens.URL)

	if err := s.untilKilled(ctx); err != nil {
		return err
	}
	result, err := s.untilDone(ctx)
	if err != nil {
		return err
	}
	s.view.next("The object is read back with Alibaba Cloud's own SDK, and compared")
	crc, err := s.verify(ctx, result)
	if err != nil {
		return err
	}
	s.view.say("every byte is as in the file")
	fmt.Fprintf(out, "\nverified: %d bytes, crc64 %d, %d parts, %d resumed, %d retried\n",
		s.size, crc, result.Parts, result.ResumedParts, s.retries.total)
	return nil
}

// prepare finds the file, or makes one.
func (s *show) prepare() error {
	if s.path == "" {
		s.path = filepath.Join(s.dir, "quickstart.mp4")
		f, err := os.Create(s.path)
		if err != nil {
			return err
		}
		_, err = io.CopyN(f, rand.NewChaCha8([32]byte{}), ownFileSize)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", s.path)
	}
	s.size = info.Size()
	s.object = path.Join("quickstart", filepath.Base(s.path))
	s.view.say("the file: %s, %s", filepath.Base(s.path), inParts(s.size, s.parts()))
	return nil
}

// parts is how many parts the file has with the defaults; 1 is sent by PutObject.
func (s *show) parts() int {
	size := max(int64(upload.DefaultPartSize), (s.size+9999)/10000)
	return int(max(1, (s.size+size-1)/size))
}

// inParts says how large the file is.
func inParts(size int64, parts int) string {
	text := fmt.Sprintf("%d bytes", size)
	if size >= 10<<20 {
		text = fmt.Sprintf("%d MiB", size>>20)
	}
	if parts == 1 {
		return text + " in one request"
	}
	return fmt.Sprintf("%s in %d parts", text, parts)
}

// op is what carries the file's bytes.
func (s *show) op() osstest.Op {
	if s.parts() == 1 {
		return osstest.OpPutObject
	}
	return osstest.OpUploadPart
}

// untilKilled uploads with a second process, and kills it when about 40 % is there.
// The server holds what is sent after that, so that the kill comes in the middle
// also where the whole file takes a blink.
func (s *show) untilKilled(ctx context.Context) error {
	before := s.parts() * 2 / 5
	if s.parts() > 1 {
		before = max(1, before)
	}
	hold := osstest.Hang(s.op()).Nth(before + 1).Always()
	s.server.Inject(hold)
	s.view.next("A process uploads, and is killed half way")
	p, err := s.start(ctx)
	if err != nil {
		return err
	}
	killed := make(chan error, 1)
	go func() {
		select {
		case <-hold.Fired():
		case <-p.ended:
		}
		// What was being sent when the hold began still arrives.
		for s.acknowledged() < before && !p.hasEnded() {
			time.Sleep(5 * time.Millisecond)
		}
		killed <- p.cmd.Process.Kill()
	}()
	_, err = p.listen(s)
	if kerr := <-killed; kerr != nil {
		return fmt.Errorf("the uploading process ended before it was killed: %w", errors.Join(err, kerr))
	}
	s.server.ClearFaults()
	kept := s.acknowledged()
	s.view.say("killed at %d %% (SIGKILL): the server has %d of %d parts", kept*100/s.parts(), kept, s.parts())
	return nil
}

func (s *show) acknowledged() int {
	n := 0
	for _, u := range s.server.Uploads(bucket) {
		n += len(u.Parts)
	}
	return n
}

// untilDone resumes with a third process, while the server fails for a moment and lets
// the token expire.
func (s *show) untilDone(ctx context.Context) (upload.Result, error) {
	kept := s.acknowledged()
	left := max(1, s.parts()-kept)
	s.view.next("Another process resumes, through server errors and an expired token")
	s.server.Inject(
		osstest.Fail(s.op(), 500, "InternalError").Nth(1+left/4).Times(serverErrors),
		osstest.ExpireToken(s.op()).Nth(1+left/2),
	)
	p, err := s.start(ctx)
	if err != nil {
		return upload.Result{}, err
	}
	result, err := p.listen(s)
	if err != nil {
		return upload.Result{}, err
	}
	if unfired := s.server.Unfired(); len(unfired) > 0 {
		return upload.Result{}, fmt.Errorf("the upload never met: %v", unfired)
	}
	s.view.say("%d of %d parts kept, %d sent by this process", result.ResumedParts, result.Parts, result.Parts-result.ResumedParts)
	return result, nil
}

// A process is an uploading process that was started.
type process struct {
	cmd   *exec.Cmd
	out   io.ReadCloser
	ended chan struct{}
}

// start runs this program again, as one that uploads.
func (s *show) start(ctx context.Context) (*process, error) {
	spec, err := json.Marshal(job{
		Path: s.path, Endpoint: s.server.URL, Bucket: bucket, Object: s.object,
		Checkpoints: filepath.Join(s.dir, "checkpoints"), Tokens: s.tokens.URL,
		BytesPerSecond: pace(s.size, s.view.terminal),
	})
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), uploaderEnv+"="+string(spec))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd: cmd, out: out, ended: make(chan struct{})}, nil
}

func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// listen shows what the process reports until it ends, and returns its result.
func (p *process) listen(s *show) (upload.Result, error) {
	var result *upload.Result
	var last error
	for lines := json.NewDecoder(p.out); ; {
		var r report
		if last = lines.Decode(&r); last != nil {
			break
		}
		switch {
		case r.Retried != "":
			s.retries.add(r.Retried)
			if s.retries.unsaid == serverErrors {
				s.sayRetries()
			}
		case r.Waiting != "":
			s.view.say("the upload %s", r.Waiting)
		case r.Expired:
			s.view.say("the token expired: a new one was asked for, and the upload continues")
		case r.Result != nil:
			result = r.Result
		default:
			s.view.progress(r.Uploaded, r.Total)
		}
	}
	s.sayRetries()
	close(p.ended)
	if err := p.cmd.Wait(); err != nil {
		return upload.Result{}, fmt.Errorf("the uploading process: %w", err)
	}
	if result == nil {
		return upload.Result{}, fmt.Errorf("the uploading process reported no result: %w", last)
	}
	return *result, nil
}

func (s *show) sayRetries() {
	if line := s.retries.take(); line != "" {
		s.view.say("%s", line)
	}
}
