package appserver

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vodupload/vodupload/sts/internal/role"
)

//go:embed policy/*.txt
var embedded embed.FS

func builtIn() []string {
	names, err := fs.Glob(embedded, "policy/*.txt")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	return names
}

// loadPolicy returns the content of the policy file, and where it was: on disk, or else
// among those that are built in, which have the names policy/NAME and NAME only.
func loadPolicy(dir, name string) (data []byte, from string, err error) {
	onDisk := name
	if !filepath.IsAbs(name) {
		onDisk = filepath.Join(dir, name)
	}
	data, err = readFile(onDisk, maxFile)
	if err == nil {
		return data, onDisk, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, "", wrong("PolicyFile", "is %s, which cannot be read: %v", role.Shown(name), withoutPath(err))
	}
	short := path.Clean(filepath.ToSlash(name))
	if !strings.Contains(short, "/") {
		short = "policy/" + short
	}
	if data, err := embedded.ReadFile(short); err == nil && !filepath.IsAbs(name) {
		return data, "built in", nil
	}
	return nil, "", wrong("PolicyFile", "is %s, which is neither a file (%v) nor one of %s", role.Shown(name), withoutPath(err), strings.Join(builtIn(), ", "))
}

// withoutPath returns the cause of an error about a file whose name is said already.
func withoutPath(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// The placeholders of a policy.
const (
	bucketPlaceholder = "$BUCKET_NAME"
	prefixPlaceholder = "$OBJECT_PREFIX"
)

var placeholderForm = regexp.MustCompile(`\$[A-Z][A-Z0-9_]*`)

// A template is a RAM policy that may have placeholders in it.
type template struct {
	document   map[string]any
	statements []any
	bucket     bool // has $BUCKET_NAME
	prefix     bool // has $OBJECT_PREFIX
}

// parseTemplate reads a policy. It looks at the frame only: STS checks the rest.
func parseTemplate(data []byte) (*template, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	t := &template{}
	if err := json.Unmarshal(data, &t.document); err != nil {
		return nil, fmt.Errorf("is not a JSON object: %w", err)
	}
	switch s := t.document["Statement"].(type) {
	case []any:
		t.statements = s
	case map[string]any:
		t.statements = []any{s}
	}
	if len(t.statements) == 0 {
		return nil, errors.New("has no Statement")
	}
	if t.document["Version"] != "1" {
		return nil, fmt.Errorf("has the Version %v; want \"1\"", t.document["Version"])
	}
	if err := exactNames(t.document, "Version", "Statement"); err != nil {
		return nil, err
	}
	for _, s := range t.statements {
		if err := checkStatement(s); err != nil {
			return nil, err
		}
	}
	return t, t.findPlaceholders(t.document)
}

// findPlaceholders notes those in all strings of a JSON value, as they are replaced
// there: in the text of the file they could be written with escapes.
func (t *template) findPlaceholders(value any) error {
	switch v := value.(type) {
	case string:
		for _, name := range placeholderForm.FindAllString(v, -1) {
			switch name {
			case bucketPlaceholder:
				t.bucket = true
			case prefixPlaceholder:
				t.prefix = true
			default:
				return fmt.Errorf("has the placeholder %s; known are %s and %s", name, bucketPlaceholder, prefixPlaceholder)
			}
		}
	case []any:
		for _, e := range v {
			if err := t.findPlaceholders(e); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err := t.findPlaceholders(v[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill returns the policy for a bucket and a prefix, without white space. With a
// prefix, it allows nothing beyond: see narrow.
func (t *template) fill(bucket, prefix string) (string, error) {
	if t.bucket && bucket == "" {
		return "", fmt.Errorf("the policy has %s, and there is no bucket for it", bucketPlaceholder)
	}
	statements := t.statements
	if prefix != "" {
		var err error
		if statements, err = narrow(statements); err != nil {
			return "", err
		}
	}
	filled := make(map[string]any, len(t.document))
	for name, value := range t.document {
		filled[name] = value
	}
	filled["Statement"] = replace(statements, strings.NewReplacer(bucketPlaceholder, bucket, prefixPlaceholder, prefix))
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(filled); err != nil {
		return "", fmt.Errorf("encode the policy: %w", err)
	}
	return role.CompactPolicy(b.String())
}

// replace returns a copy of a JSON value in which r was applied to all strings:
// to the values, not to the JSON, so that nothing can break out of its quotes.
func replace(value any, r *strings.Replacer) any {
	switch v := value.(type) {
	case string:
		return r.Replace(v)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = replace(e, r)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, e := range v {
			m[name] = replace(e, r)
		}
		return m
	}
	return value
}

// validatePrefix refuses what would widen the token's rights: a prefix without a
// slash at its end also matches the neighbours (in/al matches in/alice), and a
// wildcard matches everybody. Clients and proxies may take the dots and the slashes of
// in/../ and in// out of a URL's path, and so come to other objects.
func validatePrefix(prefix string) error {
	switch {
	case prefix == "":
		return nil
	case !strings.HasSuffix(prefix, "/"):
		return fmt.Errorf("is %s; want a slash at its end", role.Shown(prefix))
	case strings.HasPrefix(prefix, "/") || strings.HasPrefix(prefix, `\`):
		return fmt.Errorf("is %s; want no slash at its beginning, as in object names", role.Shown(prefix))
	case strings.ContainsAny(prefix, "*?$\"\\"):
		return fmt.Errorf(`is %s; want none of * ? $ " \ in it`, role.Shown(prefix))
	}
	for _, part := range strings.Split(strings.TrimSuffix(prefix, "/"), "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("is %s; want something other than dots between two slashes", role.Shown(prefix))
		}
	}
	for _, r := range prefix {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return fmt.Errorf("is %s; want printable UTF-8", role.Shown(prefix))
		}
	}
	return nil
}
