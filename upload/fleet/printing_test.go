package fleet_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/embedded"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
)

// TestNothingPrintsASecret of the types that hold one, whatever prints them. A Job is stored
// as JSON with its whole source: that is data, and no text.
func TestNothingPrintsASecret(t *testing.T) {
	const secret = "do-not-print-me"
	p := newPlant(t)
	nc := connect(t)
	store, err := jetstream.Open(t.Context(), nc, &jetstream.Options{Namespace: namespace(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	server, err := embedded.Run(&embedded.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", User: "u", Password: secret})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	var options *fleet.WorkerOptions
	worker, _ := p.newWorker("one", func(o *fleet.WorkerOptions) {
		o.Upload.Credentials = sts.Static(sts.Credentials{AccessKeyID: "STS.id", AccessKeySecret: secret, SecurityToken: secret})
		options = o
	})
	p.run("one", worker, &logbook{}) // ends with the test
	job := p.film("talk.mp4", 10)
	job.Source = "https://origin/talk.mp4?Signature=" + secret
	info := fleet.JobInfo{Job: job}
	for name, tt := range map[string]struct {
		value  any
		stored bool // as JSON and gob, with all that it has
	}{
		"Options of an embedded server": {embedded.Options{Password: secret}, false},
		"embedded server":               {server, false},
		"WorkerOptions":                 {*options, false},
		"Worker":                        {worker, false},
		"Queue":                         {p.Queue, false},
		"Store":                         {store, false},
		"Job":                           {job, true},
		"JobInfo":                       {info, true},
	} {
		var b bytes.Buffer
		for _, v := range []any{tt.value, &tt.value, []any{tt.value}, struct{ V any }{tt.value}} {
			fmt.Fprintf(&b, "%v %+v %#v %s %q %x %d\n", v, v, v, v, v, v, v)
		}
		slog.New(slog.NewTextHandler(&b, nil)).Info("printed", "value", tt.value)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("printed", "value", tt.value)
		if !tt.stored {
			text, _ := json.Marshal(tt.value) // what cannot be encoded is not printed
			b.Write(text)
			_ = xml.NewEncoder(&b).Encode(tt.value)
			_ = gob.NewEncoder(&b).Encode(tt.value)
		}
		for _, form := range []string{secret, fmt.Sprintf("%x", secret)} {
			if i := strings.Index(b.String(), form); i >= 0 {
				t.Errorf("%s: the secret is in %q", name, b.String()[max(0, i-200):i])
			}
		}
	}
}
