package dashboard

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vodupload/vodupload/upload"
)

func TestSelectionIsByState(t *testing.T) {
	tests := []struct {
		name  string
		files []upload.FileInfo
		want  string // state and first and last ID of each run of equal states
	}{
		{"nothing", nil, ""},
		{"all states", manyFiles(8000), "uploading 6002-6006 failed 7008-8 init 6007-6195"},
		{"fewer than there is room for", manyFiles(20), "uploading 17-20 failed 8-8 canceled 9-9 succeeded 16-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s selection
			for i := range tt.files {
				s.add(&tt.files[i])
			}
			chosen := s.files()
			if len(chosen) > maxRows || s.count != len(tt.files) {
				t.Errorf("%d chosen of %d", len(chosen), s.count)
			}
			var got []string
			for i := 0; i < len(chosen); {
				j := i
				for j < len(chosen) && chosen[j].State == chosen[i].State {
					j++
				}
				got = append(got, fmt.Sprintf("%v %d-%d", chosen[i].State, chosen[i].ID, chosen[j-1].ID))
				i = j
			}
			if text := strings.Join(got, " "); text != tt.want {
				t.Errorf("got %s, want %s", text, tt.want)
			}
		})
	}
}

func TestLastToEndAreShown(t *testing.T) {
	var s selection
	for i := range 5000 {
		s.add(&upload.FileInfo{ID: upload.FileID(i), State: upload.FileSucceeded, Ended: time.Unix(int64(i*7919%5000), 0)})
	}
	for i, f := range s.files() {
		if want := time.Unix(int64(4999-i), 0); !f.Ended.Equal(want) {
			t.Fatalf("place %d has the one that ended at %v, want %v", i, f.Ended.Unix(), want.Unix())
		}
	}
}

// A hundred thousand files are walked through seldom, and what is shown of them is as
// small as for a few.
func TestLongList(t *testing.T) {
	n := many(100_000)
	files := manyFiles(n)
	t.Run("takes a fiftieth of the time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := &fakeClient{files: manyFiles(1000), slow: 40 * time.Millisecond, grow: true}
			d := open(t, c, nil)
			v := view(t, d, "")
			time.Sleep(time.Minute)
			synctest.Wait()
			if most := 60*1000/(share*40) + 1; c.walks > most || c.walks < most/2 {
				t.Errorf("%d walks of 40 ms in a minute, want about %d", c.walks, most)
			}
			if got := len(v.of("figures")); got < 200 {
				t.Errorf("%d updates in a minute", got)
			}
		})
	})
	t.Run("is small on the line", func(t *testing.T) {
		c := &fakeClient{files: files}
		d := open(t, c, &Options{Recorder: NewRecorder()})
		body := ask(d, "GET", "/state", "").Body
		if body.Len() > 150<<10 {
			t.Errorf("%d bytes", body.Len())
		}
		var s struct{ Files []row }
		if err := json.Unmarshal(body.Bytes(), &s); err != nil || len(s.Files) != maxRows {
			t.Errorf("%d rows, %v", len(s.Files), err)
		}
	})
	t.Run("needs memory for what is shown only", func(t *testing.T) {
		c := &fakeClient{files: files}
		v := newViews(c, &Options{}, nil)
		v.values()
		v.walked, v.cost = time.Now(), time.Hour // no walk
		if allocs := testing.AllocsPerRun(3, func() { v.values() }); allocs > 20*maxRows {
			t.Errorf("%.0f allocations for an update", allocs)
		}
		walk := testing.AllocsPerRun(1, func() {
			v.walked = time.Time{}
			v.values()
		})
		if walk > float64(n)/10 {
			t.Errorf("%.0f allocations for a walk through %d files", walk, n)
		}
	})
	t.Run("shows what a recorder knows to be under way at once", func(t *testing.T) {
		c := &fakeClient{files: manyFiles(n)}
		r := NewRecorder()
		v := newViews(c, &Options{Recorder: r}, nil)
		v.values()
		v.walked, v.cost = time.Now(), time.Hour // no walk
		c.files[n-1].State = upload.FileUploading
		r.began(upload.FileID(n))
		rows := v.values()[topicFiles].([]row)
		found := false
		for _, f := range rows {
			found = found || f.ID == upload.FileID(n) && f.State == "uploading"
		}
		if !found || len(rows) != maxRows {
			t.Errorf("found %t, in %d rows", found, len(rows))
		}
	})
}

func TestSearch(t *testing.T) {
	c := &fakeClient{files: manyFiles(5000)}
	d := open(t, c, nil)
	tests := []struct {
		query string
		count int
		first upload.FileID
	}{
		{"q=film+004321", 1, 4321},
		{"q=FILM+00432", 10, 4320},
		{"q=media/in/004321", 1, 4321},
		{"q=17&state=init", 0, 0},
		{"q=1007", 1, 0},
		{"state=failed", 5, 4008},
		{"q=000008&state=failed", 1, 8},
		{"", 5000, 3752},
		{"q=nothing+like+that", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			var got found
			if err := json.Unmarshal(ask(d, "GET", "/files?"+tt.query, "").Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if tt.query == "q=17&state=init" {
				if got.Count == 0 || got.Rows[0].State != "init" {
					t.Errorf("got %d", got.Count)
				}
				return
			}
			if got.Count != tt.count || len(got.Rows) != min(tt.count, maxRows) {
				t.Fatalf("%d found, %d shown, want %d", got.Count, len(got.Rows), tt.count)
			}
			if tt.first != 0 && got.Rows[0].ID != tt.first {
				t.Errorf("the first is %d, want %d", got.Rows[0].ID, tt.first)
			}
		})
	}
}

func TestSameSearchIsMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &fakeClient{files: manyFiles(1000), slow: 10 * time.Millisecond}
		d := open(t, c, nil)
		for range 100 {
			ask(d, "GET", "/files?q=film", "")
		}
		if c.walks != 1 {
			t.Errorf("%d walks for a search that a page has repeated", c.walks)
		}
		time.Sleep(share * c.slow)
		ask(d, "GET", "/files?q=film", "")
		ask(d, "GET", "/files?q=other", "")
		if c.walks != 3 {
			t.Errorf("%d walks, want one when the answer is old, and one for another search", c.walks)
		}
	})
}

func TestWaitsAreSummedUp(t *testing.T) {
	since := time.UnixMilli(1000)
	c := &fakeClient{files: manyFiles(5)}
	for i := range c.files {
		c.files[i].Waiting = &upload.Waiting{For: upload.WaitNetwork, Since: since.Add(time.Duration(i) * time.Second)}
	}
	c.files[4].Waiting.For, c.files[3].Waiting.Err = upload.WaitCredentials, fmt.Errorf("no route to host")
	got := newViews(c, &Options{}, nil).values()[topicFigures].(figures).Waiting
	text, _ := json.Marshal(got)
	const want = `[{"for":"credentials","since":5000,"files":1},{"for":"network","since":1000,"error":"no route to host","files":4}]`
	if string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

func TestWaitsOfFilesThatAreNotShownCount(t *testing.T) {
	c := &fakeClient{files: manyFiles(5000), slow: time.Millisecond}
	for i := range c.files {
		c.files[i].State, c.files[i].Ended = upload.FileUploading, time.Time{}
		c.files[i].Waiting = &upload.Waiting{For: upload.WaitNetwork, Since: time.UnixMilli(1000)}
	}
	v := newViews(c, &Options{}, nil)
	for range 2 { // by a walk through the list, and by a look at what is shown
		if got := v.values()[topicFigures].(figures).Waiting; len(got) != 1 || got[0].Files != 5000 {
			t.Errorf("after %d walks got %+v, want 5000 files", c.walks, got)
		}
	}
	if c.walks != 1 {
		t.Errorf("%d walks, want one", c.walks)
	}
}
