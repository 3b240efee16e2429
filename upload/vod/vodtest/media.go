package vodtest

import (
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Media is what a call has made.
type Media struct {
	ID        string
	Action    string            // that made it
	Params    map[string]string // of that call, without the common ones
	Endpoint  string
	Bucket    string
	Object    string
	Refreshed int  // calls of RefreshUploadVideo for it that succeeded
	Deleted   bool // by [Server.Delete]
}

// Media returns what was made, in its order.
func (s *Server) Media() []Media {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Media, len(s.media))
	for i, m := range s.media {
		all[i] = *m
		all[i].Params = maps.Clone(m.Params)
	}
	return all
}

// Delete deletes a media: RefreshUploadVideo answers InvalidVideo.NotFound. It reports
// whether there was one.
func (s *Server) Delete(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.byID[id]
	if !ok || m.Deleted {
		return false
	}
	m.Deleted = true
	return true
}

// extensions of files that are made videos of (VOD documentation, Overview).
var extensions = strings.Fields("3gp asf avi dat dv f4v flv gif m2t m3u8 m4v mj2 mjpeg mkv mov mp4 mpe mpeg mpg mts ogg qt rm rmvb swf ts vob webm wmv " +
	"aac ac3 acm aiff amr ape caf flac m4a mp3 ra wav wma")

func (s *Server) createVideo(p map[string]string) (map[string]string, *apiError) {
	for _, name := range []string{"Title", "FileName"} {
		if p[name] == "" {
			return nil, missing(name)
		}
	}
	ext := strings.ToLower(path.Ext(p["FileName"]))
	if ext == "" || !slices.Contains(extensions, ext[1:]) {
		return nil, refusal("InvalidFileName.Extension")
	}
	if refused := checkAbout(p); refused != nil {
		return nil, refused
	}
	m := s.make(p, "sv", ext)
	answer := s.ticket(m)
	answer["VideoId"] = m.ID
	return answer, nil
}

func (s *Server) refreshVideo(p map[string]string) (map[string]string, *apiError) {
	if p["VideoId"] == "" {
		return nil, missing("VideoId")
	}
	s.mu.Lock()
	m, ok := s.byID[p["VideoId"]]
	ok = ok && !m.Deleted && m.Action == CreateUploadVideo
	if ok {
		m.Refreshed++
	}
	s.mu.Unlock()
	if !ok {
		return nil, refusal("InvalidVideo.NotFound")
	}
	answer := s.ticket(m)
	answer["VideoId"] = m.ID
	return answer, nil
}

func (s *Server) createImage(p map[string]string) (map[string]string, *apiError) {
	ext := p["ImageExt"]
	if ext == "" {
		ext = "png"
	}
	if !slices.Contains([]string{"png", "jpg", "jpeg", "gif"}, ext) || p["ImageType"] != "default" && p["ImageType"] != "cover" {
		return nil, refusal("InvalidParameter")
	}
	if refused := checkAbout(p); refused != nil {
		return nil, refused
	}
	m := s.make(p, "image/"+p["ImageType"], "."+ext)
	answer := s.ticket(m)
	answer["ImageId"], answer["ImageURL"], answer["FileURL"] = m.ID, "http://example.aliyundoc.com/"+m.Object, m.url()
	return answer, nil
}

func (s *Server) createAttached(p map[string]string) (map[string]string, *apiError) {
	for _, name := range []string{"BusinessType", "MediaExt"} {
		if p[name] == "" {
			return nil, missing(name)
		}
	}
	if !slices.Contains([]string{"watermark", "subtitle", "material"}, p["BusinessType"]) {
		return nil, refusal("InvalidParameter")
	}
	if refused := checkAbout(p); refused != nil {
		return nil, refused
	}
	m := s.make(p, p["BusinessType"], "."+p["MediaExt"])
	answer := s.ticket(m)
	answer["MediaId"], answer["MediaURL"], answer["FileURL"] = m.ID, "http://example.aliyundoc.com/"+m.Object, m.url()
	return answer, nil
}

// checkAbout checks what all media are described with (VOD documentation,
// CreateUploadVideo).
func checkAbout(p map[string]string) *apiError {
	if utf8.RuneCountInString(p["Title"]) > 128 || utf8.RuneCountInString(p["Description"]) > 1024 {
		return refusal("LengthExceededMax")
	}
	if p["Tags"] == "" {
		return nil
	}
	tags := strings.Split(p["Tags"], ",")
	if len(tags) > 16 {
		return refusal("TagsExceededMax")
	}
	for _, tag := range tags {
		if utf8.RuneCountInString(tag) > 32 {
			return refusal("LengthExceededMax")
		}
	}
	return nil
}

// common are the parameters that all calls have.
var common = []string{"Action", "Version", "Format", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion",
	"SignatureNonce", "Timestamp", "SecurityToken"}

// make makes a media with an object of its own.
func (s *Server) make(p map[string]string, folder, ext string) *Media {
	params := maps.Clone(p)
	for _, name := range common {
		delete(params, name)
	}
	id := newHex(16)
	m := &Media{ID: id, Action: p["Action"], Params: params, Endpoint: s.opts.Endpoint, Bucket: s.opts.Bucket,
		Object: folder + "/" + newHex(4) + "-" + newHex(6) + "/" + newHex(4) + "-" + newHex(6) + ext}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.media = append(s.media, m)
	s.byID[id] = m
	return m
}

func (m *Media) url() string {
	scheme, host, ok := strings.Cut(m.Endpoint, "://")
	if !ok {
		scheme, host = "https", m.Endpoint
	}
	return scheme + "://" + m.Bucket + "." + host + "/" + m.Object
}
