// Package uploadtest has what tests of programs need that upload: options of a client
// that leaves nothing on the machine, retries within milliseconds, and is accepted by a
// server of package osstest.
//
//	func TestPublish(t *testing.T) {
//		server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
//		defer server.Close()
//		server.Inject(osstest.Fail(osstest.OpPutObject, 503, "ServiceUnavailable")) // once
//
//		opts := uploadtest.Options(osstest.DefaultKey)
//		client, err := upload.New(&opts)
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer client.Close()
//		if err := publish(t.Context(), client, server.URL, "talk.mp4"); err != nil {
//			t.Fatal(err)
//		}
//		if _, ok := server.Object("media", "in/talk.mp4"); !ok {
//			t.Error("the object is not there")
//		}
//		server.AssertFired(t)
//	}
package uploadtest

import (
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// Options returns the options of a client for tests: credentials that a server accepts
// which has key, [osstest.DefaultKey] unless it was given others; checkpoints in memory, a
// store for each call, which clients of one test may share to resume; parts of 100 KiB,
// so that small files have some; retries after a millisecond; and 5 s in place of the
// timeouts that are 30 s and more. Change what the test is about.
func Options(key osstest.Key) upload.Options {
	const timeout = 5 * time.Second
	return upload.Options{
		Credentials: sts.Static(sts.Credentials{
			AccessKeyID: key.AccessKeyID, AccessKeySecret: key.AccessKeySecret, SecurityToken: key.SecurityToken,
		}),
		Checkpoints:    checkpoint.NewMemory(),
		Region:         "cn-hangzhou", // osstest's, unless its options say another
		PartSize:       100 << 10,
		RetryInterval:  time.Millisecond,
		StallTimeout:   timeout,
		OutageWait:     timeout,
		TokenWait:      timeout,
		CleanupTimeout: timeout,
	}
}
