package osscallback

import (
	"maps"
	"strings"
	"testing"
)

func TestEventOfBothForms(t *testing.T) {
	crc := uint64(11051210869376104954)
	want := Event{
		Bucket: "media", Object: "in/a b&c.jpg", ETag: "900150983CD24FB0D6963F7D28E17F72-3", Size: 4096, MIMEType: "image/jpeg", CRC64: &crc,
		ContentMD5: "kAFQmDzST7DWlj99KOF/cg==", VPCID: "vpc-1", ClientIP: "192.0.2.1", RequestID: "55F6BF87207FB30F2640C548",
		Operation: "PutObject", Image: Image{Width: 810, Height: 539, Format: "jpg"},
	}
	fields := map[string]string{"x:who": "me & you", "constant": "1"}
	for name, body := range map[string]string{
		"a form": "bucket=media&object=in%2Fa+b%26c.jpg&etag=900150983CD24FB0D6963F7D28E17F72-3&size=4096&mimeType=image%2Fjpeg" +
			"&crc64=11051210869376104954&contentMd5=kAFQmDzST7DWlj99KOF%2Fcg%3D%3D&vpcId=vpc-1&clientIp=192.0.2.1&reqId=55F6BF87207FB30F2640C548" +
			"&operation=PutObject&imageInfo.width=810&imageInfo.height=539&imageInfo.format=jpg&x:who=me+%26+you&constant=1",
		"JSON": ` {"bucket":"media","object":"in/a b&c.jpg","etag":"\"900150983CD24FB0D6963F7D28E17F72-3\"","size":4096,"mimeType":"image/jpeg",
			"crc64":"11051210869376104954","contentMd5":"kAFQmDzST7DWlj99KOF/cg==","vpcId":"vpc-1","clientIp":"192.0.2.1",
			"reqId":"55F6BF87207FB30F2640C548","operation":"PutObject","imageInfo.width":"810","imageInfo.height":539,"imageInfo.format":"jpg",
			"x:who":"me & you","constant":1}`,
		"JSON with an object": `{"bucket":"media","object":"in/a b&c.jpg","etag":"900150983CD24FB0D6963F7D28E17F72-3","size":"4096","mimeType":"image/jpeg",
			"crc64":11051210869376104954,"contentMd5":"kAFQmDzST7DWlj99KOF/cg==","vpcId":"vpc-1","clientIp":"192.0.2.1",
			"reqId":"55F6BF87207FB30F2640C548","operation":"PutObject","imageInfo":{"width":810,"height":"539","format":"jpg"},
			"x:who":"me & you","constant":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			e, err := parseEvent([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if e.CRC64 == nil || *e.CRC64 != crc || !maps.Equal(e.Fields, fields) || string(e.Body) != body {
				t.Errorf("got CRC64 %v and fields %v, want %v and %v", e.CRC64, e.Fields, crc, fields)
			}
			got := *e
			got.CRC64, got.Fields, got.Body = &crc, nil, nil
			if got.Bucket != want.Bucket || got.Object != want.Object || got.ETag != want.ETag || got.Size != want.Size || got.MIMEType != want.MIMEType ||
				got.ContentMD5 != want.ContentMD5 || got.VPCID != want.VPCID || got.ClientIP != want.ClientIP || got.RequestID != want.RequestID ||
				got.Operation != want.Operation || got.Image != want.Image {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestEventWithLittleInIt(t *testing.T) {
	for _, body := range []string{"", "object=k&size=&imageInfo.width=&crc64=", `{"object":"k","size":null,"vpcId":null,"imageInfo":{}}`, "hello", `{}`} {
		e, err := parseEvent([]byte(body))
		if err != nil {
			t.Errorf("%q: %v", body, err)
			continue
		}
		if e.Size != -1 || e.CRC64 != nil || e.Image != (Image{}) || e.VPCID != "" {
			t.Errorf("%q: got %+v, want nothing known", body, e)
		}
	}
}

func TestEventRefuses(t *testing.T) {
	for body, want := range map[string]string{
		"object=a&object=b":                             `"object" is there twice`,
		"x:a=1&x%3Aa=2":                                 `"x:a" is there twice`,
		`{"size":1,"size":2}`:                           `"size" is there twice`,
		`{"x":{"a":1},"x":2}`:                           `"x" is there twice`,
		`{"imageInfo.width":1,"imageInfo":{"width":2}}`: `"imageInfo.width" is there twice`,
		"size=ten":                                      "size: got",
		"size=-1":                                       "size: got",
		"size=1e3":                                      "size: got",
		`{"size":1.5}`:                                  "size: got",
		`{"size":{}}`:                                   "size: got",
		"crc64=18446744073709551616":                    "crc64: got",
		"imageInfo.width=-1":                            "imageInfo.width: got",
		"a=%zz":                                         "neither a form nor a JSON object",
		`{"a":1`:                                        "break off or are malformed",
		`{"a"}`:                                         "break off or are malformed",
		`{"a":1}{"b":2}`:                                "something follows",
		`{"a":,}`:                                       "break off or are malformed",
	} {
		if e, err := parseEvent([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %+v, %v; want an error that says %q", body, e, err, want)
		}
	}
}

// FuzzParseEvent looks for bodies that crash the reader, or are read as both forms.
func FuzzParseEvent(f *testing.F) {
	for _, body := range []string{"bucket=a&size=1", `{"bucket":"a","imageInfo":{"width":1}}`, `{"a":[1,{"b":null}]}`, "%", "{", `{"a":1} `} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := parseEvent(body)
		if err == nil && (e.Size < -1 || e.Image.Width < 0) {
			t.Errorf("got %+v", e)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("the error has several lines: %q", err)
		}
	})
}
