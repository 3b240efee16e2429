package appserver

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/vodupload/vodupload/sts"
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

// loadPolicy returns the content of the policy file: of one on disk if it is
// there, and else of one that is built in.
func loadPolicy(dir, name string) ([]byte, error) {
	onDisk := name
	if !filepath.IsAbs(name) {
		onDisk = filepath.Join(dir, name)
	}
	data, err := readFile(onDisk)
	if err == nil {
		return data, nil
	}
	if errors.Is(err, os.ErrNotExist) {
		if inside, err := embedded.ReadFile(path.Join("policy", path.Base(filepath.ToSlash(name)))); err == nil {
			return inside, nil
		}
		return nil, wrong("PolicyFile", "is %q, which is neither a file (%v) nor one of %s", name, err, strings.Join(builtIn(), ", "))
	}
	return nil, wrong("PolicyFile", "is %q, which cannot be read: %v", name, err)
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
	for _, name := range placeholderForm.FindAllString(string(data), -1) {
		switch name {
		case bucketPlaceholder:
			t.bucket = true
		case prefixPlaceholder:
			t.prefix = true
		default:
			return nil, fmt.Errorf("has the placeholder %s; known are %s and %s", name, bucketPlaceholder, prefixPlaceholder)
		}
	}
	return t, nil
}

// errNotNarrowable is the reason to refuse a prefix rather than to ignore it.
var errNotNarrowable = errors.New("no Allow statement of the policy has " + prefixPlaceholder + ", so it cannot be narrowed to a prefix")

// fill returns the policy for a bucket and a prefix, without white space. With a
// prefix, Allow statements that know nothing of it are left out: they would allow
// something beyond, such as listing the names of all objects in the bucket.
func (t *template) fill(bucket, prefix string) (string, error) {
	if t.bucket && bucket == "" {
		return "", fmt.Errorf("the policy has %s, and there is no bucket for it", bucketPlaceholder)
	}
	statements := t.statements
	if prefix != "" {
		narrowed := false
		statements = slices.DeleteFunc(slices.Clone(statements), func(s any) bool {
			m, _ := s.(map[string]any)
			if m["Effect"] == "Deny" {
				return false
			}
			if !mentions(s, prefixPlaceholder) {
				return true
			}
			narrowed = true
			return false
		})
		if !narrowed {
			return "", errNotNarrowable
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
	return sts.CompactPolicy(b.String())
}

// mentions reports whether a string somewhere in a JSON value contains text.
func mentions(value any, text string) bool {
	switch v := value.(type) {
	case string:
		return strings.Contains(v, text)
	case []any:
		return slices.ContainsFunc(v, func(e any) bool { return mentions(e, text) })
	case map[string]any:
		for _, e := range v {
			if mentions(e, text) {
				return true
			}
		}
	}
	return false
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
// wildcard matches everybody.
func validatePrefix(prefix string) error {
	switch {
	case prefix == "":
		return nil
	case !strings.HasSuffix(prefix, "/"):
		return fmt.Errorf("is %q; want a slash at its end", prefix)
	case strings.HasPrefix(prefix, "/") || strings.HasPrefix(prefix, `\`):
		return fmt.Errorf("is %q; want no slash at its beginning, as in object names", prefix)
	case strings.ContainsAny(prefix, "*?$\"\\"):
		return fmt.Errorf(`is %q; want none of * ? $ " \ in it`, prefix)
	}
	for _, r := range prefix {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return fmt.Errorf("is %q; want printable UTF-8", prefix)
		}
	}
	return nil
}
