package osstest

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/xml"
	"net/http"
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
func (s *Server) deleteObjects(w http.ResponseWriter, req *request) *apiError {
	list, encode, aerr := s.deletionList(req)
	if aerr != nil {
		return aerr
	}
	for _, o := range list.Objects {
		if aerr := checkKey(o.Key); aerr != nil {
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

// deletionList reads and checks the body of the request.
func (s *Server) deletionList(req *request) (list deleteRequest, encode textEncoding, aerr *apiError) {
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
		return list, encode, errInvalidDigest(ecDigestMismatch)
	}
	if err := xml.Unmarshal(body, &list); err != nil || len(list.Objects) == 0 || len(list.Objects) > maxDeleteKeys {
		return list, encode, errMalformedXML("")
	}
	_, aerr = s.bucketNow(req.bucket)
	return list, encode, aerr
}
