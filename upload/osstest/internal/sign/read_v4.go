package sign

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

const maxExpiresV4 = 7 * 24 * time.Hour

// readHeaderV4 reads
// "OSS4-HMAC-SHA256 Credential=id/scope[,AdditionalHeaders=a;b],Signature=hex".
func readHeaderV4(r *http.Request, header, rest, region string, now time.Time) (*signature, *osserr.Error) {
	fields, err := splitHeaderV4(header, rest)
	if err != nil {
		return nil, err
	}
	id, sc, err := readCredentialHeader(fields["Credential"], region, header)
	if err != nil {
		return nil, err
	}
	list, given := fields["AdditionalHeaders"]
	if fault := additionalFault(r, list, given); fault.text != "" {
		return nil, osserr.Authorization(fault.ec, fault.text, header)
	}
	if payload := r.Header.Get("X-Oss-Content-Sha256"); payload != unsignedPayload {
		return nil, errPayload(payload)
	}
	requested, date, err := RequestTime(r)
	if err != nil {
		return nil, err
	}
	if wrongDay(sc.date, requested, now) {
		return nil, osserr.Authorization("0002-00000212", "Invalid signing date in Authorization header.", header)
	}
	if err := checkSkew(requested, now); err != nil {
		return nil, err
	}
	return &signature{
		v4:          true,
		accessKeyID: id,
		provided:    fields["Signature"],
		date:        date,
		scope:       sc,
		additional:  additionalHeaders(list),
	}, nil
}

// splitHeaderV4 returns the two or three fields of a header by their names.
func splitHeaderV4(header, rest string) (map[string]string, *osserr.Error) {
	items := strings.Split(rest, ",")
	if len(items) < 2 || len(items) > 3 {
		return nil, osserr.Authorization("0002-00000202",
			"Authorization header is invalid, bad num of Items in Authorization header.", header)
	}
	fields := make(map[string]string)
	for _, item := range items {
		name, value, ok := strings.Cut(strings.TrimSpace(item), "=")
		switch {
		case !ok:
			return nil, osserr.Authorization("0002-00000203", "Authorization header is invalid.", header)
		case name != "Credential" && name != "AdditionalHeaders" && name != "Signature":
			return nil, osserr.Authorization("0002-00000204", "Unknown parameter in Authorization header.", header)
		}
		fields[name] = value
	}
	if fields["Credential"] == "" || fields["Signature"] == "" {
		return nil, osserr.Authorization("0002-00000205",
			"AccessKeyId or Signature is missing in Authorization header value.", header)
	}
	return fields, nil
}

func readCredentialHeader(credential, region, header string) (string, scope, *osserr.Error) {
	id, sc, fault := readCredential(credential, region)
	switch fault {
	case credentialMalformed:
		return "", sc, osserr.Authorization("0002-00000213", "Invalid credential in Authorization header.", header)
	case credentialDate:
		return "", sc, osserr.Authorization("0002-00000212", "Invalid signing date in Authorization header.", header)
	case credentialRegion:
		return "", sc, osserr.Authorization("0002-00000226", "Invalid signing region in Authorization header.", header)
	}
	return id, sc, nil
}

// readURLv4 reads the parameters of a signed URL.
func readURLv4(r *http.Request, query url.Values, region string, now time.Time) (*signature, *osserr.Error) {
	if version := query.Get("x-oss-signature-version"); version != "" && version != algorithmV4 {
		return nil, osserr.InvalidArgument("0002-00000066", "The signature version is invalid.",
			"x-oss-signature-version", version)
	}
	if err := checkComplete(query); err != nil {
		return nil, err
	}
	credential := query.Get("x-oss-credential")
	id, sc, err := readCredentialURL(credential, region)
	if err != nil {
		return nil, err
	}
	const additional = "x-oss-additional-headers"
	if fault := additionalFault(r, query.Get(additional), query.Has(additional)); fault.text != "" {
		// The ECs are documented for the header only.
		return nil, osserr.InvalidArgument("", fault.text, additional, query.Get(additional))
	}
	if payload := r.Header.Get("X-Oss-Content-Sha256"); payload != "" && payload != unsignedPayload {
		return nil, errPayload(payload)
	}
	date := query.Get("x-oss-date")
	if err := checkPeriod(date, query.Get("x-oss-expires"), sc, credential, now); err != nil {
		return nil, err
	}
	return &signature{
		v4:          true,
		accessKeyID: id,
		token:       query.Get("x-oss-security-token"),
		provided:    query.Get("x-oss-signature"),
		date:        date,
		scope:       sc,
		additional:  additionalHeaders(query.Get(additional)),
	}, nil
}

func checkComplete(query url.Values) *osserr.Error {
	for name, ec := range map[string]string{
		"x-oss-signature-version": "",
		"x-oss-credential":        "0002-00000217",
		"x-oss-date":              "",
		"x-oss-expires":           "",
		"x-oss-signature":         "0002-00000219",
	} {
		if query.Get(name) == "" {
			return osserr.SignedURLv4Incomplete(ec)
		}
	}
	return nil
}

func readCredentialURL(credential, region string) (string, scope, *osserr.Error) {
	const name = "x-oss-credential"
	id, sc, fault := readCredential(credential, region)
	switch fault {
	case credentialMalformed:
		return "", sc, osserr.InvalidArgument("0002-00000224", "The credential is invalid.", name, credential)
	case credentialDate:
		return "", sc, osserr.InvalidArgument("0002-00000223", "The signing date in credential is invalid.", name, credential)
	case credentialRegion:
		return "", sc, osserr.InvalidArgument("0002-00000228", "The signing region in credential is invalid.", name, credential)
	}
	return id, sc, nil
}

// checkPeriod checks that a signed URL is of the day that its credential says,
// and that now lies in its time.
func checkPeriod(date, expires string, sc scope, credential string, now time.Time) *osserr.Error {
	begin, parseErr := time.Parse(timeFormV4, date)
	if parseErr != nil {
		return osserr.NoValidDate()
	}
	if begin.Format(dateFormV4) != sc.date {
		return osserr.InvalidArgument("0002-00000223", "The signing date in credential is invalid.",
			"x-oss-credential", credential)
	}
	seconds, parseErr := strconv.ParseInt(expires, 10, 64)
	if parseErr != nil || seconds < 1 || seconds > int64(maxExpiresV4/time.Second) {
		return osserr.InvalidArgument("0002-00000232",
			"x-oss-expires should be between 1 and 604800 seconds.", "x-oss-expires", expires)
	}
	if begin.Sub(now) > osserr.MaxSkew {
		return osserr.TimeTooSkewed(begin, now)
	}
	if end := begin.Add(time.Duration(seconds) * time.Second); now.After(end) {
		return osserr.RequestExpired("0002-00000236", end, now)
	}
	return nil
}

// A credentialFault says what is wrong with a credential of version 4.
type credentialFault int

const (
	credentialGood credentialFault = iota
	credentialMalformed
	credentialDate
	credentialRegion
)

// readCredential reads "AccessKeyId/20060102/region/oss/aliyun_v4_request".
func readCredential(credential, region string) (id string, sc scope, fault credentialFault) {
	f := strings.Split(credential, "/")
	if len(f) != 5 || f[0] == "" || f[3] != productV4 || f[4] != terminatorV4 {
		return "", scope{}, credentialMalformed
	}
	sc = scope{date: f[1], region: f[2]}
	if _, err := time.Parse(dateFormV4, sc.date); err != nil {
		return "", sc, credentialDate
	}
	if sc.region != region {
		return "", sc, credentialRegion
	}
	return f[0], sc, credentialGood
}

// wrongDay reports whether the day that was signed is not that of the request,
// or more than a day off from the server's. The OSS SDKs for Android,
// Swift and Kotlin expect this answer, and not RequestTimeTooSkewed, to a clock
// that is days off; where exactly OSS draws the line is not documented.
func wrongDay(date string, requested, now time.Time) bool {
	day, _ := time.Parse(dateFormV4, date)
	if requested.UTC().Format(dateFormV4) != date {
		return true
	}
	return day.Sub(now.UTC().Truncate(24*time.Hour)).Abs() > 24*time.Hour
}

// A headersFault is what is wrong with a list of additional headers.
type headersFault struct{ ec, text string }

// additionalFault returns what is wrong with the list of the headers that are
// signed beyond the usual ones. OSS wants all of them to be there (OSS
// documentation, the pages of the three ECs).
func additionalFault(r *http.Request, list string, given bool) headersFault {
	switch {
	case !given:
		return headersFault{}
	case strings.TrimSpace(list) == "":
		return headersFault{"0002-00000209", "The additional headers are empty."}
	}
	for name := range strings.SplitSeq(list, ";") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			return headersFault{"0002-00000210", "There is an empty name among the additional headers."}
		case strings.Contains(name, "_") || !hasHeader(r, name):
			return headersFault{"0002-00000211", "An additional header is not in the request."}
		}
	}
	return headersFault{}
}

// hasHeader reports whether a request has a header. net/http takes some out.
func hasHeader(r *http.Request, name string) bool {
	name = http.CanonicalHeaderKey(name)
	return len(r.Header[name]) > 0 || name == "Host" || name == "Content-Length" && r.ContentLength > 0
}

// additionalHeaders returns the names of a list a;b in the order in which they
// are signed. Headers that are signed anyway do not count.
func additionalHeaders(list string) []string {
	var names []string
	for name := range strings.SplitSeq(list, ";") {
		name = strings.ToLower(strings.TrimSpace(name))
		if name != "" && !isSignedV4(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func errPayload(value string) *osserr.Error {
	return osserr.InvalidArgument("0002-00000214", "x-oss-content-sha256 should be "+unsignedPayload+".",
		"x-oss-content-sha256", value)
}
