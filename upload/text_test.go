package upload_test

import (
	"encoding"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestStatesAsText(t *testing.T) {
	for s := upload.StateInit; s <= upload.StateClosed; s++ {
		var again upload.State
		if err := again.UnmarshalText(must(s.MarshalText())); err != nil || again != s || string(must(s.MarshalText())) != s.String() {
			t.Errorf("%v is %v after all, %v", s, again, err)
		}
	}
	for s := upload.FileInit; s <= upload.FileCanceled; s++ {
		var again upload.FileState
		if err := again.UnmarshalText(must(s.MarshalText())); err != nil || again != s || string(must(s.MarshalText())) != s.String() {
			t.Errorf("%v is %v after all, %v", s, again, err)
		}
	}
	for _, none := range []encoding.TextMarshaler{upload.State(-1), upload.State(7), upload.FileState(-1), upload.FileState(6)} {
		if text, err := none.MarshalText(); !errors.Is(err, upload.ErrInvalidArgument) {
			t.Errorf("%v: got %q, %v; want ErrInvalidArgument", none, text, err)
		}
	}
	for _, s := range []encoding.TextUnmarshaler{new(upload.State), new(upload.FileState)} {
		err := s.UnmarshalText([]byte("Started"))
		if !errors.Is(err, upload.ErrInvalidArgument) || !strings.Contains(err.Error(), `got "Started", want one of init, `) {
			t.Errorf("got %v, want ErrInvalidArgument with the names", err)
		}
	}
}

// A reader of JSON that has only float64, as a browser's is, would round these numbers.
func TestJSONOfWhatUsersSee(t *testing.T) {
	const crc = 1<<64 - 1
	for _, c := range []struct {
		v    any
		want string
	}{
		{upload.Result{CRC64: crc}, `"CRC64":"18446744073709551615"`},
		{upload.FileInfo{Result: &upload.Result{CRC64: crc}}, `"CRC64":"18446744073709551615"`},
		{checkpoint.Part{CRC64: crc}, `"CRC64":"18446744073709551615"`},
		{osstest.Object{CRC64: crc}, `"CRC64":"18446744073709551615"`},
		{osstest.Part{CRC64: crc}, `"CRC64":"18446744073709551615"`},
		{upload.FileInfo{State: upload.FileFailed}, `"State":"failed"`},
		{upload.Stats{Files: map[upload.FileState]int{upload.FilePaused: 2}}, `"Files":{"paused":2}`},
	} {
		text, err := json.Marshal(c.v)
		if err != nil || !strings.Contains(string(text), c.want) {
			t.Errorf("%T: got %s, %v; want %s", c.v, text, err, c.want)
		}
	}
	var r upload.Result
	if err := json.Unmarshal(must(json.Marshal(upload.Result{CRC64: crc})), &r); err != nil || r.CRC64 != crc {
		t.Errorf("read again: %d, %v", r.CRC64, err)
	}
}
