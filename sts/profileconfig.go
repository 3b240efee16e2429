package sts

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A cliConfig is config.json of the aliyun command line, as far as credentials are
// concerned (aliyun-cli, config/profile.go).
type cliConfig struct {
	Current  string       `json:"current"`
	Profiles []cliProfile `json:"profiles"`
}

// A cliProfile is one profile. What it lacks is empty.
type cliProfile struct {
	Name            string `json:"name"`
	Mode            string `json:"mode"`
	AccessKeyID     string `json:"access_key_id"`
	AccessKeySecret string `json:"access_key_secret"`
	Token           string `json:"sts_token"`
	TokenExpires    int64  `json:"sts_expiration"` // Unix time
	STSRegion       string `json:"sts_region"`
	VPC             bool   `json:"enable_vpc"`
	RoleName        string `json:"ram_role_name"`
	RoleARN         string `json:"ram_role_arn"`
	SessionName     string `json:"ram_session_name"`
	ExternalID      string `json:"external_id"`
	Policy          string `json:"policy"`
	Seconds         int64  `json:"expired_seconds"`
	SourceProfile   string `json:"source_profile"`
	ProcessCommand  string `json:"process_command"`
	URI             string `json:"credentials_uri"`
	OIDCProvider    string `json:"oidc_provider_arn"`
	OIDCTokenFile   string `json:"oidc_token_file"`

	SSOAccessExpires int64 `json:"cloud_sso_access_token_expire"` // Unix time
	OAuthExpires     int64 `json:"oauth_refresh_token_expire"`    // Unix time
}

// The modes of a profile (aliyun-cli, config/profile.go).
const (
	modeAK          = "ak"
	modeStsToken    = "ststoken"
	modeRamRoleArn  = "ramrolearn"
	modeChainable   = "chainableramrolearn"
	modeEcsRamRole  = "ecsramrole"
	modeEcsThenRole = "ramrolearnwithrolename"
	modeOIDC        = "oidc"
	modeURI         = "credentialsuri"
	modeExternal    = "external"
	modeCloudSSO    = "cloudsso"
	modeOAuth       = "oauth"
	modeBearer      = "bearertoken"
	modeAnonymous   = "anonymous"
	modeRSA         = "rsakeypair"
	modeUnset       = ""
)

// modeOf returns a mode as the constants have it: the command line ignores the case.
func modeOf(text string) string { return strings.ToLower(text) }

// mode returns the profile's mode, and where it has none the one that its fields make
// plain, as the command line does.
func (p *cliProfile) mode() string {
	key := p.AccessKeyID != "" && p.AccessKeySecret != ""
	switch {
	case p.Mode != "":
		return modeOf(p.Mode)
	case key && p.Token != "":
		return modeStsToken
	case key && p.RoleARN != "":
		return modeRamRoleArn
	case key:
		return modeAK
	case p.RoleName != "":
		return modeEcsRamRole
	case p.ProcessCommand != "":
		return modeExternal
	case p.OIDCProvider != "" && p.OIDCTokenFile != "" && p.RoleARN != "":
		return modeOIDC
	}
	return modeUnset
}

// maxConfig is the largest config.json that is read, in bytes.
const maxConfig = 4 << 20

// readConfig reads config.json. No error quotes it.
func readConfig(file string) (*cliConfig, error) {
	content, err := readSmall(file, maxConfig)
	if err != nil {
		return nil, err
	}
	var c cliConfig
	if err := decode(content, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &c, nil
}

// profile returns the profile with the given name; an empty one means the current one.
func (c *cliConfig) profile(name string) (*cliProfile, string, error) {
	name = firstOf(name, c.Current, "default")
	for i := range c.Profiles {
		if c.Profiles[i].Name == name {
			return &c.Profiles[i], name, nil
		}
	}
	return nil, name, kindf(ErrInvalidCredentials, "there is no profile %q; run: aliyun configure --profile %s", scrub(name), scrub(name))
}

var errNoHome = errors.New("the home folder is not known")

// configFile returns where config.json is: the given file, that in
// ALIBABA_CLOUD_CONFIG_FILE, or the one in the home folder.
func configFile(file string) (string, error) {
	if file = given(file, envConfigFile); file != "" {
		return file, nil
	}
	home := homeFolder(runtime.GOOS == "windows", os.Getenv)
	if home == "" {
		return "", errNoHome
	}
	return filepath.Join(home, ".aliyun", "config.json"), nil
}

// homeFolder returns the home folder as the aliyun command line finds it; empty if the
// environment does not say.
func homeFolder(windows bool, getenv func(string) string) string {
	if !windows {
		return getenv("HOME")
	}
	if home := getenv("HOMEDRIVE") + getenv("HOMEPATH"); home != "" {
		return home
	}
	return getenv("USERPROFILE")
}

// readableByOthers reports whether other users of the machine can read a file. Windows
// does not say so in the mode.
func readableByOthers(file string) bool {
	info, err := os.Stat(file)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// missingFile reports whether a file is not there at all.
func missingFile(file string) bool {
	_, err := os.Stat(file)
	return errors.Is(err, fs.ErrNotExist)
}
