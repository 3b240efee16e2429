package upload

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestStreamRank(t *testing.T) {
	const media = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nseg1.ts\n"
	const master = "#EXTM3U\r\n#EXT-X-INDEPENDENT-SEGMENTS\r\n#EXT-X-STREAM-INF:BANDWIDTH=1\r\n720p.m3u8\r\n"
	for _, tt := range []struct {
		name, text string
		want       int
	}{
		{"seg1.ts", "", mediaRank}, {"init.mp4", "", mediaRank}, {"en.vtt", master, mediaRank}, {"key", "", mediaRank},
		{"720p.m3u8", media, playlistRank}, {"720P.M3U8", media, playlistRank}, {"a.m3u", media, playlistRank},
		{"empty.m3u8", "", playlistRank}, {"other.m3u8", "hello", playlistRank},
		{"live.m3u8", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:6,\ns.ts", playlistRank},
		{"title.m3u8", media + "# as #EXT-X-STREAM-INF:\n", playlistRank},
		{"master.m3u8", master, masterRank}, {"iframes.m3u8", "#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:URI=\"i.m3u8\"\n", masterRank},
		{"audio.m3u8", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO", masterRank},
		{"long.m3u8", "#EXTM3U\n#" + strings.Repeat("x", 100_000) + "#EXTINF:\n" + master, masterRank},
		{"split.m3u8", "#EXTM3U\n#" + strings.Repeat("x", 4096-9) + "\n#EXT-X-SESSION-KEY:METHOD=NONE\n", masterRank},
		{"manifest.mpd", "", masterRank},
	} {
		got, err := streamRank(tt.name, func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(tt.text)), nil })
		if got != tt.want || err != nil {
			t.Errorf("%s: got %d, %v; want %d", tt.name, got, err, tt.want)
		}
	}
	failed := errors.New("failed")
	if _, err := streamRank("a.m3u8", func() (io.ReadCloser, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Errorf("got %v, want the error of opening", err)
	}
	if _, err := streamRank("a.m3u8", func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(failed)), nil }); !errors.Is(err, failed) {
		t.Errorf("got %v, want the error of reading", err)
	}
}
