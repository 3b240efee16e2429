package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"hash/crc64"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain lets the test binary be the processes that are started, too.
func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

func TestEveryContenderDoesTheSameWork(t *testing.T) {
	t.Parallel() // they wait, most of the time
	scenarios := tiny.scenarios()
	d := &director{rounds: 1, progress: io.Discard}
	res, err := d.run(t.Context(), t.TempDir(), scenarios)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range res.Scenarios {
		s := scenarios[i]
		if len(r.Samples) != len(s.contenders) {
			t.Errorf("%s: %d samples, want %d", s.Name, len(r.Samples), len(s.contenders))
		}
		want := s.Size * int64(s.Files)
		if s.Resume {
			want = s.PartSize
		}
		for _, one := range r.Samples {
			// Complete has a body, too: a list of the parts.
			if one.Bytes < want || one.Bytes > want+want/10+4*kib {
				t.Errorf("%s: %s sent %d bytes, want %d and a little", s.Name, one.Contender, one.Bytes, want)
			}
			if one.CPU <= 0 || one.Wall <= 0 || one.Requests <= 0 {
				t.Errorf("%s: %s: nothing was measured: %+v", s.Name, one.Contender, one)
			}
		}
	}
	t.Run("the plot is XML", func(t *testing.T) {
		var svg bytes.Buffer
		if err := writeSVG(&svg, res); err != nil {
			t.Fatal(err)
		}
		dec := xml.NewDecoder(&svg)
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("the JSON reads back", func(t *testing.T) {
		var text bytes.Buffer
		if err := writeJSON(&text, res); err != nil {
			t.Fatal(err)
		}
		var again results
		if err := json.Unmarshal(text.Bytes(), &again); err != nil || len(again.Scenarios) != len(scenarios) {
			t.Errorf("got %d scenarios and error %v", len(again.Scenarios), err)
		}
	})
	t.Run("the table has all of them", func(t *testing.T) {
		var text strings.Builder
		if err := printTable(&text, res); err != nil {
			t.Fatal(err)
		}
		for _, s := range scenarios {
			if !strings.Contains(text.String(), s.Name) {
				t.Errorf("%q is missing", s.Name)
			}
		}
	})
}

// The figures of the page are those that were measured, and the plots show them.
func TestPageHasWhatWasMeasured(t *testing.T) {
	for _, name := range []string{"speed", "links"} {
		res, err := load([]string{name + ".json"})
		if err != nil {
			t.Fatal(err)
		}
		var plot strings.Builder
		if err := writeSVG(&plot, res); err != nil {
			t.Fatal(err)
		}
		for file, want := range map[string]func(is string) (string, error){
			"README.md":   func(is string) (string, error) { return rewritten(is, res) },
			name + ".svg": func(string) (string, error) { return plot.String(), nil },
		} {
			is, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if text, err := want(string(is)); err != nil || text != string(is) {
				t.Errorf("%s has other figures than %s.json (%v): run go run . -from %[2]s.json -svg %[2]s.svg -page README.md", file, name, err)
			}
		}
	}
}

func TestRunsOfTheSameScenarioAreItsRounds(t *testing.T) {
	res := &results{}
	for range 2 {
		res.add(result{scenario: scenario{Name: "a"}, Samples: []sample{{Contender: ours}, {Contender: ours, Round: 1}}})
	}
	if len(res.Scenarios) != 1 || len(res.Scenarios[0].Samples) != 4 || res.Scenarios[0].Samples[3].Round != 3 {
		t.Errorf("got %+v, want rounds 0 to 3 of one scenario", res.Scenarios)
	}
}

func TestCellSaysHowManyRunsThereWere(t *testing.T) {
	run := func(wall time.Duration, failed string) sample {
		return sample{Contender: v2, account: account{Wall: wall * time.Second, Err: failed}}
	}
	for want, samples := range map[string][]sample{
		"":                  nil,
		"3.0":               {run(1, ""), run(2, ""), run(3, ""), run(4, ""), run(5, "")},
		"1.0 (2)":           {run(1, ""), run(2, "")},
		"1.0 (2, 1 failed)": {run(0, "timeout"), run(1, ""), run(2, "")},
		"(1 failed)":        {run(0, "timeout")},
	} {
		if got := (&result{Samples: samples}).cell(v2); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestPatternCRC(t *testing.T) {
	whole := bytes.Repeat(block, 9)
	for _, n := range []int64{0, 1, 4095, 4096, 4097, 3 * 4096, 9 * 4096, 8*4096 + 77} {
		if got, want := patternCRC(n), crc64.Checksum(whole[:n], table); got != want {
			t.Errorf("%d bytes: got %x, want %x", n, got, want)
		}
	}
}

func TestRatiosAreOfTheSameRound(t *testing.T) {
	r := result{Samples: []sample{
		{Contender: ours, Round: 0, CPU: 1 * time.Second},
		{Contender: v1, Round: 0, CPU: 2 * time.Second},
		{Contender: ours, Round: 1, CPU: 5 * time.Second}, // the machine was busy
		{Contender: v1, Round: 1, CPU: 10 * time.Second},
		{Contender: ours, Round: 2, CPU: 1 * time.Second},
		{Contender: v1, Round: 2, CPU: 2 * time.Second},
	}}
	rows, base := r.rows()
	if base != v1 || rows[0].who != ours || rows[0].cpuOf != 0.5 || rows[0].cpu != time.Second {
		t.Errorf("got %+v of %s, want 0.5 of %s", rows[0], base, v1)
	}
}

func TestIdealCountsWaves(t *testing.T) {
	for _, tt := range []struct {
		name string
		s    scenario
		want time.Duration
	}{
		{"no latency", scenario{Size: 10, PartSize: 1, Parallel: 5}, 0},
		{"parts, between the first request and the last", scenario{Size: 11, PartSize: 1, Parallel: 5, Files: 1, Latency: time.Second}, 5 * time.Second},
		{"files", scenario{Size: 1, PartSize: 1, Parallel: 5, Files: 11, Latency: time.Second}, 3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.s.ideal(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestNoSuchScenario(t *testing.T) {
	if err := compare(t.Context(), []string{"-run", "nothing like it"}, io.Discard); err == nil {
		t.Error("got no error")
	}
}
