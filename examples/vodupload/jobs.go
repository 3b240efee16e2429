package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/upload/fleet"
)

const jobsHelp = `Lists the jobs of a fleet, those that have ended included for as long as they are kept: a week
for those that succeeded, and those that are dead until they are brought back or deleted.

` + fleetHelp

// jobsFlags are those of jobs.
type jobsFlags struct {
	engineFlags
	state string
}

func newJobs(a *app) *cobra.Command {
	var flags jobsFlags
	cmd := &cobra.Command{
		Use:   "jobs [ID...]",
		Short: "Lists the jobs of a queue, brings back and deletes them",
		Long:  jobsHelp,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, ids []string) error {
			if states := []string{"", "queued", "running", "succeeded", "dead"}; !slices.Contains(states, flags.state) {
				return usageError{fmt.Errorf("--state: got %q, want queued, running, succeeded or dead", flags.state)}
			}
			return a.withQueue(cmd.Context(), flags.engineFlags, func(q *fleet.Queue) error { return a.listJobs(cmd.Context(), q, ids, flags.state) })
		},
	}
	flags.engineFlags.register(cmd.PersistentFlags())
	cmd.Flags().StringVar(&flags.state, "state", "", "only those in this `STATE`: queued, running, succeeded or dead")
	cmd.AddCommand(
		a.jobCommand("retry", "Brings dead jobs back into the queue", &flags, (*fleet.Queue).Requeue),
		a.jobCommand("delete", "Forgets jobs that have ended", &flags, (*fleet.Queue).Delete),
	)
	return cmd
}

// withQueue runs fn with the queue.
func (a *app) withQueue(ctx context.Context, f engineFlags, fn func(*fleet.Queue) error) error {
	q, nc, err := a.openQueue(ctx, f)
	if err != nil {
		return err
	}
	defer nc.Close()
	return ofFleet(ctx, fn(q), nc)
}

// jobCommand does something to each job of its arguments.
func (a *app) jobCommand(name, short string, flags *jobsFlags, do func(*fleet.Queue, context.Context, string) error) *cobra.Command {
	return &cobra.Command{
		Use:   name + " ID...",
		Short: short,
		Args: func(_ *cobra.Command, ids []string) error {
			if len(ids) == 0 {
				return fmt.Errorf("jobs %s: wanted the IDs of jobs", name)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, ids []string) error {
			return a.withQueue(cmd.Context(), flags.engineFlags, func(q *fleet.Queue) error {
				var failed failures
				report := a.reporter()
				for _, id := range ids {
					err := do(q, cmd.Context(), id)
					if ctx := cmd.Context(); ctx.Err() != nil {
						return context.Cause(ctx)
					}
					if err != nil {
						failed = append(failed, err)
						report.Fail(id, err)
					}
				}
				if len(failed) == 0 {
					report.Close(exitOK)
					return nil
				}
				report.Close(exitCode(failed))
				return reportedError{failed}
			})
		},
	}
}

// listJobs lists the jobs with these IDs; without any, all in this state.
func (a *app) listJobs(ctx context.Context, q *fleet.Queue, ids []string, state string) error {
	all, err := jobsNamed(ctx, q, ids)
	if err != nil {
		return err
	}
	report := a.reporter()
	t := table{{"ID", "STATE", "DONE", "UPDATED", "WORKER", "SOURCE", "OBJECT", ""}}
	for _, info := range all {
		if state != "" && string(info.State) != state {
			continue
		}
		t = append(t, jobRow(a, info))
		report.Emit(output.Event{
			Type: "job", Job: info.Job.ID, Path: shownSource(info.Job.Source), Bucket: info.Job.Bucket, Object: info.Job.Object,
			Size: &info.Size, Uploaded: &info.Uploaded, Message: string(info.State), Error: info.Error, Code: info.Code, Attempt: info.Attempts,
		})
	}
	if len(t) > 1 {
		a.print(t)
	}
	if counts, err := q.Counts(ctx); err == nil && len(ids) == 0 {
		report.Say("%d waiting, %d with a worker, %d dead; %s", counts.Waiting, counts.Working, counts.Dead, output.Count(counts.Workers, "worker"))
	}
	report.Close(exitOK)
	return nil
}

// jobsNamed returns the jobs in the order in which they came.
func jobsNamed(ctx context.Context, q *fleet.Queue, ids []string) (all []fleet.JobInfo, err error) {
	for _, id := range ids {
		info, err := q.Get(ctx, id)
		if err != nil {
			return nil, err // it names the job
		}
		all = append(all, info)
	}
	if len(ids) > 0 {
		return all, nil
	}
	seen := make(map[string]int)
	for info, err := range q.Jobs(ctx) {
		if err != nil {
			return nil, err
		}
		if i, ok := seen[info.Job.ID]; ok { // it changed meanwhile
			all[i] = info
			continue
		}
		seen[info.Job.ID] = len(all)
		all = append(all, info)
	}
	slices.SortStableFunc(all, func(a, b fleet.JobInfo) int { return a.Enqueued.Compare(b.Enqueued) })
	return all, nil
}

func jobRow(a *app, info fleet.JobInfo) []string {
	done := "-"
	if info.Uploaded == info.Size && info.State == fleet.StateSucceeded {
		done = output.Bytes(info.Size)
	} else if info.Size > 0 {
		done = fmt.Sprintf("%s of %s", output.Bytes(info.Uploaded), output.Bytes(info.Size))
	}
	return []string{
		info.Job.ID, string(info.State), done, ago(a.now(), cmp.Or(info.Updated, info.Enqueued)), orText(info.Worker, "-"),
		output.Safe(shownSource(info.Job.Source)), output.Safe(ossScheme + info.Job.Bucket + "/" + info.Job.Object), output.Text(errors.New(info.Error)),
	}
}
