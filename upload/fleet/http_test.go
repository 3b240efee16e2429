package fleet_test

import (
	"bytes"
	"hash/crc64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/osstest"
)

func TestSourceOnAWebServer(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	data := bytes.Repeat([]byte("a talk about films "), 30_000)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/talk.mp4" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "talk.mp4", time.Unix(1e9, 0), bytes.NewReader(data))
	}))
	defer origin.Close()
	job := fleet.Job{ID: "talk", Source: origin.URL + "/talk.mp4?sig=secret", Endpoint: p.oss.URL, Bucket: "media", Object: "talk"}
	gone := fleet.Job{ID: "gone", Source: origin.URL + "/gone.mp4?sig=secret", Endpoint: p.oss.URL, Bucket: "media", Object: "gone"}
	hold := osstest.Hang(osstest.OpUploadPart).Nth(3).Always()
	p.oss.Inject(hold)
	p.enqueue(job)
	opens := func(o *fleet.WorkerOptions) {
		o.Openers["http"] = fleet.HTTP(nil)
		o.SourceWait = 100 * time.Millisecond
	}
	a := p.worker("a", opens)
	<-hold.Fired()
	await(t, "two parts are there", func() bool { return p.parts(job) == 2 })
	a.stop()
	p.oss.ClearFaults()
	p.enqueue(gone)
	p.worker("b", opens)
	if info := p.wait(job.ID); info.State != fleet.StateSucceeded || info.Result.ResumedParts != 2 || info.Worker != "b" {
		t.Errorf("got %+v, want b to have resumed it", info)
	}
	if o, _ := p.oss.Object("media", "talk"); o.CRC64 != crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)) {
		t.Error("the object differs")
	}
	if info := p.wait(gone.ID); info.State != fleet.StateDead || !strings.Contains(info.Error, "404") || strings.Contains(info.Error, "secret") {
		t.Errorf("got %+v, want it dead for the 404", info)
	}
}
