package vod

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// A Media is what videos, images and attached media are described with. All of it is
// optional but the Title of a video.
type Media struct {
	Title           string   // at most 128 characters
	Description     string   // at most 1,024 characters
	CategoryID      int64    // 0: none
	Tags            []string // at most 16, of at most 32 characters each, without commas
	UserData        string   // a JSON object
	StorageLocation string   // the bucket; the default is the region's
	AppID           string   // like app-1000000, which is the default
}

func (m *Media) check() error {
	for _, f := range []struct {
		name, value string
		limit       int
	}{{"Title", m.Title, MaxTitle}, {"Description", m.Description, MaxDescription}} {
		if !utf8.ValidString(f.value) {
			return fmt.Errorf("%w: %s is not UTF-8", ErrParameter, f.name)
		}
		if n := utf8.RuneCountInString(f.value); n > f.limit {
			return fmt.Errorf("%w: %s: got %d characters, want at most %d", ErrParameter, f.name, n, f.limit)
		}
	}
	if m.CategoryID < 0 {
		return fmt.Errorf("%w: CategoryID: got %d, want 0 for none, or more", ErrParameter, m.CategoryID)
	}
	if len(m.Tags) > MaxTags {
		return fmt.Errorf("%w: Tags: got %d, want at most %d", ErrParameter, len(m.Tags), MaxTags)
	}
	for _, tag := range m.Tags {
		if n := utf8.RuneCountInString(tag); n == 0 || n > MaxTag || strings.Contains(tag, ",") {
			return fmt.Errorf("%w: Tags: got %q, want 1 to %d characters without a comma", ErrParameter, tag, MaxTag)
		}
	}
	return checkUserData(m.UserData)
}

// params returns the parameters of a call; category is the name that it has there.
func (m *Media) params(category string) parameters {
	p := parameters{}
	p.set("Title", m.Title)
	p.set("Description", m.Description)
	p.setNumber(category, m.CategoryID)
	p.set("Tags", strings.Join(m.Tags, ","))
	p.set("UserData", m.UserData)
	p.set("StorageLocation", m.StorageLocation)
	p.set("AppId", m.AppID)
	return p
}

// A createRequest is what one of the calls that make a media sends.
type createRequest interface {
	check() error
	params() parameters
}

// A created is what these calls answer. Each has an ID and addresses of its own.
type created struct {
	answer
	VideoID  string `json:"VideoId"`
	ImageID  string `json:"ImageId"`
	ImageURL string
	MediaID  string `json:"MediaId"`
	MediaURL string
	FileURL  string
}

// make makes a media, once. id returns the ID that the answer must have, and its name.
func (c *Client) make(ctx context.Context, action string, r createRequest, id func(*created) (name, value string)) (created, Ticket, error) {
	if err := r.check(); err != nil {
		return created{}, Ticket{}, fmt.Errorf("%s: %w", action, err)
	}
	var out created
	now := time.Now()
	if err := c.create(ctx, action, r.params(), &out); err != nil {
		return created{}, Ticket{}, err
	}
	name, value := id(&out)
	t, err := out.made(action, name, value, now)
	return out, t, err
}
