package osstest

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestWrongETag(t *testing.T) {
	f := newFaultTest(t, nil)
	t.Run("in a header", func(t *testing.T) {
		right := f.do("PUT", f.part(2), "x").header.Get("ETag")
		f.Inject(WrongETag(OpUploadPart))
		wrong := f.do("PUT", f.part(2), "x").header.Get("ETag")
		if wrong == right || len(wrong) != len(right) || wrong[2:] != right[2:] {
			t.Errorf("got %s, want it unlike %s in one digit", wrong, right)
		}
	})
	t.Run("in the XML of CompleteMultipartUpload", func(t *testing.T) {
		f.Inject(WrongETag(OpCompleteMultipartUpload))
		r := f.calls()[OpCompleteMultipartUpload](t.Context())
		right := f.do("HEAD", "/media/object", "").header.Get("ETag")
		inXML := strings.Contains(r.body, strings.Trim(right, `"`))
		if r.status != 200 || inXML || r.header.Get("ETag") == right || !strings.Contains(r.body, `-1`) {
			t.Errorf("got %d with ETag %s, want it unlike %s:\n%s", r.status, r.header.Get("ETag"), right, r.body)
		}
	})
	f.AssertFired(t)
}

func TestWrongCRC64(t *testing.T) {
	f := newFaultTest(t, nil)
	const name = "x-oss-hash-crc64ecma"
	right := f.do("PUT", f.part(2), "x").header.Get(name)
	t.Run("in a header", func(t *testing.T) {
		f.Inject(WrongCRC64(OpUploadPart))
		wrong := f.do("PUT", f.part(2), "x").header.Get(name)
		if _, err := strconv.ParseUint(wrong, 10, 64); err != nil || wrong == right {
			t.Errorf("got %q, want a CRC64 other than %s", wrong, right)
		}
	})
	t.Run("in the list of parts", func(t *testing.T) {
		f.Inject(WrongCRC64(OpListParts))
		r := f.do("GET", "/media/object?uploadId="+f.uploadID, "")
		if strings.Contains(r.body, right) || !strings.Contains(r.body, "<HashCrc64ecma>") {
			t.Errorf("want a CRC64 other than %s:\n%s", right, r.body)
		}
	})
	f.AssertFired(t)
}

func TestDropHeader(t *testing.T) {
	for _, name := range []string{"ETag", "x-oss-hash-crc64ecma", "x-oss-request-id", "Date"} {
		t.Run(name, func(t *testing.T) {
			f := newFaultTest(t, nil)
			f.Inject(DropHeader(OpUploadPart, name))
			r := f.do("PUT", f.part(2), "x")
			if got, there := r.header[name]; there || r.header.Get(name) != "" || r.status != 200 {
				t.Errorf("got %d with %q, want 200 without", r.status, got)
			}
			f.AssertFired(t)
		})
	}
	t.Run("several at once", func(t *testing.T) {
		f := newFaultTest(t, nil)
		f.Inject(DropHeader(OpUploadPart, "ETag", "Date", "Content-MD5"))
		r := f.do("PUT", f.part(2), "x")
		if len(r.header["Etag"])+len(r.header["Date"])+len(r.header["Content-Md5"]) != 0 {
			t.Errorf("got %v", r.header)
		}
	})
}

func TestDropElement(t *testing.T) {
	f := newFaultTest(t, nil)
	f.Inject(DropElement(OpInitiateMultipartUpload, "UploadId"))
	r := f.do("POST", "/media/object?uploads", "")
	if r.status != 200 || strings.Contains(r.body, "UploadId") || !strings.Contains(r.body, "<Key>object</Key>") {
		t.Errorf("got %d, want 200 without UploadId:\n%s", r.status, r.body)
	}
	f.AssertFired(t)
}

func TestSpoilerWaitsForItsAnswer(t *testing.T) {
	f := newFaultTest(t, nil)
	fault := WrongETag(AnyOp)
	f.Inject(fault)
	f.good("GET", "/media?location", "")
	if fault.Count() != 0 || len(f.Unfired()) != 1 || f.Requests()[0].Fault != nil {
		t.Fatalf("the fault hit an answer without an ETag: %v", f.Requests())
	}
	f.good("PUT", f.part(2), "x")
	f.AssertFired(t)
}

func TestLoseUpload(t *testing.T) {
	f := newFaultTest(t, nil)
	f.Inject(LoseUpload(AnyOp))
	f.good("GET", "/media/object", "") // is not counted: it has no upload ID
	for _, when := range []string{"at once", "for good"} {
		if r := f.do("PUT", f.part(2), "x"); r.status != 404 || r.code != "NoSuchUpload" {
			t.Errorf("%s: got %d %s, want 404 NoSuchUpload", when, r.status, r.code)
		}
	}
	f.AssertFired(t)
}

func TestExpireToken(t *testing.T) {
	old := Key{AccessKeyID: "STS.old", AccessKeySecret: "s", SecurityToken: "t1"}
	fresh := Key{AccessKeyID: "STS.new", AccessKeySecret: "s", SecurityToken: "t2"}
	f := newFaultTest(t, &Options{Keys: []Key{old, fresh}})
	f.Inject(ExpireToken(OpUploadPart))
	for _, when := range []string{"at once", "for good"} {
		if r := f.do("PUT", f.part(2), "x"); r.status != 403 || r.code != "SecurityTokenExpired" {
			t.Errorf("%s: got %d %s, want 403 SecurityTokenExpired", when, r.status, r.code)
		}
	}
	if r := f.do("GET", "/media/object", ""); r.code != "SecurityTokenExpired" {
		t.Errorf("another operation: got %d %s, want SecurityTokenExpired", r.status, r.code)
	}
	f.key = fresh
	f.good("PUT", f.part(2), "x")
}

func TestClockSkew(t *testing.T) {
	for _, skew := range []time.Duration{20 * time.Minute, -20 * time.Minute} {
		t.Run(skew.String(), func(t *testing.T) {
			f := newFaultTest(t, nil)
			f.Inject(ClockSkew(AnyOp, skew))
			r := f.do("PUT", f.part(2), "x")
			if r.status != 403 || r.code != "RequestTimeTooSkewed" {
				t.Errorf("got %d %s, want 403 RequestTimeTooSkewed", r.status, r.code)
			}
			date, err := time.Parse(time.RFC1123, r.header.Get("Date"))
			if off := time.Until(date) - skew; err != nil || off.Abs() > time.Minute {
				t.Errorf("Date is %s, want it off by %v", r.header.Get("Date"), skew)
			}
			f.clock = skew // a client that has read the Date header
			f.good("PUT", f.part(2), "x")
			took, err := strconv.Atoi(f.good("PUT", f.part(2), "x").header.Get("x-oss-server-time"))
			if err != nil || took < 0 || took > 60_000 {
				t.Errorf("x-oss-server-time is %d ms, %v", took, err)
			}
		})
	}
}
