package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		outcome string
		code    int
		args    []string
		prepare func(w *world)
		says    string
	}{
		{"all done", exitOK, []string{"cp", "a.mp4", "oss://media/in/"}, nil, "1 file uploaded"},
		{"nothing to do", exitOK, []string{"cp", "empty", "oss://media/in/"}, nil, "0 files uploaded"},
		{"a file failed", exitFailed, []string{"cp", "a.mp4", "oss://media/in/"}, func(w *world) {
			w.server.Inject(osstest.Fail(osstest.OpPutObject, 400, "InvalidArgument").Always())
		}, "InvalidArgument"},
		{"no such command", exitUsage, []string{"copy"}, nil, `"copy" is not a command`},
		{"no such flag", exitUsage, []string{"cp", "--nonsense"}, nil, "unknown flag: --nonsense"},
		{"no destination", exitUsage, []string{"cp", "a.mp4"}, nil, "wanted sources and a destination"},
		{"no bucket", exitUsage, []string{"cp", "a.mp4", "media/in/"}, nil, "wanted oss://BUCKET/PREFIX/"},
		{"no endpoint", exitUsage, []string{"cp", "a.mp4", "oss://media/"}, func(w *world) {
			w.environ = append(w.environ, "OSS_REGION=", "VODUPLOAD_ENDPOINT=")
		}, "give --region or --endpoint"},
		{"half a key", exitUsage, []string{"cp", "a.mp4", "oss://media/"}, func(w *world) {
			w.environ = append(w.environ, "OSS_ACCESS_KEY_SECRET=")
		}, "OSS_ACCESS_KEY_ID is set, but not OSS_ACCESS_KEY_SECRET"},
		{"no source", exitNotFound, []string{"cp", "b.mp4", "oss://media/in/"}, nil, "b.mp4"},
		{"no list", exitNotFound, []string{"cp", "--files-from", "list", "oss://media/in/"}, nil, "list"},
		{"no credentials", exitDenied, []string{"cp", "a.mp4", "oss://media/in/"}, func(w *world) {
			w.environ = append(w.environ, "OSS_ACCESS_KEY_ID=", "OSS_ACCESS_KEY_SECRET=")
		}, "no credentials"},
		{"a wrong secret", exitDenied, []string{"cp", "a.mp4", "oss://media/in/"}, func(w *world) {
			w.environ = append(w.environ, "OSS_ACCESS_KEY_SECRET=wrong")
		}, "SignatureDoesNotMatch"},
		{"no right", exitDenied, []string{"cp", "a.mp4", "oss://media/in/"}, func(w *world) {
			w.server.Inject(osstest.Fail(osstest.OpPutObject, 403, "AccessDenied").Always())
		}, "oss:PutObject"},
		{"a server that is overloaded", exitTemporary, []string{"cp", "a.mp4", "oss://media/in/", "--retries", "0"}, func(w *world) {
			w.server.Inject(osstest.Fail(osstest.OpPutObject, 503, "ServiceUnavailable").Always())
		}, "ServiceUnavailable"},
		{"out of time", exitTemporary, []string{"cp", "a.mp4", "oss://media/in/", "--max-duration", "50ms"}, func(w *world) {
			w.server.Inject(osstest.Hang(osstest.OpPutObject).Always())
		}, "--max-duration is over: resume with: vodupload cp"},
		{"other bytes at the server", exitIntegrity, []string{"cp", "big.mp4", "oss://media/in/", "--part-size", "100K"}, func(w *world) {
			w.server.Inject(osstest.WrongCRC64(osstest.OpCompleteMultipartUpload).Always(), osstest.WrongCRC64(osstest.OpHeadObject).Always())
		}, "CRC64"},
		{"in use", exitInUse, []string{"cp", "big.mp4", "oss://media/in/", "--part-size", "100K"}, func(w *world) {
			w.claim("big.mp4", "in/big.mp4")
		}, "runs elsewhere"},
	} {
		t.Run(test.outcome, func(t *testing.T) {
			w := newWorld(t)
			w.file("a.mp4", 1000)
			w.file("big.mp4", 300_000)
			w.chdir()
			if err := os.Mkdir("empty", 0o700); err != nil {
				t.Fatal(err)
			}
			w.environ = append(w.environ, "VODUPLOAD_ENDPOINT="+w.server.URL)
			if test.prepare != nil {
				test.prepare(w)
			}
			r := w.run(append(test.args, flagsAfter(test.args[0], w.state)...)...).wants(t, test.code)
			if !strings.Contains(r.stderr, test.says) || r.stdout != "" {
				t.Errorf("want %q\nstdout: %s\nstderr: %s", test.says, r.stdout, r.stderr)
			}
			if strings.Contains(r.stderr, osstest.DefaultKey.AccessKeySecret) {
				t.Errorf("a secret: %s", r.stderr)
			}
			events := w.run(append(append(test.args, "--json"), flagsAfter(test.args[0], w.state)...)...).wants(t, test.code).events(t)
			if sum := last(events).Summary; sum.ExitCode != test.code {
				t.Errorf("summary: %+v", sum)
			}
		})
	}
}

func flagsAfter(command, state string) []string {
	if command == "cp" {
		return []string{"--checkpoint-dir", state}
	}
	return nil
}

// claim has another process upload a file.
func (w *world) claim(path, object string) {
	w.t.Helper()
	store, err := checkpoint.OpenDir(w.state)
	if err != nil {
		w.t.Fatal(err)
	}
	full, err := os.Getwd()
	if err != nil {
		w.t.Fatal(err)
	}
	claim, err := store.Open(w.t.Context(), checkpoint.Key{Source: full + "/" + path, Endpoint: w.server.URL, Bucket: "media", Object: object})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = claim.Close(); _ = store.Close() })
}

// A signal stops the run and keeps the checkpoint; the command that it prints resumes.
func TestInterrupt(t *testing.T) {
	for _, test := range []struct {
		signal os.Signal
		code   int
	}{{os.Interrupt, exitInterrupted}, {syscall.SIGTERM, exitTemporary}} {
		t.Run(test.signal.String(), func(t *testing.T) {
			w := newWorld(t)
			w.file("big film.mp4", 300<<10)
			w.chdir()
			hang := osstest.Hang(osstest.OpUploadPart).Nth(3) // parts need not be sent in their order
			w.server.Inject(hang)
			go func() {
				<-hang.Fired()
				w.signals <- test.signal
			}()
			args := []string{"cp", "big film.mp4", "oss://media/in/", "--part-size", "100K", "--parallel", "1"}
			r := w.upload(args...).wants(t, test.code)
			want := "resume with: vodupload cp 'big film.mp4' oss://media/in/ --part-size 100K --parallel 1 --endpoint " + w.server.URL
			if !strings.Contains(r.stderr, want) || !strings.Contains(r.stderr, "1 left") {
				t.Errorf("want %q in %s", want, r.stderr)
			}
			r = w.upload(append(args, "--json")...).wants(t, exitOK)
			if sum := last(r.events(t)).Summary; sum.Resumed != 200<<10 {
				t.Errorf("got %+v", sum)
			}
		})
	}
	t.Run("while a list is read that nobody ends", func(t *testing.T) {
		w := newWorld(t)
		list, to := io.Pipe()
		defer to.Close()
		file := w.file("a.mp4", 10)
		go func() {
			_, _ = io.WriteString(to, file+"\n")
			for t.Context().Err() == nil && w.server.Count(osstest.OpPutObject) == 0 {
				time.Sleep(time.Millisecond)
			}
			w.signals <- os.Interrupt
		}()
		var stderr bytes.Buffer
		code := run([]string{"cp", w.dir, "--files-from", "-", "oss://media/", "--endpoint", w.server.URL, "--checkpoint-dir", w.state}, env{
			stdin: list, stdout: io.Discard, stderr: &stderr, environ: w.environ, now: time.Now, signals: w.signals, exit: w.exit,
		})
		if code != exitInterrupted || !strings.Contains(stderr.String(), "interrupted: ") || !strings.Contains(stderr.String(), "not all were listed") {
			t.Errorf("exit code %d\n%s", code, stderr.String())
		}
	})
	t.Run("the second at once", func(t *testing.T) {
		var clock atomic.Int64
		clock.Store(time.Now().UnixNano())
		left, signals := make(chan int, 2), make(chan os.Signal)
		e := env{
			signals: signals, exit: func(code int) { left <- code },
			now: func() time.Time { return time.Unix(0, clock.Load()) },
		}
		ctx, stop := e.interruptible(t.Context())
		signals <- os.Interrupt
		<-ctx.Done()
		clock.Add(int64(echo - 1)) // what has sent it twice
		signals <- os.Interrupt
		signals <- syscall.SIGTERM
		stop()
		if len(left) > 0 {
			t.Errorf("it has left after one signal, with exit code %d", <-left)
		}
		ctx, stop = e.interruptible(t.Context())
		defer stop()
		signals <- os.Interrupt
		<-ctx.Done()
		clock.Add(int64(echo))
		signals <- os.Interrupt
		if code := <-left; code != exitInterrupted {
			t.Errorf("exit code %d", code)
		}
	})
}

func TestHowToResume(t *testing.T) {
	for arg, want := range map[string]string{
		"https://example.com/a.mp4?signature=x":       "the same command resumes",
		"https://me:word@example.com/a.mp4":           "the same command resumes",
		"--credentials-uri=http://127.0.0.1/?token=x": "the same command resumes",
		"-":                         "run the same command again, with the same standard input",
		"https://example.com/a.mp4": "resume with: vodupload cp https://example.com/a.mp4",
		"oss://media/in/":           "resume with: vodupload cp oss://media/in/",
		`C:\films`:                  `resume with: vodupload cp 'C:\films'`,
		"it's 录像.mp4":               `resume with: vodupload cp 'it'\''s 录像.mp4'`,
		"a\x1b[2J'é":                `resume with: vodupload cp $'a\x1b[2J\x27\xc3\xa9'`,
		"":                          "resume with: vodupload cp ''",
	} {
		a := &app{args: []string{"cp", arg}}
		if got := a.howToResume(); got != want {
			t.Errorf("%q: got %s, want %s", arg, got, want)
		}
	}
}

func TestExitCodeOfSeveralFiles(t *testing.T) {
	denied := &upload.Error{Op: "PutObject", Code: "AccessDenied", Status: 403, Err: errors.New("no")}
	broken := &upload.Error{Op: "CompleteMultipartUpload", Code: upload.CodeIntegrity, Err: upload.ErrIntegrity}
	gone := &upload.Error{Op: "upload", Code: upload.CodeFileNotExist, Err: upload.ErrFileNotExist}
	for outcome, test := range map[string]struct {
		of   failures
		want int
	}{
		"they agree":                {failures{denied, denied}, exitDenied},
		"they differ":               {failures{denied, gone, gone}, exitFailed},
		"one object is broken":      {failures{denied, gone, broken}, exitIntegrity},
		"the first one is broken":   {failures{broken, gone}, exitIntegrity},
		"one whose file is missing": {failures{gone}, exitNotFound},
	} {
		if got := exitCode(reportedError{test.of}); got != test.want {
			t.Errorf("%s: got %d, want %d", outcome, got, test.want)
		}
	}
}
