package sign

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

// readHeaderV1 reads "OSS AccessKeyId:Signature".
func readHeaderV1(r *http.Request, header, rest string, now time.Time) (*signature, *osserr.Error) {
	id, provided, ok := strings.Cut(rest, ":")
	if !ok {
		return nil, osserr.Authorization("0002-00000062", "Authorization header is invalid.", header)
	}
	if strings.TrimSpace(id) == "" || provided == "" {
		return nil, osserr.Authorization("0002-00000063",
			"AccessKeyId or Signature is missing in Authorization header value.", header)
	}
	requested, date, err := RequestTime(r)
	if err != nil {
		return nil, err
	}
	if err := checkSkew(requested, now); err != nil {
		return nil, err
	}
	return &signature{accessKeyID: id, provided: provided, date: date}, nil
}

// readURLv1 reads the three parameters of a signed URL. Whether it has expired
// is known before its signature is (OSS documentation, Add signatures to URLs).
func readURLv1(query url.Values, now time.Time) (*signature, *osserr.Error) {
	expires := query.Get("Expires")
	switch {
	case expires == "":
		return nil, osserr.SignedURLIncomplete("0002-00000067")
	case query.Get("OSSAccessKeyId") == "", query.Get("Signature") == "":
		return nil, osserr.SignedURLIncomplete("")
	}
	seconds, parseErr := strconv.ParseInt(expires, 10, 64)
	if parseErr != nil || seconds < 0 {
		return nil, osserr.BadExpires()
	}
	if end := time.Unix(seconds, 0); now.After(end) {
		return nil, osserr.RequestExpired("0002-00000069", end, now)
	}
	return &signature{
		accessKeyID: query.Get("OSSAccessKeyId"),
		provided:    query.Get("Signature"),
		token:       query.Get("security-token"),
		date:        expires,
	}, nil
}
