package vodserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/upload/vod"
)

// params are the parameters of a request, by their names in lower case. A parameter that
// is empty is as good as none.
type params map[string]string

// errParam is the error of a parameter: its text is for the user.
type errParam struct{ error }

func badParam(format string, args ...any) error { return errParam{fmt.Errorf(format, args...)} }

// readParams reads query and body.
func readParams(r *http.Request) (params, error) {
	p := params{}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badParam("the query cannot be read")
	}
	if err := p.add(query); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, err
	case err != nil:
		return nil, badParam("the body breaks off")
	case len(body) == 0:
		return p, nil
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch kind {
	case "application/json":
		return p, p.addJSON(body)
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, badParam("the form cannot be read")
		}
		return p, p.add(form)
	}
	return nil, badParam("the body has to be application/x-www-form-urlencoded or application/json")
}

func (p params) add(values url.Values) error {
	for name, all := range values {
		if len(all) != 1 {
			return badParam("%q is there %d times", name, len(all))
		}
		if err := p.set(name, all[0]); err != nil {
			return err
		}
	}
	return nil
}

func (p params) set(name, value string) error {
	name = strings.ToLower(name)
	if _, twice := p[name]; twice {
		return badParam("%q is there twice", name)
	}
	p[name] = value
	return nil
}

// addJSON adds the fields of an object: text, numbers, and lists of text as with commas
// between.
func (p params) addJSON(body []byte) error {
	var fields map[string]any
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if d.Decode(&fields) != nil || fields == nil || d.More() {
		return badParam("the body is no JSON object")
	}
	for name, value := range fields {
		text, ok := jsonText(value)
		if !ok {
			return badParam("%q is neither text nor a number", name)
		}
		if err := p.set(name, text); err != nil {
			return err
		}
	}
	return nil
}

func jsonText(value any) (text string, ok bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case []any:
		var all []string
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return "", false
			}
			all = append(all, s)
		}
		return strings.Join(all, ","), true
	}
	return "", false
}

func (p params) number(name string) (int64, error) {
	text := p[strings.ToLower(name)]
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, badParam("%s is no number", name)
	}
	return n, nil
}

// reserved are the parameters that the program sets and users do not.
var reserved = []string{"TemplateGroupId", "WorkflowId", "StorageLocation", "AppId", "UserData"}

func (p params) media() (vod.Media, error) {
	for _, name := range reserved {
		if p[strings.ToLower(name)] != "" {
			return vod.Media{}, badParam("%s is for the server to set", name)
		}
	}
	category, err := p.number("CateId")
	if err != nil {
		return vod.Media{}, err
	}
	m := vod.Media{Title: p["title"], Description: p["description"], CategoryID: category}
	if tags := p["tags"]; tags != "" {
		for tag := range strings.SplitSeq(tags, ",") {
			m.Tags = append(m.Tags, strings.TrimSpace(tag))
		}
	}
	return m, nil
}

func (p params) video() (*vod.CreateUploadVideoRequest, error) {
	m, err := p.media()
	if err != nil {
		return nil, err
	}
	size, err := p.number("FileSize")
	if err != nil {
		return nil, err
	}
	r := &vod.CreateUploadVideoRequest{Media: m, FileName: p["filename"], FileSize: size, CoverURL: p["coverurl"]}
	if kind, err := vod.KindOf(r.FileName); err != nil || kind == vod.Image {
		return nil, badParam("FileName: want the name of a video or an audio file, with its extension")
	}
	return r, nil
}

func (p params) image() (*vod.CreateUploadImageRequest, error) {
	m, err := p.media()
	if err != nil {
		return nil, err
	}
	return &vod.CreateUploadImageRequest{Media: m, ImageType: p["imagetype"], ImageExt: p["imageext"]}, nil
}
