package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/sts"
)

const secret = "not-to-be-seen"

const ossutil1 = "[Credentials]\nlanguage=EN\nendpoint = oss-cn-beijing.aliyuncs.com\naccessKeyID=LTAIone\naccess_key = " + secret + `
[Bucket-Endpoint]
archive = oss-cn-shanghai.aliyuncs.com
[Bucket-Cname]
public=media.example.com
`

const ossutil2 = "[default]\naccess-key-id=LTAItwo\naccess-key-secret=" + secret + "\nregion=cn-beijing\n" +
	"[profile media]\nAccessKeyId=LTAImedia\naccessKeySecret=" + secret + "\nregion=cn-shenzhen\nendpoint=oss-cn-shenzhen-internal.aliyuncs.com\n" +
	"[profile chain]\nmode=RamRoleArn\nrole-arn=acs:ram::1:role/up\nsource-profile=media\nregion=cn-hangzhou\n" +
	"[profile loop]\nmode=RamRoleArn\nrole-arn=acs:ram::1:role/up\nsource-profile=loop\n" +
	"[profile odd]\nmode=Guess\n[profile half]\naccess-key-id=LTAIhalf\n" +
	"[buckets eu]\nregion=eu-central-1\n"

const aliyun = `{"current":"work","profiles":[
 {"name":"work","mode":"AK","access_key_id":"LTAIcli","access_key_secret":"` + secret + `","region_id":"cn-qingdao"},
 {"name":"other","mode":"AK","access_key_id":"LTAIother","access_key_secret":"` + secret + `","region_id":"cn-zhangjiakou"}]}`

// machine returns the input of a machine with these files and variables.
func machine(t *testing.T, files, environ map[string]string) config.Input {
	t.Helper()
	home := t.TempDir()
	for name, text := range files {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Input{Home: home, Lookup: func(name string) (string, bool) {
		if name == "ALIBABA_CLOUD_ECS_METADATA_DISABLED" {
			return "true", true
		}
		return environ[name], environ[name] != ""
	}}
}

// keyOf returns the access key ID of a configuration.
func keyOf(t *testing.T, c *config.Config) string {
	t.Helper()
	creds, err := c.Credentials.Credentials(t.Context())
	if err != nil {
		return "error"
	}
	if creds.AccessKeySecret != secret {
		t.Errorf("the secret is another one")
	}
	return creds.AccessKeyID
}

func TestResolve(t *testing.T) {
	one := map[string]string{".ossutilconfig": ossutil1}
	two := map[string]string{".ossutilconfig": ossutil2, ".aliyun/config.json": aliyun}
	cli := map[string]string{".aliyun/config.json": aliyun}
	key := func(prefix, id string) map[string]string {
		return map[string]string{prefix + "_ACCESS_KEY_ID": id, prefix + "_ACCESS_KEY_SECRET": secret}
	}
	with := func(m map[string]string, more ...string) map[string]string {
		all := map[string]string{}
		for k, v := range m {
			all[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	for _, test := range []struct {
		outcome        string
		files, environ map[string]string
		flags          config.Flags
		bucket         string
		want           string // key, endpoint, region
	}{
		{"ossutil 1", one, nil, config.Flags{}, "b", "LTAIone oss-cn-beijing.aliyuncs.com -"},
		{"ossutil 1, a bucket's endpoint", one, nil, config.Flags{}, "archive", "LTAIone oss-cn-shanghai.aliyuncs.com -"},
		{"ossutil 1, a bucket's domain", one, nil, config.Flags{Region: "cn-beijing"}, "public", "LTAIone media.example.com cn-beijing"},
		{"a flag before a bucket's endpoint", one, nil, config.Flags{Endpoint: "oss-x.aliyuncs.com"}, "archive", "LTAIone oss-x.aliyuncs.com -"},
		{"a region by flag before the file's endpoint", one, nil, config.Flags{Region: "cn-chengdu"}, "b", "LTAIone oss-cn-chengdu.aliyuncs.com cn-chengdu"},
		{"ossutil 2, default, before the aliyun CLI", two, nil, config.Flags{}, "b", "LTAItwo oss-cn-beijing.aliyuncs.com cn-beijing"},
		{"ossutil 2, a profile", two, nil, config.Flags{Profile: "media"}, "b", "LTAImedia oss-cn-shenzhen-internal.aliyuncs.com cn-shenzhen"},
		{"ossutil 2, a bucket's region", two, nil, config.Flags{}, "eu", "LTAItwo oss-eu-central-1.aliyuncs.com eu-central-1"},
		{"a profile that only the aliyun CLI has", two, nil, config.Flags{Profile: "other"}, "b", "LTAIother oss-cn-zhangjiakou.aliyuncs.com cn-zhangjiakou"},
		{"the aliyun CLI's current profile", cli, nil, config.Flags{}, "b", "LTAIcli oss-cn-qingdao.aliyuncs.com cn-qingdao"},
		{"a profile by the environment", two, map[string]string{"VODUPLOAD_PROFILE": "media"}, config.Flags{}, "b", "LTAImedia oss-cn-shenzhen-internal.aliyuncs.com cn-shenzhen"},
		{"the environment before files", two, key("ALIBABA_CLOUD", "LTAIenv"), config.Flags{}, "b", "LTAIenv oss-cn-beijing.aliyuncs.com cn-beijing"},
		{"OSS_ before ALIBABA_CLOUD_", two, with(key("ALIBABA_CLOUD", "LTAIenv"), "OSS_ACCESS_KEY_ID", "LTAIoss", "OSS_ACCESS_KEY_SECRET", secret, "OSS_REGION", "oss-cn-hongkong"), config.Flags{}, "b", "LTAIoss oss-cn-hongkong.aliyuncs.com cn-hongkong"},
		{"VODUPLOAD_ before OSS_", nil, with(key("VODUPLOAD", "LTAIown"), "OSS_ACCESS_KEY_ID", "LTAIoss", "OSS_ACCESS_KEY_SECRET", secret, "OSS_ENDPOINT", "e", "VODUPLOAD_ENDPOINT", "f"), config.Flags{}, "b", "LTAIown f -"},
		{"--profile before the environment", two, key("VODUPLOAD", "LTAIown"), config.Flags{Profile: "media"}, "b", "LTAImedia oss-cn-shenzhen-internal.aliyuncs.com cn-shenzhen"},
		{"nothing", nil, map[string]string{"OSS_REGION": "cn-beijing"}, config.Flags{}, "b", "error oss-cn-beijing.aliyuncs.com cn-beijing"},
		{"a custom domain", nil, with(key("OSS", "LTAIoss"), "OSS_REGION", "cn-beijing"), config.Flags{CustomDomain: "media.example.com"}, "b", "LTAIoss media.example.com cn-beijing"},
	} {
		t.Run(test.outcome, func(t *testing.T) {
			in := machine(t, test.files, test.environ)
			in.Flags = test.flags
			c, err := config.Resolve(in)
			if err != nil {
				t.Fatal(err)
			}
			p, err := c.Place(test.bucket)
			if err != nil {
				t.Fatal(err)
			}
			region := p.Region
			if region == "" {
				region = "-"
			}
			if got := keyOf(t, c) + " " + p.Endpoint + " " + region; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			for _, s := range c.Settings() {
				if s.Name == "" || s.Origin == "" || strings.Contains(s.Value+s.Origin, secret) {
					t.Errorf("setting %+v", s)
				}
			}
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	for _, test := range []struct {
		outcome        string
		files, environ map[string]string
		flags          config.Flags
		want           string
	}{
		{"a profile that is nowhere", map[string]string{".ossutilconfig": ossutil2}, nil, config.Flags{Profile: "none"}, "flag --profile: there is no profile none"},
		{"a file that is not there", nil, nil, config.Flags{ConfigFile: "/nowhere/file"}, "/nowhere/file"},
		{"an unknown mode", map[string]string{".ossutilconfig": ossutil2}, nil, config.Flags{Profile: "odd"}, `mode "Guess": wanted AK`},
		{"half a key in a file", map[string]string{".ossutilconfig": ossutil2}, nil, config.Flags{Profile: "half"}, "profile half"},
		{"half a key in the environment", nil, map[string]string{"OSS_ACCESS_KEY_SECRET": secret}, config.Flags{}, "OSS_ACCESS_KEY_SECRET is set, but not OSS_ACCESS_KEY_ID"},
		{"a key with a line break", nil, map[string]string{"OSS_ACCESS_KEY_ID": "LTAI", "OSS_ACCESS_KEY_SECRET": secret + "\n"}, config.Flags{}, "OSS_ACCESS_KEY_ID"},
		{"a profile that leads to itself", map[string]string{".ossutilconfig": ossutil2}, nil, config.Flags{Profile: "loop"}, "back to itself"},
		{"JSON that ends too soon", map[string]string{".aliyun/config.json": `{"current":"a","access_key_secret":"` + secret}, nil, config.Flags{}, "JSON cannot be read"},
		{"a role that is none", nil, map[string]string{"OSS_ACCESS_KEY_ID": "LTAI", "OSS_ACCESS_KEY_SECRET": secret}, config.Flags{RoleARN: "up"}, "flag --role-arn"},
	} {
		t.Run(test.outcome, func(t *testing.T) {
			in := machine(t, test.files, test.environ)
			in.Flags = test.flags
			_, err := config.Resolve(in)
			var own *config.Error
			if !errors.As(err, &own) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	t.Run("no credentials at all", func(t *testing.T) {
		c, err := config.Resolve(machine(t, nil, nil))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Credentials.Credentials(t.Context()); !errors.Is(err, sts.ErrNotConfigured) || !sts.Permanent(err) {
			t.Errorf("got %v, want ErrNotConfigured", err)
		}
	})
}

func TestAccessKeyIDOfAProfile(t *testing.T) {
	const modes = `{"current":"ecs","profiles":[{"name":"ecs","mode":"EcsRamRole","ram_role_name":"r","access_key_id":"LTAIunused"},
		{"name":"sts","mode":"StsToken","access_key_id":"STS.temporary","access_key_secret":"` + secret + `","sts_token":"t"}]}`
	for name, tt := range map[string]struct {
		file, text, profile string
		value, origin       string
	}{
		"of ossutil 1":              {".ossutilconfig", ossutil1, "", "LTA…", "profile default"},
		"of ossutil 2":              {".ossutilconfig", ossutil2, "media", "LTAI…", "profile media"},
		"of the aliyun CLI":         {".aliyun/config.json", aliyun, "", "LTA…", "profile work"},
		"of a temporary key":        {".aliyun/config.json", modes, "sts", "STS.…", "profile sts"},
		"not of another's":          {".ossutilconfig", ossutil2, "chain", "", "not known before it is asked for"},
		"not of a mode without one": {".aliyun/config.json", modes, "", "", "not known before it is asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			in := machine(t, map[string]string{tt.file: tt.text}, nil)
			in.Flags.Profile = tt.profile
			c, err := config.Resolve(in)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.AccessKeyID; got.Value != tt.value || !strings.HasSuffix(got.Origin, tt.origin) {
				t.Errorf("got %+v, want %q of %s", got, tt.value, tt.origin)
			}
		})
	}
}

func TestChainOfProfiles(t *testing.T) {
	in := machine(t, map[string]string{".ossutilconfig": ossutil2}, nil)
	in.Flags.Profile = "chain"
	c, err := config.Resolve(in)
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(c.Credentials); !strings.Contains(text, "acs:ram::1:role/up") {
		t.Errorf("got %s", text)
	}
}

func TestPlaceNeedsAnEndpoint(t *testing.T) {
	c, err := config.Resolve(machine(t, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Place("media"); err == nil || !strings.Contains(err.Error(), "--region or --endpoint") {
		t.Errorf("got %v", err)
	}
}
