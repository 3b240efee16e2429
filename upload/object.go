package upload

import (
	"path"
	"strings"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// check returns an error that names what OSS, or HTTP, would refuse of f's options.
func (f *File) check() error {
	if f.Callback != nil {
		if err := f.Callback.check(); err != nil {
			return err
		}
	}
	o := f.object()
	return invalid("File", o.Validate())
}

// object returns the properties of the object to be made.
func (f *File) object() target.ObjectOptions {
	o := target.ObjectOptions{
		ContentType: f.ContentType, CacheControl: f.CacheControl,
		ContentDisposition: f.ContentDisposition, ContentEncoding: f.ContentEncoding,
		StorageClass: f.StorageClass, ACL: f.ACL, Metadata: f.Metadata, Tags: f.Tags,
		Encryption: f.Encryption, EncryptionKeyID: f.EncryptionKeyID,
		ForbidOverwrite: f.ForbidOverwrite, RequestPayer: f.RequestPayer,
		TrafficLimit: f.TrafficLimit, Headers: f.Headers, Expires: f.Expires,
	}
	if f.Info != nil {
		o.Notification = f.Info.notification()
	}
	if f.Callback != nil {
		o.Callback, o.CallbackVar = f.Callback.headers(nil)
	}
	for _, name := range []string{f.Object, f.Path} {
		if o.ContentType == "" {
			o.ContentType = contentTypes[strings.ToLower(path.Ext(name))]
		}
	}
	return o
}

// sniffed is how many of the first bytes http.DetectContentType looks at.
const sniffed = 512

// contentTypes are the types of media files and of what comes with them. Package mime
// is not asked: its answers depend on the files of the machine.
var contentTypes = map[string]string{
	".3gp": "video/3gpp", ".asf": "video/x-ms-asf", ".avi": "video/x-msvideo", ".dat": "application/octet-stream",
	".dv": "video/x-dv", ".f4v": "video/x-f4v", ".flv": "video/x-flv", ".m2t": "video/mp2t", ".m2ts": "video/mp2t",
	".m3u8": "application/vnd.apple.mpegurl", ".m4v": "video/x-m4v", ".mj2": "video/mj2", ".mjpeg": "video/x-motion-jpeg",
	".mkv": "video/x-matroska", ".mov": "video/quicktime", ".mp4": "video/mp4", ".mpd": "application/dash+xml",
	".mpe": "video/mpeg", ".mpeg": "video/mpeg", ".mpg": "video/mpeg", ".mts": "video/mp2t", ".mxf": "application/mxf",
	".ogv": "video/ogg", ".qt": "video/quicktime", ".rm": "application/vnd.rn-realmedia",
	".rmvb": "application/vnd.rn-realmedia-vbr", ".swf": "application/x-shockwave-flash", ".ts": "video/mp2t",
	".vob": "video/x-ms-vob", ".webm": "video/webm", ".wmv": "video/x-ms-wmv",

	".aac": "audio/aac", ".ac3": "audio/ac3", ".aif": "audio/aiff", ".aiff": "audio/aiff", ".amr": "audio/amr",
	".ape": "audio/x-ape", ".caf": "audio/x-caf", ".flac": "audio/flac", ".m4a": "audio/mp4", ".mid": "audio/midi",
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".ra": "audio/x-realaudio", ".wav": "audio/wav",
	".weba": "audio/webm", ".wma": "audio/x-ms-wma",

	".avif": "image/avif", ".bmp": "image/bmp", ".gif": "image/gif", ".heic": "image/heic", ".heif": "image/heif",
	".ico": "image/x-icon", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml",
	".tif": "image/tiff", ".tiff": "image/tiff", ".webp": "image/webp",

	".ass": "text/x-ssa", ".srt": "application/x-subrip", ".ssa": "text/x-ssa", ".ttml": "application/ttml+xml", ".vtt": "text/vtt",

	".css": "text/css", ".csv": "text/csv", ".html": "text/html", ".js": "text/javascript", ".json": "application/json",
	".pdf": "application/pdf", ".txt": "text/plain", ".xml": "application/xml", ".zip": "application/zip",
}
