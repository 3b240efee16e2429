package sts_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
)

// helperVar makes this test binary a program that hands out credentials.
const helperVar = "STS_TEST_HELPER"

// helper is that program: it does what its variable says.
func helper() {
	verb, text, _ := strings.Cut(os.Getenv(helperVar), ":")
	switch verb {
	case "print":
		fmt.Print(text)
	case "fail":
		fmt.Print(text)
		fmt.Fprint(os.Stderr, text)
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	case "linger":
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), helperVar+"=pause:")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			os.Exit(1)
		}
		fmt.Print(text)
	case "pause":
		time.Sleep(10 * time.Second)
	case "flood":
		for {
			if _, err := fmt.Println(strings.Repeat("x", 1000)); err != nil {
				os.Exit(1)
			}
		}
	}
	os.Exit(0)
}

func process(t *testing.T, does string, opts *sts.ProcessOptions) *sts.Process {
	t.Helper()
	t.Setenv(helperVar, does)
	p, err := sts.NewProcess([]string{os.Args[0], "--secret", aSecret}, opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProcess(t *testing.T) {
	want := sts.Credentials{AccessKeyID: aKey, AccessKeySecret: aSecret, SecurityToken: aToken, Expiration: time.Now().Add(time.Hour).UTC().Truncate(time.Second)}
	for _, c := range []sts.Credentials{want,
		{AccessKeyID: aKey, AccessKeySecret: aSecret, SecurityToken: aToken},
		{AccessKeyID: aKey, AccessKeySecret: aSecret}} {
		t.Run(c.String(), func(t *testing.T) {
			got, err := process(t, "print:"+ststest.ProcessOutput(c), nil).Credentials(t.Context())
			if err != nil || got != c {
				t.Errorf("got %v, %v; want %v", got, err, c)
			}
		})
	}
}

// Neither the output of a program nor its arguments are in an error.
func TestProcessWithFaults(t *testing.T) {
	key := `"access_key_id":"` + aKey + `","access_key_secret":"` + aSecret + `"`
	tests := []struct {
		name, does, text string
		is               error
	}{
		{"no output", "print:", "its output: it is empty", sts.ErrAnswer},
		{"half of it", `print:{"mode":"AK",` + key, "not JSON", sts.ErrAnswer},
		{"a secret in place of JSON", "print:" + aSecret, "not JSON", sts.ErrAnswer},
		{"no mode", `print:{` + key + `}`, `the mode is ""; want AK or StsToken`, sts.ErrAnswer},
		{"another mode", `print:{"mode":"RamRoleArn",` + key + `}`, `the mode is "RamRoleArn"`, sts.ErrAnswer},
		{"a secret as the mode", `print:{"mode":"` + aSecret + `",` + key + `}`, "the mode is", sts.ErrAnswer},
		{"no key", `print:{"mode":"AK"}`, "access_key_id or access_key_secret is missing", sts.ErrAnswer},
		{"no token", `print:{"mode":"StsToken",` + key + `}`, "sts_token is missing", sts.ErrAnswer},
		{"a time that is none", `print:{"mode":"AK",` + key + `,"expiration":"` + aSecret + `"}`, "the expiration is not a time", sts.ErrAnswer},
		{"a number as the key", `print:{"mode":"AK","access_key_id":17}`, "access_key_id", sts.ErrAnswer},
		{"what has expired", `print:{"mode":"AK",` + key + `,"expiration":"2015-12-12T07:49:09Z"}`, "2015-12-12T07:49:09Z", sts.ErrExpired},
		{"a failure", "fail:" + aSecret, "it failed: exit status 3", nil},
		{"output without end", "flood:", "it printed more than 65536 bytes", sts.ErrAnswer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := refuse(t, process(t, tt.does, nil), tt.text, "process "+filepath.Base(os.Args[0])); tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error = %v, want %v in it", err, tt.is)
			}
		})
	}
	t.Run("a program that is not there", func(t *testing.T) {
		p, err := sts.NewProcess([]string{"/does/not/exist/helper", aSecret}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := refuse(t, p, "process helper"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error = %v, want os.ErrNotExist", err)
		}
	})
	for name, command := range map[string]string{
		"a command line for a program":            "/does/not/exist/helper --secret " + aSecret,
		"the same, with a slash in an argument":   "/does/not/exist/helper --secret=/" + aSecret,
		"the same, for a program in the PATH":     "no-such-helper --secret " + aSecret,
		"the same, after a tab":                   "no-such-helper\t" + aSecret,
		"the same, for a program that is no file": filepath.Dir(os.Args[0]) + "/ " + aSecret,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := sts.NewProcess([]string{command}, nil)
			if err != nil {
				t.Fatal(err)
			}
			refuse(t, p, "each argument is an element of its own")
			if text := fmt.Sprint(p); strings.Contains(text, aSecret) {
				t.Errorf("it prints as %s", text)
			}
		})
	}
	t.Run("a program that hangs", func(t *testing.T) {
		err := refuse(t, process(t, "hang:", &sts.ProcessOptions{Timeout: 50 * time.Millisecond}), "it did not finish within 50ms")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v, want a deadline", err)
		}
	})
	t.Run("a child that holds on to the output", func(t *testing.T) {
		want := sts.Credentials{AccessKeyID: aKey, AccessKeySecret: aSecret}
		begin := time.Now()
		got, err := process(t, "linger:"+ststest.ProcessOutput(want), nil).Credentials(t.Context())
		if err != nil || got != want {
			t.Errorf("got %v, %v", got, err)
		}
		if took := time.Since(begin); took > 9*time.Second {
			t.Errorf("it took %v: the child was waited for", took)
		}
	})
	t.Run("a caller who goes away", func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("the caller went away"))
		defer cancel()
		if _, err := process(t, "hang:", nil).Credentials(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "went away") {
			t.Errorf("error = %v", err)
		}
	})
	t.Run("no command", func(t *testing.T) {
		if _, err := sts.NewProcess(nil, nil); !errors.Is(err, sts.ErrInvalidCredentials) {
			t.Errorf("error = %v, want ErrInvalidCredentials", err)
		}
		if _, err := sts.NewProcess([]string{"x"}, &sts.ProcessOptions{Timeout: -1}); err == nil {
			t.Error("a negative timeout is taken")
		}
	})
}
