package dashboard

import (
	"fmt"
	"testing"

	"github.com/vodupload/vodupload/upload"
)

func TestPartMap(t *testing.T) {
	const parts = 20
	info := upload.FileInfo{ID: 1, State: upload.FileUploading, Size: parts<<20 - 5, PartSize: 1 << 20, UploadID: "U"}
	tests := []struct {
		name string
		info upload.FileInfo
		do   func(r *Recorder)
		want string
	}{
		{"nothing is known", info, func(*Recorder) {}, "20m"},
		{"under way", info, func(r *Recorder) {
			r.began(1)
			r.initiated(1, []int{1, 2, 3, 7})
			r.part(1, 4, partAcked)
			r.part(1, 5, partInFlight)
			r.part(1, 6, partRetrying)
		}, "3r1a1f1t1r13m"},
		{"parts that there are not", info, func(r *Recorder) {
			r.began(1)
			r.part(1, 0, partAcked)
			r.part(1, maxPart+1, partAcked)
		}, "20m"},
		{"started over", info, func(r *Recorder) {
			r.began(1)
			r.initiated(1, []int{1, 2})
			r.initiated(1, nil)
			r.part(1, 2, partInFlight)
		}, "1m1f18m"},
		{"paused", info, func(r *Recorder) {
			r.began(1)
			r.part(1, 1, partAcked)
			r.part(1, 2, partInFlight)
			r.part(1, 3, partRetrying)
			r.ended(1)
			r.part(1, 2, partAcked) // late
		}, "1a19m"},
		{"succeeded before anybody recorded", upload.FileInfo{ID: 1, State: upload.FileSucceeded, Size: 5 << 20, Result: &upload.Result{Parts: 5}}, func(*Recorder) {}, "5a"},
		{"a stream of unknown length", upload.FileInfo{ID: 1, State: upload.FileUploading, Size: -1, PartSize: 1 << 20, UploadID: "U"}, func(r *Recorder) {
			r.began(1)
			r.part(1, 1, partAcked)
			r.part(1, 3, partInFlight)
		}, "1a1m1f"},
		{"one part", upload.FileInfo{ID: 1, State: upload.FileUploading, Size: 5}, func(r *Recorder) {
			r.began(1)
			r.part(1, 1, partInFlight)
		}, "1f"},
		{"empty", upload.FileInfo{ID: 1, State: upload.FileInit}, func(*Recorder) {}, "1m"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRecorder()
			tt.do(r)
			if got := r.partsOf(&fakeClient{files: []upload.FileInfo{tt.info}}, 1); got.Parts != tt.want {
				t.Errorf("got %s, want %s", got.Parts, tt.want)
			}
		})
	}
	if got := NewRecorder().partsOf(&fakeClient{}, 5); got.Error == "" {
		t.Error("no error for a file that is not there")
	}
}

func TestRecorderIsBounded(t *testing.T) {
	r := NewRecorder()
	for id := upload.FileID(1); id <= 1000; id++ {
		r.began(id)
		r.part(id, 10, partInFlight)
		r.failed(problem{Error: fmt.Sprint(id)})
		if id%2 == 0 {
			r.ended(id) // twice: paused, and resumed
			r.began(id)
		}
		r.ended(id)
	}
	if len(r.files) != maxPast || len(r.past) != maxPast {
		t.Errorf("%d files are remembered, %d past", len(r.files), len(r.past))
	}
	shown := r.problemsNow()
	if len(shown) != maxProblems || shown[0].Error != "1000" || shown[0].N != 1000 {
		t.Errorf("%d problems, the first is %+v", len(shown), shown[0])
	}
	if ids := r.running(10); len(ids) != 0 {
		t.Errorf("%v are under way", ids)
	}
}
