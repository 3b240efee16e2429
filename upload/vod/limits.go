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
