package fleet

import (
	"errors"

	"github.com/vodupload/vodupload/upload"
)

// Errors of calls with bad arguments; those of package upload.
var (
	ErrMissingArgument = upload.ErrMissingArgument
	ErrInvalidArgument = upload.ErrInvalidArgument
)

// Errors of the queue.
var (
	// ErrJobExists is returned for an ID that another job has or had, for as long as its
	// result is kept.
	ErrJobExists = errors.New("fleet: job exists")

	// ErrPending is returned while another job of the same upload is in the queue or under
	// way. The text names it.
	ErrPending = errors.New("fleet: another job of this upload is pending")

	// ErrJobNotExist is returned for the ID of no job: it never was, it was deleted, or its
	// result is no longer kept.
	ErrJobNotExist = errors.New("fleet: job does not exist")

	// ErrJobState is returned for a call that the state of the job does not allow.
	ErrJobState = errors.New("fleet: not in this state of the job")
)

// Errors of the engine.
var (
	// ErrNoEngine is returned when there is no NATS server, none with JetStream, or none
	// that answers.
	ErrNoEngine = errors.New("fleet: the engine is not available")

	// ErrVersion is returned for streams that a later version of this package has made, or
	// something else.
	ErrVersion = errors.New("fleet: streams of another version")
)

// What ends a job.
var (
	// ErrNoSource is returned where this machine cannot open the source of a job, and by
	// [Opener]s: the job is kept for another machine.
	ErrNoSource = errors.New("fleet: this machine does not have the source")

	// ErrDigest is returned when the object is stored, and its CRC64 is not the one that
	// the job expects.
	ErrDigest = errors.New("fleet: the bytes are not those that the job expects")
)
