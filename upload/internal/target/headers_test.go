package target

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// everything has each option set.
func everything() *ObjectOptions {
	return &ObjectOptions{
		ContentType:        "video/mp4",
		CacheControl:       "no-cache",
		ContentDisposition: "attachment",
		ContentEncoding:    "identity",
		Expires:            time.Date(2030, 1, 2, 3, 4, 5, 0, time.FixedZone("", 8*3600)),
		StorageClass:       "IA",
		ACL:                "private",
		Metadata:           map[string]string{"Author": " Li "},
		Tags:               map[string]string{"b": "2 & 3", "a/": "1"},
		Encryption:         "KMS",
		EncryptionKeyID:    "key",
		ForbidOverwrite:    true,
		Callback:           "Y2I=",
		CallbackVar:        "dmFy",
		Notification:       "bm90",
		TrafficLimit:       819_200,
		RequestPayer:       true,
		Headers:            map[string]string{"x-oss-persistent-headers": "k:v"},
	}
}

func TestHeadersFor(t *testing.T) {
	properties := map[string]string{
		"Content-Type":                        "video/mp4",
		"Cache-Control":                       "no-cache",
		"Content-Disposition":                 "attachment",
		"Content-Encoding":                    "identity",
		"Expires":                             "Tue, 01 Jan 2030 19:04:05 GMT",
		"X-Oss-Storage-Class":                 "IA",
		"X-Oss-Object-Acl":                    "private",
		"X-Oss-Meta-Author":                   "Li",
		"X-Oss-Tagging":                       "a%2F=1&b=2%20%26%203",
		"X-Oss-Server-Side-Encryption":        "KMS",
		"X-Oss-Server-Side-Encryption-Key-Id": "key",
		"X-Oss-Persistent-Headers":            "k:v",
	}
	once := map[string]string{"X-Oss-Forbid-Overwrite": "true"}
	callback := map[string]string{"X-Oss-Callback": "Y2I=", "X-Oss-Callback-Var": "dmFy", "X-Oss-Notification": "bm90"}
	limit := map[string]string{"X-Oss-Traffic-Limit": "819200"}
	payer := map[string]string{"X-Oss-Request-Payer": "requester"}

	for op, sets := range map[string][]map[string]string{
		OpPut:                  {properties, once, callback, limit, payer},
		OpInitiate:             {properties, once, payer},
		OpUploadPart:           {limit, payer},
		OpComplete:             {once, callback, payer},
		"AbortMultipartUpload": {payer},
		"ListParts":            {payer},
		"HeadObject":           {payer},
	} {
		t.Run(op, func(t *testing.T) {
			want := map[string]string{}
			for _, s := range sets {
				maps.Copy(want, s)
			}
			got := HeadersFor(op, everything())
			for k, v := range want {
				if got[k] != v {
					t.Errorf("%s: got %q, want %q", k, got[k], v)
				}
			}
			for k := range got {
				if _, ok := want[k]; !ok {
					t.Errorf("%s: it does not belong to %s", k, op)
				}
			}
		})
	}
}

func TestHeadersForDetails(t *testing.T) {
	for name, c := range map[string]struct {
		opts   *ObjectOptions
		header string
		want   string
	}{
		"default type":             {nil, "Content-Type", "application/octet-stream"},
		"type of Headers":          {&ObjectOptions{Headers: map[string]string{"content-type": "a/b"}}, "Content-Type", "a/b"},
		"field wins over Headers":  {&ObjectOptions{ContentType: "c/d", Headers: map[string]string{"content-type": "a/b"}}, "Content-Type", "c/d"},
		"reserved header left out": {&ObjectOptions{Headers: map[string]string{"x-oss-security-token": "x"}}, "X-Oss-Security-Token", ""},
		"overwriting by default":   {&ObjectOptions{}, "X-Oss-Forbid-Overwrite", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := HeadersFor(OpInitiate, c.opts)
			if got[c.header] != c.want {
				t.Errorf("got %q, want %q", got[c.header], c.want)
			}
			if c.want == "" && len(got) != 1 {
				t.Errorf("got %v, want the content type only", got)
			}
		})
	}
}

func TestValidateOptions(t *testing.T) {
	if err := (*ObjectOptions)(nil).Validate(); err != nil {
		t.Errorf("nil: %v", err)
	}
	if err := everything().Validate(); err != nil {
		t.Errorf("everything: %v", err)
	}
	for name, o := range map[string]ObjectOptions{
		"name in UTF-8":     {ContentDisposition: `attachment; filename="影片.mp4"`},
		"empty metadata":    {Metadata: map[string]string{"a": "", "b": "  "}},
		"tags in any words": {Tags: map[string]string{"片 名": "影 片"}},
	} {
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	tags := map[string]string{}
	for _, c := range "abcdefghijk" {
		tags[string(c)] = ""
	}
	one := func(k, v string) map[string]string { return map[string]string{k: v} }
	for name, c := range map[string]struct {
		opts ObjectOptions
		want string
	}{
		"traffic limit too low":      {ObjectOptions{TrafficLimit: 819_199}, "TrafficLimit: got 819199 bit/s"},
		"traffic limit too high":     {ObjectOptions{TrafficLimit: 838_860_801}, "TrafficLimit"},
		"traffic limit negative":     {ObjectOptions{TrafficLimit: -1}, "TrafficLimit"},
		"callback too long":          {ObjectOptions{Callback: strings.Repeat("a", 6<<10)}, "Callback: got 6144 bytes as a header"},
		"too many tags":              {ObjectOptions{Tags: tags}, "Tags: got 11"},
		"tag without a key":          {ObjectOptions{Tags: one("", "v")}, "key of 0 bytes"},
		"tag with a long value":      {ObjectOptions{Tags: one("k", strings.Repeat("v", 257))}, "257 bytes"},
		"tag that is not UTF-8":      {ObjectOptions{Tags: one("k", "\xff")}, "UTF-8"},
		"too much metadata":          {ObjectOptions{Metadata: one("k", strings.Repeat("v", 8<<10))}, "Metadata: got 8204 bytes"},
		"metadata twice":             {ObjectOptions{Metadata: map[string]string{"a": "1", "A": "2"}}, "same name"},
		"metadata name with a space": {ObjectOptions{Metadata: one("a b", "1")}, "letters, digits and hyphens"},
		"metadata with a line break": {ObjectOptions{Metadata: one("a", "1\r\nx-oss-acl: public-read")}, "value of a has U+000D at byte 1"},
		"header with a line break":   {ObjectOptions{Headers: one("a", "1\n2")}, "a control character"},
		"type with a line break":     {ObjectOptions{ContentType: "a/b\n"}, "a control character"},
		"storage class unknown":      {ObjectOptions{StorageClass: "Cheap"}, `StorageClass: got "Cheap"`},
		"ACL unknown":                {ObjectOptions{ACL: "all"}, `ACL: got "all"`},
		"encryption unknown":         {ObjectOptions{Encryption: "ROT13"}, `Encryption: got "ROT13"`},
		"metadata name with _":       {ObjectOptions{Metadata: one("share_in", "1")}, `Metadata: name "share_in": want letters, digits and hyphens`},
		"metadata name with a dot":   {ObjectOptions{Metadata: one("a.b", "1")}, `name "a.b"`},
		"metadata name not ASCII":    {ObjectOptions{Metadata: one("näme", "1")}, `name "näme"`},
		"metadata name empty":        {ObjectOptions{Metadata: one("", "1")}, `name ""`},
		"metadata name with a colon": {ObjectOptions{Metadata: one("a:b", "1")}, `name "a:b"`},
		"metadata with a tab":        {ObjectOptions{Metadata: one("a", "1\t2")}, "U+0009 at byte 1"},
		"metadata not ASCII":         {ObjectOptions{Metadata: one("a", "影片")}, "value of a has U+5F71 at byte 0: want printable ASCII"},
		"metadata not UTF-8":         {ObjectOptions{Metadata: one("a", "\xff")}, "U+FFFD"},
		"metadata as a header":       {ObjectOptions{Headers: one("x-oss-meta-share_in", "1")}, `Headers: X-Oss-Meta-Share_in: name "Share_in"`},
		"tag with a line break":      {ObjectOptions{Tags: one("k", "a\nb")}, `Tags: "k" has a control character`},
		"type that is not UTF-8":     {ObjectOptions{ContentType: "a/\xff"}, "ContentType: value is not valid UTF-8"},
		"disposition with a tab":     {ObjectOptions{ContentDisposition: "a\tb"}, "ContentDisposition: value has U+0009"},
		"disposition with U+0085":    {ObjectOptions{ContentDisposition: "a\u0085b"}, "U+0085 at byte 1, a control character"},
		"cache control with U+2028":  {ObjectOptions{CacheControl: "a\u2028"}, "CacheControl: value has U+2028"},
		"header of ours":             {ObjectOptions{Headers: one("authorization", "x")}, "Headers: Authorization is set by the request"},
		"header with a bad name":     {ObjectOptions{Headers: one("a b", "1")}, `Headers: name "a b"`},
		"encoding with a line break": {ObjectOptions{ContentEncoding: "gzip\n"}, "ContentEncoding: value has U+000A"},
		"key ID with a line break":   {ObjectOptions{EncryptionKeyID: "k\n"}, "EncryptionKeyID: value has U+000A"},
		"tag with a long key":        {ObjectOptions{Tags: one(strings.Repeat("k", 129), "v")}, "key of 129 bytes"},
		"header twice":               {ObjectOptions{Headers: map[string]string{"a": "1", "A": "2"}}, "are the same header"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.opts.Validate()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
}
