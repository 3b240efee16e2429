package jetstream

import (
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
)

// WantStream returns the stream of a namespace on one server.
func WantStream(namespace string) natsjs.StreamConfig { return wantStream(namespace, 1) }

// Subjects of the upload that key names.
func LeaseSubject(namespace string, key checkpoint.Key) string {
	return subjectsOf("VU_"+namespace, key).lease()
}
func RecordSubject(namespace string, key checkpoint.Key) string {
	return subjectsOf("VU_"+namespace, key).record()
}
func AsideSubject(namespace string, key checkpoint.Key) string {
	return subjectsOf("VU_"+namespace, key).aside()
}

// PartSubject is one for a message of parts that belong to what m is the record of.
func PartSubject(namespace string, key checkpoint.Key, m *natsjs.RawStreamMsg) string {
	return subjectsOf("VU_"+namespace, key).part(m.Header.Get(beginHeader), "test")
}

// ForgetRenewal makes a claim forget its last renewal, as if the acknowledgement had been
// lost and the engine did not know the message's ID any more.
func ForgetRenewal(c checkpoint.Claim) {
	own := c.(*claim)
	own.turn <- struct{}{}
	defer func() { <-own.turn }()
	own.seq--
	own.holding.Renewals--
}

const MostBatch = mostBatch
