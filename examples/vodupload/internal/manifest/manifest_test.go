package manifest

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func line(object string) Line {
	return Line{Path: "/a b/" + object + "\n", Bucket: "media", Object: object, Size: 5, CRC64: 1<<64 - 1, ETag: "E-2", Parts: 2, Time: time.Unix(1_800_000_000, 5).UTC()}
}

func TestWriterAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.jsonl")
	want := []Line{line("a"), line("b")}
	for _, l := range want { // two processes, one after the other
		w, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(l); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	text, _ := os.ReadFile(path)
	got, err := Read(bytes.NewReader(text))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	dir := t.TempDir()
	for n := range text { // ended after each byte
		path := filepath.Join(dir, strconv.Itoa(n))
		if err := os.WriteFile(path, text[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		whole := bytes.Count(text[:n], []byte("\n"))
		_, err := Read(bytes.NewReader(text[:n]))
		if cut := n > 0 && text[n-1] != '\n'; (err != nil) != cut {
			t.Fatalf("after %d bytes: error %v", n, err)
		}
		w, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Add(line("c")); err != nil {
			t.Fatal(err)
		}
		_ = w.f.Close()
		f, _ := os.Open(path)
		got, err := Read(f)
		_ = f.Close()
		if err != nil || len(got) != whole+1 {
			t.Fatalf("after %d bytes and one more line: %d lines, %v, want %d", n, len(got), err, whole+1)
		}
	}
}

func TestLongTailIsCutOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.jsonl")
	const first = `{"path":"/a","bucket":"m","object":"o","size":1,"crc64":"1"}` + "\n"
	if err := os.WriteFile(path, []byte(first+strings.Repeat("y", 200<<10)), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if text, _ := os.ReadFile(path); string(text) != first {
		t.Errorf("%d bytes are left", len(text))
	}
}

// A path that was mistyped may be that of a film.
func TestOpenLeavesWhatIsNoList(t *testing.T) {
	for name, text := range map[string]string{
		"a film of one line":       "\x00\x00\x00\x18ftypmp42",
		"a film of many lines":     "\x00\x00\x00\x18ftypmp42\n\x00\n",
		"a film without lines":     strings.Repeat("\x00", 200<<10),
		"a text":                   "hello",
		"other JSON lines":         `{"v":1,"type":"start"}` + "\n" + `{"v":1`,
		"a JSON file":              `{"paths":[]}`,
		"a list with another head": "# done\n" + `{"path":"/a","bucket":"m","object":"o","size":1,"crc64":"1"}` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "talk.mp4")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if w, err := Open(path); !errors.Is(err, ErrNoList) {
				t.Errorf("got %v, %v, want ErrNoList", w, err)
			}
			if now, _ := os.ReadFile(path); string(now) != text {
				t.Errorf("%d bytes are left of %d", len(now), len(text))
			}
		})
	}
	t.Run("empty lines are", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "m.jsonl")
		if err := os.WriteFile(path, []byte("\n \n"), 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		_ = w.Close()
	})
}

func TestLinesOfManyGoroutinesAreWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.jsonl")
	w, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := w.Add(line(strings.Repeat("o", i+1))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, _ := os.Open(path)
	defer f.Close()
	if got, err := Read(f); err != nil || len(got) != 20 {
		t.Errorf("%d lines, %v", len(got), err)
	}
}

func TestReadTakesTheLastLineOfAnObject(t *testing.T) {
	const text = `{"path":"/a","bucket":"m","object":"o","size":1,"crc64":"1"}
{"path":"/b","bucket":"m","object":"p","size":1,"crc64":"2"}

{"path":"/a","bucket":"m","object":"o","size":2,"crc64":"3","new":"field"}
`
	got, err := Read(strings.NewReader(text))
	if err != nil || len(got) != 2 || got[0].CRC64 != 3 || got[1].CRC64 != 2 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestReadRefuses(t *testing.T) {
	const good = `{"path":"/a","bucket":"m","object":"o","size":1,"crc64":"1"}` + "\n"
	for name, tt := range map[string]struct{ text, says string }{
		"no JSON":          {good + "talk.mp4\n", "line 2: no JSON object"},
		"a list":           {"[]\n", "line 1: no JSON object"},
		"no checksum":      {`{"path":"/a","bucket":"m","object":"o","size":1}` + "\n", `line 1: "crc64" is missing`},
		"no path":          {`{"bucket":"m","object":"o","size":1,"crc64":"1"}` + "\n", `"path" is missing`},
		"an empty object":  {`{"path":"/a","bucket":"m","object":"","size":1,"crc64":"1"}` + "\n", "empty"},
		"a negative size":  {`{"path":"/a","bucket":"m","object":"o","size":-1,"crc64":"1"}` + "\n", "-1"},
		"a size of text":   {`{"path":"/a","bucket":"m","object":"o","size":"1","crc64":"1"}` + "\n", `"size"`},
		"a bad checksum":   {`{"path":"/a","bucket":"m","object":"o","size":1,"crc64":"x"}` + "\n", "line 1: "},
		"a cut line":       {good + good[:20], "line 2: cut off"},
		"an endless line":  {strings.Repeat(" ", 70<<10), "line 1: longer"},
		"a binary file":    {"\x7fELF\x00\n", "line 1: no JSON"},
		"a line with more": {good[:len(good)-1] + good, "line 1: no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error is %v, want %q", err, tt.says)
			}
		})
	}
}
