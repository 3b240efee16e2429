package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/vodupload/vodupload/checkpoint"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := checkpoint.OpenDir(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()

	// One run begins an upload, and ends after two parts.
	key := checkpoint.Key{Source: "/media/talk.mp4", Endpoint: "https://oss-cn-hangzhou.aliyuncs.com", Bucket: "media", Object: "in/talk.mp4"}
	upload, err := store.Open(ctx, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	record := checkpoint.Record{Key: key, Source: checkpoint.Source{Size: 3 << 20}, UploadID: "0004B9894A22E5B1888A1E29F8236E2D", PartSize: 1 << 20}
	fmt.Println("begin:", upload.Begin(ctx, record))
	fmt.Println("part 2:", upload.Add(checkpoint.Part{Number: 2, Size: 1 << 20, ETag: "0123456789ABCDEF0123456789ABCDEF"}))
	fmt.Println("part 1:", upload.Add(checkpoint.Part{Number: 1, Size: 1 << 20, ETag: "ABCDEF0123456789ABCDEF0123456789"}))
	_, err = store.Open(ctx, key)
	fmt.Println("in use:", errors.Is(err, checkpoint.ErrInUse))
	fmt.Println("close:", upload.Close())

	// The next one continues with it.
	upload, err = store.Open(ctx, key)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer upload.Remove()
	found, parts, ok := upload.Load()
	fmt.Println(ok, found.UploadID)
	for _, p := range parts {
		fmt.Println(p.Number, p.ETag)
	}
	// Output:
	// begin: <nil>
	// part 2: <nil>
	// part 1: <nil>
	// in use: true
	// close: <nil>
	// true 0004B9894A22E5B1888A1E29F8236E2D
	// 1 ABCDEF0123456789ABCDEF0123456789
	// 2 0123456789ABCDEF0123456789ABCDEF
}
