package upload_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

func TestRetryHasWhatTheServerAnswered(t *testing.T) {
	server := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer server.Close()
	server.Inject(osstest.Fail(osstest.OpPutObject, 503, "ServiceUnavailable"), osstest.Reset(osstest.OpPutObject).Nth(2))
	var got []upload.Retry
	opts := uploadtest.Options(osstest.DefaultKey)
	opts.RetryInterval = time.Millisecond
	opts.Callbacks.OnRetry = func(_ *upload.Client, _ upload.FileInfo, r upload.Retry) { got = append(got, r) }
	client, err := upload.New(&opts)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Upload(t.Context(), upload.File{Source: upload.NewSource(strings.NewReader("film"), 4, "film"),
		Path: "film.mp4", Endpoint: server.URL, Bucket: "media", Object: "film.mp4"})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	first := server.Requests(osstest.OpPutObject)[0]
	if len(got) == 0 || got[0].Status != 503 || got[0].Code != "ServiceUnavailable" || got[0].RequestID != first.RequestID {
		t.Fatalf("got %+v, want the status, the code and the ID of %v", got, first)
	}
	if len(got) > 1 && (got[1].Status != 0 || got[1].Code != upload.CodeClientException || got[1].RequestID != "") {
		t.Errorf("without an answer got %+v", got[1])
	}
}
