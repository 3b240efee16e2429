package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"gopkg.in/ini.v1"

	"github.com/vodupload/vodupload/sts"
)

// An ossutilFile is ~/.ossutilconfig, of ossutil 1 or 2: one file may have sections of
// both. Of ossutil 1 are [Credentials], [Bucket-Endpoint], [Bucket-Cname] and [AkService]
// (ossutil 1.7, lib/config_helper.go); of ossutil 2 [default], [profile NAME] and
// [buckets NAME] (ossutil 2.0 documentation, Configure ossutil). Names of keys are read in
// any case, with hyphens and underscores.
type ossutilFile struct {
	path     string
	sections map[string]map[string]string // by names in lower case; the keys without - and _
}

// parseOssutil reads a file. Nothing of it is in the error.
func parseOssutil(name string, text []byte) (*ossutilFile, error) {
	parsed, err := ini.LoadSources(ini.LoadOptions{
		IgnoreInlineComment: true, IgnoreContinuation: true, AllowBooleanKeys: true, KeyValueDelimiters: "=",
	}, bytes.TrimPrefix(text, []byte("\ufeff")))
	if err != nil {
		return nil, wrong(name, "is no INI file as ossutil has it")
	}
	f := &ossutilFile{path: name, sections: make(map[string]map[string]string)}
	for _, section := range parsed.Sections() {
		title := strings.ToLower(strings.Join(strings.Fields(section.Name()), " "))
		if f.sections[title] == nil {
			f.sections[title] = make(map[string]string)
		}
		for _, key := range section.Keys() {
			if name := plainKey(key.Name()); title != "bucket-endpoint" && title != "bucket-cname" {
				f.sections[title][name] = strings.TrimSpace(key.Value())
			} else {
				f.sections[title][key.Name()] = strings.TrimSpace(key.Value())
			}
		}
	}
	return f, nil
}

// plainKey returns the one spelling of a key that the code uses.
func plainKey(key string) string {
	key = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(key))
	switch key {
	case "accessid":
		return "accesskeyid"
	case "accesskey":
		return "accesskeysecret"
	case "host":
		return "endpoint"
	case "ramrolearn":
		return "rolearn"
	case "securitytoken", "sessiontoken":
		return "ststoken"
	case "oidctokenfilepath":
		return "oidctokenfile"
	}
	return key
}

// has reports whether the file has a profile. The default one is made of the old
// sections where there is none of that name.
func (f *ossutilFile) has(profile string) bool { return f.section(profile) != nil }

func (f *ossutilFile) section(profile string) map[string]string {
	if profile != "" && !strings.EqualFold(profile, "default") {
		return f.sections["profile "+strings.ToLower(profile)]
	}
	merged := make(map[string]string)
	for _, title := range []string{"credentials", "profile default", "default"} { // the last one wins
		for key, value := range f.sections[title] {
			if value != "" {
				merged[key] = value
			}
		}
	}
	if service := f.sections["akservice"]["ecsak"]; service != "" && merged["accesskeyid"] == "" && merged["mode"] == "" {
		merged["mode"], merged["ecsrolename"] = "ecsramrole", path.Base(service)
	}
	if len(merged) == 0 {
		return nil
	}
	return merged
}

// buckets returns what the file says of single buckets.
func (f *ossutilFile) buckets() map[string]bucket {
	all := make(map[string]bucket)
	change := func(name string, set func(*bucket)) {
		b := all[name]
		b.origin = f.path
		set(&b)
		all[name] = b
	}
	for name, endpoint := range f.sections["bucket-endpoint"] {
		change(name, func(b *bucket) { b.endpoint = endpoint })
	}
	for name, domain := range f.sections["bucket-cname"] {
		change(name, func(b *bucket) { b.domain = domain })
	}
	for title, values := range f.sections {
		if name, found := strings.CutPrefix(title, "buckets "); found {
			change(name, func(b *bucket) {
				b.region, b.endpoint = cmp.Or(values["region"], b.region), cmp.Or(values["endpoint"], b.endpoint)
				if strings.EqualFold(values["addressingstyle"], "cname") {
					b.domain = b.endpoint
				}
			})
		}
	}
	return all
}

// provider returns the credentials of a profile, and nil if it has none.
func (f *ossutilFile) provider(profile string, seen ...string) (sts.Provider, error) {
	s := f.section(profile)
	if s == nil {
		return nil, wrong(f.path, "has no profile %s", profile)
	}
	for _, earlier := range seen {
		if earlier == profile {
			return nil, wrong(f.path, "source-profile leads from %s back to itself", profile)
		}
	}
	p, err := f.byMode(s, append(seen, profile))
	var own *Error
	if err != nil && !errors.As(err, &own) {
		err = &Error{Origin: f.path + ", profile " + cmp.Or(profile, "default"), Err: err}
	}
	return p, err
}

func (f *ossutilFile) byMode(s map[string]string, seen []string) (sts.Provider, error) {
	switch mode := strings.ToLower(s["mode"]); mode {
	case "", "ak", "ststoken":
		if mode == "" && s["accesskeyid"] == "" {
			return otherOf(s)
		}
		return keyOf(s)
	case "ramrolearn":
		return f.roleOf(s, seen)
	case "ecsramrole":
		return sts.NewECSRole(&sts.ECSRoleOptions{Role: s["ecsrolename"]})
	case "oidc":
		return sts.NewOIDC(&sts.OIDCOptions{
			RoleARN: s["rolearn"], ProviderARN: s["oidcproviderarn"], TokenFile: s["oidctokenfile"], SessionName: s["rolesessionname"],
		})
	case "uri", "credentialsuri":
		return sts.NewURI(s["credentialsuri"], nil)
	case "process", "external", "externalprocess":
		return processOf(s)
	case "anonymous":
		return nil, errors.New("mode Anonymous: uploads have to be signed")
	default:
		return nil, fmt.Errorf("mode %q: wanted AK, StsToken, RamRoleArn, EcsRamRole, OIDC, URI or External", s["mode"])
	}
}

// otherOf is for a profile without a mode and without a key. Nil: it has no credentials.
func otherOf(s map[string]string) (sts.Provider, error) {
	switch {
	case s["credentialsuri"] != "":
		return sts.NewURI(s["credentialsuri"], nil)
	case s["credentialprocess"] != "" || s["processcommand"] != "":
		return processOf(s)
	case s["ecsrolename"] != "":
		return sts.NewECSRole(&sts.ECSRoleOptions{Role: s["ecsrolename"]})
	}
	return nil, nil
}

func keyOf(s map[string]string) (sts.Provider, error) {
	c := sts.Credentials{AccessKeyID: s["accesskeyid"], AccessKeySecret: s["accesskeysecret"], SecurityToken: s["ststoken"]}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return sts.Static(c), nil
}

func processOf(s map[string]string) (sts.Provider, error) {
	return sts.NewProcess(strings.Fields(cmp.Or(s["credentialprocess"], s["processcommand"])), nil)
}

// roleOf assumes a role with the key of the profile, or with the credentials of another.
func (f *ossutilFile) roleOf(s map[string]string, seen []string) (sts.Provider, error) {
	base, err := keyOf(s)
	if from := s["sourceprofile"]; from != "" {
		base, err = f.provider(from, seen...)
	}
	if err != nil {
		return nil, err
	}
	if base == nil {
		return nil, fmt.Errorf("source-profile %s has no credentials", s["sourceprofile"])
	}
	opts := &sts.AssumeRoleOptions{SessionName: s["rolesessionname"], ExternalID: s["externalid"], Endpoint: s["stsendpoint"]}
	if region := s["stsregion"]; region != "" && opts.Endpoint == "" {
		opts.Endpoint = "sts." + region + ".aliyuncs.com"
	}
	if text := cmp.Or(s["tokentimeout"], s["durationseconds"]); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("tokenTimeout: got %q, want a number of seconds", text)
		}
		opts.Duration = time.Duration(seconds) * time.Second
	}
	return sts.NewAssumeRole(base, s["rolearn"], opts)
}
