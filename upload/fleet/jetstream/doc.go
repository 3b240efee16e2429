// Package jetstream keeps checkpoints in a stream of NATS JetStream, where all the
// machines that use it share them.
package jetstream
