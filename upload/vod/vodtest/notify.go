package vodtest

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// notifyTries is how often a notification is sent until it is answered with 200 (VOD
// documentation, HTTP callbacks).
const notifyTries = 3

// A Notification is an event that the server has sent to Options.CallbackURL.
type Notification struct {
	Body   string
	Status []int // of the answers, in their order; 0: there was none
}

// Notify sends an event to Options.CallbackURL, signed with Options.AuthKey, up to three
// times until it is answered with status 200. The event gets an EventTime if it has none.
// The error says how the last try ended.
func (s *Server) Notify(ctx context.Context, event map[string]any) error {
	if s.opts.CallbackURL == "" {
		return fmt.Errorf("vodtest: Options.CallbackURL is empty: nobody wants notifications")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	timed := map[string]any{"EventTime": s.opts.Now().UTC().Format("2006-01-02T15:04:05Z")}
	for name, value := range event {
		timed[name] = value
	}
	body, err := json.Marshal(timed)
	if err != nil {
		return fmt.Errorf("vodtest: encode the event: %w", err)
	}
	s.mu.Lock()
	n := &Notification{Body: string(body)}
	s.notifications = append(s.notifications, n)
	s.mu.Unlock()
	for range notifyTries {
		var status int
		status, err = s.post(ctx, body)
		s.mu.Lock()
		n.Status = append(n.Status, status)
		s.mu.Unlock()
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("vodtest: notify %v: %w", timed["EventType"], err)
	}
	return nil
}

// post sends a notification once.
func (s *Server) post(ctx context.Context, body []byte) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.opts.CallbackURL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	stamp := strconv.FormatInt(s.opts.Now().Unix(), 10)
	sum := md5.Sum([]byte(s.opts.CallbackURL + "|" + stamp + "|" + s.opts.AuthKey))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-VOD-TIMESTAMP", stamp)
	r.Header.Set("X-VOD-SIGNATURE", hex.EncodeToString(sum[:]))
	client := &http.Client{Transport: s.opts.CallbackTransport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode != http.StatusOK {
		return resp.StatusCode, fmt.Errorf("the answer has status %d, want 200", resp.StatusCode)
	}
	return resp.StatusCode, nil
}

// Notifications returns what was sent, in its order.
func (s *Server) Notifications() []Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Notification, len(s.notifications))
	for i, n := range s.notifications {
		all[i] = Notification{n.Body, slices.Clone(n.Status)}
	}
	return all
}

// Stored has the server know that the object of one of its media was uploaded: it sends
// the event that VOD has for that, if there is a CallbackURL, and returns when that was
// answered. An object of no media is ignored. It fits Options.OnStored of package osstest:
//
//	var server *vodtest.Server
//	objects := osstest.NewServer(&osstest.Options{
//		OnStored: func(bucket, object string, size int64) { server.Stored(bucket, object, size) },
//	})
func (s *Server) Stored(bucket, object string, size int64) {
	s.mu.Lock()
	i := slices.IndexFunc(s.media, func(m *Media) bool { return m.Bucket == bucket && m.Object == object && !m.Deleted })
	var m Media
	if i >= 0 {
		m = *s.media[i]
	}
	s.mu.Unlock()
	if i < 0 || s.opts.CallbackURL == "" {
		return
	}
	event := map[string]any{"Status": "success", "Size": size}
	switch m.Action {
	case CreateUploadVideo:
		event["EventType"], event["VideoId"], event["FileUrl"] = "FileUploadComplete", m.ID, m.url()
		if extend := m.extend(); extend != "" {
			event["Extend"] = extend
		}
	case CreateUploadImage:
		event["EventType"], event["ImageId"], event["FileURL"] = "ImageUploadComplete", m.ID, m.url()
		event["EventTime"] = s.opts.Now().UTC().Format("2006-01-02T15:04:05") + ":000Z" // as the documentation has it
	default:
		event["EventType"], event["AttachedMediaId"], event["FileURL"] = "AttachedMediaUploadComplete", m.ID, m.url()
	}
	_ = s.Notify(context.Background(), event) // Notifications has how it ended
}

// extend is the Extend of the UserData that the media was made with, a text of JSON.
func (m *Media) extend() string {
	var data struct{ Extend json.RawMessage }
	if json.Unmarshal([]byte(m.Params["UserData"]), &data) != nil {
		return ""
	}
	return string(data.Extend)
}
