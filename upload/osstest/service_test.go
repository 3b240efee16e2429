package osstest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestMissingBucketIsNoticedBeforeTheKey(t *testing.T) {
	s, c := newTestServer(t, nil)
	stranger := *c
	stranger.key = Key{AccessKeyID: "nobody", AccessKeySecret: "s"}
	for _, path := range []string{"/gone", "/gone/k", "/gone?acl", "/gone/k?uploadId=1"} {
		stranger.refused(404, "NoSuchBucket", "GET", path, "")
	}
	stranger.refused(404, "NoSuchBucket", "PUT", "/gone/k", "abc")
	stranger.refused(403, "InvalidAccessKeyId", "GET", "/media", "")
	stranger.refused(403, "InvalidAccessKeyId", "PUT", "/gone", "") // would create it
	stranger.refused(403, "InvalidAccessKeyId", "GET", "/", "")
	s.CreateBucket("gone")
	stranger.refused(403, "InvalidAccessKeyId", "GET", "/gone", "")
}

func TestDeletedVersionIsNamedWhereThereAreVersions(t *testing.T) {
	_, c := newTestServer(t, nil)
	c.good("PUT", "/media/k", "abc")
	for range 2 { // the second time it is not there
		if got := c.good("DELETE", "/media/k?versionId=null", "").Get("X-Oss-Version-Id"); got != "" {
			t.Errorf("without versions: got version %q; want none", got)
		}
	}
	c.good("PUT", "/media?versioning", "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")
	c.good("PUT", "/media/k", "abc")
	if got := c.good("DELETE", "/media/k?versionId=null", "").Get("X-Oss-Version-Id"); got != "null" {
		t.Errorf("with versions: got version %q; want null", got)
	}
}

func TestKeysWithControlCharactersAreDeleted(t *testing.T) {
	s, c := newTestServer(t, nil)
	for _, key := range []string{"a%01b", "a%1Fb", "tab%09", "a", "a&b"} {
		c.good("PUT", "/media/"+key, "abc")
	}
	list := "<Delete><Object><Key>a&#x01;b</Key></Object><Object><Key>a&#31;b</Key></Object><Object><Key>tab&#x9;</Key></Object><Object><Key>a&amp;b</Key></Object></Delete>"
	body := c.good("POST", "/media?delete&encoding-type=url", list).body
	if !strings.Contains(body, "a%01b") || len(s.Objects("media")) != 1 {
		t.Errorf("left %v after\n%s", s.Objects("media"), body)
	}
	for _, bad := range []string{"&#x00;", "&#xFFFF;", "&#99999999999;", "&#;", "\x01"} {
		c.refused(400, "MalformedXML", "POST", "/media?delete", "<Delete><Object><Key>a"+bad+"</Key></Object></Delete>")
	}
}

func TestBucketInfoHasTheElementsOfTheService(t *testing.T) {
	_, c := newTestServer(t, nil)
	body := strings.Join(strings.Fields(c.good("GET", "/media?bucketInfo", "").body), "")
	for _, want := range []string{
		"<AccessMonitor>Disabled</AccessMonitor>", "<BlockPublicAccess>true</BlockPublicAccess>", "<CrossRegionReplication>Disabled</CrossRegionReplication>",
		"<DataRedundancyType>LRS</DataRedundancyType>", "<ResourceGroupId>rg-default-id</ResourceGroupId>", "<TransferAcceleration>Disabled</TransferAcceleration>",
		"<ServerSideEncryptionRule><SSEAlgorithm>None</SSEAlgorithm></ServerSideEncryptionRule>", "<BucketPolicy><LogBucket></LogBucket><LogPrefix></LogPrefix></BucketPolicy>",
		"<AccessControlList><Grant>private</Grant></AccessControlList>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got %s; want %s in it", body, want)
		}
	}
	if body := c.good("GET", "/", "").body; strings.Contains(body, "AccessMonitor") {
		t.Errorf("ListBuckets has what only GetBucketInfo should have: %s", body)
	}
}

// On disk, a change holds the lock long enough for the others to queue up.
func TestTagsPutAtTheSameTimeAreAllKept(t *testing.T) {
	s, c := newTestServer(t, &Options{Dir: t.TempDir()})
	var group sync.WaitGroup
	for i := range maxBucketTags {
		group.Go(func() {
			a := c.do("PUT", "/media?tagging", fmt.Sprintf("<Tagging><TagSet><Tag><Key>k%d</Key></Tag></TagSet></Tagging>", i))
			if a.status != 200 {
				t.Errorf("tag %d: got %d %s, want 200", i, a.status, a.Code)
			}
		})
	}
	group.Wait()
	b, aerr := s.bucketNow("media")
	if aerr != nil {
		t.Fatal(aerr.Message)
	}
	if len(b.Tags) != maxBucketTags {
		t.Errorf("the bucket has %d tags, want %d: %v", len(b.Tags), maxBucketTags, b.Tags)
	}
	c.refused(400, "InvalidArgument", "PUT", "/media?tagging", "<Tagging><TagSet><Tag><Key>more</Key></Tag></TagSet></Tagging>")
}

func TestBucketsAreListedByTags(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		s.CreateBucket("other")
		tags := func(pairs ...string) string {
			text := "<Tagging><TagSet>"
			for i := 0; i < len(pairs); i += 2 {
				text += "<Tag><Key>" + pairs[i] + "</Key><Value>" + pairs[i+1] + "</Value></Tag>"
			}
			return text + "</TagSet></Tagging>"
		}
		c.good("PUT", "/media?tagging", tags("k", "v", "l", "w"))
		c.good("PUT", "/media?tagging", tags("k", "w"))
		c.good("PUT", "/other?tagging", tags("k", "v"))
		c.refused(400, "MalformedXML", "PUT", "/media?tagging", tags())
		c.refused(400, "InvalidArgument", "PUT", "/media?tagging", tags("", "v"))
		c.refused(400, "InvalidArgument", "PUT", "/media?tagging", tags(strings.Repeat("k", 65), "v"))
		c.refused(404, "NoSuchBucket", "PUT", "/gone?tagging", tags("k", "v"))
		if opts.Dir != "" {
			_, c = reopen(t, s)
		}
		for query, want := range map[string][]string{
			"":                      {"media", "other"},
			"tag-key=k":             {"media", "other"},
			"tag-key=l":             {"media"},
			"tag-key=k&tag-value=v": {"other"},
			"tag-key=k&tag-value=":  nil,
			"tag-key=x":             nil,
			"tagging=%22k%22:%22w%22,%22l%22:%22w%22": {"media"},
			"tagging=%22k%22:%22v%22,%22l%22:%22w%22": nil,
		} {
			var result listBucketsResult
			c.read(c.good("GET", "/?"+query, ""), &result)
			var got []string
			for _, b := range result.Buckets {
				got = append(got, b.Name)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %q; want %q", query, got, want)
			}
		}
		for _, query := range []string{"tag-value=v", "tag-key=k&tagging=%22k%22:%22v%22", "tagging=k"} {
			c.refused(400, "InvalidArgument", "GET", "/?"+query, "")
		}
	})
}
