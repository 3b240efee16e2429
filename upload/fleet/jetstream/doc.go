// Package jetstream keeps checkpoints in a stream of NATS JetStream, where all the
// machines that use it share them: when one of them dies, another goes on with the same
// multipart upload.
//
//	nc, err := nats.Connect("nats://n1,nats://n2,nats://n3", nats.MaxReconnects(-1))
//	if err != nil {
//		return err
//	}
//	store, err := jetstream.Open(ctx, nc, nil)
//	if err != nil {
//		return err
//	}
//	client, err := upload.New(&upload.Options{Checkpoints: store})
//
// # Claims
//
// A claim is a lease, 30 s by default, which its holder renews every 5 s. A holder that
// ends in order gives its claims up at once; those of one that dies end with their
// leases. [Store.Open] of an upload that is claimed returns a [checkpoint.InUseError] with
// the name of the holder and the end of its lease.
//
// A holder can lose its claim while it has it: its process was stopped, its machine slept,
// or it was cut off from NATS. It finds that out in two ways. By its own clocks it stops
// after two thirds of a lease without a renewal, before the servers give the claim to
// anybody else. And each of its writes is conditional on the lease message being its own,
// in the servers, so that even a holder whose clock stood still changes nothing of the next
// holder's checkpoint. From then on its calls are [checkpoint.ErrLost].
//
// # What the servers are trusted with
//
// They say who may work on an upload, and save sending parts again. They are not trusted
// with the bytes: what they lose costs parts that are sent again, or an upload at OSS
// without a checkpoint, which Sweep finds; never a wrong object. That matters, since what
// a NATS server has acknowledged can be lost with the power, unless sync_interval is
// "always": by default it syncs every two minutes. [Options.SyncAlways] says that all
// servers do.
//
// # Failures
//
// Requests that get no answer are repeated with the same message ID for as long as the
// lease holds. An election takes the servers 4 to 9 s, in which no claim is lost. A
// connection whose server does not answer within 3 s is given up for another server. While
// there is no majority of the servers, holders stop when two thirds of their leases have
// passed, and Open fails after as long.
//
// Parts are durable when [checkpoint.Claim.Flush] returns. Without it they are written
// within 50 ms and the time of a request.
//
// # What the stream has
//
// The stream VU_<namespace> keeps one message for each subject, in files, on three servers
// in a cluster. It does not allow direct reads, which a server would answer from a state
// that may be behind. All subjects of an upload begin with the stream's name and the
// SHA-256 of the upload's key:
//
//	….l                the claim, in JSON; its time to live is the lease
//	….r                the record, as package checkpoint encodes it, and in a header its
//	                   begin, a name of its own; or, without a record, since when there may
//	                   be an upload whose ID is not known
//	….p.<begin>.<name> parts of the record with that begin: the length of each as a varint,
//	                   and its encoding
//	….d                what could not be read, for a week
//
// A message of parts is written again with more until it has 4 KiB: an upload of 10,000
// parts takes about 100 messages. One upload makes at most 20 messages a second.
package jetstream
