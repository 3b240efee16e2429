package osstest

import (
	"encoding/xml"
	"net/http"
	"slices"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

type aclResult struct {
	XMLName xml.Name `xml:"AccessControlPolicy"`
	Owner   ownerResult
	List    grantResult `xml:"AccessControlList"`
}

func (s *Server) getBucketACL(w http.ResponseWriter, req *request) *osserr.Error {
	b, aerr := s.bucketNow(req.bucket)
	if aerr != nil {
		return aerr
	}
	s.writeXML(w, req, aclResult{Owner: owner, List: grantResult{b.ACL}})
	return nil
}

func (s *Server) putBucketACL(w http.ResponseWriter, req *request) *osserr.Error {
	acl, aerr := requiredACL(req, "X-Oss-Acl", storage.BucketACLs)
	if aerr != nil {
		return aerr
	}
	return s.alterBucket(w, req, func(b *storage.Bucket) *osserr.Error {
		b.ACL = acl
		return nil
	})
}

func (s *Server) getObjectACL(w http.ResponseWriter, req *request) *osserr.Error {
	f, aerr := s.find(req.bucket, req.key, req.query.Get("versionId"))
	if aerr != nil {
		return aerr
	}
	defer f.Content.Release()
	if f.version != "" {
		w.Header().Set("X-Oss-Version-Id", f.version)
	}
	s.writeXML(w, req, aclResult{Owner: owner, List: grantResult{f.ACL}})
	return nil
}

func (s *Server) putObjectACL(w http.ResponseWriter, req *request) *osserr.Error {
	acl, aerr := requiredACL(req, "X-Oss-Object-Acl", storage.ObjectACLs)
	if aerr != nil {
		return aerr
	}
	f, aerr := s.find(req.bucket, req.key, req.query.Get("versionId"))
	if aerr != nil {
		return aerr
	}
	defer f.Content.Release()
	if aerr := s.setACL(req.bucket, f, acl); aerr != nil {
		return aerr
	}
	if f.version != "" {
		w.Header().Set("X-Oss-Version-Id", f.version)
	}
	s.writeEmpty(w, req, http.StatusOK)
	return nil
}

func requiredACL(req *request, header string, allowed []string) (string, *osserr.Error) {
	acl := req.Header.Get(header)
	if acl == "" {
		return "", osserr.InvalidArgument("", "The acl header is missing.", header, "")
	}
	return acl, oneOf(req.Header, header, allowed...)
}

// setACL gives a version of an object, if it is still there, another ACL.
func (s *Server) setACL(bucketName string, f *found, acl string) *osserr.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, aerr := s.bucketLocked(bucketName)
	if aerr != nil {
		return aerr
	}
	versions := b.Objects[f.Key]
	i := slices.IndexFunc(versions, func(o *storage.Object) bool { return o.Seq == f.Seq })
	if i < 0 {
		return osserr.NoSuchKey(f.Key)
	}
	// Readers hold the old object, which therefore stays as it is.
	changed := *versions[i]
	changed.ACL = acl
	if err := s.disk.SaveObject(b, &changed); err != nil {
		return osserr.Internal(err)
	}
	versions[i] = &changed
	return nil
}
