package jetstream

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
)

// Headers of record messages. A message with beginHeader has a record; one with
// unbegunHeader marks an upload that may be there without one; one without either is
// what Remove leaves for a second.
const (
	beginHeader   = "Vodupload-Begin"
	unbegunHeader = "Vodupload-Unbegun"
)

// newID returns a name that no other claim has.
func newID() string { return rand.Text() }

// A stored record is what a record message says.
type storedRecord struct {
	begin   string // names the record; its parts have the same name
	rec     checkpoint.Record
	unbegun time.Time
}

func isRemoved(m *jetstream.RawStreamMsg) bool {
	return m.Header.Get(beginHeader) == "" && m.Header.Get(unbegunHeader) == ""
}

func recordMessage(subj subjects, begin string, rec checkpoint.Record) (*nats.Msg, error) {
	data, err := rec.MarshalBinary()
	if err != nil {
		return nil, err
	}
	m := &nats.Msg{Subject: subj.record(), Data: data, Header: nats.Header{}}
	m.Header.Set(beginHeader, begin)
	return m, nil
}

func unbegunMessage(subj subjects, since time.Time) *nats.Msg {
	m := nats.NewMsg(subj.record())
	m.Header.Set(unbegunHeader, since.UTC().Format(time.RFC3339Nano))
	return m
}

// decodeRecord returns what a record message says; key is whose it has to be, if it is
// known. The error wraps [checkpoint.ErrDamaged].
func decodeRecord(m *jetstream.RawStreamMsg, key *checkpoint.Key) (r storedRecord, err error) {
	if since := m.Header.Get(unbegunHeader); since != "" {
		r.unbegun, err = time.Parse(time.RFC3339Nano, since)
		if err != nil {
			return r, fmt.Errorf("%w: the time of an upload without a record: %w", checkpoint.ErrDamaged, err)
		}
		return r, nil
	}
	if isRemoved(m) {
		return r, nil
	}
	if err := r.rec.UnmarshalBinary(m.Data); err != nil {
		return r, err
	}
	if key != nil && r.rec.Key != *key {
		return r, fmt.Errorf("%w: it is the record of another upload: %v, want %v", checkpoint.ErrDamaged, r.rec.Key, *key)
	}
	r.begin = m.Header.Get(beginHeader)
	return r, nil
}
