package vod

import (
	"fmt"
	"path/filepath"
	"strings"
)

// A Kind is what VOD takes a file for.
type Kind int

// The kinds of files that VOD takes.
const (
	Video Kind = iota + 1
	Audio
	Image
)

// String returns the kind's name.
func (k Kind) String() string {
	switch k {
	case Video:
		return "video"
	case Audio:
		return "audio"
	case Image:
		return "image"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// extensions are those that VOD and MPS take (MPS documentation, file triggers of
// media workflows; VOD documentation, CreateUploadImage). The clients for mobile ask
// the system for the MIME type of the extension and look at its first half; what they
// find differs from one system to the next, this does not. A GIF is an image to them.
var extensions = map[Kind]string{
	Video: "3gp asf avi dat dv f4v flv m2t m4v mj2 mjpeg mkv mov mp4 mpe mpeg mpg mts ogg qt rm rmvb swf ts vob webm wmv",
	Audio: "aac ac3 acm aiff amr ape caf flac m4a mp3 ra wav wma",
	Image: "png jpg jpeg gif",
}

var kinds = func() map[string]Kind {
	m := make(map[string]Kind)
	for kind, exts := range extensions {
		for ext := range strings.FieldsSeq(exts) {
			m[ext] = kind
		}
	}
	return m
}()

// extOf returns the extension of a file's name, in lower case, without a dot.
func extOf(name string) string {
	return strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
}

// KindOf returns what VOD takes a file for, by its extension, or [ErrMediaType].
func KindOf(name string) (Kind, error) {
	ext := extOf(name)
	if kind, ok := kinds[ext]; ok {
		return kind, nil
	}
	switch ext {
	case "":
		return 0, fmt.Errorf("%w: %s has no extension, and VOD goes by that", ErrMediaType, filepath.Base(name))
	case "m3u8":
		return 0, fmt.Errorf("%w: %s is a playlist: its segments have to go to the ObjectPrefix of the UploadAddress that CreateUploadVideo returns",
			ErrMediaType, filepath.Base(name))
	}
	return 0, fmt.Errorf("%w: got the extension %q, want one of video (%s), audio (%s) or image (%s)", ErrMediaType,
		ext, extensions[Video], extensions[Audio], extensions[Image])
}
