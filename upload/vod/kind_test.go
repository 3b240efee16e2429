package vod_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/vod"
)

func TestKindOf(t *testing.T) {
	for name, want := range map[string]vod.Kind{
		"a.mp4": vod.Video, "/x/A.B.MOV": vod.Video, "影片.webm": vod.Video, "a.mp3": vod.Audio, "a.M4A": vod.Audio,
		"a.jpg": vod.Image, "a.JPEG": vod.Image, "a.png": vod.Image, "a.gif": vod.Image,
	} {
		if got, err := vod.KindOf(name); got != want || err != nil {
			t.Errorf("%s: got %v, %v; want %v", name, got, err, want)
		}
	}
	for name, text := range map[string]string{
		"notes.txt": `got the extension "txt"`, "mp4": "has no extension", "list.m3u8": "ObjectPrefix", "a.bmp": `"bmp"`, "a.": "no extension",
	} {
		if got, err := vod.KindOf(name); !errors.Is(err, vod.ErrMediaType) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: got %v, %v; want ErrMediaType with %q", name, got, err, text)
		}
	}
}
