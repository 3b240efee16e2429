package transfer

import (
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/internal/wire"
)

func TestIsOurs(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	want := object{size: 7, crc: 99, kind: typeMultipart, since: began}
	for _, tt := range []struct {
		name   string
		change func(*wire.ObjectInfo)
		want   bool
	}{
		{"the same in all", func(*wire.ObjectInfo) {}, true},
		{"another size", func(i *wire.ObjectInfo) { i.Size = 8 }, false},
		{"another CRC64", func(i *wire.ObjectInfo) { i.CRC64 = 98 }, false},
		{"no CRC64 told", func(i *wire.ObjectInfo) { i.HasCRC64 = false }, false},
		{"made by another call", func(i *wire.ObjectInfo) { i.Type = "Normal" }, false},
		{"appended to", func(i *wire.ObjectInfo) { i.Type = "Appendable" }, false},
		{"type not told", func(i *wire.ObjectInfo) { i.Type = "" }, true},
		{"made before the upload began", func(i *wire.ObjectInfo) { i.LastModified = began.Add(-2 * time.Minute) }, false},
		{"made by a machine whose clock is a little behind", func(i *wire.ObjectInfo) { i.LastModified = began.Add(-time.Second) }, true},
		{"made long after", func(i *wire.ObjectInfo) { i.LastModified = began.Add(30 * time.Hour) }, true},
		{"time not told", func(i *wire.ObjectInfo) { i.LastModified = time.Time{} }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			info := wire.ObjectInfo{Size: 7, ETag: "E", CRC64: 99, HasCRC64: true, Type: typeMultipart, LastModified: began.Add(time.Minute)}
			tt.change(&info)
			if got := matches(info, want); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
	t.Run("the beginning not told", func(t *testing.T) {
		if !matches(wire.ObjectInfo{Size: 7, CRC64: 99, HasCRC64: true, LastModified: began}, object{size: 7, crc: 99, kind: typeNormal}) {
			t.Error("got false, want true: there is nothing against it")
		}
	})
}

func TestAmbiguous(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  wire.Error
		want bool
	}{
		{"connection broke", wire.Error{Class: wire.Retry}, true},
		{"kept-alive connection was closed", wire.Error{Class: wire.Stale}, true},
		{"no connection", wire.Error{Class: wire.Retry, Unsent: true}, false},
		{"no descriptor", wire.Error{Class: wire.Starved}, false},
		{"not sent at all", wire.Error{Class: wire.Permanent}, false},
		{"success that cannot be trusted", wire.Error{Status: 200, Class: wire.Retry}, true},
		{"success that a gateway changed", wire.Error{Op: "CompleteMultipartUpload", Status: 203, Class: wire.Retry}, true},
		{"stored, and the callback failed", wire.Error{Op: "CompleteMultipartUpload", Status: 203, Code: "CallbackFailed"}, false},
		{"redirect", wire.Error{Status: 307}, false},
		{"bad request", wire.Error{Status: 400, Code: "InvalidPart"}, false},
		{"forbidden", wire.Error{Status: 403, Code: "AccessDenied"}, false},
		{"gone", wire.Error{Status: 404, Class: wire.Restart}, false},
		{"timeout", wire.Error{Status: 408, Class: wire.Retry}, true},
		{"conflict", wire.Error{Status: 409, Code: codeExists}, false},
		{"too many requests", wire.Error{Status: 429, Class: wire.Throttle}, false},
		{"internal error", wire.Error{Status: 500, Class: wire.Retry}, true},
		{"not implemented", wire.Error{Status: 501}, true},
		{"gateway timeout", wire.Error{Status: 504, Class: wire.Retry}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := ambiguous(&tt.err); got != tt.want {
				t.Errorf("got %t, want %t", got, tt.want)
			}
		})
	}
}
