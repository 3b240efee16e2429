// Command vod brings a file to ApsaraVideo VOD: it makes a video, uploads the bytes,
// and says the video's ID.
//
//	go run ./examples/vod [FILE ...]
//	go run ./examples/vod -role acs:ram::ACCOUNT:role/NAME -region cn-shanghai FILE ...
//	go run ./examples/vod -tokens https://app.example.com/token FILE ...
//
// The first form needs no account: STS, VOD and OSS are in this process (packages
// ststest, vodtest and osstest), and without FILE it makes one of 8 MiB. Half way the
// first auth expires there, so that VOD is asked for another. The second
// assumes a role with the credentials that sts.Default finds: a key in
// ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, a profile of the
// aliyun command line, the role of the ECS instance and so on. The third gets its tokens
// from an app server. With these two the videos are real.
//
// Interrupted, by Ctrl-C or worse, these two continue with the same videos and the
// parts that are there when they are started again with the same files. The first keeps
// nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/examples/internal/version"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/vod"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "vod:", err)
		os.Exit(1)
	}
}

// settings are what the command line says.
type settings struct {
	role   string
	tokens string
	files  []string
	info   upload.Info
	base   sts.Provider // may assume the role; nil: sts.Default
	sts    sts.AssumeRoleOptions
	client vod.ClientOptions
	vod    vod.AuthorizerOptions

	checkpoints checkpoint.Store // nil: the default directory
	asked       func() string    // of an embedded VOD: which calls it got
	version     bool
}

func parse(args []string, stdout io.Writer) (*settings, error) {
	s := &settings{}
	flags := flag.NewFlagSet("vod", flag.ContinueOnError)
	flags.SetOutput(stdout)
	flags.StringVar(&s.role, "role", "", "`ARN` of a role that may call VOD, to be assumed with this machine's credentials")
	flags.StringVar(&s.tokens, "tokens", "", "`URL` of an app server that hands out tokens")
	flags.StringVar(&s.client.Region, "region", vod.DefaultRegion, "`region` of VOD")
	flags.StringVar(&s.client.Endpoint, "endpoint", "", "`URL` of VOD in place of the region's")
	flags.StringVar(&s.info.Title, "title", "", "`title` of the videos (default the file's name)")
	flags.StringVar(&s.info.Description, "description", "", "`text` about them")
	flags.Int64Var(&s.info.CategoryID, "category", 0, "`ID` of their category")
	tags := flags.String("tags", "", "comma-separated `tags`")
	flags.StringVar(&s.vod.TemplateGroupID, "template-group", "", "`ID` of the transcoding template group")
	flags.StringVar(&s.vod.WorkflowID, "workflow", "", "`ID` of the workflow, in place of -template-group")
	flags.StringVar(&s.vod.StorageLocation, "storage", "", "`bucket` that they go to (default the region's)")
	flags.StringVar(&s.vod.AppID, "app", "", "`ID` of the application that they belong to")
	flags.BoolVar(&s.version, "version", false, "print the version, and end")
	if err := flags.Parse(args); err != nil || s.version {
		return s, err
	}
	s.files = flags.Args()
	if *tags != "" {
		s.info.Tags = strings.Split(*tags, ",")
	}
	switch {
	case s.role != "" && s.tokens != "":
		return nil, errors.New("-role and -tokens both say where tokens come from: give one of them")
	case !s.embedded() && len(s.files) == 0:
		return nil, errors.New("no FILE to upload")
	case s.embedded() && s.client.Endpoint != "":
		return nil, errors.New("-endpoint needs -role or -tokens: without them VOD is in this process")
	}
	return s, nil
}

// embedded reports whether the services are in this process.
func (s *settings) embedded() bool { return s.role == "" && s.tokens == "" }

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	s, err := parse(args, stdout)
	if err != nil {
		return err
	}
	if s.version {
		_, err := fmt.Fprintln(stdout, version.Line("vod"))
		return err
	}
	if s.embedded() {
		stop, err := s.embed()
		if err != nil {
			return err
		}
		defer stop()
	}
	tokens, err := s.provider(ctx)
	if err != nil {
		return err
	}
	defer tokens.Close()
	client, err := vod.NewClient(tokens, &s.client)
	if err != nil {
		return err
	}
	authorizer, err := vod.NewAuthorizer(client, &s.vod)
	if err != nil {
		return err
	}
	out := &lines{out: stdout}
	if s.asked != nil {
		fmt.Fprintln(out, "VOD, STS and OSS run in this process: no account, and nothing is kept")
	}
	if err := s.upload(ctx, shown{authorizer, out}, out); err != nil {
		return err
	}
	if s.asked != nil {
		fmt.Fprintf(out, "VOD was asked: %s\n", s.asked())
	}
	return nil
}
