package main

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestMediaFlags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	flags := []string{"--title", "A talk", "--description", "about <films>", "--category", "7", "--media-tag", "news", "--media-tag", "autumn",
		"--cover-url", "https://example.com/a.jpg", "--no-process", "--priority", "3", "--watermark"}
	const want = `{"Vod":{"Title":"A talk","Description":"about <films>","CateId":"7","Tags":"news,autumn","CoverUrl":"https://example.com/a.jpg",` +
		`"IsProcess":"false","UserData":{"IsShowWaterMark":"true","Priority":"3"}}}`
	w.file("in/one.mp4", 100)
	w.file("in/parts.mp4", 250<<10)
	sentWith := func(object string) string {
		o, _ := w.server.Object("media", object)
		text, err := base64.StdEncoding.DecodeString(o.Header.Get("X-Oss-Notification"))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	for prefix, command := range map[string]string{"cp": "cp", "watch": "watch"} {
		args := append([]string{command, w.dir + "/in", "oss://media/" + prefix + "/", "--part-size", "100K"}, flags...)
		if command == "watch" {
			args = append(args, "--once", "--settle", "60ms", "--poll", "20ms")
		}
		w.upload(args...).wants(t, exitOK)
		for _, name := range []string{"/one.mp4", "/parts.mp4"} {
			if got := sentWith(prefix + name); got != want {
				t.Errorf("%s%s: got %s, want %s", prefix, name, got, want)
			}
		}
	}
	w.upload("cp", w.dir+"/in/one.mp4", "oss://media/plain").wants(t, exitOK)
	if got := sentWith("plain"); got != "" {
		t.Errorf("without flags: got %s", got)
	}
	for says, args := range map[string][]string{
		"--title: got 129 bytes, want at most 128":            {"--title", strings.Repeat("x", 129)},
		"--media-tag: got \"a,b\", want 1 to 32":              {"--media-tag", "a,b"},
		"wanted a number from 0 to 10":                        {"--priority", "11"},
		"wanted a URL":                                        {"--cover-url", "a.jpg"},
		"--user-data together with --watermark or --priority": {"--user-data", "x", "--watermark"},
	} {
		w.upload(append([]string{"cp", w.dir + "/in", "oss://media/bad/"}, args...)...).wants(t, exitUsage).says(t, says)
	}
}
