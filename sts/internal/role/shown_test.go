package role

import (
	"strings"
	"testing"
)

func TestShown(t *testing.T) {
	tests := []struct {
		name, value string
		shown       bool
	}{
		{"name", "uploader", true},
		{"ARN", "acs:ram::1000000000000001:user/alice", true},
		{"names with hyphens", "media-bucket-for-the-customers-of-2026", true},
		{"words written together", "AliyunSTSAssumeRoleAccess", true},
		{"empty", "", true},
		{"secret", "wyLTSmsyPGP1ohvvw8xYgB29dlGI8K", false},
		{"secret in an ARN", "acs:ram::1:role/wyLTSmsyPGP1ohvvw8xYgB29dlGI8K", false},
		{"key ID", "LTAI5tQmZkLx3fvYw9RbN2cd", false},
		{"token", "CAISowJ1q6Ft5B2yfSjIr5bKEvLi7+", false},
		{"hexadecimal", "0123456789abcdef0123456789abcdef", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Shown(tt.value); strings.Contains(got, tt.value) != tt.shown {
				t.Errorf("Shown(%q) = %s; want it shown: %t", tt.value, got, tt.shown)
			}
			if err := ValidateARN(tt.value); err != nil && !tt.shown && strings.Contains(err.Error(), tt.value) {
				t.Errorf("ValidateARN: %v", err)
			}
			if err := ValidateSessionName(tt.value + " "); !tt.shown && strings.Contains(err.Error(), tt.value) {
				t.Errorf("ValidateSessionName: %v", err)
			}
		})
	}
}

func FuzzCompactPolicy(f *testing.F) {
	for _, seed := range []string{"", "{}", ` { "a" : [ 1 ] } `, "[]", "{", "null", `{"` + strings.Repeat("x", MaxPolicy) + `":1}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, policy string) {
		short, err := CompactPolicy(policy)
		if err != nil || policy == "" {
			return
		}
		if again, err := CompactPolicy(short); err != nil || again != short || len([]rune(short)) > MaxPolicy {
			t.Errorf("compact form %q of %q: again %q, %v", short, policy, again, err)
		}
	})
}
