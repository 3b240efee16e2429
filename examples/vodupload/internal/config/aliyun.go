package config

import (
	"encoding/json"

	"github.com/vodupload/vodupload/sts"
)

// An aliyunFile is ~/.aliyun/config.json of the aliyun CLI. Package sts reads the
// credentials; the rest is read here.
type aliyunFile struct {
	path     string
	Current  string
	Profiles []struct {
		Name        string
		Mode        string
		RegionID    string `json:"region_id"`
		AccessKeyID string `json:"access_key_id"`
	}
}

// parseAliyun reads a file. Nothing of it is in the error.
func parseAliyun(name string, text []byte) (*aliyunFile, error) {
	f := &aliyunFile{path: name}
	if json.Unmarshal(text, f) != nil {
		return nil, wrong(name, "is no configuration of the aliyun CLI: its JSON cannot be read")
	}
	return f, nil
}

// name returns the profile that an empty name stands for.
func (f *aliyunFile) name(profile string) string {
	if profile == "" {
		return f.Current
	}
	return profile
}

func (f *aliyunFile) has(profile string) bool {
	for _, p := range f.Profiles {
		if p.Name == f.name(profile) {
			return true
		}
	}
	return false
}

func (f *aliyunFile) region(profile string) string {
	for _, p := range f.Profiles {
		if p.Name == f.name(profile) {
			return p.RegionID
		}
	}
	return ""
}

func (f *aliyunFile) keyID(profile string) string {
	for _, p := range f.Profiles {
		if p.Name == f.name(profile) {
			return storedKeyID(p.Mode, p.AccessKeyID)
		}
	}
	return ""
}

func (f *aliyunFile) provider(profile string) (sts.Provider, error) {
	p, err := sts.NewProfile(f.path, f.name(profile), nil)
	if err != nil {
		return nil, &Error{Origin: f.path, Err: err}
	}
	return p, nil
}
