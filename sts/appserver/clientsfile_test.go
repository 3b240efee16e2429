package appserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts/appserver"
)

func TestParseClients(t *testing.T) {
	const a, b = "3f9c8a1be27d4065", "token-of-bob-1234567890"
	got, err := appserver.ParseClients([]byte(`{"` + a + `": {"Name": "alice", "ObjectPrefix": "users/alice/"},
		"` + b + `": {"Name": "507f1f77bcf86cd799439011"}}`))
	if err == nil {
		t.Errorf("got %v; want an error for a name like a token beside a token like a name", got)
	}
	got, err = appserver.ParseClients([]byte("\xef\xbb\xbf" + `{"` + a + `": {"Name": "alice", "ObjectPrefix": "users/alice/"}, "` + b + `": {"Name": "bob"}}`))
	if err != nil || len(got) != 2 || got[a] != (appserver.Identity{Name: "alice", ObjectPrefix: "users/alice/"}) || got[b].Name != "bob" {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := appserver.ParseClients([]byte(`{}`)); err != nil || len(got) != 0 {
		t.Errorf("nobody: got %v, %v", got, err)
	}
}

func TestParseClientsRefuses(t *testing.T) {
	const token = "3f9c8a1be27d40653f9c8a1be27d4065"
	tests := []struct{ name, text, want string }{
		{"short token", `{"hunter2": {"Name": "alice"}}`, "line 1: the token has 7 characters"},
		{"the wrong way round", "{\n\"alice\": {\"Name\": \"" + token + "\"}}", "line 2: the Name looks like a token"},
		{"the wrong way round, and a long name", `{"alice-of-accounting": {"Name": "` + token + `"}}`, "the Name looks like a token"},
		{"the wrong way round, and a token of words", `{"alice": {"Name": "hunter2-hunter2-hunter2"}}`, "the Name looks like a token"},
		{"name and token the same", `{"` + token + `": {"Name": "` + token + `"}}`, "the Name is a token"},
		{"name that is another's token", `{"` + token + `": {"Name": "alice"}, "hunter2-of-the-second": {"Name": "` + token + `"}}`, "the Name is a token"},
		{"a token twice", "{\"" + token + "\": {\"Name\": \"alice\"},\n\"" + token + "\": {\"Name\": \"bob\"}}", "line 2: the token is there twice"},
		{"no name", `{"` + token + `": {"ObjectPrefix": "a/"}}`, "no Name"},
		{"prefix without a slash", `{"` + token + `": {"Name": "alice", "ObjectPrefix": "alice"}}`, "slash at its end"},
		{"prefix of all", `{"` + token + `": {"Name": "alice", "ObjectPrefix": "*/"}}`, "want none of"},
		{"prefix that is the token", `{"` + token + `": {"Name": "alice", "ObjectPrefix": "` + token + `"}}`, "not shown"},
		{"white space in the token", `{"` + token + ` ": {"Name": "alice"}}`, "white space"},
		{"unknown field", `{"` + token + `": {"Name": "alice", "Prefix": "a/"}}`, "Prefix is not a known key"},
		{"token as a field", `{"` + token + `": {"Name": "alice", "` + token + `": "a/"}}`, "is not a known key"},
		{"field twice", `{"` + token + `": {"Name": "alice", "Name": "bob"}}`, "Name is there twice"},
		{"name instead of an object", `{"` + token + `": "alice"}`, "want an object"},
		{"a list", `["` + token + `"]`, "want a JSON object"},
		{"cut short", `{"` + token + `": {"Name": "ali`, "not valid JSON"},
		{"two mistakes", "{\"hunter2\": {\"Name\": \"a\"},\n\"" + token + "\": {}}", "line 2: the client has no Name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := appserver.ParseClients([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error = %v, want %q", err, tt.want)
			}
			if strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a token: %v", err)
			}
			path := filepath.Join(t.TempDir(), "clients.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := appserver.LoadClients(path); err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("LoadClients: %v, want the file's name", err)
			}
		})
	}
}

func TestBearerDoesNotShowSwappedTokens(t *testing.T) {
	for name, clients := range map[string]map[string]appserver.Identity{
		"generated": {"alice": {Name: "3f9c8a1be27d40653f9c8a1be27d4065"}},
		"words":     {"alice": {Name: "hunter2-hunter2-hunter2"}},
		"the same":  {"hunter2-hunter2-hunter2": {Name: "hunter2-hunter2-hunter2"}},
	} {
		if _, err := appserver.Bearer(clients); err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "3f9c") {
			t.Errorf("%s: error = %v, want one without the token", name, err)
		}
	}
}

func FuzzParseClients(f *testing.F) {
	for _, seed := range []string{`{}`, `{"3f9c8a1be27d4065": {"Name": "alice", "ObjectPrefix": "a/"}}`, `{"a":{"Name":1}}`, `[`, `{"x":{"Name":"a","Name":"b"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		clients, err := appserver.ParseClients(data)
		if err != nil {
			return
		}
		if _, err := appserver.Bearer(clients); err != nil {
			t.Errorf("Bearer refuses what ParseClients took: %v", err)
		}
	})
}

// Wherever the secret was pasted, it is refused and not shown.
func TestMisplacedSecrets(t *testing.T) {
	const other = "aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1"
	for name, edit := range map[string]func(*appserver.Config, string){
		"RoleArn":      func(c *appserver.Config, s string) { c.RoleARN = s },
		"BucketName":   func(c *appserver.Config, s string) { c.BucketName = s },
		"ObjectPrefix": func(c *appserver.Config, s string) { c.ObjectPrefix = s },
		"PolicyFile":   func(c *appserver.Config, s string) { c.PolicyFile = s },
		"STSEndpoint":  func(c *appserver.Config, s string) { c.STSEndpoint = "https://user:" + s + "@host" },
	} {
		for _, pasted := range []string{secret, other} {
			c := config("https://sts.aliyuncs.com")
			edit(c, pasted)
			_, err := appserver.New(c, nil)
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: error = %v, want it to name the field", name, err)
			}
			if text := c.String() + err.Error(); strings.Contains(text, pasted) {
				t.Errorf("%s: the secret is shown: %s", name, text)
			}
		}
	}
	for name, edit := range map[string]func(*appserver.Config){
		"in a valid role":         func(c *appserver.Config) { c.RoleARN = "acs:ram::1:role/" + secret },
		"in a valid session name": func(c *appserver.Config) { c.SessionName = secret },
		"as the key's ID":         func(c *appserver.Config) { c.AccessKeyID = secret },
		"the wrong way round":     func(c *appserver.Config) { c.AccessKeyID, c.AccessKeySecret = secret, "LTAI5tQmZkLx3fvYw9RbN2cd" },
	} {
		c := config("https://sts.aliyuncs.com")
		edit(c)
		if _, err := appserver.New(c, nil); err == nil || strings.Contains(err.Error(), secret) || strings.Contains(c.String(), secret) {
			t.Errorf("%s: error = %v of %s; want one without the secret", name, err, c)
		}
	}
}

func TestConfigThatEverybodyCanReadIsWarnedAbout(t *testing.T) {
	for mode, warned := range map[os.FileMode]bool{0o644: true, 0o604: true, 0o600: false, 0o640: false} {
		path := filepath.Join(t.TempDir(), "config.json")
		text := `{"AccessKeyID":"` + keyID + `","AccessKeySecret":"` + secret + `","RoleArn":"acs:ram::1:role/a","PolicyFile":"all_policy.txt"}`
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Skip("the system has no such rights")
		}
		c, err := appserver.LoadConfig(path)
		if err != nil {
			t.Fatal(err)
		}
		log := &syncBuffer{}
		h, err := appserver.New(c, &appserver.Options{Logger: logTo(log)})
		if err != nil {
			t.Fatal(err)
		}
		h.Close()
		if got := strings.Contains(log.String(), "chmod 600"); got != warned {
			t.Errorf("mode %o: warned is %t, want %t: %s", mode, got, warned, log)
		}
	}
}
