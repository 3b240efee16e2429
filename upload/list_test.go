package upload_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A clientInState is a client in a given state whose list has a file in each state that is
// possible then. Each file's object is named after its state.
type clientInState struct {
	*testbed
	client *upload.Client
	rec    *recorder
	ids    map[string]upload.FileID
}

func newClientInState(t *testing.T, state upload.State) *clientInState {
	b := newTestbed(t)
	b.opts.Parallel, b.opts.Credentials = 1, nil
	s := &clientInState{testbed: b, rec: b.recorded(), ids: make(map[string]upload.FileID)}
	s.client = b.client()
	c := s.client
	s.do(c.Init(defaultKey))
	if state == upload.StateInit {
		s.put("init", "canceled")
		s.do(c.CancelFile(s.ids["canceled"]))
		return s
	}
	s.put("succeeded", "failed")
	s.do(c.Start(b.ctx))
	b.until(c, s.ids["succeeded"], upload.FileSucceeded)
	b.until(c, s.ids["failed"], upload.FileFailed)
	met := osstest.Hang(osstest.OpUploadPart)
	if state == upload.StateExpired {
		met = osstest.ExpireToken(osstest.OpUploadPart)
	}
	b.server.Inject(met)
	s.put("uploading")
	<-met.Fired()
	if state != upload.StateExpired { // there, no slot is taken, and it would be started
		s.put("init")
	}
	s.put("canceled")
	s.do(c.CancelFile(s.ids["canceled"]))
	b.eventually("OnCanceled", func() bool { return s.rec.told("OnCanceled", "canceled") == 1 })
	switch state {
	case upload.StateExpired:
		b.eventually("the client to be expired", func() bool { return c.Status() == upload.StateExpired })
	case upload.StatePaused:
		s.do(c.Pause())
		b.until(c, s.ids["uploading"], upload.FilePaused)
		s.rename("uploading", "paused")
	case upload.StateStopped:
		s.do(c.Stop())
		b.until(c, s.ids["uploading"], upload.FileInit)
		s.rename("uploading", "init again")
	case upload.StateFinished:
		met.Release()
		s.do(ignoreFailed(c.Wait(b.ctx)))
		delete(s.ids, "init")
		delete(s.ids, "uploading")
	case upload.StateClosed:
		s.do(c.Close())
	}
	if got := c.Status(); got != state {
		t.Fatalf("the client is %s, want %s", got, state)
	}
	return s
}

func ignoreFailed(err error) error {
	var failed upload.Errors
	if errors.As(err, &failed) {
		return nil
	}
	return err
}

func (b *testbed) do(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (s *clientInState) put(objects ...string) {
	s.t.Helper()
	for _, object := range objects {
		f := s.bytesOf(object, 250*kib)
		if object == "failed" {
			f.Bucket = "nobody"
		}
		s.ids[object] = s.add(s.client, f)[0]
	}
}

func (s *clientInState) rename(from, to string) {
	s.ids[to] = s.ids[from]
	delete(s.ids, from)
}

// checkTotals compares Stats with the files of the list. It is for when nothing moves.
func checkTotals(t *testing.T, c *upload.Client) {
	t.Helper()
	want := upload.Stats{Files: make(map[upload.FileState]int)}
	for _, f := range c.Files() {
		want.Files[f.State]++
		if f.State != upload.FileCanceled {
			want.Total += max(f.Size, f.Uploaded)
			want.Uploaded += f.Uploaded
		}
	}
	got := c.Stats()
	if fmt.Sprint(got.Files) != fmt.Sprint(want.Files) || got.Total != want.Total || got.Uploaded != want.Uploaded {
		t.Errorf("got %+v, the files add up to %+v", got, want)
	}
}

var clientStates = []upload.State{
	upload.StateInit, upload.StateStarted, upload.StatePaused, upload.StateExpired, upload.StateStopped, upload.StateFinished, upload.StateClosed,
}

// TestVerbsInEachState calls each verb on a file of each state in a client of each
// state.
func TestVerbsInEachState(t *testing.T) {
	for _, state := range clientStates {
		probe := newClientInState(t, state)
		for _, object := range sortedKeys(probe.ids) {
			for name, verb := range map[string]func(*clientInState, string){
				"CancelFile": (*clientInState).tryCancel, "ResumeFile": (*clientInState).tryResume, "DeleteFile": (*clientInState).tryDelete,
			} {
				t.Run(fmt.Sprintf("%s of %s in a client %s", name, object, state), func(t *testing.T) {
					t.Parallel()
					s := newClientInState(t, state)
					verb(s, object)
					if state != upload.StateClosed {
						s.do(s.client.Close())
					}
					if n := s.rec.open(); n > 0 {
						t.Errorf("%d files got no end", n)
					}
					checkTotals(t, s.client)
				})
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// refused wants an error that names the state, and nothing changed.
func (s *clientInState) refused(err error, id upload.FileID, state string) {
	s.t.Helper()
	if s.client.Status() == upload.StateClosed {
		if !errors.Is(err, upload.ErrClosed) {
			s.t.Errorf("got %v, want ErrClosed", err)
		}
		return
	}
	if !errors.Is(err, upload.ErrState) || !strings.HasSuffix(err.Error(), " is "+state) {
		s.t.Errorf("got %v, want ErrState that ends with the state %s", err, state)
	}
	if f := must(s.client.File(id)); f.State.String() != state {
		s.t.Errorf("the file is %s, want it still %s", f.State, state)
	}
}

func (s *clientInState) tryCancel(object string) {
	id := s.ids[object]
	begun := s.rec.told("OnStarted", "") > 0 && object != "init"
	err := s.client.CancelFile(id)
	if s.client.Status() == upload.StateClosed || object == "succeeded" || object == "failed" || object == "canceled" {
		s.refused(err, id, object)
		return
	}
	s.do(err)
	if f := must(s.client.File(id)); f.State != upload.FileCanceled {
		s.t.Errorf("the file is %s, want canceled", f.State)
	}
	s.refused(s.client.CancelFile(id), id, "canceled")
	if s.client.Status() == upload.StateExpired {
		s.do(s.client.Init(s.newToken(1))) // so that the server lets it clean up
	}
	s.eventually("OnCanceled", func() bool { return s.rec.told("OnCanceled", "") == 2 })
	if begun && s.server.Count(osstest.OpAbortMultipartUpload) == 0 {
		s.t.Error("the upload was not aborted at the server")
	}
	s.noUpload(object)
}

func (s *clientInState) tryResume(object string) {
	id, state := s.ids[object], s.client.Status()
	before := s.rec.told("OnStarted", object)
	err := s.client.ResumeFile(id)
	if state == upload.StateClosed || object != "failed" && object != "canceled" {
		s.refused(err, id, strings.TrimSuffix(object, " again"))
		return
	}
	s.do(err)
	if state != upload.StateExpired && state != upload.StateFinished { // where a slot is free, it is started at once
		f := must(s.client.File(id))
		if f.State != upload.FileInit || f.Err != nil || f.Uploaded != 0 || !f.Ended.IsZero() {
			s.t.Errorf("got %+v, want it as it was added", f)
		}
	}
	switch state {
	case upload.StateInit, upload.StatePaused, upload.StateStopped:
		return
	case upload.StateStarted: // its one slot is in use
		s.do(s.client.CancelFile(s.ids["uploading"]))
		_ = s.client.CancelFile(s.ids["init"]) // it was next, and may have ended
	}
	s.eventually("the file to be started again", func() bool { return s.rec.told("OnStarted", object) == before+1 })
}

func (s *clientInState) tryDelete(object string) {
	id := s.ids[object]
	err := s.client.DeleteFile(id)
	if s.client.Status() == upload.StateClosed {
		s.refused(err, id, object)
		return
	}
	s.do(err)
	if _, err := s.client.File(id); !errors.Is(err, upload.ErrFileNotExist) {
		s.t.Errorf("got %v, want ErrFileNotExist", err)
	}
	for _, f := range s.client.Files() {
		if f.ID == id {
			s.t.Error("the file is still in the list")
		}
	}
	for name, err := range map[string]error{
		"CancelFile": s.client.CancelFile(id), "ResumeFile": s.client.ResumeFile(id), "DeleteFile": s.client.DeleteFile(id),
		"SetToken": s.client.SetToken(id, defaultKey), "SetDestination": s.client.SetDestination(id, s.server.URL, bucket, "x"),
	} {
		if !errors.Is(err, upload.ErrFileNotExist) {
			s.t.Errorf("%s after it: got %v, want ErrFileNotExist", name, err)
		}
	}
	if s.client.Status() == upload.StateExpired {
		s.do(s.client.Init(s.newToken(1)))
	}
	s.eventually("the clean-up", func() bool { return !s.hasUpload(object) })
	// The name is free again.
	f := s.bytesOf(strings.ReplaceAll(object, " ", "-"), 1)
	_ = s.add(s.client, f)
}

// noUpload wants nothing left at the server of an object.
func (s *clientInState) noUpload(object string) {
	s.t.Helper()
	if s.hasUpload(object) {
		s.t.Errorf("an upload of %s is left at the server", object)
	}
}

func (s *clientInState) hasUpload(object string) bool {
	return slices.ContainsFunc(s.server.Uploads(bucket), func(u osstest.Upload) bool { return u.Key == object })
}

// newToken returns a token that the server takes.
func (b *testbed) newToken(n int) sts.Credentials {
	c := sts.Credentials{AccessKeyID: fmt.Sprint("STS.", n), AccessKeySecret: "tokensecret", SecurityToken: fmt.Sprint("securitytoken", n)}
	b.server.AddKey(osstest.Key{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken})
	return c
}

func TestListIsASnapshotInOrder(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	ids := b.add(c, b.bytesOf("a", 1), b.bytesOf("b", 2), b.bytesOf("c", 3))
	before := c.Files()
	if err := c.DeleteFile(ids[1]); err != nil {
		t.Fatal(err)
	}
	b.add(c, b.bytesOf("b", 4))
	var got []string
	for _, f := range c.Files() {
		got = append(got, fmt.Sprintf("%v:%s:%d", f.ID, f.Object, f.Size))
	}
	if want := "1:a:1 3:c:3 4:b:4"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s: an ID is never given again", got, want)
	}
	if len(before) != 3 || before[1].Object != "b" || before[1].Size != 2 {
		t.Errorf("the snapshot has changed: %+v", before)
	}
}

func TestAll(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	var ids []upload.FileID
	for _, name := range []string{"a", "b", "c", "d"} {
		ids = append(ids, must(c.AddFile(b.file(name, 1))))
	}
	seen := func(visit func(i int, f upload.FileInfo) bool) (names []string) {
		for f := range c.All() {
			names = append(names, f.Object)
			if !visit(len(names), f) {
				break
			}
		}
		return names
	}
	t.Run("ends with the loop", func(t *testing.T) {
		got := seen(func(i int, _ upload.FileInfo) bool { return i < 2 })
		if want := []string{"in/a", "in/b"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("yields each as it is then, without those that were deleted or added meanwhile", func(t *testing.T) {
		got := seen(func(i int, f upload.FileInfo) bool {
			switch i {
			case 1:
				must(c.AddFile(b.file("e", 1)))
				b.do(c.DeleteFile(ids[1]))
				b.do(c.CancelFile(ids[2]))
			case 2:
				if f.State != upload.FileCanceled {
					t.Errorf("%s is %v, want canceled, as it is since the loop began", f.Object, f.State)
				}
			}
			return true
		})
		if want := []string{"in/a", "in/c", "in/d"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("yields what Files returns", func(t *testing.T) {
		for i, f := range c.Files() {
			all := slices.Collect(c.All())
			f.Ended, all[i].Ended = f.Ended.Round(0), all[i].Ended.Round(0) // the monotonic clock is dropped when the callbacks have returned
			if !reflect.DeepEqual(all[i], f) {
				t.Errorf("got %+v, want %+v", all[i], f)
			}
		}
	})
}

func TestSameFileTwice(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	f := b.bytesOf("a", 1)
	id := b.add(c, f)[0]
	if _, err := c.AddFile(f); !errors.Is(err, upload.ErrFileAlreadyExist) || !strings.Contains(err.Error(), "as file "+id.String()) {
		t.Errorf("got %v, want ErrFileAlreadyExist that names file %v", err, id)
	}
	if _, err := c.Upload(b.ctx, f); !errors.Is(err, upload.ErrFileAlreadyExist) {
		t.Errorf("Upload: got %v, want ErrFileAlreadyExist", err)
	}
	other := f
	other.Object = "b"
	_ = b.add(c, other)
	nowhere := upload.File{Path: f.Path, Source: f.Source}
	third := b.add(c, nowhere)[0]
	if _, err := c.AddFile(nowhere); !errors.Is(err, upload.ErrFileAlreadyExist) {
		t.Errorf("without a destination: got %v, want ErrFileAlreadyExist", err)
	}
	if err := c.SetDestination(third, b.server.URL, bucket, "b"); !errors.Is(err, upload.ErrFileAlreadyExist) {
		t.Errorf("SetDestination: got %v, want ErrFileAlreadyExist", err)
	}
	if err := c.SetDestination(third, b.server.URL, bucket, "c"); err != nil {
		t.Error(err)
	}
	_ = b.add(c, nowhere)
	if err := c.SetDestination(third, b.server.URL, bucket, "d"); !errors.Is(err, upload.ErrState) {
		t.Errorf("a second destination: got %v, want ErrState", err)
	}
}

// TestListFromManyGoroutines has all verbs called at once, on the same files.
func TestListFromManyGoroutines(t *testing.T) {
	b := newTestbed(t)
	rec := b.recorded()
	c := b.client()
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for i := range 15 {
				id, err := c.AddFile(b.bytesOf(fmt.Sprintf("%d-%d", n, i), i*30*kib))
				if err != nil {
					t.Error(err)
					return
				}
				for other := max(1, id-3); other <= id; other++ {
					_ = c.CancelFile(other)
					_ = c.ResumeFile(other)
					_, _ = c.File(other)
				}
				if i%5 == 0 {
					_ = c.DeleteFile(id)
				}
				_ = c.Files()
				_ = c.Stats()
			}
		})
	}
	wg.Wait()
	if err := c.Wait(b.ctx); err != nil {
		t.Error(err)
	}
	checkTotals(t, c)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if n := rec.open(); n > 0 {
		t.Errorf("%d files got no end", n)
	}
	b.cleanButForLost()
}

// cleanButForLost is clean where files were canceled at any instant: one of them may
// be that in which the server has begun an upload and its answer is on the way. Only
// Sweep finds those. Nor can a client know of an upload which the server did not tell
// of: its Complete got no clear answer, the object is there with the right bytes, by
// another upload of the same second, and ListParts fails as well.
func (b *testbed) cleanButForLost() {
	b.t.Helper()
	unclear := make(map[osstest.Op]map[string]bool)
	for _, op := range []osstest.Op{osstest.OpCompleteMultipartUpload, osstest.OpListParts} {
		unclear[op] = make(map[string]bool)
		for _, q := range b.server.Requests(op) {
			if q.Fault != nil || q.Status != 200 && q.Code != "NoSuchUpload" {
				unclear[op][q.UploadID] = true
			}
		}
	}
	for _, u := range b.server.Uploads(bucket) {
		if id := u.UploadID; len(u.Parts) > 0 && !(unclear[osstest.OpCompleteMultipartUpload][id] && unclear[osstest.OpListParts][id]) {
			b.t.Errorf("an upload of %s with %d parts is left at the server", u.Key, len(u.Parts))
		}
	}
	if left := must(b.store.List(b.ctx)); len(left) > 0 {
		b.t.Errorf("%d checkpoints are left", len(left))
	}
}

// TestDeletedFileIsAddedAgain while its upload is still being aborted.
func TestDeletedFileIsAddedAgain(t *testing.T) {
	b := newTestbed(t)
	b.opts.Parallel = 2
	rec := b.recorded()
	part := osstest.Hang(osstest.OpUploadPart)
	abort := osstest.Hang(osstest.OpAbortMultipartUpload)
	b.server.Inject(part, abort)
	c := b.client()
	f := b.bytesOf("a", 500*kib)
	id := b.add(c, f)[0]
	if err := c.Start(b.ctx); err != nil {
		t.Fatal(err)
	}
	<-part.Fired()
	deleted := make(chan error)
	go func() { deleted <- c.DeleteFile(id) }()
	<-abort.Fired()
	again := b.add(c, f)[0]
	other := b.add(c, b.bytesOf("b", 1))[0]
	b.until(c, other, upload.FileSucceeded) // waiting for the clean-up takes no slot
	if got := must(c.File(again)); got.State != upload.FileInit {
		t.Errorf("the file is %s, want it to wait for its predecessor", got.State)
	}
	abort.Release()
	if err := <-deleted; err != nil {
		t.Error(err)
	}
	if err := c.Wait(b.ctx); err != nil {
		t.Error(err)
	}
	b.sameBytes(f)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if rec.told("OnCanceled", "a") != 1 || rec.told("OnSucceeded", "a") != 1 || rec.told("OnFailed", "") != 0 {
		t.Errorf("got %v, want one canceled and one succeeded", rec.log)
	}
	b.clean()
}
