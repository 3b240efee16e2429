package vod

import (
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits of what a media is described with, in characters unless it says
// otherwise (VOD documentation, CreateUploadVideo).
const (
	MaxTitle       = 128
	MaxDescription = 1024
	MaxTags        = 16
	MaxTag         = 32
	MaxExtend      = 512 // bytes of JSON: Extend in UserData
)

// checkAbout checks what all media are described with.
func checkAbout(title, description string, category int64, tags []string, userData string) error {
	for _, f := range []struct {
		name, value string
		limit       int
	}{{"Title", title, MaxTitle}, {"Description", description, MaxDescription}} {
		if !utf8.ValidString(f.value) {
			return fmt.Errorf("%w: %s is not UTF-8", ErrParameter, f.name)
		}
		if n := utf8.RuneCountInString(f.value); n > f.limit {
			return fmt.Errorf("%w: %s: got %d characters, want at most %d", ErrParameter, f.name, n, f.limit)
		}
	}
	if category < 0 {
		return fmt.Errorf("%w: CategoryID: got %d, want 0 for none, or more", ErrParameter, category)
	}
	if len(tags) > MaxTags {
		return fmt.Errorf("%w: Tags: got %d, want at most %d", ErrParameter, len(tags), MaxTags)
	}
	for _, tag := range tags {
		if n := utf8.RuneCountInString(tag); n == 0 || n > MaxTag || strings.Contains(tag, ",") {
			return fmt.Errorf("%w: Tags: got %q, want 1 to %d characters without a comma", ErrParameter, tag, MaxTag)
		}
	}
	return checkUserData(userData)
}

func checkUserData(text string) error {
	if text == "" {
		return nil
	}
	var data map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &data); err != nil || data == nil {
		return fmt.Errorf(`%w: UserData: got %d bytes that are no JSON object, want one such as {"Extend":{"id":"7"}}`, ErrParameter, len(text))
	}
	if n := len(data["Extend"]); n > MaxExtend {
		return fmt.Errorf("%w: UserData: Extend has %d bytes, want at most %d", ErrParameter, n, MaxExtend)
	}
	return nil
}

// checkFileName wants a name with an extension: VOD tells by it what the file is.
func checkFileName(name string) error {
	if ext := path.Ext(name); name == "" || !isExt(strings.TrimPrefix(ext, ".")) || !utf8.ValidString(name) {
		return fmt.Errorf("%w: FileName: got %q, want a name with an extension, such as \"talk.mp4\"", ErrParameter, name)
	}
	return nil
}

func isExt(ext string) bool {
	for _, c := range ext {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return ext != ""
}

// parameters are those of a call. What is empty is not sent.
type parameters map[string]string

func (p parameters) set(name, value string) {
	if value != "" {
		p[name] = value
	}
}

func (p parameters) setNumber(name string, n int64) {
	if n > 0 {
		p[name] = strconv.FormatInt(n, 10)
	}
}

func about(title, description string, category int64, tags []string, userData string) parameters {
	p := parameters{}
	p.set("Title", title)
	p.set("Description", description)
	p.setNumber("CateId", category)
	p.set("Tags", strings.Join(tags, ","))
	p.set("UserData", userData)
	return p
}
