package osstest

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

var (
	testTime = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	longKey  = Key{AccessKeyID: "ak", AccessKeySecret: "sk"}
	tempKey  = Key{AccessKeyID: "STS.ak", AccessKeySecret: "sts-sk", SecurityToken: "token", Expires: testTime.Add(time.Hour)}
	otherKey = Key{AccessKeyID: "STS.other", AccessKeySecret: "other-sk", SecurityToken: "other-token"}
)

func codeOf(e *osserr.Error) string {
	if e == nil {
		return ""
	}
	return e.Code
}

func wantFind(t *testing.T, r *keyring, id, token string, now time.Time, want string) {
	t.Helper()
	k, err := r.find(id, token, now)
	if codeOf(err) != want {
		t.Errorf("%s at %v: got %q, want %q", id, now, codeOf(err), want)
	}
	if err == nil && k.AccessKeyID != id {
		t.Errorf("%s: got the key %s", id, k.AccessKeyID)
	}
}

func TestKeyringHasDefaultKey(t *testing.T) {
	wantFind(t, newKeyring(nil, nil), DefaultKey.AccessKeyID, "", testTime, "")
	none := func(string, string) (Key, bool) { return Key{}, false }
	wantFind(t, newKeyring(nil, none), DefaultKey.AccessKeyID, "", testTime, "InvalidAccessKeyId")
}

func TestKeysAndTokensBelongTogether(t *testing.T) {
	r := newKeyring([]Key{longKey, tempKey, otherKey}, nil)
	for _, tt := range []struct{ name, id, token, want string }{
		{"passes with its token", "STS.ak", "token", ""},
		{"passes without a token where there is none", "ak", "", ""},
		{"InvalidAccessKeyId for an unknown one", "unknown", "", "InvalidAccessKeyId"},
		{"InvalidAccessKeyId without its token", "STS.ak", "", "InvalidAccessKeyId"},
		{"InvalidSecurityToken for a wrong one", "STS.ak", "wrong", "InvalidSecurityToken"},
		{"InvalidSecurityToken where there is none", "ak", "wrong", "InvalidSecurityToken"},
		{"AccessKeyIdAndSecurityTokenNotMatch for that of another key", "STS.ak", "other-token", "AccessKeyIdAndSecurityTokenNotMatch"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantFind(t, r, tt.id, tt.token, testTime, tt.want) })
	}
}

func TestKeyExpires(t *testing.T) {
	r := newKeyring([]Key{tempKey}, nil)
	wantFind(t, r, "STS.ak", "token", tempKey.Expires.Add(-time.Nanosecond), "")
	wantFind(t, r, "STS.ak", "token", tempKey.Expires, "SecurityTokenExpired")
	wantFind(t, r, "STS.ak", "wrong", tempKey.Expires, "InvalidSecurityToken")
}

func TestKeyIsRevokedExpiredAndRenewed(t *testing.T) {
	s := &Server{keys: newKeyring([]Key{tempKey, longKey}, nil)}
	s.ExpireKey("STS.ak")
	wantFind(t, s.keys, "STS.ak", "token", testTime, "SecurityTokenExpired")
	s.RevokeKey("STS.ak")
	wantFind(t, s.keys, "STS.ak", "token", testTime, "InvalidAccessKeyId")
	wantFind(t, s.keys, "ak", "", testTime, "")

	renewed := tempKey
	renewed.SecurityToken = "token2"
	s.AddKey(renewed)
	wantFind(t, s.keys, "STS.ak", "token2", testTime, "")
	wantFind(t, s.keys, "STS.ak", "token", testTime, "InvalidSecurityToken")
}

func TestKeysOfLookup(t *testing.T) {
	var asked []string
	s := &Server{keys: newKeyring(nil, func(id, token string) (Key, bool) {
		asked = append(asked, id+" "+token)
		return tempKey, id == tempKey.AccessKeyID
	})}
	wantFind(t, s.keys, "STS.ak", "token", testTime, "")
	wantFind(t, s.keys, "STS.ak", "wrong", testTime, "InvalidSecurityToken")
	wantFind(t, s.keys, "STS.ak", "", testTime, "InvalidAccessKeyId")
	wantFind(t, s.keys, "STS.ak", "token", tempKey.Expires, "SecurityTokenExpired")
	wantFind(t, s.keys, "STS.none", "token", testTime, "InvalidAccessKeyId")
	if len(asked) != 5 || asked[0] != "STS.ak token" {
		t.Errorf("asked %q", asked)
	}

	s.ExpireKey("STS.ak")
	wantFind(t, s.keys, "STS.ak", "token", testTime, "SecurityTokenExpired")
	s.RevokeKey("STS.ak")
	wantFind(t, s.keys, "STS.ak", "token", testTime, "InvalidAccessKeyId")
}

func TestAddKeyPanics(t *testing.T) {
	tests := map[string]struct {
		key  Key
		want string
	}{
		"without an ID":             {Key{AccessKeySecret: "s"}, "without AccessKeyID"},
		"without a secret":          {Key{AccessKeyID: "ak"}, "ak without AccessKeySecret"},
		"with what is no policy":    {Key{AccessKeyID: "ak", AccessKeySecret: "s", Policy: "{"}, "key ak: read RAM policy"},
		"with a policy's condition": {Key{AccessKeyID: "ak", AccessKeySecret: "s", Policy: conditional}, "Condition"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, tt.want) {
					t.Errorf("panicked with %q, want something with %q", got, tt.want)
				}
			}()
			(&Server{keys: newKeyring(nil, nil)}).AddKey(tt.key)
		})
	}
}

func TestKeyTextHidesSecrets(t *testing.T) {
	k := Key{AccessKeyID: "id-shown", AccessKeySecret: "hidden", SecurityToken: "hidden", Expires: testTime, Policy: `{"hidden":1}`}
	long := Key{AccessKeyID: "id-shown", AccessKeySecret: "hidden"}
	encoded, err := json.Marshal(map[string]any{"key": k, "pointer": &k})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), fmt.Sprintf("%v", []Key{k}),
		fmt.Sprint(&k), long.String(), k.LogValue().String(), string(encoded),
	} {
		if strings.Contains(text, "hidden") || !strings.Contains(text, "id-shown") {
			t.Errorf("text is %s", text)
		}
	}
}
