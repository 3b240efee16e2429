package dashboard

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/vodupload/vodupload/upload"
)

// maxCommand bounds the body of a command.
const maxCommand = 4 << 10

// A command is what a viewer wants to be done.
type command struct {
	Do       string        `json:"do"`
	File     upload.FileID `json:"file"`
	Parallel int           `json:"parallel"`
}

// serveControl carries out a command. ServeHTTP has refused those of pages of other sites;
// that it is JSON keeps them from sending it without asking, even in browsers that say
// nothing of the site.
func (d *Dashboard) serveControl(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, "Send application/json.")
		return
	}
	var c command
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCommand))
	body.DisallowUnknownFields()
	if err := body.Decode(&c); err != nil {
		fail(w, http.StatusBadRequest, `Send an object like {"do": "cancel", "file": 7}.`)
		return
	}
	if err := c.carryOut(d.client); err != nil {
		fail(w, statusOf(err), err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// carryOut does what the command says.
func (c command) carryOut(to client) error {
	switch c.Do {
	case "pause":
		return to.Pause()
	case "resume":
		return to.Resume()
	case "cancel":
		return to.CancelFile(c.File)
	case "retry":
		return to.ResumeFile(c.File)
	case "retryFailed":
		return retryFailed(to)
	case "parallel":
		return to.SetParallel(c.Parallel)
	}
	return fmt.Errorf("%w: do: got %q, want pause, resume, cancel, retry, retryFailed or parallel", upload.ErrInvalidArgument, c.Do)
}

// retryFailed tries all failed files again, but those that cannot be.
func retryFailed(to client) error {
	for f := range to.All() {
		if f.State != upload.FileFailed {
			continue
		}
		if err := to.ResumeFile(f.ID); err != nil && !errors.Is(err, upload.ErrState) && !errors.Is(err, upload.ErrFileNotExist) {
			return err
		}
	}
	return nil
}
