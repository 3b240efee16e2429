package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

const doctorHelp = `Looks for what keeps uploads from working, or makes them slow, one line for each finding with
what to do about it: the folder of the checkpoints, the credentials, the endpoint (name, TLS,
clock), and with a bucket its region and what the credentials may do in it.

The requests are harmless: an upload of ` + probeName + ` is begun and aborted at once. Only --speed
makes an object, and deletes it.

Exit code 0: uploads work. 4: credentials or rights. 5: what may pass. 2: the configuration. 1: what
else is bad, or several of these.`

// doctorFlags are those of doctor.
type doctorFlags struct {
	checkpointDir string
	speed         bool
}

func newDoctor(a *app) *cobra.Command {
	var flags doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor [oss://BUCKET/PREFIX/]",
		Short: "Looks for what keeps uploads from working",
		Long:  doctorHelp,
		Args:  atMostOne("doctor: wanted no more than one bucket, like oss://BUCKET/PREFIX/"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var d destination
			if len(args) == 1 {
				var err error
				if d, err = parseDestination(args[0]); err != nil {
					return err
				}
			} else if flags.speed {
				return usageError{errors.New("doctor: --speed needs a bucket, like oss://BUCKET/PREFIX/")}
			}
			return a.doctor(cmd.Context(), d, flags)
		},
	}
	registerCheckpointDir(cmd, &flags.checkpointDir)
	cmd.Flags().BoolVar(&flags.speed, "speed", false, "upload 8 MiB, measure, and delete them")
	return cmd
}

// A diagnosis is one run of doctor.
type diagnosis struct {
	*findings
	to     destination // zero: no bucket
	flags  doctorFlags
	config *config.Config
	place  config.Place
	creds  sts.Credentials
}

func (a *app) doctor(ctx context.Context, to destination, flags doctorFlags) error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	d := &diagnosis{findings: a.findings(ctx), to: to, flags: flags, config: c}
	d.add(checkFolder(flags.checkpointDir))
	d.run(ctx)
	return d.end(ctx)
}

// run goes from what all else needs to what needs all else, and stops where the rest makes
// no sense.
func (d *diagnosis) run(ctx context.Context) {
	var ok bool
	d.creds, ok = d.credentials(ctx, d.app, d.config)
	var err error
	if d.place, err = d.config.Place(d.to.bucket); err != nil {
		d.add(finding{grade: bad, about: "endpoint", text: output.Text(err), err: err})
		return
	}
	d.add(finding{grade: good, about: "endpoint", text: d.place.Endpoint + ", from " + d.place.Origin})
	reached := d.reach(ctx)
	if !ok || !reached || d.to.bucket == "" || ctx.Err() != nil {
		return
	}
	probe := d.rights(ctx)
	if probe != nil && d.flags.speed && len(d.bad) == 0 && ctx.Err() == nil {
		d.speed(ctx, probe)
	}
}

// rights looks at the bucket, and at what the credentials may do in it. It returns nil if
// the bucket cannot be used at all.
func (d *diagnosis) rights(ctx context.Context) *bucketProbe {
	if !d.access(ctx) {
		return nil
	}
	probe, err := newBucketProbe(d.place, d.to, d.creds)
	if err != nil {
		d.add(finding{grade: bad, about: "bucket", text: output.Text(err)})
		return nil
	}
	d.add(probe.region(ctx, d.place, d.to.bucket))
	probe.rights(ctx, d.add)
	return probe
}

// access asks for an object by the library, whose errors say what to do. It returns false
// if the bucket cannot be used at all.
func (d *diagnosis) access(ctx context.Context) bool {
	client, err := d.client()
	if err != nil {
		d.add(finding{grade: bad, about: "configuration", text: output.Text(err), err: usageError{err}})
		return false
	}
	defer client.Close()
	_, err = client.Stat(ctx, upload.StatOptions{Endpoint: d.place.Endpoint, Bucket: d.to.bucket, Object: d.to.prefix() + probeName})
	var about *upload.Error
	switch {
	case err == nil, errors.Is(err, upload.ErrObjectNotExist):
		d.add(finding{grade: good, about: "bucket", text: d.to.bucket + " answers"})
		return true
	case errors.As(err, &about) && about.Status == 403 && !ofAll[about.Code]:
		d.add(finding{grade: note, about: "bucket", text: d.to.bucket + " answers, and does not say what is in it"})
		return true
	}
	d.add(finding{grade: bad, about: "bucket", text: output.Text(err), err: err})
	return false
}

// client returns one that gives up at once.
func (d *diagnosis) client() (*upload.Client, error) {
	return upload.New(&upload.Options{
		Credentials: sts.Static(d.creds), Region: d.place.Region, CustomDomains: d.place.CustomDomains,
		RetryCount: -1, OutageWait: -1, StallTimeout: 10 * time.Second, CheckpointDir: d.flags.checkpointDir,
	})
}

// speedSize is what --speed sends.
const speedSize = 8 << 20

// speed uploads an object, and deletes it.
func (d *diagnosis) speed(ctx context.Context, probe *bucketProbe) {
	client, err := d.client()
	if err == nil {
		defer client.Close()
		name := probe.object + "-" + strings.ToLower(rand.Text()[:8])
		began := time.Now()
		_, err = client.Upload(ctx, upload.File{
			Path: name, Reader: zeros{}.reader(speedSize), Size: speedSize,
			Endpoint: d.place.Endpoint, Bucket: d.to.bucket, Object: name, IfExists: upload.Fail,
		})
		took := time.Since(began)
		deleteErr := probe.remove(ctx, name) // it may be there although the upload failed
		if err == nil {
			d.add(finding{grade: good, about: "speed", text: fmt.Sprintf("%s/s for %s, 5 requests at a time (cp --parallel auto finds the best number)",
				output.Bytes(int64(speedSize/took.Seconds())), output.Bytes(speedSize))})
			if deleteErr != nil {
				d.add(finding{grade: note, about: "speed", text: "the object " + name + " could not be deleted", todo: "delete it by hand"})
			}
			return
		}
	}
	d.add(finding{grade: bad, about: "speed", text: output.Text(err), err: err})
}
