package vod_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/vod"
)

// A backend sends the ticket of a video to the program that uploads it.
func ExampleVideoUpload_Handover() {
	made := vod.VideoUpload{VideoID: "5f1c", Ticket: vod.Ticket{RequestID: "25818875-5F78", UploadAddress: "eyJC", UploadAuth: "eyJT"}}
	printed, _ := json.Marshal(made.UploadAuth)
	sent, _ := json.Marshal(made.Handover())
	fmt.Println("for a log:", string(printed))
	fmt.Println("for the program:", string(sent))
	// Output:
	// for a log: "[hidden]"
	// for the program: {"RequestId":"25818875-5F78","VideoId":"5f1c","UploadAddress":"eyJC","UploadAuth":"eyJT"}
}

func TestHandoverIsPrintedWithoutItsSecret(t *testing.T) {
	const secret = "verysecretvalue"
	ticket := vod.Ticket{UploadAddress: "a", UploadAuth: secret}
	for _, h := range []vod.Handover{
		ticket.Handover(), vod.VideoUpload{VideoID: "v", Ticket: ticket}.Handover(),
		vod.ImageUpload{ImageID: "i", Ticket: ticket}.Handover(), vod.AttachedMediaUpload{MediaID: "m", Ticket: ticket}.Handover(),
	} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "handover", h)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&log, verb, h)
			fmt.Fprintf(&log, verb, &h)
		}
		if strings.Contains(log.String(), secret) {
			t.Errorf("printed: %s", log.String())
		}
		text, err := json.Marshal(h)
		if err != nil || strings.Count(string(text), secret) != 1 {
			t.Errorf("the JSON is %s, %v; want the secret in it, once", text, err)
		}
		var back vod.Ticket
		if err := json.Unmarshal(text, &back); err != nil || back.UploadAuth != secret {
			t.Errorf("the other side reads %q, %v; want the UploadAuth", string(back.UploadAuth), err)
		}
	}
}

// What was encoded without its secret is refused where it is read, and where it is used.
func TestTicketThatWasEncodedWithoutItsSecret(t *testing.T) {
	text, err := json.Marshal(vod.VideoUpload{VideoID: "v", Ticket: vod.Ticket{UploadAddress: "a", UploadAuth: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	var back vod.VideoUpload
	if err := json.Unmarshal(text, &back); err == nil || !strings.Contains(err.Error(), "Handover()") {
		t.Errorf("error is %v, want one that names Handover", err)
	}
	var fields struct{ UploadAuth string }
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	c, err := upload.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.ResumeWithAuth(1, fields.UploadAuth); err == nil || !strings.Contains(err.Error(), "Handover()") {
		t.Errorf("error is %v, want one that names Handover", err)
	}
}
