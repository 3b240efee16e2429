package upload

import (
	"bufio"
	"bytes"
	"io"
	"path"
	"strings"
)

// The ranks of a stream's files, lowest first: with AddDirOptions.PlaylistsLast.
const (
	mediaRank    = iota // segments, keys, subtitles, images
	playlistRank        // media playlists of HLS
	masterRank          // multivariant playlists of HLS, and manifests of DASH
)

// streamRank returns the rank of a file of a stream by its name. read opens the file: only
// playlists of HLS are read, since two kinds of them have the same extension.
func streamRank(name string, read func() (io.ReadCloser, error)) (int, error) {
	switch strings.ToLower(path.Ext(name)) {
	case ".mpd": // names segments by templates; nothing else names it
		return masterRank, nil
	case ".m3u8", ".m3u":
	default:
		return mediaRank, nil
	}
	r, err := read()
	if err != nil {
		return playlistRank, err
	}
	defer r.Close()
	master, err := isMaster(r)
	if master {
		return masterRank, err
	}
	return playlistRank, err
}

// maxPlaylist is how much of a playlist is looked at. Those that name playlists have a
// line or two for each of them.
const maxPlaylist = 4 << 20

// isMaster reports whether a playlist names other playlists: tags that are for one kind
// only say which it is (RFC 8216, section 4.3).
func isMaster(r io.Reader) (bool, error) {
	lines := bufio.NewReader(io.LimitReader(r, maxPlaylist))
	for {
		line, long, err := lines.ReadLine()
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		switch tag, _, _ := bytes.Cut(line, []byte(":")); string(tag) {
		case "#EXT-X-STREAM-INF", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-MEDIA", "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY":
			return true, nil
		case "#EXTINF", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE":
			return false, nil
		}
		for long && err == nil { // the rest of the line
			_, long, err = lines.ReadLine()
		}
	}
}
