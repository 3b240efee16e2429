package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCommandLine(t *testing.T) {
	for args, want := range map[string]int{
		"-help":                   0,
		"-version":                0,
		"-nothing":                2,
		"more":                    2,
		"-addr 0.0.0.0:0":         2,
		"-addr example.com:80":    2,
		"-addr 127.0.0.1":         2,
		"-files -1":               2,
		"-fail 101":               2,
		"-speed 0":                2,
		"-for 1ms -files 0":       0,
		"-addr 127.0.0.1:1000000": 1,
	} {
		t.Run(args, func(t *testing.T) {
			var out, errs bytes.Buffer
			if got := run(t.Context(), strings.Fields(args), &out, &errs); got != want {
				t.Errorf("status %d, want %d; %s", got, want, errs.String())
			}
			if want != 0 && strings.Count(errs.String(), "\n") != 1 {
				t.Errorf("want one line, got %q", errs.String())
			}
		})
	}
}

// TestDemo runs the program: uploads go on, faults hit them, and it ends when it is told
// to.
func TestDemo(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	out, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"-fail", "0", "-files", "8", "-speed", "64"}, w, w)
		w.Close()
	}()
	var url string
	if _, err := fmt.Fscanf(out, "open %s\n", &url); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	d := &demoClient{t, ctx, url}
	if got := d.post("/faults", `{"percent": 101}`); got != http.StatusBadRequest {
		t.Errorf("101 percent: status %d", got)
	}
	if got := d.post("/faults", `{"percent": 60}`); got != http.StatusNoContent {
		t.Errorf("60 percent: status %d", got)
	}
	if got := d.post("/files", `{}`); got != http.StatusNoContent {
		t.Errorf("more files: status %d", got)
	}
	for _, from := range []string{"https://example.net", "null"} {
		if got := d.post("/faults", `{"percent": 0}`, "Origin", from); got != http.StatusForbidden {
			t.Errorf("a page of %s: status %d", from, got)
		}
	}
	if body := d.get("/faults"); !strings.Contains(body, `"percent":60`) {
		t.Errorf("faults are %s", body)
	}
	if page := d.get("/"); !strings.Contains(page, `href="dashboard/"`) {
		t.Error("the page does not lead to the dashboard")
	}
	for {
		var s struct {
			Figures  struct{ Acked, Expires int64 }
			Problems []struct{ RequestID string }
		}
		if err := json.Unmarshal([]byte(d.get("/dashboard/state")), &s); err != nil {
			t.Fatal(err)
		}
		if s.Figures.Acked > 1<<20 && s.Figures.Expires > 0 && len(s.Problems) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	if got := <-ended; got != 0 {
		t.Errorf("status %d", got)
	}
}

// A demoClient asks the program.
type demoClient struct {
	t   *testing.T
	ctx context.Context
	url string
}

func (d *demoClient) do(method, path, body string, headers ...string) (status int, text string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.ctx, method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, string(all)
}

func (d *demoClient) get(path string) string {
	d.t.Helper()
	_, text := d.do("GET", path, "")
	return text
}

func (d *demoClient) post(path, body string, headers ...string) int {
	d.t.Helper()
	status, _ := d.do("POST", path, body, headers...)
	return status
}
