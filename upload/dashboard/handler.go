package dashboard

import (
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/upload"
)

// ServeHTTP serves the page and what it shows: GET / (the page), /state (JSON), /events
// (server-sent events), /files (search), /leftovers, and, with Options.Control, POST
// /control.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if no := refusalOf(r, d.opts.Hosts, d.opts.Admit != nil); no.status != 0 {
		fail(w, no.status, no.text)
		return
	}
	if d.opts.Admit != nil && !d.opts.Admit(w, r) {
		return
	}
	if d.ended.Err() != nil {
		fail(w, http.StatusServiceUnavailable, "The dashboard is closed.")
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	serve, allow := d.route(name)
	switch {
	case serve == nil:
		fail(w, http.StatusNotFound, "There is nothing here.")
	case r.Method != allow && (r.Method != http.MethodHead || allow != http.MethodGet):
		w.Header().Set("Allow", allow)
		fail(w, http.StatusMethodNotAllowed, "Use "+allow+".")
	default:
		serve(w, r)
	}
}

// route returns what serves a name, and the method that it takes.
func (d *Dashboard) route(name string) (serve http.HandlerFunc, method string) {
	switch name {
	case "state":
		return d.serveState, http.MethodGet
	case "events":
		return d.serveEvents, http.MethodGet
	case "files":
		return d.serveFiles, http.MethodGet
	case "leftovers":
		return d.serveLeftovers, http.MethodGet
	case "control":
		if d.opts.Control {
			return d.serveControl, http.MethodPost
		}
	case "":
		return d.servePage, http.MethodGet
	default:
		if a, ok := d.files[name]; ok {
			return a.serve, http.MethodGet
		}
	}
	return nil, ""
}

// servePage serves the page. Its links are relative, so that it works under any prefix;
// they need the slash at the end.
func (d *Dashboard) servePage(w http.ResponseWriter, r *http.Request) {
	asked, _, _ := strings.Cut(r.RequestURI, "?")
	if r.URL.Path == "" && asked != "" && !strings.HasSuffix(asked, "/") {
		w.Header().Set("Location", path.Base(asked)+"/")
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	d.files["index.html"].serve(w, r)
}

// serveState serves all topics of the stream at once.
func (d *Dashboard) serveState(w http.ResponseWriter, r *http.Request) {
	file, ok := fileOf(r)
	if !ok {
		fail(w, http.StatusBadRequest, "file has to be a number.")
		return
	}
	answer(w, d.hub.now(file))
}

// fileOf returns the file that a viewer has chosen, 0 for none.
func fileOf(r *http.Request) (upload.FileID, bool) {
	text := r.URL.Query().Get("file")
	if text == "" {
		return 0, true
	}
	id, err := strconv.ParseInt(text, 10, 64)
	return upload.FileID(id), err == nil
}

func (d *Dashboard) serveFiles(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	found, err := d.search.find(r.Context(), d.client, query{text: q.Get("q"), state: q.Get("state")})
	if err != nil {
		return // the viewer is gone
	}
	answer(w, found)
}

// answer writes JSON.
func answer(w http.ResponseWriter, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		fail(w, http.StatusInternalServerError, "The answer has no JSON.")
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body) // fails only if the viewer is gone
}

// fail answers with an error, for people and for the page.
func fail(w http.ResponseWriter, status int, text string) {
	body, _ := json.Marshal(map[string]string{"error": text})
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
