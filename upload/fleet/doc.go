// Package fleet uploads with many workers, on one machine or on many. When a worker is
// killed, cut off or put to sleep, another continues with the very same multipart upload,
// and sends again only what was in flight.
//
//	nc, err := nats.Connect("nats://n1,nats://n2,nats://n3", nats.MaxReconnects(-1))
//	...
//	queue, err := fleet.NewQueue(ctx, nc, nil)
//	...
//	id, err := queue.Enqueue(ctx, fleet.Job{
//		Source:   "file:///mnt/films/talk.mp4",
//		Endpoint: "oss-cn-hangzhou.aliyuncs.com",
//		Bucket:   "media",
//		Object:   "in/talk.mp4",
//	})
//
// and on each machine that uploads:
//
//	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
//	defer stop()
//	files, err := fleet.Files("/mnt/films")
//	...
//	worker, err := fleet.NewWorker(ctx, nc, &fleet.WorkerOptions{
//		Upload:  upload.Options{Credentials: sts.Default(nil)},
//		Openers: map[string]fleet.Opener{"file": files},
//	})
//	...
//	return worker.Run(ctx)
//
// The engine is NATS JetStream: servers of your own, or package embedded, which runs one
// in this process. The command examples/fleet shows all of it on one machine.
//
// # Jobs
//
// [Queue.Enqueue] stores a job, and from then on it ends as [StateSucceeded] or
// [StateDead], whatever happens to workers. [Queue.Watch] and [Queue.Wait] follow a job,
// [Queue.Results] yields those that have ended, to programs that were away as well.
//
// The state of a job is the truth, and the queue only a bell. A bell that the engine
// loses, or that is acknowledged by a worker that should not have, rings again: one of the
// workers, elected by a lease, compares states and queue once a minute. It also replaces a
// bell that was delivered and led to nothing for ten minutes. A bell that rings
// twice is harmless: a worker uploads only what it has claimed.
//
// An attempt that fails is repeated after growing pauses. After WorkerOptions.MaxAttempts
// in a row that got no further, or an error that cannot pass by itself, such as a bucket
// that does not exist, the job is dead: [Queue.Dead] lists it, [Queue.Requeue] brings it
// back. Neither the end of a worker by SIGTERM nor an engine that is away counts. A job
// whose source a machine does not have waits for another that has it.
//
// A job that kills its worker, such as one of a file that a library in Prepare cannot bear, is
// dead after as many attempts. The jobs that its workers had at the same time are tried
// apart from it.
//
// # Workers
//
// A worker claims the upload in the shared store of checkpoints before it sends anything,
// and the claim is a lease that it renews. It writes the result first, and only then
// removes the record and acknowledges the bell, so that each step may be its last one:
// the next worker finds out what is left to do. All that it writes of a job is conditional on
// what it wrote before, so that a worker that was thought dead cannot overwrite what another
// has written since.
//
// On SIGTERM, as in the example, a worker gives back all that it has, and others continue
// within a second. One that is killed keeps its claims until their leases end: 30 s by
// default.
//
// # What the engine is trusted with
//
// With liveness and thrift, never with integrity. Whatever it loses, delays or delivers
// twice, no object is wrong: what is in an object is decided between the client and OSS, by
// upload ID, ETags and CRC64 (see package upload). What a loss costs is parts that are sent
// again, an upload at the server that Client.Sweep finds, or a job that begins a minute
// later.
//
// Where the servers sync each write, a job whose Enqueue returned nil is lost only with the
// disks of a majority of them. Where they do not, a power cut of all servers takes their
// unsynced pages, up to two minutes: jobs that were enqueued in that time are lost, and
// others are as they were before it, so that some are done again. The latter may overwrite
// an object that was replaced since: Job.IfExists guards against that.
//
// While a majority of the servers is away, nothing begins or ends. Parts are sent until two
// thirds of the lease have passed, and all is resumed when the majority is back.
//
// The clocks of workers may differ: what one judges by the times that another has written,
// it judges by the clock of the servers, where its own is more than a second off. Leases do
// not depend on clocks that agree.
//
// # Secrets
//
// A job has no credential of the destination: the worker's Provider brings it, for each
// file if need be, by WorkerOptions.Prepare. A signed URL as a source is a secret that
// everybody can read who can read the queue. And who can write to the queue decides which
// of the workers' files are uploaded, and to which endpoint requests go that are signed
// with the workers' credentials: give the rights to publish to vuq.> as carefully as
// those credentials, and name in [Files] only the folders that are for this.
//
// # Settings of the servers
//
//   - Version 2.11 or later, for messages that end by themselves.
//   - sync_interval: always. By default a server syncs every two minutes, and a power cut
//     takes what was acknowledged since. WorkerOptions.SyncAlways says that it is set;
//     without it workers log a warning, since a client cannot see it. The servers of package
//     embedded do so.
//   - Three servers, so that one may fail: streams made in a cluster have three replicas.
//     Five survive two.
//   - WorkerOptions.Lease above three elections, each of which takes 4 to 9 s: otherwise
//     the restart of a server costs claims, and attempts begin again.
//   - max_payload stays at 1 MiB or more.
//   - Users need $JS.API.>, $JS.ACK.>, _INBOX.>, vuq.NAMESPACE.>, and the subjects of package
//     jetstream.
//
// # Sizing
//
// A job costs about ten small writes to the engine, and one a second for as long as it
// runs. 100,000 jobs that wait take some 70 MB of disk at each server (5,000 took 3.6 MB),
// and nothing in the workers. The store of checkpoints costs a worker no more CPU time than
// one on its own disk: with 1,000 parts a second, 28 µs a part instead of 36, of some 400
// that it takes to upload one of 100 KiB. A file in flight costs a message each five seconds
// for its lease, and one for the parts of 50 ms; in memory 4 KiB, and little for its parts.
// 1,000 of them in one store are 200 messages a second without parts, for which the worker
// needs 4 % of a processor; with a part a second of each they are 1,200, and 10 %.
//
// WorkerOptions.Files is how many jobs a worker has at a time, and Upload.Parallel how many
// requests it has in flight for them. With FleetParallel and FleetBandwidthLimit the
// workers share one budget: each takes its equal part, shrinks at once when another comes,
// and grows when one has gone.
//
// # What to watch
//
//   - [Counts]: Waiting that grows while Working does not; Workers that are fewer than you
//     run; Dead above 0.
//   - JobInfo.Takeovers, and warnings "jobs that the queue had lost, or did not deliver,
//     are back": workers that die or hang, or an engine that loses messages.
//   - JobInfo.Error of jobs that are queued: sources that no machine has.
//   - Of the servers: the lag of replicas, free disk, and elections.
package fleet
