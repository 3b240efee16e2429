package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestPlaceAt(t *testing.T) {
	const beijing = "https://oss-cn-beijing.aliyuncs.com"
	inFile := "[default]\nregion=cn-hangzhou\n[buckets archive]\nregion=cn-shanghai\n[Bucket-Cname]\nfilms=media.example.com\n"
	for outcome, test := range map[string]struct {
		file, env        string
		endpoint, bucket string
		want             config.Place
	}{
		"the region of the endpoint's name":       {inFile, "", beijing, "media", config.Place{Endpoint: beijing}},
		"whatever the environment has":            {"", "OSS_REGION=cn-hangzhou", beijing, "media", config.Place{Endpoint: beijing}},
		"without any configuration":               {"", "", beijing, "media", config.Place{Endpoint: beijing}},
		"the configured region of an address":     {inFile, "", "http://127.0.0.1:1", "media", config.Place{Endpoint: "http://127.0.0.1:1", Region: "cn-hangzhou"}},
		"that of the bucket":                      {inFile, "", "http://127.0.0.1:1", "archive", config.Place{Endpoint: "http://127.0.0.1:1", Region: "cn-shanghai"}},
		"none of an address, where none is":       {"", "", "http://127.0.0.1:1", "media", config.Place{Endpoint: "http://127.0.0.1:1"}},
		"a domain that is mapped to the bucket":   {inFile, "", "https://media.example.com", "films", config.Place{Endpoint: "https://media.example.com", Region: "cn-hangzhou", CustomDomains: []string{"media.example.com"}}},
		"an upload from before it was mapped":     {inFile, "", beijing, "films", config.Place{Endpoint: beijing}},
		"a flag for another region of an address": {"", "VODUPLOAD_REGION=cn-beijing", "http://127.0.0.1:1", "media", config.Place{Endpoint: "http://127.0.0.1:1", Region: "cn-beijing"}},
	} {
		t.Run(outcome, func(t *testing.T) {
			home := t.TempDir()
			if err := os.WriteFile(filepath.Join(home, ".ossutilconfig"), []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			e := env{environ: []string{test.env}}
			c, err := config.Resolve(config.Input{Home: home, Lookup: e.lookup})
			if err != nil {
				t.Fatal(err)
			}
			got := placeAt(c, test.endpoint, test.bucket)
			if got.Endpoint != test.want.Endpoint || got.Region != test.want.Region || !slices.Equal(got.CustomDomains, test.want.CustomDomains) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// twoRegions is a world with unfinished uploads to buckets of two regions, at addresses that
// do not say which: the configuration does.
func twoRegions(t *testing.T) (w *world, beijing *osstest.Server) {
	w = newWorld(t)
	beijing = osstest.NewServer(&osstest.Options{Buckets: []string{"archive"}, Region: "cn-beijing"})
	t.Cleanup(beijing.Close)
	home := t.TempDir()
	configured := "[default]\nregion=cn-hangzhou\n[buckets media]\nendpoint=" + w.server.URL + "\n[buckets archive]\nregion=cn-beijing\nendpoint=" + beijing.URL + "\n"
	if err := os.WriteFile(filepath.Join(home, ".ossutilconfig"), []byte(configured), 0o600); err != nil {
		t.Fatal(err)
	}
	w.environ = append(w.environ, "HOME="+home, "OSS_REGION=")
	for _, one := range []struct {
		server *osstest.Server
		to     string
	}{{w.server, "oss://media/in/"}, {beijing, "oss://archive/in/"}} {
		hang := osstest.Hang(osstest.OpUploadPart).Nth(3)
		one.server.Inject(hang)
		go func() {
			<-hang.Fired()
			w.signals <- os.Interrupt
		}()
		w.run("cp", w.file("talk.mp4", 300<<10), one.to, "--part-size", "100K", "--parallel", "1", "--checkpoint-dir", w.state).wants(t, exitInterrupted)
	}
	return w, beijing
}

func TestUploadsOfSeveralRegions(t *testing.T) {
	t.Parallel()
	t.Run("are resumed by one command", func(t *testing.T) {
		w, beijing := twoRegions(t)
		events := w.run("resume", "--json", "--checkpoint-dir", w.state).wants(t, exitOK).events(t)
		if s := last(events).Summary; s.Files != 2 || s.Uploaded != 2 || s.Left != 0 || s.Resumed != 400<<10 || s.Bytes != 600<<10 {
			t.Errorf("summary %+v", s)
		}
		var numbers []int64
		for _, e := range events {
			if e.Type == "done" {
				numbers = append(numbers, e.File)
			}
		}
		if len(numbers) != 2 || numbers[0] == numbers[1] {
			t.Errorf("the files have the numbers %v, want two that differ", numbers)
		}
		for _, ok := range []bool{hasObject(w.server, "media"), hasObject(beijing, "archive")} {
			if !ok {
				t.Error("an object is missing")
			}
		}
	})
	t.Run("are aborted by one command", func(t *testing.T) {
		w, beijing := twoRegions(t)
		sweep := []string{"sweep", "--older-than", "0s", "--checkpoint-dir", w.state}
		w.run(sweep...).wants(t, exitOK).says(t, "2 abandoned uploads")
		w.run(append(sweep, "--abort")...).wants(t, exitOK).says(t, "2 uploads aborted")
		if n := len(w.server.Uploads("media")) + len(beijing.Uploads("archive")); n != 0 {
			t.Errorf("%d uploads are left", n)
		}
	})
	t.Run("are left where the second is not begun", func(t *testing.T) {
		w, _ := twoRegions(t)
		hang := osstest.Hang(osstest.OpListParts)
		w.server.Inject(hang)
		go func() {
			<-hang.Fired()
			w.signals <- os.Interrupt
		}()
		r := w.run("resume", "--json", "--checkpoint-dir", w.state).wants(t, exitInterrupted)
		r.says(t, "resume with: vodupload resume")
		if s := last(r.events(t)).Summary; s.Left != 2 || s.Files != 2 {
			t.Errorf("summary %+v", s)
		}
	})
}

func hasObject(s *osstest.Server, bucket string) bool {
	_, ok := s.Object(bucket, "in/talk.mp4")
	return ok
}

func TestManifestOfSeveralRegions(t *testing.T) {
	t.Parallel()
	w, _ := twoRegions(t)
	list := filepath.Join(t.TempDir(), "m.jsonl")
	for _, to := range []string{"oss://media/in/", "oss://archive/in/"} {
		w.run("cp", filepath.Join(w.dir, "talk.mp4"), to, "--part-size", "100K", "--manifest", list, "--checkpoint-dir", w.state).wants(t, exitOK)
	}
	w.run("verify", list).wants(t, exitOK).says(t, "2 same, 0 different, 0 missing")
}

func TestSumOf(t *testing.T) {
	a := upload.Stats{Files: map[upload.FileState]int{upload.FileSucceeded: 1}, Total: 10, Uploaded: 10, SentBytes: 12, Retries: map[string]int64{"X": 1}}
	b := upload.Stats{Files: map[upload.FileState]int{upload.FileSucceeded: 1, upload.FileInit: 2}, Total: 40, Uploaded: 20, Speed: 10, SentBytes: 20, Retries: map[string]int64{"X": 2, "Y": 1}}
	got := sumOf([]upload.Stats{a, b})
	if got.Files[upload.FileSucceeded] != 2 || got.Files[upload.FileInit] != 2 || got.Total != 50 || got.Uploaded != 30 || got.Left != 2*time.Second ||
		got.SentBytes != 32 || got.Retries["X"] != 3 || got.Retries["Y"] != 1 || got.Speed != 10 {
		t.Errorf("got %+v", got)
	}
	if got := sumOf([]upload.Stats{a, a}); got.Left != 0 {
		t.Errorf("of what is done, %v are left", got.Left)
	}
	b.Speed = 0
	if got := sumOf([]upload.Stats{a, b}); got.Left != -1 {
		t.Errorf("without a speed, %v are left", got.Left)
	}
}
