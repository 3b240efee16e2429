package jetstream

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The version of what the stream holds and how, in its metadata. A change that older
// releases would misread needs another one.
const (
	versionKey = "vodupload.version"
	version    = "1"
)

// dedupe is for how long the engine knows a message again by its ID: longer than any
// request is repeated.
const dedupe = 2 * time.Minute

// ErrStream is wrapped by the error of [Open] for a stream that exists and is not what
// the store needs.
var ErrStream = errors.New("jetstream: the stream cannot be used for checkpoints")

// wantStream returns the stream of a namespace.
func wantStream(namespace string, replicas int) jetstream.StreamConfig {
	name := "VU_" + namespace
	return jetstream.StreamConfig{
		Name:        name,
		Description: "Checkpoints and claims of uploads",
		Subjects:    []string{name + ".>"},
		Retention:   jetstream.LimitsPolicy,
		Storage:     jetstream.FileStorage,
		Replicas:    replicas,
		// A message replaces the one before on its subject, and nothing else ever
		// drops one.
		MaxMsgsPerSubject: 1,
		MaxMsgs:           -1,
		MaxBytes:          -1,
		MaxMsgSize:        -1,
		MaxConsumers:      -1,
		Discard:           jetstream.DiscardNew,
		Duplicates:        dedupe,
		AllowMsgTTL:       true,
		// Replicas would answer direct reads without asking the others, from a state
		// that may be behind.
		AllowDirect: false,
		Metadata:    map[string]string{versionKey: version},
	}
}

// checkStream returns what is wrong with the stream that there is. Its number of
// replicas, placement, compression and the like are the operator's; replicas are only
// compared where want has a number.
func checkStream(got, want jetstream.StreamConfig) error {
	if v := got.Metadata[versionKey]; v != version {
		if v == "" {
			return fmt.Errorf("%w: %s was not made by this package: choose another Options.Namespace", ErrStream, got.Name)
		}
		return fmt.Errorf("%w: %s has version %q, this release reads version %q: use the release that made it, or another Options.Namespace", ErrStream, got.Name, v, version)
	}
	var wrong []string
	check := func(name string, ok bool, got, want any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf("%s is %v, want %v", name, got, want))
		}
	}
	equal := func(name string, got, want any) { check(name, got == want, got, want) }
	unlimited := func(name string, got int64) { check(name, got <= 0, got, "none") }

	check("subjects", slices.Equal(got.Subjects, want.Subjects), got.Subjects, want.Subjects)
	equal("retention", got.Retention, want.Retention)
	equal("storage", got.Storage, want.Storage)
	equal("messages per subject", got.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	check("TTL of messages", got.AllowMsgTTL, false, "true, which servers know since NATS 2.11")
	equal("direct reads", got.AllowDirect, false)
	equal("TTL of delete markers", got.SubjectDeleteMarkerTTL, time.Duration(0))
	equal("deny delete", got.DenyDelete, false)
	equal("deny purge", got.DenyPurge, false)
	equal("sealed", got.Sealed, false)
	equal("no acks", got.NoAck, false)
	unlimited("limit of age", int64(got.MaxAge))
	unlimited("limit of messages", got.MaxMsgs)
	check("limit of message size", got.MaxMsgSize <= 0 || int(got.MaxMsgSize) >= smallestPayload, got.MaxMsgSize, fmt.Sprintf("at least %d", smallestPayload))
	check("limit of bytes", got.MaxBytes <= 0 || got.Discard == jetstream.DiscardNew, got.MaxBytes, "none, or discard new")
	check("window of duplicates", got.Duplicates >= want.Duplicates, got.Duplicates, fmt.Sprintf("at least %v", want.Duplicates))
	if want.Replicas != 0 {
		equal("number of replicas", got.Replicas, want.Replicas)
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s: %s: edit the stream, or choose another Options.Namespace", ErrStream, got.Name, strings.Join(wrong, "; "))
}
