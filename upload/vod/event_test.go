package vod_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/vod"
)

// The forms of the VOD documentation (Event notification), with its mixture of text and
// numbers.
func TestParseEvent(t *testing.T) {
	at := time.Date(2017, 3, 20, 7, 49, 17, 0, time.UTC)
	for _, tt := range []struct {
		name, text string
		want       vod.Event
	}{
		{"a video", `{"Status":"success","EventTime":"2017-03-20T07:49:17Z","EventType":"FileUploadComplete","VideoId":"v1","Size":1439213,
			"FileUrl":"http://b/1.mp4","Extend":"{\"test\":\"x\"}"}`,
			vod.Event{Type: "FileUploadComplete", Time: at, Status: "success", ID: "v1", Extend: `{"test":"x"}`,
				Detail: &vod.FileUploadComplete{VideoID: "v1", Size: 1439213, FileURL: "http://b/1.mp4"}}},
		{"an image", `{"Status":"success","FileURL":"https://b/1.jpg","AppId":"app-1000000","EventType":"ImageUploadComplete",
			"EventTime":"2024-04-10T01:37:14:627Z","Size":"105520","ImageId":"i1"}`,
			vod.Event{Type: "ImageUploadComplete", Time: time.Date(2024, 4, 10, 1, 37, 14, 627e6, time.UTC), Status: "success", ID: "i1",
				Detail: &vod.ImageUploadComplete{ImageID: "i1", Size: 105520, FileURL: "https://b/1.jpg"}}},
		{"an attached media", `{"EventTime":"2017-03-20T07:49:17Z","EventType":"AttachedMediaUploadComplete","AttachedMediaId":"m1","Size":14333,"FileURL":"u","Status":"success"}`,
			vod.Event{Type: "AttachedMediaUploadComplete", Time: at, Status: "success", ID: "m1",
				Detail: &vod.AttachedMediaUploadComplete{MediaID: "m1", Size: 14333, FileURL: "u"}}},
		{"a stream", `{"EventTime":"2017-03-20T07:49:17Z","EventType":"StreamTranscodeComplete","VideoId":"v1","Status":"success","Bitrate":"925","Definition":"HD",
			"Duration":45.25,"Encrypt":false,"FileUrl":"http://p/1.m3u8","Format":"m3u8","Fps":"25","Height":720,"Size":885132,"Width":1280,"JobId":"j1",
			"WatermarkId":"a,b","IsAudio":"true","StartTime":"2017-03-20T07:49:17Z","FinishTime":""}`,
			vod.Event{Type: "StreamTranscodeComplete", Time: at, Status: "success", ID: "v1",
				Detail: &vod.StreamTranscodeComplete{VideoID: "v1", Stream: vod.Stream{Status: "success", Definition: "HD", Format: "m3u8", FileURL: "http://p/1.m3u8",
					JobID: "j1", Size: 885132, Width: 1280, Height: 720, Duration: 45250 * time.Millisecond, Bitrate: 925, FPS: 25, Audio: true, WatermarkIDs: "a,b", Started: at}}}},
		{"all streams", `{"EventTime":"2017-03-20T07:49:17Z","EventType":"TranscodeComplete","VideoId":"v1","Status":"success",
			"StreamInfos":[{"Status":"success","Format":"mp4","Encrypt":true},{"Status":"fail","ErrorCode":"C","ErrorMessage":"m"}]}`,
			vod.Event{Type: "TranscodeComplete", Time: at, Status: "success", ID: "v1", Detail: &vod.TranscodeComplete{VideoID: "v1", Streams: []vod.Stream{
				{Status: "success", Format: "mp4", Encrypted: true}, {Status: "fail", ErrorCode: "C", ErrorMessage: "m"}}}}},
		{"snapshots", `{"EventTime":"2017-03-20T07:49:17Z","EventType":"SnapshotComplete","VideoId":"v1","Status":"success","SubType":"SpecifiedTime","CoverUrl":"c",
			"SnapshotInfos":[{"Status":"success","SnapshotType":"CoverSnapshot","SnapshotCount":8,"SnapshotFormat":"f","SnapshotRegular":"r","JobId":"j"}]}`,
			vod.Event{Type: "SnapshotComplete", Time: at, Status: "success", ID: "v1", Detail: &vod.SnapshotComplete{VideoID: "v1", SubType: "SpecifiedTime", CoverURL: "c",
				Snapshots: []vod.Snapshot{{Status: "success", Type: "CoverSnapshot", Count: 8, Format: "f", Regular: "r", JobID: "j"}}}}},
		{"a failure", `{"EventType":"SnapshotComplete","VideoId":"v1","Status":"fail","ErrorCode":"C","ErrorMessage":"m"}`,
			vod.Event{Type: "SnapshotComplete", Status: "fail", ID: "v1", ErrorCode: "C", ErrorMessage: "m", Detail: &vod.SnapshotComplete{VideoID: "v1"}}},
		{"one that is not known", `{"EventType":"AIMediaAuditComplete","MediaId":"m1","Data":{"x":[1]}}`, vod.Event{Type: "AIMediaAuditComplete", ID: "m1"}},
		{"numbers that are none", `{"EventType":"FileUploadComplete","VideoId":7,"Size":-1,"EventTime":3,"Status":null,"FileUrl":{}}`,
			vod.Event{Type: "FileUploadComplete", ID: "7", Detail: &vod.FileUploadComplete{VideoID: "7"}}},
		{"numbers that are too large", `{"EventType":"StreamTranscodeComplete","VideoId":"v","Duration":1e15,"Size":1e300,"Fps":"NaN","Bitrate":"Inf"}`,
			vod.Event{Type: "StreamTranscodeComplete", ID: "v", Detail: &vod.StreamTranscodeComplete{VideoID: "v", Stream: vod.Stream{Duration: 1 << 33 * time.Second}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := vod.ParseEvent([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Raw = json.RawMessage(tt.text)
			if !reflect.DeepEqual(*e, tt.want) {
				t.Errorf("got %+v with %+v, want %+v with %+v", *e, e.Detail, tt.want, tt.want.Detail)
			}
			if e.Succeeded() != (tt.want.Status == "success") {
				t.Errorf("Succeeded is %t of status %q", e.Succeeded(), e.Status)
			}
		})
	}
}

func TestParseEventRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"": "no JSON object", "null": "no JSON object", "[]": "no JSON object", `{"EventType":`: "no JSON object", "{} {}": "no JSON object",
		"{}": "no EventType", `{"EventType":""}`: "no EventType", `{"EventType":"FileUploadComplete"}`: "has no ID",
	} {
		if e, err := vod.ParseEvent([]byte(text)); !errors.Is(err, vod.ErrEvent) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, %v; want ErrEvent that says %q", text, e, err, want)
		}
	}
}

// FuzzParseEvent looks for notifications that crash the reader.
func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"EventType":"TranscodeComplete","VideoId":"v","StreamInfos":[{"Duration":"1e9"}]}`))
	f.Add([]byte(`{"EventType":"SnapshotComplete","VideoId":"v","SnapshotInfos":[null,{}]}`))
	f.Add([]byte(`{"EventType":"ImageUploadComplete","ImageId":"v","EventTime":":"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if e, err := vod.ParseEvent(text); err == nil && e.Type == "" {
			t.Errorf("got %+v", e)
		}
	})
}
