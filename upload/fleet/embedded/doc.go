// Package embedded runs a NATS server with JetStream in this process, for programs on
// one machine and for tests.
//
//	server, err := embedded.Run(&embedded.Options{Dir: "/var/lib/media/nats"})
//	if err != nil {
//		return err
//	}
//	defer server.Close()
//	nc, err := server.Connect()
//
// What the server acknowledges has been synced to the disk: a server that was started
// from its own configuration file does so only with sync_interval: always.
//
// Without [Options.Addr] it listens nowhere, and only this process reaches it. The
// packages of the server are linked by programs that import this package, and by no
// others.
package embedded
