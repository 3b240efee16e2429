package output

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// flagsOf has the flags in place of the library's options, which its advice names.
var flagsOf = strings.NewReplacer(
	"fleet: NewQueue: upload: invalid argument: Name: ", "--queue: ",
	"fleet: NewWorker: upload: invalid argument: Name: ", "--queue: ",
	"fleet: NewWorker: upload: invalid argument: WorkerOptions.Name: ", "--name: ",
	"fleet: Enqueue: upload: invalid argument: Job.ID: ", "--id: ",
	"upload: invalid argument: ", "",
	"upload: missing argument: ", "",
	"upload: file does not exist: File.Path: ", "",
	"AddDir: ", "",
	"File.Path: ", "",
	"StatOptions.Object: ", "",
	"; Options.CheckpointsOptional lets uploads continue without one", "",
	"; ResumeFile then uploads the file", "; the same command then uploads the file",
	"see Options.CustomDomains", "see --custom-domain",
	"an object of this name exists, and File.IfExists is Fail", "an object of this name exists",
	"that the environment or Options.HTTPClient names", "that the environment names",
	"has to be in Options.HTTPClient or the system's store", "has to be in the system's store",
	": give the file as File.Reader", "",
	"File.Options.Callback", "--callback-url",
	"File.Options.Metadata", "--meta",
	"File.Options.Tags", "--tag",
	"File.Options.ContentType", "--content-type",
	"File.Options.Encryption", "--sse",
	"Info.Title", "--title",
	"Info.Description", "--description",
	"Info.CategoryID", "--category",
	"Info.Tags", "--media-tag",
	"Info.CoverURL", "--cover-url",
	"Info.UserData", "--user-data",
	"Info.Priority", "--priority",
	"Info: got UserData together with Watermark or Priority", "--user-data together with --watermark or --priority",
	"File.Bucket", "destination",
	"File.Object", "destination",
	"File.Endpoint", "--endpoint",
	"Options.CustomDomains", "--custom-domain",
	"Options.Region", "--region",
	"Options.StallTimeout", "--stall-timeout",
	"Options.PartSize", "--part-size",
	"Options.CheckpointDir", "--checkpoint-dir",
	"Options.TokenWait", "the time for that",
	"Namespace: got ", "--namespace: got ",
	"Requeue brings it back", "vodupload jobs retry brings it back",
	"and then Options.SyncAlways", "and then give --sync-always",
	"the same upload runs elsewhere: checkpoint: upload is in use by another client or process: ", "the same upload runs elsewhere: ",
	"fleet: not in this state of the job: Requeue: ", "cannot bring back: ",
	"fleet: not in this state of the job: Delete: ", "cannot delete: ",
	"fleet: job does not exist", "job does not exist",
	"fleet: another job of this upload is pending: ", "",
	"fleet: this machine does not have the source", "this machine does not have the source",
)

// Text returns an error for people: one line, safe for a terminal. Those that errors.Join has
// joined are separated by "; ".
func Text(err error) string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var lines, texts []string
		for _, e := range joined.Unwrap() {
			lines, texts = append(lines, e.Error()), append(texts, Text(e))
		}
		if strings.Join(lines, "\n") == err.Error() {
			return strings.Join(texts, "; ")
		}
	}
	return Safe(flagsOf.Replace(err.Error()))
}

// Safe returns a text in which nothing steers the terminal: control characters, those that
// change the direction of writing and bytes that are no UTF-8 are shown as Go writes them.
func Safe(text string) string {
	if strings.IndexFunc(text, unsafe) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case unsafe(r):
			quoted := fmt.Sprintf("%+q", r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
		text = text[n:]
	}
	return b.String()
}

func unsafe(r rune) bool { return !unicode.IsPrint(r) }

// Bytes returns a number of bytes with three digits or so, like 1.2 GiB.
func Bytes(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n), ""
	for _, unit = range []string{"KiB", "MiB", "GiB", "TiB", "PiB"} {
		if value /= 1 << 10; value < 1000 {
			break
		}
	}
	if value < 10 {
		return fmt.Sprintf("%.1f %s", value, unit)
	}
	return fmt.Sprintf("%.0f %s", value, unit)
}

// Duration returns a duration in its two largest units.
func Duration(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", max(d, 0).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d/time.Second%60)
	case d < 100*time.Hour:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d/time.Minute%60)
	}
	return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d/time.Hour%24)
}

// Count returns a number of things, like "1 file" or "2 files".
func Count(n int, one string) string {
	switch {
	case n == 1:
		return "1 " + one
	case strings.HasSuffix(one, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(one, "y"))
	}
	return fmt.Sprintf("%d %ss", n, one)
}
