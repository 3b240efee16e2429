package world

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/vodupload/vodupload/upload"
)

const (
	bucket   = "media"
	endpoint = "http://oss-cn-hangzhou.aliyuncs.com"
	address  = bucket + ".oss-cn-hangzhou.aliyuncs.com:80"
)

// noise has the bytes of all files.
var noise = func() []byte {
	b := make([]byte, 2<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b)
	return b
}()

// A file is one that is to be uploaded, and what is wanted of it now. world.mu guards it.
type file struct {
	spec   fileSpec
	number int
	data   []byte

	canceled bool // by CancelFile
	deleted  bool // by DeleteFile
	done     bool // OnSucceeded was called
	failed   []failure
	ended    []time.Time // when it failed, was canceled or deleted
}

// A failure is one OnFailed.
type failure struct {
	at  time.Time
	err error
}

func newFile(number int, spec fileSpec) *file {
	from := number * 9973
	return &file{spec: spec, number: number, data: noise[from : from+spec.Size]}
}

func (f *file) object() string { return fmt.Sprintf("f%d.mp4", f.number) }

// toUpload returns the file as it is given to a client.
func (f *file) toUpload() upload.File {
	u := upload.File{Path: "memory/" + f.object(), Endpoint: endpoint, Bucket: bucket, Object: f.object()}
	switch f.spec.Kind {
	case reader:
		u.Reader = io.NewSectionReader(bytes.NewReader(f.data), 0, int64(len(f.data)))
	case nameless:
		u.Source = upload.NewSource(bytes.NewReader(f.data), int64(len(f.data)), "")
	default:
		u.Source = upload.NewSource(bytes.NewReader(f.data), int64(len(f.data)), "v1")
	}
	if f.spec.Kind == late {
		u.Endpoint, u.Bucket, u.Object = "", "", ""
	}
	return u
}
