package config

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vodupload/vodupload/sts"
)

// maxFile is how large a file may be, in bytes.
const maxFile = 1 << 20

// A source is the profile of a file.
type source struct {
	origin           string
	region, endpoint string
	keyID            string // of the key that is stored; empty: none is
	buckets          map[string]bucket
	provider         func() (sts.Provider, error) // nil credentials: it has none
}

// findProfile returns the profile that is configured: of the file that is named, or of the
// first of the default files that has it. Nil: there is none, and none was asked for.
func findProfile(c *Config, in Input) (*source, error) {
	profile := c.Profile.Value
	names := []string{c.ConfigFile.Value}
	if names[0] == "" {
		names = nil
		if in.Home != "" {
			names = []string{filepath.Join(in.Home, ".ossutilconfig"), filepath.Join(in.Home, ".aliyun", "config.json")}
		}
	}
	for _, name := range names {
		s, err := readProfile(name, profile)
		switch {
		case errors.Is(err, fs.ErrNotExist) && c.ConfigFile.Value == "":
		case err != nil:
			return nil, err
		case s != nil:
			return s, nil
		}
	}
	switch {
	case profile != "":
		return nil, wrong(c.Profile.Origin, "there is no profile %s in %s", profile, cmp.Or(c.ConfigFile.Value, "~/.ossutilconfig or ~/.aliyun/config.json"))
	case c.ConfigFile.Value != "":
		return nil, wrong(c.ConfigFile.Origin, "%s has no default profile", c.ConfigFile.Value)
	}
	return nil, nil
}

// readProfile returns nil for a file without the profile.
func readProfile(name, profile string) (*source, error) {
	text, err := read(name)
	if err != nil {
		return nil, &Error{Origin: "configuration file", Err: err}
	}
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("{")) {
		f, err := parseAliyun(name, text)
		if err != nil || !f.has(profile) {
			return nil, err
		}
		return &source{
			origin: name + ", profile " + f.name(profile), region: f.region(profile), keyID: f.keyID(profile),
			provider: func() (sts.Provider, error) { return f.provider(profile) },
		}, nil
	}
	f, err := parseOssutil(name, text)
	if err != nil || !f.has(profile) {
		return nil, err
	}
	s := f.section(profile)
	return &source{
		origin: name + ", profile " + cmp.Or(profile, "default"), region: s["region"], endpoint: s["endpoint"],
		keyID: storedKeyID(s["mode"], s["accesskeyid"]), buckets: f.buckets(),
		provider: func() (sts.Provider, error) { return f.provider(profile) },
	}, nil
}

// storedKeyID returns the access key ID of a profile if its mode is one that uses it.
func storedKeyID(mode, id string) string {
	switch strings.ToLower(mode) {
	case "", "ak", "ststoken", "ramrolearn":
		return id
	}
	return ""
}

func read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = errors.New(name + " has more than 1 MiB")
	}
	return text, err
}
