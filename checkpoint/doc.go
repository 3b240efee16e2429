// Package checkpoint remembers uploads that are under way, so that another run, or
// another process, resumes where the last one ended.
//
// A [Store] keeps the checkpoints, a [Claim] is one of them, claimed for writing.
// [OpenDir] opens the store that is meant for most programs: a directory with one
// small bbolt file for each upload in flight. [NewMemory] makes one that forgets
// everything when the process ends.
//
// # What is kept
//
// A [Record] says what is uploaded (the source as it was when the upload began),
// where to, under which upload ID and in parts of which size. With it stands one
// [Part] for each part that the server has acknowledged: number, size, ETag and
// CRC-64. No credential is ever kept.
//
// A source that a media service gives its destination has a second record, under its
// name alone: which video was made for it. Without an ID it is the mark that one is
// being made.
//
// # Promises
//
// When [Claim.Begin] returns, the record is durable: it outlives a crash of the
// process and of the machine. For a part there are two promises, since a disk may take
// longer to sync than a process lives:
//
//   - It outlives the process, also one that is killed, within 50 ms of [Claim.Add]:
//     by then the operating system has it.
//   - It outlives a loss of power within 100 ms of Add and the time that the disk takes
//     for the syncs under way, which is two groups' at most, or when [Claim.Flush]
//     returns. [Timed] returns how long that is.
//
// Add itself never waits for the disk: parts that are added within 50 ms are written
// together, and what they cost does not depend on how many are there already.
// [Claim.Remove] leaves nothing behind.
//
// Some disks acknowledge a sync without doing it, and file systems are mounted
// with barriers off. There the promises hold for a crash of the process, and not
// for a loss of power.
//
// A write that fails, because the disk is full for instance, is reported by the next
// call, and tried again with the next part: nothing that was added is forgotten
// before the upload is closed. A file that was removed or damaged
// while the upload was running, or its directory, is made again.
//
// # Claims
//
// [Store.Open] claims an upload for one holder. It does not wait: while another
// holder has it, in this process or in another, the error is [ErrInUse]. Different
// uploads do not get in each other's way, so that any number of processes can work
// in one directory. The claim of a [Dir] is a lock on the upload's file, which the system
// takes back from a process that dies. It works between processes of one machine;
// on a network file system it is as good as that system's locks.
//
// # Damaged records
//
// A record may be cut short by a failing disk, or be written by a later version of
// this package. Nothing of it is used then. Open moves it aside, under its name
// and ".damaged-" and the time, and claims the upload as one of which nothing is
// known; [Claim.Damaged] returns what happened. The last four that were set aside
// in a directory are kept.
//
// # Format
//
// A file is named after the SHA-256 of its [Key], with the extension
// ".checkpoint". It is a bbolt database with pages of 4,096 bytes and one bucket,
// "upload". Its keys are two bytes, big endian. Under 0 stands the record, under n
// stand the 4 bytes of the record's checksum and then part n. An empty bucket, and
// an empty file, is an upload of which nothing is known. An empty file without a
// holder also says, by its modification time, when a holder claimed the upload that
// ended before Begin: see [Unbegun]. List removes it after a day.
//
// While an upload is open, and after its process was killed, there is a journal beside
// it, with the further extension ".parts". It is written and never synced, and has a
// frame for each added part:
//
//	bytes  field
//	4      length of the part
//	8      number of the frame, from 1
//	4      checksum of the record
//	n      Part, as below
//	4      CRC-32C of all bytes before
//
// A part counts, in place of one that stands under its number, if the frame and all
// before it are sound, the record is the one that the file holds, and the number is
// above the bucket's sequence: a transaction says with it which frames it includes.
//
// A record, as [Record.MarshalBinary] gives it:
//
//	bytes  field
//	4      "VODC"
//	1      version, 1
//	n      Key.Source, Key.Endpoint, Key.Bucket, Key.Object: text
//	8      Source.Size
//	12     Source.ModTime
//	8, 8   Source.Inode, Source.Device
//	12     Source.ChangeTime
//	n      Source.Fingerprint: text
//	n      UploadID: text
//	8      PartSize
//	12     Started
//	n      VideoID: text
//	4      CRC-32C of all bytes before
//
// A part, as [Part.MarshalBinary] gives it, 39 bytes for the usual ETag:
//
//	bytes  field
//	1      form of the ETag: 0 as it is, 1 and 2 hexadecimal digits in upper and lower case
//	2      Number
//	8      Size
//	8      CRC64
//	n      ETag: as it is, or 16 bytes for 32 digits
//	4      CRC-32C of all bytes before
//
// Numbers are big endian. Text is its length as a varint, then its bytes. A time is
// its seconds since 1970 (8 bytes, signed), then its nanoseconds (4 bytes); it
// comes back in UTC.
//
// # Writing your own Store
//
// A store that many machines share (etcd, a database) implements [Store] and
// [Claim], with leases for claims: a holder that died has lost its claim when the
// lease ends. It is [Shared], its claims are [Held], and each has a [Lease]. A holder that
// was stopped, or cut off, and is back after its lease has to find that it is too late:
// each write of Begin, Flush, Remove and Close is conditional, in the engine and not only
// by the holder's clock, on the lease still being its own, and is [ErrLost] where it is
// not. Open returns an [InUseError] that says who has the claim and until when. Keep a record under its [Key] and parts under their numbers, so that
// an added part is one small write. The encodings above carry a version and a
// checksum; Record.UnmarshalBinary and Part.UnmarshalBinary return an error that
// wraps [ErrDamaged] instead of wrong data. Package checkpointtest has the suites
// that such a store has to pass: Run, and RunShared.
package checkpoint
