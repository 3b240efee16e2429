package vodserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/upload/internal/webhook"
	"github.com/vodupload/vodupload/upload/vod"
)

// A Handler hands out addresses and auths. It is safe for concurrent use.
type Handler struct {
	client *vod.Client
	gate   *appserver.Gate
	opts   Options
	owners owners
}

// New returns a handler that calls VOD by client for those whom gate admits. Nil options
// are the defaults; the error names what is wrong.
func New(client *vod.Client, gate *appserver.Gate, opts *Options) (*Handler, error) {
	switch {
	case client == nil:
		return nil, errors.New("vodserver: the client is nil")
	case gate == nil:
		return nil, errors.New("vodserver: the gate is nil: see appserver.NewGate")
	}
	o, err := opts.resolved()
	if err != nil {
		return nil, err
	}
	h := &Handler{client: client, gate: gate, opts: o}
	if h.opts.MayRefresh == nil {
		h.opts.MayRefresh = h.owners.mayRefresh
	}
	return h, nil
}

// Format writes the client's endpoint, whatever the verb.
func (h *Handler) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "vodserver.Handler(%v)", h.client) }

// A call is one of the three requests. It returns what the user gets.
type call func(h *Handler, ctx context.Context, who appserver.Identity, p params) (vod.Handover, error)

var calls = map[string]struct {
	methods []string
	do      call
}{
	"/CreateUploadVideo":  {[]string{http.MethodPost}, (*Handler).createVideo},
	"/CreateUploadImage":  {[]string{http.MethodPost}, (*Handler).createImage},
	"/RefreshUploadVideo": {[]string{http.MethodPost, http.MethodGet}, (*Handler).refreshVideo},
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, known := calls["/"+strings.TrimPrefix(r.URL.Path, "/")] // StripPrefix may leave no slash
	methods := c.methods
	if !known {
		methods = []string{r.Method}
	}
	who, ok := h.gate.Admit(w, r, methods...)
	if !ok {
		return
	}
	handover, err := h.serve(r, who, c.do)
	if err != nil {
		h.refuse(w, r, who, err)
		return
	}
	// Strings and numbers, and no more than VOD may answer: never an error.
	_ = webhook.Answer(w, http.StatusOK, answer{StatusCode: http.StatusOK, Status: http.StatusOK, Handover: handover}, 1<<20)
}

// An answer is the JSON of a success.
type answer struct {
	StatusCode int `json:"StatusCode"`
	Status     int `json:"status"`
	vod.Handover
}

// errNotFound is the error of a path where nothing is.
var errNotFound = errors.New("there is nothing at this path")

func (h *Handler) serve(r *http.Request, who appserver.Identity, do call) (vod.Handover, error) {
	if do == nil {
		return vod.Handover{}, errNotFound
	}
	p, err := readParams(r)
	if err != nil {
		return vod.Handover{}, err
	}
	// What is being made is not cut off with the connection: nobody would know its ID.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.opts.Timeout)
	defer cancel()
	return do(h, ctx, who, p)
}

func (h *Handler) createVideo(ctx context.Context, who appserver.Identity, p params) (vod.Handover, error) {
	v, err := p.video()
	if err != nil {
		return vod.Handover{}, err
	}
	if err := h.check(ctx, who, &Request{Video: v}); err != nil {
		return vod.Handover{}, err
	}
	made, err := h.client.CreateUploadVideo(ctx, *v)
	if err != nil {
		return vod.Handover{}, err
	}
	return h.created(ctx, who, made.Handover())
}

func (h *Handler) createImage(ctx context.Context, who appserver.Identity, p params) (vod.Handover, error) {
	i, err := p.image()
	if err != nil {
		return vod.Handover{}, err
	}
	if err := h.check(ctx, who, &Request{Image: i}); err != nil {
		return vod.Handover{}, err
	}
	made, err := h.client.CreateUploadImage(ctx, *i)
	if err != nil {
		return vod.Handover{}, err
	}
	return h.created(ctx, who, made.Handover())
}

func (h *Handler) refreshVideo(ctx context.Context, who appserver.Identity, p params) (vod.Handover, error) {
	id := p["videoid"]
	if id == "" {
		return vod.Handover{}, badParam("VideoId is missing")
	}
	if err := h.opts.MayRefresh(ctx, who, id); err != nil {
		return vod.Handover{}, hookError("MayRefresh", err)
	}
	fresh, err := h.client.RefreshUploadVideo(ctx, id)
	if err != nil {
		return vod.Handover{}, err
	}
	return fresh.Handover(), nil
}

func (h *Handler) check(ctx context.Context, who appserver.Identity, r *Request) error {
	if h.opts.Check == nil {
		return nil
	}
	return hookError("Check", h.opts.Check(ctx, who, r))
}

// created records what was made for whom.
func (h *Handler) created(ctx context.Context, who appserver.Identity, made vod.Handover) (vod.Handover, error) {
	h.opts.Logger.Info("made for a user", "identity", who.Name, "video", made.VideoID, "image", made.ImageID, "request_id", made.RequestID)
	if made.VideoID != "" {
		h.owners.remember(who, made.VideoID)
	}
	if h.opts.Created != nil {
		if err := h.opts.Created(ctx, who, made); err != nil {
			return vod.Handover{}, hookError("Created", err)
		}
	}
	return made, nil
}

// hookError says which of the program's functions an error is of.
func hookError(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("vodserver: Options.%s: %w", name, err)
}
