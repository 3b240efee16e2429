package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/vodupload/vodupload/examples/vodupload/internal/flagtype"
	"github.com/vodupload/vodupload/examples/vodupload/internal/hotfolder"
)

// watchFlags are those of watch.
type watchFlags struct {
	clientFlags
	objectFlags
	mediaFlags
	settle, poll flagtype.Duration
	temporary    []string
	trigger      []string
	after        afterFlag
	once         bool
}

func (f *watchFlags) register(flags *pflag.FlagSet) {
	f.clientFlags.register(flags)
	f.objectFlags.register(flags)
	f.mediaFlags.register(flags)
	f.settle.Duration, f.poll.Duration = hotfolder.DefaultSettle, hotfolder.DefaultPoll
	flags.Var(&f.settle, "settle", "take a file whose size and time stood still for so long")
	flags.Var(&f.poll, "poll", "how often the whole folder is read")
	flags.StringSliceVar(&f.temporary, "temporary", nil, "further `PATTERNS` of names that are never taken, like '*.growing'")
	flags.StringSliceVar(&f.trigger, "trigger", nil, "take NAME when NAME`SUFFIX` is there, like .ready or .md5, and not before")
	flags.Var(&f.after, "after", "leave, delete or move=FOLDER: what happens to a file that is uploaded and verified")
	flags.BoolVar(&f.once, "once", false, "end when all files that are complete are uploaded")
}

// rules returns the rules for a folder, which has no links in its path. Those of its folders
// where files are moved, or checkpoints are kept, are not watched.
func (f *watchFlags) rules(dir, checkpoints string) (hotfolder.Rules, error) {
	r := hotfolder.Rules{
		Settle: f.settle.Duration, Trigger: f.trigger,
		Temporary: append(append([]string{}, hotfolder.DefaultTemporary...), f.temporary...),
	}
	for flag, folder := range map[string]string{"--after move": f.after.folder, "--checkpoint-dir": checkpoints} {
		if folder == "" {
			continue
		}
		real, err := resolved(folder)
		if err != nil {
			return r, usageError{fmt.Errorf("%s: %w", flag, withoutOp(err))}
		}
		if real == dir {
			return r, usageError{fmt.Errorf("%s: %s is the folder that is watched: wanted another, which may be in it", flag, folder)}
		}
		if inside := hotfolder.Inside(dir, real); inside != "" {
			r.Exclude = append(r.Exclude, inside)
		}
	}
	if err := r.Validate(); err != nil {
		return r, usageError{fmt.Errorf("--%w", err)}
	}
	return r, nil
}

// An afterFlag is the value of --after.
type afterFlag struct {
	what   hotfolder.After
	folder string // of move, absolute
}

// Set implements pflag.Value.
func (f *afterFlag) Set(text string) error {
	word, folder, _ := strings.Cut(text, "=")
	var what hotfolder.After
	if err := what.UnmarshalText([]byte(word)); err != nil || (what == hotfolder.Move) != (folder != "") {
		return fmt.Errorf("wanted leave, delete or move=FOLDER")
	}
	*f = afterFlag{what: what}
	if folder == "" {
		return nil
	}
	var err error
	f.folder, err = filepath.Abs(folder)
	return err
}

// String implements pflag.Value.
func (f *afterFlag) String() string {
	if f.folder != "" {
		return f.what.String() + "=" + f.folder
	}
	return f.what.String()
}

// Type implements pflag.Value.
func (*afterFlag) Type() string { return "WHAT" }
