package credentials

import (
	"time"

	"github.com/vodupload/vodupload/sts"
)

// earliest bounds how long before its expiration a token is replaced: a request that is
// signed now may be judged when its body has arrived.
const earliest = time.Minute

// usableUntil returns when credentials that were given at now are to be replaced. For a
// token that is past its time already the clock may be wrong: that is for the server to
// say.
func usableUntil(now, expiration time.Time) time.Time {
	life := expiration.Sub(now)
	if expiration.IsZero() || life <= 0 {
		return time.Time{}
	}
	return expiration.Add(-min(earliest, life/10))
}

func same(a, b sts.Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.AccessKeySecret == b.AccessKeySecret && a.SecurityToken == b.SecurityToken
}
