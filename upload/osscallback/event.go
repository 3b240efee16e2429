package osscallback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// An Event is what a callback says. OSS fills the fields in where the callback's body has
// its variables under their own names, as the body of an upload.Callback without one does
// (OSS documentation, Callback, system parameters). See "What a signature proves" in the
// package comment for how much of it is certain.
type Event struct {
	Bucket     string
	Object     string
	ETag       string  // without quotation marks
	Size       int64   // of the object, in bytes; -1: not in the body
	MIMEType   string  // of the object
	CRC64      *uint64 // CRC-64/ECMA of the object; nil: not in the body
	ContentMD5 string  // in base64, of PutObject and PostObject only
	VPCID      string  // of the client; empty if it did not come from a VPC
	ClientIP   string
	RequestID  string // of the upload
	Operation  string // PutObject, PostObject or CompleteMultipartUpload
	Image      Image  // zero for what is no image

	// Fields has everything else that the body has, by its name there: variables of the
	// file's own ("x:mine") and constants. Values of JSON that are no strings are as they
	// stand in the body.
	Fields map[string]string

	// Body is the body as it was signed.
	Body []byte
}

// An Image is what OSS found out about an image.
type Image struct {
	Width  int // pixels
	Height int // pixels
	Format string
}

// parseEvent reads a body. Whether it is JSON or a form is decided by its first character
// and not by Content-Type, which is not signed: what is a harmless value in the one may be
// several fields in the other.
func parseEvent(body []byte) (*Event, error) {
	read := readForm
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '{' {
		read = readJSON
	}
	fields, err := read(body)
	if err != nil {
		return nil, err
	}
	e := &Event{Size: -1, Fields: fields, Body: body}
	for _, f := range []struct {
		name  string
		field *string
	}{
		{"bucket", &e.Bucket}, {"object", &e.Object}, {"etag", &e.ETag}, {"mimeType", &e.MIMEType}, {"contentMd5", &e.ContentMD5},
		{"vpcId", &e.VPCID}, {"clientIp", &e.ClientIP}, {"reqId", &e.RequestID}, {"operation", &e.Operation},
		{"imageInfo.format", &e.Image.Format},
	} {
		*f.field = take(fields, f.name)
	}
	e.ETag = strings.Trim(e.ETag, `"`)
	return e, e.readNumbers(fields)
}

func (e *Event) readNumbers(fields map[string]string) error {
	if text := take(fields, "size"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return fmt.Errorf("size: got %q, want a number of bytes", text)
		}
		e.Size = n
	}
	if text := take(fields, "crc64"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("crc64: got %q, want a number of 64 bits", text)
		}
		e.CRC64 = &n
	}
	for name, field := range map[string]*int{"imageInfo.width": &e.Image.Width, "imageInfo.height": &e.Image.Height} {
		text := take(fields, name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return fmt.Errorf("%s: got %q, want a number of pixels", name, text)
		}
		*field = n
	}
	return nil
}

// take removes a field.
func take(fields map[string]string, name string) string {
	value := fields[name]
	delete(fields, name)
	return value
}

// errTwice says that nobody can know which value is meant.
func errTwice(name string) error { return fmt.Errorf("%q is there twice", name) }

func readForm(body []byte) (map[string]string, error) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%d bytes that are neither a form nor a JSON object", len(body))
	}
	fields := make(map[string]string, len(values))
	for name, v := range values {
		if len(v) > 1 {
			return nil, errTwice(name)
		}
		fields[name] = v[0]
	}
	return fields, nil
}

// readJSON reads an object. An object named imageInfo in it is read as fields whose names
// begin with that.
func readJSON(body []byte) (map[string]string, error) {
	fields := map[string]string{}
	if err := readObject(body, "", fields); err != nil {
		return nil, err
	}
	return fields, nil
}

func readObject(text []byte, prefix string, into map[string]string) error {
	broken := fmt.Errorf("%d bytes of JSON that break off or are malformed", len(text))
	d := json.NewDecoder(bytes.NewReader(text))
	if _, err := d.Token(); err != nil {
		return broken
	}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return broken
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return broken
		}
		name = prefix + name
		if _, twice := into[name]; twice {
			return errTwice(name)
		}
		if name == "imageInfo" && value[0] == '{' {
			if err := readObject(value, "imageInfo.", into); err != nil {
				return err
			}
			continue
		}
		into[name] = textOf(value)
	}
	if _, err := d.Token(); err != nil {
		return broken
	}
	if d.More() {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// textOf is a string itself, nothing for null, and all else as it stands there.
func textOf(value json.RawMessage) string {
	var s *string
	if json.Unmarshal(value, &s) != nil {
		return string(value)
	}
	if s == nil {
		return ""
	}
	return *s
}
