package osstest

import (
	"encoding/xml"
	"net/http"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

type bucketInfoResult struct {
	XMLName xml.Name `xml:"BucketInfo"`
	Bucket  struct {
		bucketResult
		bucketFeatures
	} `xml:"Bucket"`
}

// bucketFeatures are the elements of GetBucketInfo about features that this
// server does not have.
type bucketFeatures struct {
	AccessMonitor          string
	BlockPublicAccess      bool
	CrossRegionReplication string
	DataRedundancyType     string
	ResourceGroupID        string `xml:"ResourceGroupId"`
	TransferAcceleration   string
	SSEAlgorithm           string `xml:"ServerSideEncryptionRule>SSEAlgorithm"`
	LogBucket              string `xml:"BucketPolicy>LogBucket"`
	LogPrefix              string `xml:"BucketPolicy>LogPrefix"`
}

// featuresOff is what OSS answers for a bucket that was just created (OSS
// documentation, GetBucketInfo; the SDK's tests against the service).
var featuresOff = bucketFeatures{
	AccessMonitor: "Disabled", BlockPublicAccess: true, CrossRegionReplication: "Disabled", DataRedundancyType: "LRS",
	ResourceGroupID: "rg-default-id", TransferAcceleration: "Disabled", SSEAlgorithm: "None",
}

type locationResult struct {
	XMLName  xml.Name `xml:"LocationConstraint"`
	Location string   `xml:",chardata"`
}

type liveChannelsResult struct {
	XMLName     xml.Name `xml:"ListLiveChannelResult"`
	Prefix      string
	Marker      string
	MaxKeys     int
	IsTruncated bool
}

type versioningConfiguration struct {
	XMLName xml.Name `xml:"VersioningConfiguration"`
	Status  string   `xml:",omitempty"`
}

func (s *Server) getBucketInfo(w http.ResponseWriter, req *request) *osserr.Error {
	b, aerr := s.bucketNow(req.bucket)
	if aerr != nil {
		return aerr
	}
	info := s.describe(b)
	info.Owner, info.AccessControlList, info.Versioning = &owner, &grantResult{b.ACL}, b.Versioning
	var result bucketInfoResult
	result.Bucket.bucketResult, result.Bucket.bucketFeatures = info, featuresOff
	s.writeXML(w, req, result)
	return nil
}

func (s *Server) getBucketLocation(w http.ResponseWriter, req *request) *osserr.Error {
	if _, aerr := s.bucketNow(req.bucket); aerr != nil {
		return aerr
	}
	s.writeXML(w, req, locationResult{Location: "oss-" + s.opts.Region})
	return nil
}

// listLiveChannel lists no channels: this server has none.
func (s *Server) listLiveChannel(w http.ResponseWriter, req *request) *osserr.Error {
	if _, aerr := s.bucketNow(req.bucket); aerr != nil {
		return aerr
	}
	s.writeXML(w, req, liveChannelsResult{Prefix: req.query.Get("prefix"), Marker: req.query.Get("marker"), MaxKeys: 100})
	return nil
}

func (s *Server) getBucketVersioning(w http.ResponseWriter, req *request) *osserr.Error {
	b, aerr := s.bucketNow(req.bucket)
	if aerr != nil {
		return aerr
	}
	s.writeXML(w, req, versioningConfiguration{Status: b.Versioning})
	return nil
}

func (s *Server) putBucketVersioning(w http.ResponseWriter, req *request) *osserr.Error {
	body, aerr := readXMLBody(req)
	if aerr != nil {
		return aerr
	}
	var conf versioningConfiguration
	err := xml.Unmarshal(body, &conf)
	if err != nil || conf.Status != storage.VersioningEnabled && conf.Status != storage.VersioningSuspended {
		return osserr.MalformedXML("")
	}
	return s.alterBucket(w, req, func(b *storage.Bucket) *osserr.Error {
		b.Versioning = conf.Status
		return nil
	})
}
