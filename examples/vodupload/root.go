package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

// An app is one run of the command.
type app struct {
	env
	args    []string // as typed
	global  globalFlags
	started bool // the command line was right
}

// globalFlags are those that every subcommand has.
type globalFlags struct {
	config   config.Flags
	json     bool
	quiet    bool
	verbose  bool
	noColor  bool
	progress output.Progress
}

func (g *globalFlags) register(flags *pflag.FlagSet) {
	c := &g.config
	flags.StringVar(&c.Profile, "profile", "", "`NAME` of a profile of the configuration file")
	flags.StringVar(&c.ConfigFile, "config-file", "", "configuration `FILE`, of ossutil (1 or 2) or the aliyun CLI (default ~/.ossutilconfig, ~/.aliyun/config.json)")
	flags.StringVar(&c.Region, "region", "", "`REGION` of the bucket, like cn-hangzhou")
	flags.StringVar(&c.Endpoint, "endpoint", "", "`HOST` of OSS, like oss-cn-hangzhou.aliyuncs.com (default: that of the region)")
	flags.StringVar(&c.CustomDomain, "custom-domain", "", "`DOMAIN` that is mapped to the bucket")
	flags.StringVar(&c.CredentialsURI, "credentials-uri", "", "`URL` that gives credentials")
	flags.StringVar(&c.RoleARN, "role-arn", "", "`ARN` of a role to assume")
	flags.BoolVar(&g.json, "json", false, "write events to standard output, one JSON object per line")
	flags.BoolVarP(&g.quiet, "quiet", "q", false, "report errors only")
	flags.BoolVarP(&g.verbose, "verbose", "v", false, "report each file, each retry, and where settings come from")
	flags.Var(&g.progress, "progress", "auto, bar, plain or none")
	flags.BoolVar(&g.noColor, "no-color", false, "no colors (as does the variable NO_COLOR)")
}

// agree returns an error if both flags are given of which the one is the contrary of the other.
// One that is given counts more than one of the environment.
func (g *globalFlags) agree(flags *pflag.FlagSet) error {
	quiet, verbose := flags.Changed("quiet") && g.quiet, flags.Changed("verbose") && g.verbose
	switch {
	case quiet && verbose:
		return usageError{errors.New("--quiet and --verbose: wanted one of them")}
	case quiet:
		g.verbose = false
	case verbose:
		g.quiet = false
	}
	return nil
}

// run runs one command line and returns its exit code.
func run(args []string, e env) int { return runWithin(context.Background(), args, e) }

// runWithin is run, which the end of parent interrupts as a signal does.
func runWithin(parent context.Context, args []string, e env) int {
	ctx, stop := e.interruptible(parent)
	defer stop()
	stdout := &checkedWriter{to: e.stdout}
	e.stdout = stdout
	a := &app{env: e, args: args}
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && !a.started && exitCode(err) == exitFailed {
		err = usageError{err}
	}
	code := a.end(err)
	if lost := stdout.failure(); lost != nil {
		fmt.Fprintf(e.stderr, "error: standard output is not complete: %s\n", output.Text(lost))
		code = cmp.Or(code, exitFailed)
	}
	return code
}

// newRoot returns the command with all its subcommands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "vodupload",
		Short:         "Copies media files to Alibaba Cloud OSS, and resumes what was interrupted",
		Long:          "Vodupload copies media files to Alibaba Cloud OSS: in parts, with retries, checked by CRC64.\nInterrupted or killed, the same command resumes.\n\nEach flag may be given by the environment as well: VODUPLOAD_PART_SIZE is --part-size.\n\n" + exitCodes,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%q is not a command: see vodupload --help", args[0])
			}
			return nil
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			err := a.setByEnvironment(cmd.Flags())
			if err == nil {
				err = a.global.agree(cmd.Flags())
			}
			a.started = err == nil
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w: see %s --help", err, cmd.CommandPath())}
	})
	a.global.register(root.PersistentFlags())
	root.AddCommand(
		newCp(a),
		newWatch(a),
		newVerify(a),
		newUploads(a),
		newResume(a),
		newSweep(a),
		newWhoami(a),
		newDoctor(a),
		newWorker(a),
		newEnqueue(a),
		newJobs(a),
		newSync(a),
		newConfig(a),
		newDemo(a),
		newVersion(a),
	)
	completeChoices(root)
	a.fitHelp(root)
	root.InitDefaultCompletionCmd()
	for _, sub := range root.Commands() {
		if sub.Name() == "completion" {
			// Without this, any word shows the help, and ends well.
			sub.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	return root
}

// reportedError is an error that was shown already.
type reportedError struct{ error }

func (e reportedError) Unwrap() error { return e.error }

// end reports the error of the run, unless that was done, and returns the exit code.
func (a *app) end(err error) int {
	code := exitCode(err)
	if done := (reportedError{}); err == nil || errors.As(err, &done) {
		return code
	}
	r := a.reporter()
	if by := (errInterrupted{}); errors.As(err, &by) {
		a.sayInterrupted(r, by)
	} else {
		r.Error(err)
	}
	r.Close(code)
	return code
}
