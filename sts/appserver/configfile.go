package appserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/sts/internal/role"
)

// What files may have at most, in bytes.
const (
	maxFile        = 64 << 10 // config.json and policies
	maxClientsFile = 1 << 20  // clients.json
)

// LoadConfig reads the file at path. It does not check whether the values make
// sense: overrides may come on top, and [New] checks the whole.
func LoadConfig(path string) (*Config, error) {
	data, err := readFile(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("appserver: read the configuration: %w", err)
	}
	c, err := ParseConfig(data)
	if err != nil {
		return nil, fmt.Errorf("appserver: read the configuration %s: %w", path, err)
	}
	c.Dir = filepath.Dir(path)
	if c.AccessKeySecret != "" && readableByAll(path) {
		c.exposed = path
	}
	return c, nil
}

func readFile(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > limit {
		return nil, fmt.Errorf("%s has more than %d bytes", path, limit)
	}
	return data, nil
}

// readableByAll reports whether every user of the machine can read a file, where the
// system has such rights.
func readableByAll(path string) bool {
	info, err := os.Stat(path)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o004 != 0
}

// ParseConfig reads the content of a config.json. Unknown and repeated keys are
// errors, since a misspelt one would silently leave a default in place.
func ParseConfig(data []byte) (*Config, error) {
	entries, err := readObject(data)
	if err != nil {
		return nil, err
	}
	c := &Config{}
	seen := map[string]string{}
	var errs []error
	for _, e := range entries {
		f := fieldByKey(e.key)
		if f == nil {
			errs = append(errs, wrong(shownKey(e.key), "is not a known key; known are %s", strings.Join(keys(), ", ")))
			continue
		}
		if first, ok := seen[f.key]; ok {
			errs = append(errs, wrong(e.key, "is there twice (first as %s)", first))
			continue
		}
		seen[f.key] = e.key
		text, ok := textOf(e.value)
		if !ok {
			errs = append(errs, wrong(e.key, "is neither text nor a whole number"))
			continue
		}
		if err := f.set(c, text); err != nil {
			errs = append(errs, wrong(e.key, "%v", err))
		}
	}
	return c, join(errs...)
}

type entry struct {
	key   string
	value json.RawMessage
	line  int
}

// readObject reads a JSON object without losing repeated keys.
func readObject(data []byte) ([]entry, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, jsonError(data, d, err, "want a JSON object")
	}
	var entries []entry
	for d.More() {
		var e entry
		t, err := d.Token()
		if err != nil {
			return nil, jsonError(data, d, err, "want a key")
		}
		e.key, _ = t.(string)
		e.line = 1 + bytes.Count(data[:d.InputOffset()], []byte("\n"))
		if err := d.Decode(&e.value); err != nil {
			return nil, jsonError(data, d, err, "want a value for "+shownKey(e.key))
		}
		entries = append(entries, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, jsonError(data, d, err, "want a closing brace")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, jsonError(data, d, err, "want nothing after the closing brace")
	}
	return entries, nil
}

var wordForm = regexp.MustCompile(`^[A-Za-z_]{1,40}$`)

// shownKey is an unknown key as an error shows it: a value that slipped into the
// place of a key may be the secret.
func shownKey(key string) string {
	if wordForm.MatchString(key) && role.Shown(key) == strconv.Quote(key) {
		return key
	}
	return fmt.Sprintf("(a key of %d characters)", len(key))
}

// jsonError says where the JSON is wrong, and quotes nothing: it may be the
// secret that lacks its quotation mark.
func jsonError(data []byte, d *json.Decoder, err error, want string) error {
	at := d.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = syntax.Offset
	}
	if at > int64(len(data)) {
		at = int64(len(data))
	}
	before := data[:at]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("not valid JSON at line %d, column %d: %s", line, column, want)
}

// textOf returns a JSON string, or a whole number as it stands there.
func textOf(value json.RawMessage) (string, bool) {
	var text string
	if json.Unmarshal(value, &text) == nil && string(value) != "null" {
		return text, true
	}
	_, err := strconv.ParseInt(string(value), 10, 64)
	return string(value), err == nil
}
