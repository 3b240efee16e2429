package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/examples/compare/link"
)

// runTimeout bounds one turn of one contender: the slowest, the v1 SDK with its
// checkpoints, takes two minutes.
const runTimeout = 15 * time.Minute

// A sample is one turn of one contender.
type sample struct {
	Contender string        `json:"contender"`
	Round     int           `json:"round"`
	CPU       time.Duration `json:"cpu_ns"` // user and system
	account
	counts
}

// results is all that was measured.
type results struct {
	Go        string    `json:"go"`
	Machine   string    `json:"machine"`
	CPUs      int       `json:"cpus"`
	Started   time.Time `json:"started"`
	Scenarios []result  `json:"scenarios"`
}

// A result is what one scenario came to.
type result struct {
	scenario
	Ideal   time.Duration `json:"ideal_ns"`
	Samples []sample      `json:"samples"`
}

// A director has the contenders take turns.
type director struct {
	rounds   int
	profiles string
	progress io.Writer
	jsonOut  string // what was measured is there after each turn; empty: nowhere

	enter func(context.Context) (leave func(), err error) // around each turn; nil: nothing
	took  func(result) error                              // after each turn; nil: nothing

	endpoint string // of the sink
	secure   string // the same with TLS
	dir      string
	link     *link.Link // between clients and sink; nil: they are on one machine
}

// ends say where processes are started, and how the sink is reached beside the link.
type ends struct {
	client, sink func(start func() error) error
	listen       string
	control      *http.Client
}

func (d *director) ends() ends {
	if d.link == nil {
		here := func(start func() error) error { return start() }
		return ends{here, here, "127.0.0.1:0", http.DefaultClient}
	}
	t := &http.Transport{DialContext: d.link.Server.Dial, DisableKeepAlives: true}
	return ends{d.link.Client.Do, d.link.Server.Do, link.ServerIP + ":0", &http.Client{Transport: t}}
}

// run runs all scenarios. The files are made below dir.
func (d *director) run(ctx context.Context, dir string, scenarios []scenario) (*results, error) {
	tmp, err := os.MkdirTemp(dir, "compare-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	d.dir = tmp
	stop, err := d.startSink(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	res := newResults()
	if d.took == nil {
		d.took = func(r result) error {
			res.Scenarios[len(res.Scenarios)-1] = r
			return d.keep(res)
		}
	}
	for _, s := range scenarios {
		res.Scenarios = append(res.Scenarios, result{})
		if err := d.scenario(ctx, s); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	return res, nil
}

// keep writes what was measured up to now, so that an interruption loses nothing.
func (d *director) keep(res *results) error {
	if d.jsonOut == "" {
		return nil
	}
	so := *res
	so.Scenarios = slices.DeleteFunc(slices.Clone(res.Scenarios), func(r result) bool { return len(r.Samples) == 0 })
	if err := writeFile(d.jsonOut+".tmp", &so, writeJSON); err != nil {
		return err
	}
	return os.Rename(d.jsonOut+".tmp", d.jsonOut)
}

func newResults() *results {
	return &results{Go: runtime.Version(), Machine: runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.NumCPU(), Started: time.Now().UTC()}
}

// startSink starts the server's process, and returns what ends it.
func (d *director) startSink(ctx context.Context) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd, err := role(ctx, roleSink)
	if err != nil {
		cancel()
		return nil, err
	}
	cmd.Env = append(cmd.Env, listenEnv+"="+d.ends().listen, certEnv+"="+d.cert())
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = d.ends().sink(cmd.Start)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	stop = func() {
		cancel()
		_ = cmd.Wait()
	}
	var plain, secure string
	if _, err := fmt.Fscanln(out, &plain, &secure); err != nil {
		stop()
		return nil, fmt.Errorf("the sink did not say where it serves: %w", err)
	}
	d.endpoint, d.secure = "http://"+plain, "https://"+secure
	return stop, nil
}

// cert is where the sink's certificate is.
func (d *director) cert() string { return filepath.Join(d.dir, "sink.pem") }

// at is the endpoint of a scenario.
func (d *director) at(s scenario) string {
	if s.TLS {
		return d.secure
	}
	return d.endpoint
}

// role returns a process of this program in a role. Its environment has no proxy in
// it: the requests of all go to this machine.
func role(ctx context.Context, name string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), roleEnv+"="+name)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// scenario has all contenders take their turns. Each round begins with the next of
// them, so that none always follows the same.
func (d *director) scenario(ctx context.Context, s scenario) error {
	r := result{scenario: s, Ideal: s.ideal()}
	path := filepath.Join(d.dir, "file.mp4")
	if err := writePattern(path, s.Size); err != nil {
		return err
	}
	defer os.Remove(path)
	prepared, err := d.prepare(ctx, s, path)
	if err != nil {
		return err
	}
	rounds := d.rounds
	if s.Rounds > 0 {
		rounds = min(rounds, s.Rounds)
	}
	for round := range rounds {
		for i := range s.contenders {
			who := s.contenders[(round+i)%len(s.contenders)]
			one, err := d.turn(ctx, s, path, who, prepared[who])
			var failed *failure
			if d.link != nil && errors.As(err, &failed) { // on a bad link, that is a result, too
				one, err = sample{Contender: who, account: account{Err: failed.text}}, nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", who, err)
			}
			one.Round = round
			r.Samples = append(r.Samples, one)
			fmt.Fprintf(d.progress, "%s: %s: CPU %v, wall %v %s\n", s.Name, who, one.CPU.Round(time.Millisecond), one.Wall.Round(time.Millisecond), one.Err)
			if err := d.took(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// prepare brings each contender of a resume to where one part is left, and returns
// what each left on disk.
func (d *director) prepare(ctx context.Context, s scenario, path string) (map[string]string, error) {
	if !s.Resume {
		return nil, nil
	}
	left := make(map[string]string)
	for _, who := range s.contenders {
		dir, err := os.MkdirTemp(d.dir, "prepared-")
		if err != nil {
			return nil, err
		}
		left[who] = dir
		// The v1 SDK returns at the first failure, and leaves parts out of its checkpoint
		// that it had sent: all that wait to be written to it, which takes longer the more
		// parts there are. It resumes, ever slower, until none is left out.
		const tries = 10
		var latency time.Duration
		if who == v1Checkpoint {
			latency = time.Duration(s.Size/s.PartSize) * 10 * time.Microsecond
		}
		for try := 1; ; try++ {
			sent, err := d.prepareOnce(ctx, s, path, who, dir, latency)
			if err != nil {
				return nil, fmt.Errorf("%s: prepare: %w", who, err)
			}
			if who != v1Checkpoint || sent <= s.PartSize {
				break
			}
			if try == tries {
				return nil, fmt.Errorf("%s: prepare: its checkpoint still lacks %d parts after %d runs", who, sent/s.PartSize-1, tries)
			}
			latency *= 2
		}
	}
	return left, nil
}

// prepareOnce has a contender send what is missing but for the last part, which is
// refused, and returns how many bytes that were.
func (d *director) prepareOnce(ctx context.Context, s scenario, path, who, dir string, latency time.Duration) (sent int64, err error) {
	refuse := strconv.FormatInt(s.Size/s.PartSize, 10)
	query := url.Values{"refuse": {refuse}, "latency": {latency.String()}}
	if _, err := d.control(ctx, "set", query); err != nil {
		return 0, err
	}
	_, err = d.start(ctx, &job{Scenario: s, Contender: who, Endpoint: d.at(s), Path: path, Dir: dir, Preparing: true})
	var failed *failure
	if !errors.As(err, &failed) {
		return 0, fmt.Errorf("got %v, want the refusal of part %s", err, refuse)
	}
	seen, err := d.counts(ctx)
	return seen.Bytes, err
}

// counts returns what the sink has seen since it was last set.
func (d *director) counts(ctx context.Context) (seen counts, err error) {
	text, err := d.control(ctx, "counts", nil)
	if err == nil {
		err = json.Unmarshal(text, &seen)
	}
	return seen, err
}

// turn has one contender do the work once. prepared is where its checkpoint is, if
// it has one.
func (d *director) turn(ctx context.Context, s scenario, path, who, prepared string) (sample, error) {
	if d.enter != nil {
		leave, err := d.enter(ctx)
		if err != nil {
			return sample{}, err
		}
		defer leave()
	}
	if n, ok := inFlight[who]; ok {
		s.Parallel = n
	}
	dir, err := os.MkdirTemp(d.dir, "run-")
	if err != nil {
		return sample{}, err
	}
	defer os.RemoveAll(dir)
	if prepared != "" {
		if err := os.CopyFS(dir, os.DirFS(prepared)); err != nil {
			return sample{}, err
		}
	}
	query := url.Values{"latency": {s.Latency.String()}}
	if s.Resume {
		query.Set("forget", strconv.FormatInt(s.Size/s.PartSize, 10))
	}
	if _, err := d.control(ctx, "set", query); err != nil {
		return sample{}, err
	}
	j := &job{Scenario: s, Contender: who, Endpoint: d.at(s), Path: path, Dir: dir}
	if d.profiles != "" && who == ours {
		j.Profile = filepath.Join(d.profiles, profileName(s.Name))
	}
	one, err := d.start(ctx, j)
	if err != nil {
		return sample{}, err
	}
	one.counts, err = d.counts(ctx)
	return one, err
}

// profileName makes a file's name of a scenario's.
func profileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == ',' {
			return '-'
		}
		return r
	}, name) + ".pprof"
}

// A failure is what a client's process told that went wrong.
type failure struct{ text string }

func (f *failure) Error() string { return f.text }

// start runs one client's process to its end.
func (d *director) start(ctx context.Context, j *job) (sample, error) {
	ctx, cancel := context.WithTimeout(ctx, runTimeout)
	defer cancel()
	cmd, err := role(ctx, roleClient)
	if err != nil {
		return sample{}, err
	}
	cmd.Env = append(cmd.Env, trustEnv+"="+d.cert())
	spec, err := json.Marshal(j)
	if err != nil {
		return sample{}, err
	}
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout = bytes.NewReader(spec), &out
	if err := d.ends().client(cmd.Start); err != nil {
		return sample{}, err
	}
	if err := cmd.Wait(); err != nil {
		return sample{}, err
	}
	one := sample{Contender: j.Contender, CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if err := json.Unmarshal(out.Bytes(), &one.account); err != nil {
		return sample{}, fmt.Errorf("what it told cannot be read: %w", err)
	}
	if one.Err != "" {
		return sample{}, &failure{one.Err}
	}
	return one, nil
}

// control makes one request that is not part of the work.
func (d *director) control(ctx context.Context, what string, query url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.endpoint+controlPath+what+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	res, err := d.ends().control.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the sink answers %s: %s", res.Status, text)
	}
	return text, err
}
