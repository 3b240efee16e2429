package vod

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The types of events that an [Event] has a Detail for (VOD documentation, Event
// notification). VOD has more, and sends those that are chosen in its console.
const (
	EventFileUploadComplete          = "FileUploadComplete"
	EventImageUploadComplete         = "ImageUploadComplete"
	EventAttachedMediaUploadComplete = "AttachedMediaUploadComplete"
	EventStreamTranscodeComplete     = "StreamTranscodeComplete"
	EventTranscodeComplete           = "TranscodeComplete"
	EventSnapshotComplete            = "SnapshotComplete"
)

// An Event is a notification of VOD.
type Event struct {
	Type   string    // such as [EventFileUploadComplete]
	Time   time.Time // when it happened; zero: not known
	Status string    // success or fail; may be empty

	// ID is the video's, the image's or the attached media's; it may be empty for other
	// types.
	ID string

	// Extend is what the UserData of the media has under that name.
	Extend string

	ErrorCode    string // of what failed
	ErrorMessage string

	// Detail is a [*FileUploadComplete], [*ImageUploadComplete],
	// [*AttachedMediaUploadComplete], [*StreamTranscodeComplete], [*TranscodeComplete] or
	// [*SnapshotComplete], by Type, and nil for all others: those are in Raw.
	Detail any

	// Raw is the notification as it came, a JSON object.
	Raw json.RawMessage
}

// Succeeded reports whether the event says so.
func (e *Event) Succeeded() bool { return strings.EqualFold(e.Status, "success") }

// A FileUploadComplete says that a video or an audio file was uploaded. There is none for
// uploads that failed: VOD cannot know whether they will be resumed.
type FileUploadComplete struct {
	VideoID string
	Size    int64  // bytes; 0: not told
	FileURL string // in OSS
}

// An ImageUploadComplete says that an image was uploaded.
type ImageUploadComplete struct {
	ImageID string
	Size    int64  // bytes; 0: not told
	FileURL string // in OSS
}

// An AttachedMediaUploadComplete says that an attached media was uploaded.
type AttachedMediaUploadComplete struct {
	MediaID string
	Size    int64 // bytes
	FileURL string
}

// A StreamTranscodeComplete says that one stream of a video is ready, or failed.
type StreamTranscodeComplete struct {
	VideoID string
	Stream
}

// A TranscodeComplete says that all streams of a video are ready, or failed. The event
// has succeeded if one of them has.
type TranscodeComplete struct {
	VideoID string
	Streams []Stream
}

// A Stream is what a video was transcoded to. Numbers that were not told are 0.
type Stream struct {
	Status       string // success or fail
	Definition   string // FD, LD, SD, HD, OD, 2K, 4K or AUTO, and what the template adds
	Format       string // mp4 or m3u8
	FileURL      string // to play it, without the auth_key that URL signing may ask for
	JobID        string
	Size         int64 // bytes
	Width        int   // pixels
	Height       int   // pixels
	Duration     time.Duration
	Bitrate      float64 // kbit/s
	FPS          float64 // frames per second
	Encrypted    bool
	Audio        bool   // it has no picture
	WatermarkIDs string // separated by commas
	Started      time.Time
	Finished     time.Time
	ErrorCode    string
	ErrorMessage string
}

// A SnapshotComplete says that pictures of a video are ready, or failed.
type SnapshotComplete struct {
	VideoID   string
	SubType   string // SpecifiedTime for those that were asked for by SubmitSnapshotJob
	CoverURL  string
	Snapshots []Snapshot
}

// A Snapshot is a series of pictures.
type Snapshot struct {
	Status  string // success or fail
	Type    string // CoverSnapshot, NormalSnapshot or SpriteSnapshot
	Count   int64
	Format  string // of the pictures' names
	Regular string // of the pictures' URLs, with {SnapshotCount} for the number
	JobID   string
}

// ParseEvent reads a notification that has been authenticated before, such as one from a
// message queue (MNS), whose message is the same JSON. The error is [ErrEvent].
func ParseEvent(text []byte) (*Event, error) {
	e, err := parseEvent(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	return e, nil
}

func parseEvent(text []byte) (*Event, error) {
	var f eventFields
	if json.Unmarshal(text, &f) != nil || f == nil {
		return nil, fmt.Errorf("got %d bytes that are no JSON object", len(text))
	}
	e := &Event{
		Type: f.text("EventType"), Time: f.time("EventTime"), Status: f.text("Status"), Extend: f.text("Extend"),
		ErrorCode: f.text("ErrorCode"), ErrorMessage: f.text("ErrorMessage"),
		ID: f.text("VideoId", "ImageId", "AttachedMediaId", "MediaId"), Raw: json.RawMessage(text),
	}
	if e.Type == "" {
		return nil, errors.New("it has no EventType")
	}
	if e.Detail = f.detail(e.Type, e.ID); e.Detail != nil && e.ID == "" {
		return nil, fmt.Errorf("an event %s has no ID", e.Type)
	}
	return e, nil
}

// detail returns what an event of a type says, or nil.
func (f eventFields) detail(eventType, id string) any {
	url := f.text("FileUrl", "FileURL")
	switch eventType {
	case EventFileUploadComplete:
		return &FileUploadComplete{VideoID: id, Size: int64(f.number("Size")), FileURL: url}
	case EventImageUploadComplete:
		return &ImageUploadComplete{ImageID: id, Size: int64(f.number("Size")), FileURL: url}
	case EventAttachedMediaUploadComplete:
		return &AttachedMediaUploadComplete{MediaID: id, Size: int64(f.number("Size")), FileURL: url}
	case EventStreamTranscodeComplete:
		return &StreamTranscodeComplete{VideoID: id, Stream: f.stream()}
	case EventTranscodeComplete:
		d := &TranscodeComplete{VideoID: id}
		for _, s := range f.list("StreamInfos") {
			d.Streams = append(d.Streams, s.stream())
		}
		return d
	case EventSnapshotComplete:
		d := &SnapshotComplete{VideoID: id, SubType: f.text("SubType"), CoverURL: f.text("CoverUrl", "CoverURL")}
		for _, s := range f.list("SnapshotInfos") {
			d.Snapshots = append(d.Snapshots, Snapshot{
				Status: s.text("Status"), Type: s.text("SnapshotType"), Count: int64(s.number("SnapshotCount")),
				Format: s.text("SnapshotFormat"), Regular: s.text("SnapshotRegular"), JobID: s.text("JobId"),
			})
		}
		return d
	}
	return nil
}

func (f eventFields) stream() Stream {
	return Stream{
		Status: f.text("Status"), Definition: f.text("Definition"), Format: f.text("Format"), FileURL: f.text("FileUrl", "FileURL"),
		JobID: f.text("JobId"), Size: int64(f.number("Size")), Width: int(f.number("Width")), Height: int(f.number("Height")),
		Duration: f.duration("Duration"), Bitrate: f.number("Bitrate"), FPS: f.number("Fps"),
		Encrypted: f.truth("Encrypt"), Audio: f.truth("IsAudio"), WatermarkIDs: f.text("WatermarkId"),
		Started: f.time("StartTime"), Finished: f.time("FinishTime"), ErrorCode: f.text("ErrorCode"), ErrorMessage: f.text("ErrorMessage"),
	}
}
