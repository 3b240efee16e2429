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
//	client, err := upload.New(upload.Options{Checkpoints: store})
package jetstream
