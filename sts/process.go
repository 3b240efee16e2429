package sts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// ProcessOptions are the optional settings of [NewProcess].
type ProcessOptions struct {
	// Timeout ends a program that has not finished by then. The default is 60 seconds,
	// as in Alibaba Cloud's SDKs.
	Timeout time.Duration
}

// A Process gets credentials from a program, in the form that the mode External of the
// aliyun command line has: on its standard output,
//
//	{"mode": "StsToken", "access_key_id": "…", "access_key_secret": "…", "sts_token": "…", "expiration": "2015-12-12T07:49:09Z"}
//
// or with the mode AK a key without a token. The expiration may be missing; then it is
// not known. Each call of Credentials runs the program once; put a [Cache] around it.
type Process struct {
	command []string
	opts    ProcessOptions
}

// NewProcess returns a provider of the credentials that a program prints. Command is the
// program and its arguments; no shell is involved.
func NewProcess(command []string, opts *ProcessOptions) (*Process, error) {
	var o ProcessOptions
	if opts != nil {
		o = *opts
	}
	setDefault(&o.Timeout, 60*time.Second)
	switch {
	case len(command) == 0 || command[0] == "":
		return nil, kindf(ErrInvalidCredentials, "sts: process: the command is empty")
	case o.Timeout < 0:
		return nil, fmt.Errorf("sts: process: Timeout %v must not be negative", o.Timeout)
	}
	return &Process{command: append([]string(nil), command...), opts: o}, nil
}

// processGrace is how long a program that was ended, or its children, may hold on to
// its output.
const processGrace = time.Second

// Credentials runs the program, which ends with ctx. Neither its output nor its
// arguments are in an error, since both may be secret.
func (p *Process) Credentials(ctx context.Context) (Credentials, error) {
	output, err := p.run(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: process %s: %w", p.name(), err)
	}
	creds, err := parseProcess(output)
	if err != nil {
		return Credentials{}, fmt.Errorf("sts: process %s: its output: %w", p.name(), err)
	}
	return creds, nil
}

func (p *Process) run(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.opts.Timeout,
		fmt.Errorf("it did not finish within %v: %w", p.opts.Timeout, context.DeadlineExceeded))
	defer cancel()
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	cmd.WaitDelay = processGrace
	output := &bounded{left: maxFetched}
	cmd.Stdout = output
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil:
		// It succeeded, and a child that it left behind holds on to the output.
	case ctx.Err() != nil && err != nil:
		return nil, ended(ctx, err)
	case output.left < 0:
		return nil, kindf(ErrAnswer, "it printed more than %d bytes", maxFetched)
	case errors.As(err, &exit):
		return nil, fmt.Errorf("it failed: %s (run it yourself to see its messages)", exit.ProcessState)
	case err != nil:
		return nil, p.startProblem(err)
	}
	return output.buffer.Bytes(), nil
}

// startProblem returns why the program could not be started, without what it was: its
// arguments may be there, if somebody took its name for a whole command line.
func (p *Process) startProblem(err error) error {
	var notFound *exec.Error
	var path *fs.PathError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &notFound):
		err = notFound.Err
	}
	if strings.ContainsFunc(p.command[0], unicode.IsSpace) {
		return fmt.Errorf("%w (the program's name has white space in it: each argument is an element of its own)", err)
	}
	return err
}

// A bounded buffer refuses what is beyond its limit, which ends the program that writes
// it. It does not embed the buffer, whose ReadFrom would be used in place of Write.
type bounded struct {
	buffer bytes.Buffer
	left   int
}

// Write takes p if there is room for it.
func (b *bounded) Write(p []byte) (int, error) {
	b.left -= len(p)
	if b.left < 0 {
		return 0, errors.New("too much output")
	}
	return b.buffer.Write(p)
}

func parseProcess(output []byte) (Credentials, error) {
	var answer struct {
		Mode            string `json:"mode"`
		AccessKeyID     string `json:"access_key_id"`
		AccessKeySecret string `json:"access_key_secret"`
		Token           string `json:"sts_token"`
		Expiration      string `json:"expiration"`
	}
	if err := decode(output, &answer); err != nil {
		return Credentials{}, err
	}
	creds := Credentials{AccessKeyID: answer.AccessKeyID, AccessKeySecret: answer.AccessKeySecret, SecurityToken: answer.Token}
	switch {
	case modeOf(answer.Mode) != modeAK && modeOf(answer.Mode) != modeStsToken:
		return Credentials{}, kindf(ErrAnswer, "the mode is %q; want AK or StsToken", scrub(answer.Mode))
	case answer.AccessKeyID == "" || answer.AccessKeySecret == "":
		return Credentials{}, kindf(ErrAnswer, "access_key_id or access_key_secret is missing")
	case modeOf(answer.Mode) == modeStsToken && answer.Token == "":
		return Credentials{}, kindf(ErrAnswer, "sts_token is missing")
	case answer.Expiration == "":
		return creds, nil
	}
	expires, err := time.Parse(time.RFC3339, answer.Expiration)
	if err != nil {
		return Credentials{}, kindf(ErrAnswer, "the expiration is not a time such as 2015-12-12T07:49:09Z")
	}
	creds.Expiration = expires.UTC()
	return creds.seen(time.Time{}, now())
}

// name is what errors call the program: what follows white space or a NUL may be an
// argument.
func (p *Process) name() string {
	path := p.command[0]
	end := strings.IndexFunc(path, func(r rune) bool { return unicode.IsSpace(r) || r == 0 })
	if end < 0 {
		return filepath.Base(path)
	}
	return filepath.Base(path[:end]) + "…"
}

// Format writes the program's name, whatever the verb: its arguments may be secret.
func (p Process) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "sts.Process(%s)", p.name()) }
