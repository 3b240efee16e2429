// Command compare measures what uploads cost: through this library, through the
// OSS SDKs for Go, and through net/http alone, which is the floor.
//
//	go run ./examples/compare [-quick] [-rounds N] [-run WORD] [-json FILE] [-svg FILE] [-profile DIR]
//	go run ./examples/compare -links [-rounds N] [-run WORD] [-json FILE] [-svg FILE]
//	go run ./examples/compare -from FILE[,FILE...] [-svg FILE] [-page FILE]
//
// Each upload runs in a process of its own, against one sink in another: a server
// that takes the bytes, forgets them, and answers as OSS would, with the right
// CRC64. The contenders take turns, round by round, and what is printed is the
// median: CPU (user and system) of the client's process, wall time, peak memory,
// requests and bytes sent. All sign with V4, and have the same number of requests
// in flight.
//
// The SDKs do what their users would have them do. For files of one part that is
// PutObjectFromFile with the v1 SDK: its UploadFile makes three requests of each.
// Parts are retried, the whole is verified, and a process may be killed at any time
// only with this library; that it does more for less is the point.
//
// -links measures time over links that are slow, far away or lose packets, instead:
// see package link, which needs Linux and root. Several links are measured at the same
// time, as many as do not need a processor together. After each turn, the file of -json
// has all that was measured up to then; -from puts the rounds of several runs together.
//
// -quick is for a look, in about a minute. The figures of the documentation come
// from a run without it, which takes about an hour, on a machine that does nothing
// else.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/vodupload/vodupload/examples/internal/version"
)

// roleEnv makes this program, or its test, one of the two that it starts.
const roleEnv = "VODUPLOAD_COMPARE_ROLE"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// run is one of the three programs that this one is.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	switch role := os.Getenv(roleEnv); role {
	case "":
		return compare(ctx, args, stdout)
	case roleSink:
		return serveSink(ctx, stdout)
	case roleClient:
		return client(ctx, os.Stdin, stdout)
	default:
		return fmt.Errorf("%s is %q, want %s or %s", roleEnv, role, roleSink, roleClient)
	}
}

// compare runs the scenarios, and writes what they came to.
func compare(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	var (
		links   = flags.Bool("links", false, "measure time over bad links, instead of the cost on this machine")
		quick   = flags.Bool("quick", false, "smaller scenarios, one round: about a minute")
		rounds  = flags.Int("rounds", 0, "how often each contender has its turn (default 5, with -quick 1)")
		only    = flags.String("run", "", "run the scenarios whose names have this in them")
		jsonOut = flags.String("json", "", "write all that was measured to this file")
		svgOut  = flags.String("svg", "", "write a plot to this file")
		who     = flags.String("who", "", "have only the contenders take part that have one of these names, or one of these words in their names, separated by semicolons")
		page    = flags.String("page", "", "set the figures of this page, such as README.md")
		profile = flags.String("profile", "", "write CPU and heap profiles of this library to this directory")
		from    = flags.String("from", "", "measure nothing: show what earlier runs wrote with -json, separated by commas")
		shown   = flags.Bool("version", false, "print the version, and end")
		dir     = flags.String("dir", "", "where the files to upload are made (default: the temporary directory)")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *shown {
		_, err := fmt.Fprintln(stdout, version.Line("compare"))
		return err
	}
	if *from != "" {
		res, err := load(strings.Split(*from, ","))
		return show(stdout, res, err, *jsonOut, *svgOut, *page)
	}
	sizes, n := full, 5
	if *quick {
		sizes, n = small, 1
	}
	if *rounds > 0 {
		n = *rounds
	}
	all := sizes.scenarios()
	if *links {
		all = linkScenarios(sizes)
	}
	scenarios := pick(all, *only, *who)
	if len(scenarios) == 0 {
		return fmt.Errorf("no scenario has %q in its name, with contenders that have %q in theirs", *only, *who)
	}
	d := &director{rounds: n, profiles: *profile, progress: os.Stderr, jsonOut: *jsonOut}
	run := d.run
	if *links {
		run = d.runLinks
	}
	res, err := run(ctx, *dir, scenarios)
	return show(stdout, res, err, *jsonOut, *svgOut, *page)
}

// load returns what earlier runs came to, as if it had been one.
func load(paths []string) (*results, error) {
	var all *results
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var one results
		if err := json.Unmarshal(text, &one); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if all == nil {
			all = &one
			continue
		}
		for _, r := range one.Scenarios {
			all.add(r)
		}
	}
	return all, nil
}

// add puts a result to the others. What was measured of the same scenario in another run
// are further rounds of it.
func (res *results) add(r result) {
	i := slices.IndexFunc(res.Scenarios, func(other result) bool { return other.Name == r.Name })
	if i < 0 {
		res.Scenarios = append(res.Scenarios, r)
		return
	}
	first := 0
	for _, s := range res.Scenarios[i].Samples {
		first = max(first, s.Round+1)
	}
	for _, s := range r.Samples {
		s.Round += first
		res.Scenarios[i].Samples = append(res.Scenarios[i].Samples, s)
	}
}

// show tells what a run came to, unless it failed.
func show(stdout io.Writer, res *results, err error, jsonOut, svgOut, page string) error {
	if err != nil {
		return err
	}
	if err := printTable(stdout, res); err != nil {
		return err
	}
	if err := writeFiles(res, jsonOut, svgOut); err != nil || page == "" {
		return err
	}
	return rewrite(page, res)
}

// pick returns the scenarios whose names contain word, with the contenders whose names
// contain one of the words of who.
func pick(all []scenario, word, who string) []scenario {
	var picked []scenario
	for _, s := range all {
		if !strings.Contains(s.Name, word) {
			continue
		}
		s.contenders = slices.DeleteFunc(slices.Clone(s.contenders), func(name string) bool {
			return !slices.ContainsFunc(strings.Split(who, ";"), func(w string) bool { return isMeant(name, w) })
		})
		if len(s.contenders) > 0 {
			picked = append(picked, s)
		}
	}
	return picked
}

// isMeant reports whether word is the contender's name, or is in it and is no contender's.
func isMeant(name, word string) bool {
	if _, whole := contenders[word]; whole {
		return name == word
	}
	return strings.Contains(name, word)
}

// writeFiles writes what was asked for.
func writeFiles(res *results, jsonOut, svgOut string) error {
	for _, out := range []struct {
		path  string
		write func(io.Writer, *results) error
	}{{jsonOut, writeJSON}, {svgOut, writeSVG}} {
		if out.path == "" {
			continue
		}
		if err := writeFile(out.path, res, out.write); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, res *results, write func(io.Writer, *results) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = write(f, res)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
