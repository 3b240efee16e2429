package osstest

import (
	"strings"
	"testing"
)

func TestVersions(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		restart := func() {
			if opts.Dir == "" {
				return
			}
			s.Close()
			s = NewServer(opts)
			t.Cleanup(s.Close)
			c = newTestClient(t, s)
		}
		version := func(a *testAnswer) string { return a.Get("X-Oss-Version-Id") }
		body := func(query string) string { return c.good("GET", "/media/k"+query, "").body }

		if v := version(c.good("PUT", "/media/k", "old")); v != "" {
			t.Errorf("got version %q without versioning; want none", v)
		}
		setVersioning(c, "Enabled")
		v1 := version(c.good("PUT", "/media/k", "one"))
		v2 := version(c.good("PUT", "/media/k", "two", "x-oss-forbid-overwrite", "true")) // ignored
		if len(v1) != 64 || v1 == v2 {
			t.Errorf("got versions %q and %q; want two of 64 characters", v1, v2)
		}
		restart()
		for query, want := range map[string]string{"": "two", "?versionId=" + v1: "one", "?versionId=" + v2: "two", "?versionId=null": "old"} {
			if got := body(query); got != want {
				t.Errorf("GET %q: got %q; want %q", query, got, want)
			}
		}
		if o, _ := s.Object("media", "k"); o.VersionID != v2 {
			t.Errorf("got version %q; want %q", o.VersionID, v2)
		}

		a := c.do("DELETE", "/media/k", "")
		marker := version(a)
		if a.status != 204 || a.Get("X-Oss-Delete-Marker") != "true" || marker == "" {
			t.Errorf("DELETE: got %d and %v; want a delete marker", a.status, a.Header)
		}
		restart()
		a = c.refused(404, "NoSuchKey", "GET", "/media/k", "")
		if a.Get("X-Oss-Delete-Marker") != "true" || version(a) != marker {
			t.Errorf("GET of a deleted object: got %v; want its delete marker", a.Header)
		}
		c.refused(405, "MethodNotAllowed", "GET", "/media/k?versionId="+marker, "")
		if _, ok := s.Object("media", "k"); ok || len(s.Objects("media")) != 0 {
			t.Error("a deleted object is still there")
		}
		a = c.do("DELETE", "/media/k?versionId="+marker, "")
		if a.Get("X-Oss-Delete-Marker") != "true" || body("") != "two" {
			t.Errorf("deleting the marker: got %v, and then %q; want two", a.Header, body(""))
		}
		c.good("DELETE", "/media/k?versionId="+v2, "")
		c.good("DELETE", "/media/k?versionId=nothing", "")
		if got := body(""); got != "one" {
			t.Errorf("got %q; want one", got)
		}

		setVersioning(c, "Suspended")
		if v := version(c.good("PUT", "/media/k", "new")); v != "null" {
			t.Errorf("got version %q while suspended; want null", v)
		}
		restart()
		if body("") != "new" || body("?versionId=null") != "new" || body("?versionId="+v1) != "one" {
			t.Error("the null version was not replaced, or another one was")
		}
		if a := c.do("DELETE", "/media/k", ""); version(a) != "null" {
			t.Errorf("DELETE: got version %q while suspended; want null", version(a))
		}
		c.refused(409, "BucketNotEmpty", "DELETE", "/media", "")
		wantBlobs(t, opts.Dir, 1)
	})
}

func setVersioning(c *testClient, status string) {
	c.t.Helper()
	c.good("PUT", "/media?versioning", "<VersioningConfiguration><Status>"+status+"</Status></VersioningConfiguration>")
	var conf versioningConfiguration
	c.read(c.good("GET", "/media?versioning", ""), &conf)
	if conf.Status != status {
		c.t.Errorf("got versioning %q; want %q", conf.Status, status)
	}
}

func TestVersioningTakesTwoValues(t *testing.T) {
	_, c := newTestServer(t, nil)
	for _, body := range []string{"", "<VersioningConfiguration><Status>On</Status></VersioningConfiguration>"} {
		c.refused(400, "MalformedXML", "PUT", "/media?versioning", body)
	}
}

func TestListObjectVersionsInPages(t *testing.T) {
	_, c := newTestServer(t, nil)
	setVersioning(c, "Enabled")
	for _, key := range []string{"a", "b", "a", "c/1", "a", "c/2"} {
		c.good("PUT", "/media/"+key, key)
	}
	c.good("DELETE", "/media/b", "")
	want := "a* a a (b*) b c/1* c/2*"
	for _, limit := range []string{"1", "2", "3", "100"} {
		var got []string
		query := "/media?versions&max-keys=" + limit
		markers := ""
		for range 20 {
			page := readVersions(c, query+markers)
			got = append(got, page.names...)
			if !page.IsTruncated {
				break
			}
			markers = "&key-marker=" + page.NextKeyMarker + "&version-id-marker=" + page.NextVersionIDMarker
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("pages of %s: got %s; want %s", limit, got, want)
		}
	}
	page := readVersions(c, "/media?versions&delimiter=/&prefix=c")
	if len(page.names) != 0 || len(page.CommonPrefixes) != 1 || page.CommonPrefixes[0].Prefix != "c/" {
		t.Errorf("with a delimiter: got %+v; want the group c/", page)
	}
	if page := readVersions(c, "/media?versions&key-marker=a"); page.names[0] != "(b*)" {
		t.Errorf("with a key marker: got %v first; want b", page.names[0])
	}
	c.refused(400, "InvalidArgument", "GET", "/media?versions&version-id-marker=x", "")
}

// A versionsPage is a page as a client reads it.
type versionsPage struct {
	IsTruncated         bool
	NextKeyMarker       string
	NextVersionIDMarker string          `xml:"NextVersionIdMarker"`
	CommonPrefixes      []prefixResult  `xml:"CommonPrefixes"`
	Versions            []versionResult `xml:",any"`

	names []string // the newest have a star, and delete markers brackets
}

func readVersions(c *testClient, path string) versionsPage {
	c.t.Helper()
	var page versionsPage
	c.read(c.good("GET", path, ""), &page)
	for _, v := range page.Versions {
		name := v.Key
		if v.IsLatest {
			name += "*"
		}
		switch v.XMLName.Local {
		case "DeleteMarker":
			page.names = append(page.names, "("+name+")")
		case "Version":
			page.names = append(page.names, name)
		}
	}
	return page
}
