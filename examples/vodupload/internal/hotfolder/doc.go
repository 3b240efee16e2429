// Package hotfolder watches a folder in which other programs put files, and hands each
// file on once it is complete.
//
// # When a file is complete
//
// No operating system says so, and a file that is taken too early is uploaded in half. So
// several signs count, and [Rules] weigh them:
//
//   - A name that says "not yet" (clip.mov.part, .clip.mov.Xy12, ~clip.mov) is never taken.
//   - A file that was renamed to its name is complete: who writes under a temporary name
//     and renames at the end says so on purpose.
//   - A file that its writer closed is complete after a short calm; one that was written
//     again after that is not, since its writer closes it between writes.
//   - A file whose size and modification time stood still, for Settle and three looks at
//     least. The age of a file says nothing: a copy that keeps the time of the original
//     (cp -p) is old while it grows.
//   - With Trigger, a file is complete when its sidecar is there, and never before.
//
// Renames and closes are seen by inotify on Linux. All else works everywhere, network file
// systems included, because the folder is also read every few seconds. Where the system
// can say it (Linux, local file systems, files of the same user), a file that somebody has
// open for writing is not taken, however long it stands still.
//
// # What is done
//
// A [Journal] has what was uploaded, by path, size, modification time and inode. It is
// appended to and synced before the source is touched, so that no end of the process or
// of the power loses a file. An end between the upload and the journal has the file
// offered again; the uploader has to see then that the object is there.
//
// # What happens to the source
//
// It stays, or is moved or deleted: see [After]. Before that it is renamed to a name that
// no other program knows, below .vodupload in the folder, and looked at again there: the
// identity, the size, the times, and whether somebody has it open for writing. If it is not
// the file that was uploaded, it is put back. A program that opened the file before that
// rename and writes after the last look is not seen where the system cannot say who has a
// file open. Where a process is killed between the two, the next one puts the file back.
package hotfolder
