package main

import (
	"fmt"
	"strings"

	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload/osstest"
)

// banner is what to copy into another terminal, to use the server. It has a secret in
// it only where everybody knows that: the default key's.
func banner(url, stsURL, bucket string, key osstest.Key) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("")
	line("To use it, copy into another terminal:")
	line("")
	line("  export ALIBABA_CLOUD_ACCESS_KEY_ID=%s", key.AccessKeyID)
	if key == osstest.DefaultKey {
		line("  export ALIBABA_CLOUD_ACCESS_KEY_SECRET=%s", key.AccessKeySecret)
	} else {
		line("  export ALIBABA_CLOUD_ACCESS_KEY_SECRET=...    # the secret that you gave")
	}
	line("  go run ./examples/upload -endpoint %s \\", url)
	line("      -bucket %s FILE", bucket)
	if stsURL != "" {
		line("")
		line("and for a token server whose tokens it accepts, with the same key:")
		line("")
		// Not exported: with a role in the environment an upload would ask the real STS.
		line("  VODUPLOAD_STS_ENDPOINT=%s \\", stsURL)
		line("      ALIBABA_CLOUD_ROLE_ARN=%s \\", ststest.DefaultRole)
		line("      VODUPLOAD_BUCKET_NAME=%s \\", bucket)
		line("      VODUPLOAD_POLICY_FILE=policy/bucket_read_write_policy.txt \\")
		line("      go run ./examples/tokenserver")
	}
	return b.String()
}
