package fleet

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet/internal/decide"
)

// A State is the state of a job.
type State string

// The states of a job.
const (
	StateQueued    State = "queued"    // it waits for a worker, or for NotBefore
	StateRunning   State = "running"   // a worker has it, or had it when it died
	StateSucceeded State = "succeeded" // the object is stored
	StateDead      State = "dead"      // nobody tries again: see Error, and Requeue
)

// Ended reports whether the job is in a state that no worker changes.
func (s State) Ended() bool { return s == StateSucceeded || s == StateDead }

// A JobInfo is what the fleet knows of a job.
type JobInfo struct {
	Job   Job
	Queue string // that it was put into
	State State

	// Attempts is how many times a worker has begun the job, those that ended with their
	// worker included, but not those that a worker gave back because it was stopped.
	Attempts int

	// Takeovers is how many of these attempts began while the state still said that
	// another worker had the job: that one was killed, or cut off.
	Takeovers int

	Worker   string    `json:",omitempty"` // that has or had the job last
	Enqueued time.Time // by the clock of the caller, or of the servers if they differ by more than a second, as are the others
	Started  time.Time `json:",omitzero"` // of the last attempt
	Updated  time.Time // of this state
	Ended    time.Time `json:",omitzero"`

	Size     int64  // bytes; 0 before it is known
	Uploaded int64  // bytes that the server has acknowledged, at most a second old
	UploadID string `json:",omitempty"` // of an upload in parts

	// Trace is what WorkerOptions.Began has returned for the last attempt that it was called
	// for.
	Trace map[string]string `json:",omitempty"`

	// NotBefore is when the next attempt may begin; zero: at once.
	NotBefore time.Time `json:",omitzero"`

	// Error is why the last attempt failed, in one line without a secret, and Code the
	// code of its [upload.Error]; empty: it did not.
	Error string `json:",omitempty"`
	Code  string `json:",omitempty"`

	// Result describes the object of a job that has succeeded. It is kept for
	// WorkerOptions.KeepResults, and a CallbackBody of more than 64 KiB is left out.
	Result *upload.Result `json:",omitempty"`

	// Revision orders the states of all jobs of a namespace: it grows with each change.
	Revision uint64 `json:"-"`

	attempts attempts
}

// LogValue is what package fmt writes, for log/slog: it leaves out the query of Job.Source.
func (i JobInfo) LogValue() slog.Value {
	type fields JobInfo
	return slog.StringValue(fmt.Sprintf("%+v", fields(i)))
}

// attempts is what workers keep of a job beside what users see.
type attempts struct {
	Fruitless    int       // in a row that got no further than the one before
	Unclaimed    int       `json:",omitempty"` // deliveries again, in a row, of which nothing came
	Mark         int64     // Uploaded when the last one began
	MissingSince time.Time `json:",omitzero"`  // since when no worker could open the source
	Run          string    `json:",omitempty"` // names the last one

	// Key is that of the checkpoint, for a delivery that finds the job done and the record left.
	Key checkpoint.Key `json:",omitzero"`
}

// A stored is the form of a state in the engine.
type stored struct {
	JobInfo
	Kept attempts
}

// maxCallbackBody is how many bytes of a Result.CallbackBody are kept: OSS allows 1 MB,
// which is all that a message of NATS may have.
const maxCallbackBody = 64 << 10

func (i JobInfo) encode() ([]byte, error) {
	if r := i.Result; r != nil && len(r.CallbackBody) > maxCallbackBody {
		short := *r
		short.CallbackBody = nil
		i.Result = &short
	}
	return json.Marshal(stored{i, i.attempts})
}

// decode reads a state that is stored at a sequence of the stream.
func decode(data []byte, revision uint64) (JobInfo, error) {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return JobInfo{}, fmt.Errorf("fleet: read the state of a job at sequence %d: %w", revision, err)
	}
	s.JobInfo.attempts, s.Revision = s.Kept, revision
	return s.JobInfo, nil
}

// decision returns what package decide needs to know.
func (i *JobInfo) decision() decide.Job {
	return decide.Job{
		Known: true, Ended: i.State.Ended(), NotBefore: i.NotBefore, Fruitless: i.attempts.Fruitless, Unclaimed: i.attempts.Unclaimed,
		Running: i.State == StateRunning, Updated: i.Updated, ID: i.Job.ID,
	}
}
