package osstest

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

type deleteRequest struct {
	XMLName xml.Name `xml:"Delete"`
	Quiet   bool
	Objects []struct {
		Key       string
		VersionID string `xml:"VersionId"`
	} `xml:"Object"`
}

type deleteResult struct {
	XMLName      xml.Name        `xml:"DeleteResult"`
	EncodingType string          `xml:",omitempty"`
	Deleted      []deletedResult `xml:"Deleted"`
}

type deletedResult struct {
	Key                   string
	VersionID             string `xml:"VersionId,omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
}

// deleteObjects does DeleteMultipleObjects. It deletes all, or, if one of them
// may not be deleted, none.
func (s *Server) deleteObjects(w http.ResponseWriter, req *request) *osserr.Error {
	list, encode, aerr := s.deletionList(req)
	if aerr != nil {
		return aerr
	}
	for _, o := range list.Objects {
		if aerr := storage.CheckKey(o.Key); aerr != nil {
			return aerr
		}
		if aerr := s.authorizeDelete(req, o.Key, o.VersionID); aerr != nil {
			return aerr
		}
	}
	result := deleteResult{EncodingType: encode.name}
	for _, o := range list.Objects {
		d, aerr := s.delete(req.bucket, o.Key, o.VersionID)
		if aerr != nil {
			return aerr
		}
		deleted := deletedResult{Key: encode.text(o.Key), VersionID: o.VersionID, DeleteMarker: d.marker}
		if d.marker {
			deleted.DeleteMarkerVersionID = d.version
		}
		result.Deleted = append(result.Deleted, deleted)
	}
	if list.Quiet {
		s.writeEmpty(w, req, http.StatusOK)
		return nil
	}
	s.writeXML(w, req, result)
	return nil
}

// read reads the body. OSS takes keys with control characters as references such
// as &#x01;, which are not XML 1.0 and which encoding/xml refuses: they are read
// as characters of a private area, and put back.
func (d *deleteRequest) read(body []byte) error {
	body = controlReference.ReplaceAllFunc(body, func(ref []byte) []byte {
		digits, base := string(ref[2:len(ref)-1]), 10
		if digits[0] == 'x' {
			digits, base = digits[1:], 16
		}
		n, err := strconv.ParseUint(digits, base, 32)
		if err != nil || n == 0 || n >= ' ' {
			return ref
		}
		return []byte(string(privateArea + rune(n)))
	})
	if err := xml.Unmarshal(body, d); err != nil {
		return err
	}
	for i := range d.Objects {
		d.Objects[i].Key = strings.Map(func(r rune) rune {
			if r > privateArea && r < privateArea+' ' {
				return r - privateArea
			}
			return r
		}, d.Objects[i].Key)
	}
	return nil
}

var controlReference = regexp.MustCompile(`&#(x[0-9a-fA-F]+|[0-9]+);`)

const privateArea rune = 0x10FF00

// deletionList reads and checks the body of the request.
func (s *Server) deletionList(req *request) (list deleteRequest, encode textEncoding, aerr *osserr.Error) {
	if encode, aerr = encodingOf(req); aerr != nil {
		return list, encode, aerr
	}
	want, aerr := wantedMD5(req.Header)
	if aerr != nil {
		return list, encode, aerr
	}
	body, aerr := readXMLBody(req)
	if aerr != nil {
		return list, encode, aerr
	}
	sum := md5.Sum(body)
	if want != "" && want != base64.StdEncoding.EncodeToString(sum[:]) {
		return list, encode, osserr.InvalidDigest(osserr.ECDigestMismatch)
	}
	if err := list.read(body); err != nil || len(list.Objects) == 0 || len(list.Objects) > maxDeleteKeys {
		return list, encode, osserr.MalformedXML("")
	}
	_, aerr = s.bucketNow(req.bucket)
	return list, encode, aerr
}
