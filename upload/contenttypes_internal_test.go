package upload

import "testing"

func TestContentTypesOfStreams(t *testing.T) {
	for name, want := range map[string]string{
		"a/master.m3u8": "application/vnd.apple.mpegurl", "a.m3u": "audio/mpegurl", "seg.1.TS": "video/mp2t",
		"manifest.mpd": "application/dash+xml", "seg.m4s": "video/iso.segment", "init.mp4": "video/mp4",
		"v.cmfv": "video/mp4", "a.cmfa": "audio/mp4", "s.cmft": "application/mp4", "m.cmfm": "application/mp4",
		"a.aac": "audio/aac", "a.ac3": "audio/ac3", "a.ec3": "audio/eac3",
		"en.vtt": "text/vtt", "en.webvtt": "text/vtt", "en.ttml": "application/ttml+xml", "en.dfxp": "application/ttml+xml",
		"en.itt": "application/ttml+xml", "en.srt": "application/x-subrip", "en.ass": "text/x-ssa", "en.ssa": "text/x-ssa",
		"m3u8": "", "a.m3u8/x": "", "": "",
	} {
		if got := contentTypeOf(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
