package upload

import (
	"path"
	"strings"
)

// contentTypeOf returns the type of a name's extension, or "".
func contentTypeOf(name string) string { return contentTypes[strings.ToLower(path.Ext(name))] }

// contentTypes are the types of media files and of what comes with them. Package mime
// is not asked: its answers depend on the files of the machine.
var contentTypes = map[string]string{
	".3gp": "video/3gpp", ".asf": "video/x-ms-asf", ".avi": "video/x-msvideo", ".dat": "application/octet-stream",
	".dv": "video/x-dv", ".f4v": "video/x-f4v", ".flv": "video/x-flv", ".m2t": "video/mp2t", ".m2ts": "video/mp2t",
	".m4v": "video/x-m4v", ".mj2": "video/mj2", ".mjpeg": "video/x-motion-jpeg",
	".mkv": "video/x-matroska", ".mov": "video/quicktime", ".mp4": "video/mp4",
	".mpe": "video/mpeg", ".mpeg": "video/mpeg", ".mpg": "video/mpeg", ".mts": "video/mp2t", ".mxf": "application/mxf",
	".ogv": "video/ogg", ".qt": "video/quicktime", ".rm": "application/vnd.rn-realmedia",
	".rmvb": "application/vnd.rn-realmedia-vbr", ".swf": "application/x-shockwave-flash",
	".vob": "video/x-ms-vob", ".webm": "video/webm", ".wmv": "video/x-ms-wmv",

	".aac": "audio/aac", ".ac3": "audio/ac3", ".ac4": "audio/ac4", ".aif": "audio/aiff", ".aiff": "audio/aiff", ".amr": "audio/amr",
	".ape": "audio/x-ape", ".caf": "audio/x-caf", ".ec3": "audio/eac3", ".flac": "audio/flac", ".m4a": "audio/mp4", ".mid": "audio/midi",
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".ra": "audio/x-realaudio", ".wav": "audio/wav",
	".weba": "audio/webm", ".wma": "audio/x-ms-wma",

	".avif": "image/avif", ".bmp": "image/bmp", ".gif": "image/gif", ".heic": "image/heic", ".heif": "image/heif",
	".ico": "image/x-icon", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml",
	".tif": "image/tiff", ".tiff": "image/tiff", ".webp": "image/webp",

	// HLS: RFC 8216, section 4 (playlists), and RFC 3555 (video/MP2T, of segments).
	".m3u": "audio/mpegurl", ".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t",

	// DASH: ISO/IEC 23009-1, as registered by IANA.
	".m4s": "video/iso.segment", ".mpd": "application/dash+xml",

	// CMAF: ISO/IEC 23000-19; audio, metadata, subtitles and video have the types of RFC
	// 4337.
	".cmfa": "audio/mp4", ".cmfm": "application/mp4", ".cmft": "application/mp4", ".cmfv": "video/mp4",

	// Subtitles: text/vtt and application/ttml+xml are registered by IANA for WebVTT and
	// TTML, of which .dfxp and .itt are older and narrower kinds. The others are in use
	// without being registered.
	".dfxp": "application/ttml+xml", ".itt": "application/ttml+xml", ".ttml": "application/ttml+xml",
	".vtt": "text/vtt", ".webvtt": "text/vtt",
	".ass": "text/x-ssa", ".srt": "application/x-subrip", ".ssa": "text/x-ssa",

	".css": "text/css", ".csv": "text/csv", ".html": "text/html", ".js": "text/javascript", ".json": "application/json",
	".pdf": "application/pdf", ".txt": "text/plain", ".xml": "application/xml", ".zip": "application/zip",
}
