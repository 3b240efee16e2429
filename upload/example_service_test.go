package upload_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// More requests in flight at night, for as long as the program runs.
func ExampleClient_SetParallel() {
	client := exampleClient(upload.Options{})
	defer client.Close()
	if err := client.SetParallel(upload.Auto); err != nil {
		fmt.Println(err)
	}
	fmt.Println(client.SetParallel(0))
	// Output: upload: invalid argument: SetParallel: got 0, want 1 to 1000, or Auto
}

// A limit that an operator changes while files are uploaded.
func ExampleClient_SetBandwidthLimit() {
	client := exampleClient(upload.Options{})
	defer client.Close()
	if err := client.SetBandwidthLimit(2 << 20); err != nil { // 2 MiB/s
		fmt.Println(err)
	}
	if err := client.SetBandwidthLimit(0); err != nil { // none
		fmt.Println(err)
	}
	fmt.Println(client.SetBandwidthLimit(2))
	// Output: upload: invalid argument: SetBandwidthLimit: got 2 bytes per second, want 0 for no limit, or 1024 or more
}

// The line belongs to others during office hours.
func ExampleClient_FollowTimetable() {
	table, err := upload.ParseTimetable("08:00,2M 19:00,off Sat-08:00,off Sun-08:00,off")
	if err != nil {
		fmt.Println(err)
		return
	}
	client := exampleClient(upload.Options{})
	defer client.Close() // ends it
	if err := client.FollowTimetable(context.Background(), table); err != nil {
		fmt.Println(err)
	}
	// Output:
}

// What holds at a moment, and until when.
func ExampleTimetable_At() {
	table, err := upload.ParseTimetable("08:00,2M 19:00,off")
	if err != nil {
		fmt.Println(err)
		return
	}
	limit, until := table.At(time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC))
	fmt.Println(limit, "bytes per second until", until.Format("15:04"))

	_, err = upload.ParseTimetable("08:00,2M 25:00,off")
	fmt.Println(err)
	// Output:
	// 2097152 bytes per second until 19:00
	// upload: invalid argument: timetable: entry "25:00,off": got the time "25:00", want one from 00:00 to 23:59
}

// A service that has ten seconds before it is killed.
func ExampleClient_Shutdown() {
	client := exampleClient(upload.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(client.Shutdown(ctx))
	fmt.Println(errors.Is(client.Shutdown(ctx), upload.ErrClosed))
	// Output:
	// <nil>
	// true
}

// Checkpoints on a volume, which outlives the container.
func ExampleOptions_checkpointDir() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client, err := upload.New(&upload.Options{
		Credentials:   sts.Static(exampleKey),
		CheckpointDir: filepath.Join(dir, "checkpoints"), // "/var/lib/uploader/checkpoints"
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	_, err = client.Upload(context.Background(), upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
	})
	fmt.Println(err)
	// Output: <nil>
}

// What a page or a log shows: states by their names, CRC64 as a text.
func ExampleFileState_MarshalText() {
	text, err := json.Marshal(struct {
		State upload.FileState
		Files map[upload.FileState]int
	}{upload.FileUploading, map[upload.FileState]int{upload.FileSucceeded: 3}})
	fmt.Println(string(text), err)
	// Output: {"State":"uploading","Files":{"succeeded":3}} <nil>
}

// A service that uploads for months: files that have ended leave the list.
func ExampleOptions_forgetEnded() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)

	client := exampleClient(upload.Options{
		Credentials: sts.Static(exampleKey),
		ForgetEnded: true,
		Callbacks: upload.Callbacks{
			OnSucceeded: func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
				fmt.Println(f.Object, "has", r.Size, "bytes")
			},
		},
	})
	defer client.Close()
	ctx := context.Background()
	if err := client.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for range 2 { // each time a new version comes
		if _, err := client.AddFile(upload.File{
			Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
		}); err != nil {
			fmt.Println(err)
			return
		}
		if err := client.Wait(ctx); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(len(client.Files()), "files in the list")
	// Output:
	// in/talk.mp4 has 3000000 bytes
	// in/talk.mp4 has 3000000 bytes
	// 0 files in the list
}

// What a service exports to its monitoring.
func ExampleClient_Stats() {
	server, dir := exampleServer()
	defer server.Close()
	defer os.RemoveAll(dir)
	server.Inject(osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable"))

	client := exampleClient(upload.Options{Credentials: sts.Static(exampleKey), RetryInterval: time.Millisecond})
	defer client.Close()
	if _, err := client.Upload(context.Background(), upload.File{
		Path: filepath.Join(dir, "talk.mp4"), Endpoint: server.URL, Bucket: "media", Object: "in/talk.mp4",
	}); err != nil {
		fmt.Println(err)
		return
	}
	s := client.Stats()
	fmt.Println(s.AckedBytes, "bytes in", s.Requests, "requests, retries:", s.Retries)
	// Output: 3000000 bytes in 6 requests, retries: map[ServiceUnavailable:1]
}
