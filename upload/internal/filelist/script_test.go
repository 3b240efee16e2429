package filelist

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/checkpoint"
)

var (
	errCause = errors.New("caused by the call")
	errRun   = errors.New("the run failed")
)

// scripts are written as the commands and reports that a list gets, and the effects
// that it answers with. An "add" is "add NAME", with the words direct and stream, and
// rankN for rank N of the one group; files are numbered from 1 in the order of addition. "turn N" starts files with N slots.
// "ended N" takes ok, failed, canceled (for: interrupted), and clean where nothing is left.
// "away" and "back" are about the one endpoint. What holds files back is left out before
// "holds".
var scripts = []struct{ name, script, want string }{
	{"a file succeeds", "add a; start; turn 1; ended 1 ok",
		"start 1, started 1, succeeded 1, release 1, finished"},
	{"a file fails, and is tried again", "add a; start; turn 1; ended 1 failed; retry 1; turn 1; ended 1 ok",
		"start 1, started 1, failed 1, release 1, finished, start 1, started 1, succeeded 1, release 1, finished"},
	{"a cancel removes what the file left before it is reported", "add a; start; turn 1; cancel 1; ended 1 canceled; cleaned 1",
		"start 1, started 1, interrupt 1, cleanup 1, canceled 1, release 1, finished"},
	{"a cancel of a file that left nothing", "add a; start; turn 1; cancel 1; ended 1 canceled clean",
		"start 1, started 1, interrupt 1, canceled 1, release 1, finished"},
	{"a cancel before the start", "add a; cancel 1; start", "canceled 1, release 1, finished"},
	{"a cancel that comes too late", "add a; start; turn 1; cancel 1; ended 1 ok",
		"start 1, started 1, interrupt 1, succeeded 1, release 1, finished"},
	{"a failure for its own reason is still a cancel", "add a; start; turn 1; cancel 1; ended 1 canceled clean; cancel 1",
		"start 1, started 1, interrupt 1, canceled 1, release 1, finished, ErrState"},
	{"a second cancel", "add a; start; turn 1; cancel 1; cancel 1", "start 1, started 1, interrupt 1, ErrState"},
	{"pause and resume are not reported as a start", "add a; start; turn 1; pause; ended 1 canceled; turn 1; resume; turn 1; ended 1 ok",
		"start 1, started 1, interrupt 1, start 1, succeeded 1, release 1, finished"},
	{"a pause overtaken by a failure", "add a; start; turn 1; pause; ended 1 failed; resume",
		"start 1, started 1, interrupt 1, failed 1, release 1, finished"},
	{"a stop overrides a pause", "add a; start; turn 1; pause; stop; ended 1 canceled; start; turn 1",
		"start 1, started 1, interrupt 1, interrupt 1, start 1"},
	{"a pause does not override a cancel", "add a; start; turn 1; cancel 1; pause; ended 1 canceled clean",
		"start 1, started 1, interrupt 1, interrupt 1, canceled 1, release 1"},
	{"a stop sets paused files back", "add a; start; turn 1; pause; ended 1 canceled; stop; state 1", "start 1, started 1, interrupt 1, init"},
	{"a start starts as many files as there are slots", "add a; add b; add c; start; turn 2; ended 1 ok; turn 1",
		"start 1, started 1, start 2, started 2, succeeded 1, release 1, start 3, started 3"},
	{"no more files than the limit", "add a; add b; add c; add d; add e; start; turn 9",
		"start 1, started 1, start 2, started 2, start 3, started 3, start 4, started 4"},
	{"more files than before, and fewer", "add a; add b; add c; start; limits 1; turn 9; limits 2; turn 9; limits 1; ended 1 ok; turn 9; ended 2 ok; turn 9",
		"start 1, started 1, start 2, started 2, succeeded 1, release 1, succeeded 2, release 2, start 3, started 3"},
	{"more clean-ups at a time than before", "add a; add b; start; turn 2; limits 1; clear; ended 1 canceled; ended 2 canceled; limits 2",
		"start 1, started 1, start 2, started 2, interrupt 1, interrupt 2, cleanup 1, cleanup 2"},
	{"a direct file needs no Start", "add a direct; turn 1; ended 1 ok; forget 1", "start 1 slotless, started 1, succeeded 1, release 1, rest 1, drop 1"},
	{"direct files come first, as many as Parallel without a slot", "add a; add b direct; add c direct; add d direct; start; turn 1",
		"start 2 slotless, started 2, start 3 slotless, started 3, start 4, started 4"},
	{"a direct file waits while the client is paused", "start; add a; turn 1; pause; add b direct; turn 1; resume; turn 1; state 2",
		"finished, start 1, started 1, interrupt 1, start 2 slotless, started 2, uploading"},
	{"a stop fails direct files that wait", "add a; start; pause; add b direct; stop; forget 2", "failed 2 silent, release 2, rest 2, drop 2"},
	{"a stop fails direct files that run", "add x; start; add a direct; turn 1; stop; ended 2 canceled",
		"start 2 slotless, started 2, start 1, started 1, interrupt 1, interrupt 2, failed 2, release 2, rest 2"},
	{"the end of the caller's context keeps the checkpoint", "add a direct; turn 1; end 1; ended 1 canceled; forget 1",
		"start 1 slotless, started 1, interrupt 1, failed 1, release 1, rest 1, drop 1"},
	{"the end of the caller's context before the start", "start; add x; pause; add a direct; end 2; turn 1", "finished, failed 2 silent, release 2, rest 2"},
	{"what an interrupted stream left is removed", "add a stream direct; turn 1; end 1; ended 1 canceled; cleaned 1; forget 1",
		"start 1 slotless, started 1, interrupt 1, failed 1, release 1, cleanup 1, rest 1, drop 1"},
	{"a stream is not retried", "add a stream; start; turn 1; ended 1 failed clean; retry 1", "start 1, started 1, failed 1, release 1, finished, ErrState"},
	{"a direct file is not retried", "add a direct; turn 1; ended 1 failed; retry 1", "start 1 slotless, started 1, failed 1, release 1, rest 1, ErrState"},
	{"no retry before the clean-up", "add a; start; turn 1; cancel 1; retry 1; ended 1 canceled; retry 1; cleaned 1; retry 1; turn 1",
		"start 1, started 1, interrupt 1, ErrState, cleanup 1, ErrState, canceled 1, release 1, finished, start 1, started 1"},
	{"deleting a file that waits", "add a; delete 1; start", "release 1, drop 1, finished"},
	{"deleting a file that runs", "add a; start; turn 1; delete 1; ended 1 canceled; cleaned 1",
		"start 1, started 1, interrupt 1, cleanup 1, canceled 1, release 1, drop 1, finished"},
	{"deleting a failed file removes what it left", "add a; start; turn 1; ended 1 failed; delete 1; cleaned 1",
		"start 1, started 1, failed 1, release 1, finished, cleanup 1, drop 1"},
	{"deleting a file that is being canceled", "add a; start; turn 1; cancel 1; ended 1 canceled; delete 1; cleaned 1",
		"start 1, started 1, interrupt 1, cleanup 1, canceled 1, release 1, drop 1, finished"},
	{"a file that is tried again and deleted before its start", "add a; start; turn 1; ended 1 failed; stop; retry 1; delete 1; cleaned 1",
		"start 1, started 1, failed 1, release 1, finished, cleanup 1, drop 1"},
	{"a namesake waits for the deleted file", "add a; start; turn 1; delete 1; add a; turn 1; ended 1 canceled; turn 1; cleaned 1; turn 1",
		"start 1, started 1, interrupt 1, cleanup 1, canceled 1, release 1, drop 1, start 2, started 2"},
	{"the same key twice", "add a; add a; add b", "DuplicateError"},
	{"clean-ups wait for their turn", "add a; add b; add c; start; turn 3; clear; ended 1 canceled; ended 2 canceled; ended 3 canceled; cleaned 1; cleaned 2; cleaned 3",
		"start 1, started 1, start 2, started 2, start 3, started 3, interrupt 1, interrupt 2, interrupt 3, cleanup 1, cleanup 2, canceled 1, release 1, cleanup 3, drop 1, canceled 2, release 2, drop 2, canceled 3, release 3, drop 3, finished"},
	{"a close fails what was started", "add a; add b; start; turn 1; pause; ended 1 canceled; close", "start 1, started 1, interrupt 1, failed 1, release 1, release 2"},
	{"a close ends what runs", "add a; start; turn 1; close; ended 1 canceled; add b", "start 1, started 1, interrupt 1, failed 1, release 1, ErrClosed"},
	{"a report of an earlier run is ignored", "add a; start; turn 1; stop; ended 1 canceled; start; turn 1; ended 1/1 ok; ended 1/2 ok",
		"start 1, started 1, interrupt 1, start 1, succeeded 1, release 1, finished"},
	{"progress of an earlier run is ignored", "add a; start; turn 1; stop; ended 1 canceled; progress 1/1 300; start; turn 1; progress 1/1 400; figures 1; progress 1/2 100; figures 1; ended 1/2 ok; progress 1/2 500; figures 1",
		"start 1, started 1, interrupt 1, late, start 1, late, 0 of 1000, 100 of 1000, succeeded 1, release 1, finished, late, 1000 of 1000"},
	{"a destination given late", "add a; start; turn 1; rename 1 b; add a; add b; ended 1 ok", "start 1, started 1, DuplicateError, succeeded 1, release 1"},
	{"a finished client starts what is added", "start; add a; turn 1", "finished, start 1, started 1"},
	{"a file that succeeded leaves nothing", "add a; start; turn 1; ended 1 ok; delete 1", "start 1, started 1, succeeded 1, release 1, finished, drop 1"},
	{"uploaded does not go back within a run, nor over a pause", "add a; start; turn 1; progress 1 300; progress 1 200; pause; ended 1 canceled; resume; turn 1; progress 1 100; figures 1",
		"start 1, started 1, interrupt 1, start 1, 300 of 1000"},
	{"a retry counts from zero", "add a; start; turn 1; progress 1 300; ended 1 failed; stop; retry 1; figures 1",
		"start 1, started 1, failed 1, release 1, finished, 0 of 1000"},
	{"a wait before the start", "mark; over; start; over", "never began, finished, all ended"},
	{"a wait for a file", "add a; start; mark; turn 1; over; ended 1 ok; over", "start 1, started 1, not over, succeeded 1, release 1, finished, all ended"},
	{"a wait that is stopped ends when the runs have", "add a; start; mark; turn 1; stop; over; ended 1 canceled; over; start; over",
		"start 1, started 1, interrupt 1, not over, was stopped, was stopped"},
	{"a wait after the stop reports it", "add a; start; stop; mark; over", "was stopped"},
	{"a wait for what was finished before the stop", "start; stop; mark; over", "finished, all ended"},
	{"a wait for a client that is closed", "add a; start; mark; close; over; mark; over", "release 1, was closed, was closed"},
	{"a client that finished before it was closed", "start; mark; close; over; mark; over", "finished, all ended, was closed"},
	{"a wait outlasts a pause", "add a; start; pause; mark; over", "not over"},
	{"a wait covers clean-ups", "add a; start; turn 1; mark; cancel 1; ended 1 canceled; over; cleaned 1; over",
		"start 1, started 1, interrupt 1, cleanup 1, not over, canceled 1, release 1, finished, all ended"},
	{"a wait does not cover direct files", "add a direct; start; turn 1; mark; over", "start 1 slotless, started 1, finished, all ended"},
	{"nothing can be cleared, added or retried once the client is closed", "add a; close; clear; add b; retry 1; cancel 1; delete 1", "release 1, ErrClosed, ErrClosed, ErrClosed, ErrClosed, ErrClosed"},
	{"a file that has ended leaves the list", "forgetful; add a; start; turn 1; ended 1 ok; leave 1; add a",
		"start 1, started 1, succeeded 1, release 1, over 1, finished, drop 1"},
	{"a file that failed leaves the list, and what it left stays", "forgetful; add a; start; turn 1; ended 1 failed; leave 1; add a; turn 1",
		"start 1, started 1, failed 1, release 1, over 1, finished, drop 1, start 2, started 2"},
	{"a canceled file leaves the list after its clean-up", "forgetful; add a; start; turn 1; cancel 1; ended 1 canceled; leave 1; cleaned 1; leave 1",
		"start 1, started 1, interrupt 1, cleanup 1, canceled 1, release 1, over 1, finished, drop 1"},
	{"a failed stream leaves the list after its clean-up", "forgetful; add a stream; start; turn 1; ended 1 failed; leave 1; cleaned 1; leave 1",
		"start 1, started 1, failed 1, release 1, cleanup 1, over 1, finished, drop 1"},
	{"a file that was canceled before its start leaves the list", "forgetful; add a; cancel 1; leave 1", "canceled 1, release 1, over 1, drop 1"},
	{"a file that is tried again stays", "forgetful; add a; start; turn 1; ended 1 failed; retry 1; leave 1/1; turn 1; leave 1/1; ended 1 ok; leave 1/1; leave 1/2",
		"start 1, started 1, failed 1, release 1, over 1, finished, start 1, started 1, succeeded 1, release 1, over 1, finished, drop 1"},
	{"a file that was canceled twice leaves for the second", "forgetful; add a; cancel 1; retry 1; cancel 1; leave 1/1; leave 1/2",
		"canceled 1, release 1, over 1, canceled 1, release 1, over 1, drop 1"},
	{"a file that was deleted meanwhile", "forgetful; add a; start; turn 1; ended 1 failed; delete 1; leave 1; cleaned 1; leave 1",
		"start 1, started 1, failed 1, release 1, over 1, finished, cleanup 1, drop 1"},
	{"those who watch a file that leaves get its end", "forgetful; add a; start; turn 1; watch 1; ended 1 ok; leave 1; watch 1",
		"start 1, started 1, succeeded 1, release 1, over 1, rest 1, finished, drop 1, ErrNotListed"},
	{"direct files leave by themselves", "forgetful; add a direct; turn 1; ended 1 ok; forget 1", "start 1 slotless, started 1, succeeded 1, release 1, rest 1, drop 1"},
	{"a close has all that was started leave", "forgetful; add a; add b; start; turn 1; close; ended 1 canceled; leave 1",
		"start 1, started 1, interrupt 1, release 2, failed 1, release 1, over 1, drop 1"},
	{"a wait reports what failed", "add a; add b; add c; start; mark; turn 3; ended 1 failed; ended 2 ok; ended 3 failed; report",
		"start 1, started 1, start 2, started 2, start 3, started 3, failed 1, release 1, succeeded 2, release 2, failed 3, release 3, finished, reports 1 3"},
	{"a wait does not report again what one before has", "add a; add b; start; mark; turn 1; ended 1 failed; report; mark; report; turn 1; ended 2 failed; report; mark; report",
		"start 1, started 1, failed 1, release 1, reports 1, reports, start 2, started 2, failed 2, release 2, finished, reports 2, reports"},
	{"a wait reports what failed before it began", "add a; start; turn 1; ended 1 failed; mark; report", "start 1, started 1, failed 1, release 1, finished, reports 1"},
	{"a wait does not report what was tried again", "add a; start; turn 1; ended 1 failed; retry 1; mark; report; turn 1; ended 1 failed; mark; report",
		"start 1, started 1, failed 1, release 1, finished, reports, start 1, started 1, failed 1, release 1, finished, reports 1"},
	{"a wait does not report what was deleted", "add a; start; turn 1; ended 1 failed clean; delete 1; mark; report", "start 1, started 1, failed 1, release 1, finished, drop 1, reports"},
	{"a wait does not report direct files", "add a direct; turn 1; ended 1 failed clean; mark; report", "start 1 slotless, started 1, failed 1, release 1, rest 1, reports"},
	{"a wait reports what has left the list", "forgetful; add a; add b; start; turn 2; ended 1 failed; leave 1; ended 2 failed; mark; report; mark; report",
		"start 1, started 1, start 2, started 2, failed 1, release 1, over 1, drop 1, failed 2, release 2, over 2, finished, reports 1 2, reports"},
	{"waits at the same time report the same", "forgetful; add a; start; turn 1; mark; mark2; ended 1 failed; leave 1; report; endwait; report2; endwait; mark; report",
		"start 1, started 1, failed 1, release 1, over 1, finished, drop 1, reports 1, reports 1, reports"},
	{"a wait of its own reports what leaves the list after another has reported it", "forgetful; add a; start; turn 1; mark; mark2; ended 1 failed; report; leave 1; report2; endwait; endwait; mark; report",
		"start 1, started 1, failed 1, release 1, over 1, finished, reports 1, drop 1, reports 1, reports"},
	{"a wait that gives up reports nothing", "forgetful; add a; start; turn 1; ended 1 failed; leave 1; mark; endwait; mark; report; endwait",
		"start 1, started 1, failed 1, release 1, over 1, finished, drop 1, reports 1"},
	{"an unknown file", "cancel 7; delete 7; retry 7; fail 7; watch 7", "ErrNotListed, ErrNotListed, ErrNotListed, ErrNotListed, ErrNotListed"},

	{"a file that the user fails keeps what it left", "add a; start; turn 1; fail 1; ended 1 canceled; retry 1; turn 1",
		"start 1, started 1, interrupt 1, failed 1, release 1, finished, start 1, started 1"},
	{"failed before the start, it is reported all the same", "add a; fail 1; start; state 1", "failed 1, release 1, finished, failed"},
	{"failed while it is paused", "add a; start; turn 1; pause; ended 1 canceled; fail 1; resume", "start 1, started 1, interrupt 1, failed 1, release 1, finished"},
	{"a fail that comes too late", "add a; start; turn 1; fail 1; ended 1 ok; fail 1", "start 1, started 1, interrupt 1, succeeded 1, release 1, finished, ErrState"},
	{"a fail overrides a pause", "add a; start; turn 1; pause; fail 1; ended 1 canceled; resume", "start 1, started 1, interrupt 1, interrupt 1, failed 1, release 1, finished"},
	{"a fail overrides a stop", "add a; start; turn 1; stop; fail 1; ended 1 canceled; state 1", "start 1, started 1, interrupt 1, interrupt 1, failed 1, release 1, failed"},
	{"a stop does not override a fail", "add a; start; turn 1; fail 1; stop; ended 1 canceled; state 1", "start 1, started 1, interrupt 1, interrupt 1, failed 1, release 1, failed"},
	{"a second fail does nothing", "add a; start; turn 1; fail 1; fail 1; ended 1 canceled", "start 1, started 1, interrupt 1, interrupt 1, failed 1, release 1, finished"},
	{"a cancel overrides a fail", "add a; start; turn 1; fail 1; cancel 1; fail 1; ended 1 canceled clean", "start 1, started 1, interrupt 1, interrupt 1, ErrState, canceled 1, release 1, finished"},
	{"a direct file that the user fails", "add a direct; turn 1; fail 1; ended 1 canceled", "start 1 slotless, started 1, interrupt 1, failed 1, release 1, rest 1"},
	{"a stream that the user fails leaves nothing", "add a stream; start; turn 1; fail 1; ended 1 canceled; cleaned 1", "start 1, started 1, interrupt 1, failed 1, release 1, cleanup 1, finished"},
	{"nothing is failed once the client is closed", "add a; close; fail 1", "release 1, ErrClosed"},

	{"a watched file rests when it has ended", "add a; start; watch 1; turn 1; ended 1 ok; delete 1", "start 1, started 1, succeeded 1, release 1, rest 1, finished, drop 1"},
	{"one that has ended rests at once, each time it is watched", "add a; start; turn 1; ended 1 failed; watch 1; watch 1; delete 1; cleaned 1",
		"start 1, started 1, failed 1, release 1, finished, rest 1, rest 1, cleanup 1, drop 1"},
	{"watched twice, it rests once", "add a; start; watch 1; watch 1; turn 1; ended 1 ok", "start 1, started 1, succeeded 1, release 1, rest 1, finished"},
	{"one that is canceled rests after its clean-up", "add a; start; watch 1; turn 1; cancel 1; ended 1 canceled; cleaned 1",
		"start 1, started 1, interrupt 1, cleanup 1, canceled 1, release 1, rest 1, finished"},
	{"one that is deleted rests before it is gone", "add a; start; watch 1; turn 1; delete 1; ended 1 canceled; cleaned 1",
		"start 1, started 1, interrupt 1, cleanup 1, canceled 1, release 1, rest 1, drop 1, finished"},
	{"deleted while it waits, too", "add a; start; watch 1; delete 1", "release 1, rest 1, drop 1, finished"},
	{"a stream that failed rests after its clean-up", "add a stream; start; watch 1; turn 1; ended 1 failed; cleaned 1",
		"start 1, started 1, failed 1, release 1, cleanup 1, rest 1, finished"},
	{"a pause is no rest", "add a; start; watch 1; turn 1; pause; ended 1 canceled; resume; turn 1; ended 1 ok",
		"start 1, started 1, interrupt 1, start 1, succeeded 1, release 1, rest 1, finished"},
	{"a stop is, when the run has ended", "add a; add b; start; watch 1; watch 2; turn 1; stop; ended 1 canceled; start; turn 2",
		"start 1, started 1, interrupt 1, rest 2 caused by the call, rest 1 caused by the call, start 1, start 2, started 2"},
	{"paused and stopped", "add a; start; watch 1; turn 1; pause; ended 1 canceled; stop", "start 1, started 1, interrupt 1, rest 1 caused by the call"},
	{"a stop that a start overtakes is not", "add a; start; watch 1; turn 1; stop; start; ended 1 canceled; turn 1; ended 1 ok",
		"start 1, started 1, interrupt 1, start 1, succeeded 1, release 1, rest 1, finished"},
	{"watched while it is stopped", "add a; start; stop; watch 1", "rest 1 caused by the call"},
	{"watched before the start", "add a; watch 1", "rest 1 ErrState"},
	{"a close leaves what was never started at rest", "add a; add b; start; watch 1; watch 2; turn 1; close; ended 1 canceled; watch 2",
		"start 1, started 1, interrupt 1, release 2, rest 2 ErrClosed, failed 1, release 1, rest 1, rest 2 ErrClosed"},
	{"set back, it can be watched again", "add a; start; watch 1; turn 1; ended 1 failed; retry 1; watch 1; turn 1; ended 1 ok",
		"start 1, started 1, failed 1, release 1, rest 1, finished, start 1, started 1, succeeded 1, release 1, rest 1, finished"},

	{"a rank waits for the lower ones", "add m rank2; add p rank1; add a rank0; add b rank0; start; turn 9; ended 3 ok; ended 4 ok; turn 9; ended 2 ok; turn 9; ended 1 ok",
		"start 3, started 3, start 4, started 4, succeeded 3, release 3, succeeded 4, release 4, start 2, started 2, succeeded 2, release 2, start 1, started 1, succeeded 1, release 1, finished"},
	{"files of no group do not wait for one", "add p rank1; add a rank0; add x; start; turn 9", "start 2, started 2, start 3, started 3"},
	{"negative ranks come first", "add a; add p rank0; add s rank-5; start; turn 9", "start 1, started 1, start 3, started 3"},
	{"a failure fails the higher ranks, once the lower ones have ended", "add p rank1; add m rank2; add a rank0; add b rank0; start; turn 9; ended 3 failed; ended 4 ok",
		"start 3, started 3, start 4, started 4, failed 3, release 3, succeeded 4, release 4, failed 1 (3 failed), release 1, failed 2 (3 failed), release 2, finished"},
	{"a cancel fails the higher ranks", "add p rank1; add a rank0; add b rank0; cancel 2; start; turn 9; ended 3 failed clean",
		"canceled 2, release 2, start 3, started 3, failed 3, release 3, failed 1 (2 was canceled, and 1 more), release 1, finished"},
	{"nothing fails before the start", "add p rank1; add a rank0; cancel 2; retry 2; start; turn 9", "canceled 2, release 2, start 2, started 2"},
	{"nothing fails while the client is stopped", "add p rank1; add a rank0; start; turn 9; stop; ended 2 failed; state 1; start",
		"start 2, started 2, interrupt 2, failed 2, release 2, init, failed 1 (2 failed), release 1, finished"},
	{"a file that fails may be retried before the others have ended", "add p rank1; add a rank0; add b rank0; start; turn 9; ended 2 failed; retry 2; turn 9; ended 2 ok; ended 3 ok; turn 9",
		"start 2, started 2, start 3, started 3, failed 2, release 2, start 2, started 2, succeeded 2, release 2, succeeded 3, release 3, start 1, started 1"},
	{"both are retried after the end", "add p rank1; add a rank0; start; turn 9; ended 2 failed; retry 2; retry 1; turn 9; ended 2 ok; turn 9; ended 1 ok",
		"start 2, started 2, failed 2, release 2, failed 1 (2 failed), release 1, finished, start 2, started 2, succeeded 2, release 2, start 1, started 1, succeeded 1, release 1, finished"},
	{"a retry alone fails again", "add p rank1; add a rank0; start; turn 9; ended 2 failed; retry 1",
		"start 2, started 2, failed 2, release 2, failed 1 (2 failed), release 1, finished, failed 1 (2 failed), release 1, finished"},
	{"a deleted file does not count", "add p rank1; add a rank0; start; turn 9; ended 2 failed; delete 2; retry 1; turn 9; cleaned 2",
		"start 2, started 2, failed 2, release 2, failed 1 (2 failed), release 1, finished, cleanup 2, start 1, started 1, drop 2"},
	{"deleting the last one lets the next have its turn", "add p rank1; add a rank0; start; turn 9; delete 2; turn 9", "start 2, started 2, interrupt 2, start 1, started 1"},
	{"a forgotten file counts as it ended", "add a rank0; start; turn 9; ended 1 failed clean; forget 1; add p rank1; add m rank2",
		"start 1, started 1, failed 1, release 1, finished, drop 1, failed 2 (1 failed), release 2, finished, failed 3 (1 failed), release 3, finished"},
	{"a forgotten file that is added again and succeeds", "add a rank0; start; turn 9; ended 1 failed clean; forget 1; add a rank0; add p rank1; turn 9; ended 2 ok; turn 9",
		"start 1, started 1, failed 1, release 1, finished, drop 1, start 2, started 2, succeeded 2, release 2, start 3, started 3"},
	{"a file that leaves the list by itself counts as it ended", "forgetful; add a rank0; start; turn 9; ended 1 failed clean; leave 1; add p rank1",
		"start 1, started 1, failed 1, release 1, over 1, finished, drop 1, failed 2 (1 failed), release 2, over 2, finished"},
	{"a forgotten file that succeeded", "add a rank0; start; turn 9; ended 1 ok; forget 1; add p rank1; turn 9",
		"start 1, started 1, succeeded 1, release 1, finished, drop 1, start 2, started 2"},
	{"a lower rank that comes late is waited for", "add p rank1; start; pause; add a rank0; resume; turn 9", "start 2, started 2"},
	{"a lower rank that comes too late is not", "add p rank1; start; turn 9; add a rank0; turn 9; ended 2 failed; ended 1 ok",
		"start 1, started 1, start 2, started 2, failed 2, release 2, succeeded 1, release 1, finished"},
	{"a paused file waits for a lower rank that is retried", "add a rank0; add p rank1; start; turn 9; ended 1 ok; turn 9; pause; ended 2 canceled; add b rank0; resume; turn 9; ended 3 ok; turn 9",
		"start 1, started 1, succeeded 1, release 1, start 2, started 2, interrupt 2, start 3, started 3, succeeded 3, release 3, start 2"},
	{"canceling a file that waits", "add p rank1; add a rank0; start; turn 9; cancel 1; ended 2 ok", "start 2, started 2, canceled 1, release 1, succeeded 2, release 2, finished"},
	{"a wait covers files that are held", "add p rank1; add a rank0; start; mark; turn 9; ended 2 ok; over; turn 9; ended 1 ok; over",
		"start 2, started 2, succeeded 2, release 2, not over, start 1, started 1, succeeded 1, release 1, finished, all ended"},
	{"a close with files that are held", "add p rank1; add a rank0; start; turn 9; close; ended 2 canceled", "start 2, started 2, release 1, interrupt 2, failed 2, release 2"},
	{"a rank is held until the lower one has succeeded", "holds; add p rank1; add a rank0; start; turn 9; ended 2 ok; turn 9",
		"held 1 by group, start 2, started 2, succeeded 2, release 2, freed 1 by group, start 1, started 1"},
	{"nothing is held before the start, or in a pause", "holds; add p rank1; add a rank0; start; pause; resume; stop; start; close",
		"held 1 by group, freed 1 by group, held 1 by group, freed 1 by group, held 1 by group, release 1, release 2, freed 1 by group"},
	{"a held file that fails with its group is free before", "holds; add p rank1; add a rank0; start; turn 9; ended 2 failed",
		"held 1 by group, start 2, started 2, failed 2, release 2, freed 1 by group, failed 1 (2 failed), release 1, finished"},
	{"an endpoint that is away holds files, more than once", "holds; add a; away; start; turn 9; back; away; back; turn 9",
		"held 1 by endpoint, freed 1 by endpoint, held 1 by endpoint, freed 1 by endpoint, start 1, started 1"},
	{"an endpoint does not hold direct files", "holds; away; add a direct; turn 9", "start 1 slotless, started 1"},
	{"a group that lets go of a file leaves it to the endpoint", "holds; add p rank1; add a rank0; start; turn 9; away; ended 2 ok; delete 1",
		"held 1 by group, start 2, started 2, succeeded 2, release 2, freed 1 by group, held 1 by endpoint, release 1, freed 1 by endpoint, drop 1, finished"},
	{"a namesake holds a file, on a finished list, too", "holds; add a; start; turn 9; delete 1; add a; ended 1 canceled; cleaned 1; turn 9",
		"start 1, started 1, interrupt 1, held 2 by namesake, cleanup 1, canceled 1, release 1, freed 2 by namesake, drop 1, start 2, started 2"},
	{"a canceled file is not held", "holds; away; add a; start; cancel 1", "held 1 by endpoint, freed 1 by endpoint, canceled 1, release 1, finished"},
	{"a namesake in a group", "add a rank0; add p rank1; start; turn 9; ended 1 ok; turn 9; delete 2; add p rank1; turn 9; ended 2 canceled clean; turn 9",
		"start 1, started 1, succeeded 1, release 1, start 2, started 2, interrupt 2, canceled 2, release 2, drop 2, start 3, started 3"},
}

func TestScripts(t *testing.T) {
	for _, s := range scripts {
		t.Run(s.name, func(t *testing.T) {
			p := &player{t: t, group: new(Group), l: New(Limits{Parallel: 2, Started: 4})}
			for _, line := range strings.Split(s.script, ";") {
				p.play(strings.Fields(line))
				checkInvariants(t, p.l)
			}
			if got := strings.Join(p.told, ", "); got != s.want {
				t.Errorf("%s\n got %s\nwant %s", s.script, got, s.want)
			}
		})
	}
}

// A player gives a list the commands of a script, and writes down its effects.
type player struct {
	t     *testing.T
	l     *List
	group *Group
	told  []string
	mark  Mark
	mark2 Mark
	holds bool
}

var verdicts = [...]string{"not over", "never began", "all ended", "was stopped", "was closed"}

var actions = map[string]Action{"start": Start, "pause": Pause, "resume": Resume, "stop": Stop, "close": Close}

func (p *player) play(words []string) {
	p.t.Helper()
	verb, arg := words[0], append(words[1:], "", "", "")
	id, run := p.number(arg[0])
	slots := 0
	var err error
	switch verb {
	case "add":
		o := AddOptions{Size: 1000}
		for _, word := range words[2:] {
			o.Stream = o.Stream || word == "stream"
			if rank, ok := strings.CutPrefix(word, "rank"); ok {
				o.Group = p.group
				o.Rank, _ = strconv.Atoi(rank)
			}
			if word == "direct" {
				o.Lane = Direct
			}
		}
		_, err = p.l.Add(key(arg[0]), o)
	case "turn":
		slots = int(id)
	case "holds":
		p.holds = true
	case "away":
		p.l.Hold(p.l.Away()+1, map[string]error{"": errRun})
	case "back":
		p.l.Hold(p.l.Away()+1, nil)
	case "forgetful":
		p.l.SetLimits(Limits{Parallel: 2, Started: 4, ForgetEnded: true})
	case "leave":
		if _, end, explicit := strings.Cut(arg[0], "/"); explicit {
			run, _ = strconv.Atoi(end)
		} else if f := p.l.files[id]; f != nil {
			run = f.ends
		}
		p.l.Leave(id, run, errRun)
	case "mark2":
		p.mark2 = p.l.Mark()
	case "endwait":
		p.l.EndWait(p.mark)
	case "report", "report2":
		mark := p.mark
		if verb == "report2" {
			mark = p.mark2
		}
		failed, more := p.l.Failures(mark, none)
		text := "reports"
		for _, f := range failed {
			text += fmt.Sprint(" ", f.ID)
		}
		if more > 0 {
			text += fmt.Sprint(" and ", more)
		}
		p.told = append(p.told, text)
	case "limits":
		p.l.SetLimits(Limits{Parallel: int(id), Started: int(id)})
	case "cancel":
		err = p.l.Cancel(id, errCause)
	case "delete":
		err = p.l.Delete(id, errCause)
	case "fail":
		err = p.l.Fail(id, errCause)
	case "watch":
		err = p.l.Watch(id)
	case "clear":
		err = p.l.Clear(errCause)
	case "retry":
		err = p.l.Retry(id)
	case "forget":
		p.l.Forget(id)
	case "end":
		p.l.End(id, errCause)
	case "rename":
		err = p.l.Rename(id, key(arg[1]))
	case "ended":
		o := Outcome{Size: 1000, Leaves: arg[2] != "clean"}
		switch arg[1] {
		case "failed":
			o.Err = errRun
		case "canceled":
			o.Err, o.Interrupted = errCause, true
		}
		p.l.Ended(id, run, o)
	case "cleaned":
		p.l.Cleaned(id)
	case "progress":
		n, _ := strconv.ParseInt(arg[1], 10, 64)
		if !p.l.Progress(id, run, Progress{Uploaded: n, Size: -1}) {
			p.told = append(p.told, "late")
		}
	case "figures":
		f, _ := p.l.Lookup(id)
		p.told = append(p.told, fmt.Sprintf("%d of %d", f.Uploaded, f.Size))
	case "mark":
		p.mark = p.l.Mark()
	case "over":
		p.told = append(p.told, verdicts[p.l.Over(p.mark)])
	case "state":
		f, _ := p.l.Lookup(id)
		p.told = append(p.told, f.Shown().String())
	default:
		a, ok := actions[verb]
		if !ok {
			p.t.Fatalf("no command %q", verb)
		}
		err = p.l.Do(a, errCause)
	}
	if err != nil {
		p.told = append(p.told, kindOf(err))
	}
	p.l.Turn(slots)
	for effects := p.l.Take(); len(effects) > 0; effects = p.l.Take() {
		for _, e := range effects {
			if p.holds || e.Hold == NotHeld {
				p.told = append(p.told, text(e))
			}
		}
	}
}

// number reads "3" or "3/2", file 3's second run. Without a run it is the latest.
func (p *player) number(text string) (ID, int) {
	id, run, explicit := strings.Cut(text, "/")
	n, _ := strconv.Atoi(id)
	r, _ := strconv.Atoi(run)
	if f, ok := p.l.Get(ID(n)); ok && !explicit {
		r = f.Run
	}
	return ID(n), r
}

func key(name string) checkpoint.Key { return checkpoint.Key{Source: name, Bucket: "b", Object: "o"} }

func kindOf(err error) string {
	var duplicate *DuplicateError
	switch {
	case errors.As(err, &duplicate):
		return "DuplicateError"
	case errors.Is(err, ErrState):
		return "ErrState"
	case errors.Is(err, ErrClosed):
		return "ErrClosed"
	case errors.Is(err, ErrNotListed):
		return "ErrNotListed"
	}
	return err.Error()
}

var (
	kinds      = map[Kind]string{StartRun: "start", Interrupt: "interrupt", CleanUp: "cleanup", Release: "release", Rest: "rest", Over: "over", Drop: "drop", Held: "held", Freed: "freed"}
	holds      = map[Hold]string{HeldByGroup: "group", HeldByNamesake: "namesake", HeldByEndpoint: "endpoint"}
	eventNames = map[Event]string{EventStarted: "started", EventSucceeded: "succeeded", EventFailed: "failed", EventCanceled: "canceled", EventFinished: "finished"}
)

func text(e Effect) string {
	var group *GroupError
	switch {
	case e.Event == EventFinished:
		return "finished"
	case errors.As(e.Err, &group):
		_, why, _ := strings.Cut(group.Error(), "(file ")
		why = strings.Replace(strings.Replace(why, ")", "", 1), " did not succeed", "", 1)
		return fmt.Sprintf("failed %d (%s)", e.File, why)
	case e.Silent:
		return fmt.Sprintf("%s %d silent", eventNames[e.Event], e.File)
	case e.Hold != NotHeld:
		return fmt.Sprintf("%s %d by %s", kinds[e.Kind], e.File, holds[e.Hold])
	case e.Kind == Notify:
		return fmt.Sprintf("%s %d", eventNames[e.Event], e.File)
	case e.Kind == StartRun && !e.Slot:
		return fmt.Sprintf("start %d slotless", e.File)
	case e.Kind == Rest && e.Err != nil:
		return fmt.Sprintf("rest %d %s", e.File, kindOf(e.Err))
	}
	return fmt.Sprintf("%s %d", kinds[e.Kind], e.File)
}
