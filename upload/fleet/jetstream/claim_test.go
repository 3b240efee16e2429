package jetstream_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload/fleet/fleettest"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
)

var (
	key = checkpointtest.Key("film.mp4")
	rec = checkpointtest.Record(key)
)

func claim(t *testing.T, s checkpoint.Store) checkpoint.Claim {
	t.Helper()
	c, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func noError(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func add(t *testing.T, c checkpoint.Claim, parts ...checkpoint.Part) {
	t.Helper()
	for _, p := range parts {
		noError(t, "Add", c.Add(p))
	}
}

// within polls until ok.
func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// messages returns the subjects that have a message.
func messages(t *testing.T, nc *nats.Conn, namespace string) map[string]uint64 {
	t.Helper()
	info, err := stream(t, nc, "VU_"+namespace).Info(t.Context(), natsjs.WithSubjectFilter(">"))
	noError(t, "Info", err)
	return info.State.Subjects
}

// partMessages counts the messages of parts.
func partMessages(t *testing.T, nc *nats.Conn, namespace string) (n int) {
	t.Helper()
	for subject := range messages(t, nc, namespace) {
		if strings.Contains(subject, ".p.") {
			n++
		}
	}
	return n
}

// The time to live of the first message of a lease would be gone with the first renewal,
// if it were not given again; a lease that nobody renews would hold for ever.
func TestLeaseOfADeadHolderEnds(t *testing.T) {
	t.Parallel()
	o := jetstream.Options{Namespace: namespace(), Lease: 6 * time.Second, Holder: "worker-1"}
	nc := connect(t, node)
	dead, next := open(t, nc, o), open(t, connect(t, node), o)
	c := claim(t, dead)
	noError(t, "Begin", c.Begin(t.Context(), rec))
	add(t, c, checkpointtest.Parts(1, 3)...)

	for began := time.Now(); time.Since(began) < o.Lease+500*time.Millisecond; time.Sleep(100 * time.Millisecond) {
		_, err := next.Open(t.Context(), key)
		var used *checkpoint.InUseError
		if !errors.As(err, &used) {
			t.Fatalf("%v after the claim was made: error is %v, want an InUseError", time.Since(began), err)
		}
		if used.Holder != "worker-1" || used.Until.Before(time.Now()) || used.Until.After(time.Now().Add(o.Lease+time.Second)) {
			t.Errorf("holder is %q until %v, want worker-1 until in six seconds", used.Holder, used.Until)
		}
	}
	nc.Close()
	var got checkpoint.Claim
	within(t, "the lease ended", func() (ok bool) {
		var err error
		got, err = next.Open(t.Context(), key)
		return err == nil
	})
	defer got.Close()
	if r, parts, _ := got.Load(); r != rec || len(parts) != 3 {
		t.Errorf("next holder has record %v and %d parts, want all", r.UploadID, len(parts))
	}
	select {
	case <-c.(checkpoint.Held).Lost():
	case <-time.After(time.Minute):
		t.Error("the dead holder does not see that its claim is lost")
	}
}

func TestHolderStopsBeforeItsLeaseEnds(t *testing.T) {
	t.Parallel()
	cluster := fleettest.Start(t, 1)
	proxy := cluster.Proxy()
	far, near := proxy.Connect(), cluster.Connect()
	t.Cleanup(far.Close)
	t.Cleanup(near.Close)
	o := jetstream.Options{Namespace: namespace(), Lease: 6 * time.Second} // a third of it is left for a machine under load
	c := claim(t, open(t, far, o))
	noError(t, "Begin", c.Begin(t.Context(), rec))

	proxy.Partition()
	select {
	case <-c.(checkpoint.Held).Lost():
	case <-time.After(time.Minute):
		t.Fatal("a holder that is cut off does not stop")
	}
	// The engine has not let anybody else have it.
	m, err := stream(t, near, "VU_"+o.Namespace).GetLastMsgForSubject(t.Context(), jetstream.LeaseSubject(o.Namespace, key))
	if err != nil && !errors.Is(err, natsjs.ErrMsgNotFound) {
		t.Fatal(err)
	}
	if err != nil {
		t.Errorf("the lease ended at the engine before the holder stopped")
	} else if left := time.Until(m.Time.Add(o.Lease)); left < o.Lease/6 {
		t.Logf("the lease had %v left", left) // less on a machine under load
	}
	began := time.Now()
	for name, err := range map[string]error{
		"Add": c.Add(checkpointtest.Part(1)), "Flush": c.Flush(t.Context()), "Begin": c.Begin(t.Context(), rec),
	} {
		if !errors.Is(err, checkpoint.ErrLost) {
			t.Errorf("%s: error is %v, want ErrLost", name, err)
		}
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("the calls of a lost claim took %v: they must not ask the engine", d)
	}
	proxy.Heal()
	if err := c.Close(); !errors.Is(err, checkpoint.ErrLost) {
		t.Errorf("Close: error is %v, want ErrLost", err)
	}
}

// A repetition of a write that the engine has acknowledged in vain looks like a conflict
// with another holder.
func TestLostAcknowledgements(t *testing.T) {
	t.Parallel()
	cluster := fleettest.Start(t, 1)
	proxy := cluster.Proxy()
	far, near := proxy.Connect(), cluster.Connect()
	t.Cleanup(far.Close)
	t.Cleanup(near.Close)
	o := jetstream.Options{Namespace: namespace()}
	s := open(t, far, o)
	keys := []checkpoint.Key{checkpointtest.Key("begin"), checkpointtest.Key("flush"), checkpointtest.Key("remove"), checkpointtest.Key("close")}
	claims := make([]checkpoint.Claim, len(keys))
	for i, k := range keys {
		c, err := s.Open(t.Context(), k)
		noError(t, "Open", err)
		noError(t, "Begin", c.Begin(t.Context(), checkpointtest.Record(k)))
		claims[i] = c
	}

	proxy.LoseAnswers()
	errs := make(chan error)
	calls := []func() error{
		func() error {
			c, err := s.Open(t.Context(), checkpointtest.Key("open"))
			if err == nil {
				err = c.Close()
			}
			return err
		},
		func() error { return claims[0].Begin(t.Context(), checkpointtest.Record(keys[0])) },
		func() error { return claims[1].Flush(t.Context()) },
		claims[2].Remove,
		claims[3].Close,
	}
	for _, call := range calls {
		go func() { errs <- call() }()
	}
	// All have arrived, and are repeated: the last message on each subject is theirs.
	st := stream(t, near, "VU_"+o.Namespace)
	within(t, "the claim of the Open arrived", func() bool {
		_, err := st.GetLastMsgForSubject(t.Context(), jetstream.LeaseSubject(o.Namespace, checkpointtest.Key("open")))
		return err == nil
	})
	within(t, "the first tries have ended", func() bool { return far.Stats().Reconnects > 0 || !far.IsConnected() })
	proxy.Heal()
	for range calls {
		if err := <-errs; err != nil {
			t.Errorf("after the answers were lost: %v", err)
		}
	}
	noError(t, "Flush", claims[0].Flush(t.Context()))
	noError(t, "Flush", claims[1].Flush(t.Context()))
}

func TestRenewalThatTheEngineHasForgotten(t *testing.T) {
	t.Parallel()
	c := claim(t, open(t, connect(t, node), jetstream.Options{}))
	noError(t, "Begin", c.Begin(t.Context(), rec))
	for range 3 {
		noError(t, "Flush", c.Flush(t.Context()))
		noError(t, "Flush", c.Flush(t.Context()))
		jetstream.ForgetRenewal(c)
	}
	noError(t, "Flush", c.Flush(t.Context()))
	add(t, c, checkpointtest.Part(1))
	jetstream.ForgetRenewal(c)
	noError(t, "Flush of a part", c.Flush(t.Context()))
}

func TestPartsThatComeOneByOne(t *testing.T) {
	t.Parallel()
	nc := connect(t, node)
	o := jetstream.Options{Namespace: namespace()}
	s := open(t, nc, o)
	c := claim(t, s)
	noError(t, "Begin", c.Begin(t.Context(), rec))
	const parts = 500
	for n := 1; n <= parts; n++ {
		add(t, c, checkpointtest.Part(n))
		noError(t, "Flush", c.Flush(t.Context()))
	}
	if n := partMessages(t, nc, o.Namespace); n > parts/50 {
		t.Errorf("%d parts are in %d messages, want at most one for 50", parts, n)
	}
	noError(t, "Close", c.Close())
	c = claim(t, s)
	if _, got, _ := c.Load(); len(got) != parts {
		t.Errorf("%d parts come back, want %d", len(got), parts)
	}
}

func TestPartsAreWrittenTogether(t *testing.T) {
	t.Parallel()
	nc := connect(t, node)
	c := claim(t, open(t, nc, jetstream.Options{}))
	noError(t, "Begin", c.Begin(t.Context(), rec))
	before, began := nc.Stats().OutMsgs, time.Now()
	for n := 1; time.Since(began) < time.Second && n <= 10_000; n++ {
		add(t, c, checkpointtest.Part(n))
		time.Sleep(200 * time.Microsecond) // parts that come one after the other
	}
	// Each message waits for 50 ms of parts.
	most := uint64(time.Since(began)/(50*time.Millisecond)) + 2
	if n := nc.Stats().OutMsgs - before; n > most {
		t.Errorf("%d messages in %v, want at most %d", n, time.Since(began), most)
	}
}

func TestMessagesOfManyPartsHaveALimit(t *testing.T) {
	t.Parallel()
	nc := connect(t, node)
	o := jetstream.Options{Namespace: namespace()}
	c := claim(t, open(t, nc, o))
	noError(t, "Begin", c.Begin(t.Context(), rec))
	add(t, c, checkpointtest.Parts(1, 10_000)...)
	noError(t, "Flush", c.Flush(t.Context()))
	st := stream(t, nc, "VU_"+o.Namespace)
	for subject := range messages(t, nc, o.Namespace) {
		m, err := st.GetLastMsgForSubject(t.Context(), subject)
		noError(t, "read", err)
		if len(m.Data) > jetstream.MostBatch {
			t.Errorf("%s has %d bytes, want at most %d", subject, len(m.Data), jetstream.MostBatch)
		}
	}
}

func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	nc := connect(t, node)
	o := jetstream.Options{Namespace: namespace()}
	s := open(t, nc, o)
	c := claim(t, s)
	for range 3 {
		noError(t, "Begin", c.Begin(t.Context(), rec))
		add(t, c, checkpointtest.Parts(1, 200)...)
		noError(t, "Flush", c.Flush(t.Context()))
	}
	if n := partMessages(t, nc, o.Namespace); n > 2 {
		t.Errorf("%d messages of parts after the record was replaced, want 2", n)
	}
	noError(t, "Close", c.Close())
	noError(t, "Remove", claim(t, s).Remove())
	if n := partMessages(t, nc, o.Namespace); n != 0 {
		t.Errorf("%d messages of parts after Remove, want none", n)
	}
	within(t, "no message is left", func() bool { return len(messages(t, nc, o.Namespace)) == 0 })
}

func TestDamagedCheckpoints(t *testing.T) {
	t.Parallel()
	nc := connect(t, node)
	other, err := checkpointtest.Record(checkpointtest.Key("other")).MarshalBinary()
	noError(t, "MarshalBinary", err)
	for _, tt := range []struct {
		name  string
		parts bool // what is damaged; false: the record
		data  []byte
	}{
		{"a record that is none", false, []byte("not a record")},
		{"an empty record", false, nil},
		{"a record of another upload", false, other},
		{"parts that end in the middle", true, []byte{40, 1, 2}},
		{"parts that are none", true, []byte{3, 1, 2, 3}},
		{"parts without a length", true, bytes.Repeat([]byte{0xff}, 11)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := jetstream.Options{Namespace: namespace()}
			s := open(t, nc, o)
			c := claim(t, s)
			noError(t, "Begin", c.Begin(t.Context(), rec))
			add(t, c, checkpointtest.Part(1))
			noError(t, "Close", c.Close())
			st := stream(t, nc, "VU_"+o.Namespace)
			m, err := st.GetLastMsgForSubject(t.Context(), jetstream.RecordSubject(o.Namespace, key))
			noError(t, "read the record", err)
			damaged := &nats.Msg{Subject: m.Subject, Header: nats.Header{"Vodupload-Begin": m.Header["Vodupload-Begin"]}, Data: tt.data}
			if tt.parts {
				damaged = &nats.Msg{Subject: jetstream.PartSubject(o.Namespace, key, m), Data: tt.data}
			}
			js, _ := natsjs.New(nc)
			_, err = js.PublishMsg(t.Context(), damaged)
			noError(t, "damage it", err)

			c = claim(t, s)
			if _, _, ok := c.Load(); ok {
				t.Error("something of it is used")
			}
			if err := c.Damaged(); !errors.Is(err, checkpoint.ErrDamaged) || !strings.Contains(err.Error(), jetstream.AsideSubject(o.Namespace, key)) {
				t.Errorf("Damaged: %v, want ErrDamaged and where it is kept", err)
			}
			kept, err := st.GetLastMsgForSubject(t.Context(), jetstream.AsideSubject(o.Namespace, key))
			if err != nil || !bytes.Equal(kept.Data, tt.data) || kept.Header.Get("Nats-TTL") == "" {
				t.Errorf("set aside: %+v, %v, want what was damaged, for a while", kept, err)
			}
			noError(t, "Begin", c.Begin(t.Context(), rec))
			noError(t, "Close", c.Close())
			c = claim(t, s)
			if r, _, ok := c.Load(); !ok || r != rec || c.Damaged() != nil {
				t.Errorf("afterwards: record %v, damaged %v", r, c.Damaged())
			}
		})
	}
}

// A holder that dies after it has made an upload and before it has its record leaves a
// mark; one that has made an object leaves nothing.
func TestUnbegunOfADeadHolder(t *testing.T) {
	for _, test := range []struct {
		name   string
		call   func(checkpoint.Claim) error
		marked bool
	}{
		{"before an upload: marked", func(c checkpoint.Claim) error { return c.(checkpoint.Marker).MarkUnbegun(t.Context()) }, true},
		{"before an object: nothing", func(c checkpoint.Claim) error { return c.Flush(t.Context()) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := jetstream.Options{Namespace: namespace(), Lease: 4 * time.Second}
			nc := connect(t, node)
			c := claim(t, open(t, nc, o))
			taken := time.Now()
			noError(t, "the call", test.call(c))
			nc.Close()
			next := open(t, connect(t, node), o)
			var got checkpoint.Claim
			within(t, "the lease ended", func() bool {
				var err error
				got, err = next.Open(t.Context(), key)
				return err == nil
			})
			at := got.(checkpoint.Unbegun).Unbegun()
			if at.IsZero() == test.marked || at.After(taken) {
				t.Errorf("Unbegun is %v, want when the dead holder claimed it, before %v: %t", at, taken, test.marked)
			}
			noError(t, "Close", got.Close())
			if at := claim(t, next).(checkpoint.Unbegun).Unbegun(); !at.IsZero() {
				t.Errorf("Unbegun after Close is %v, want none", at)
			}
		})
	}
}

// keyOf returns the key of the only upload of a store.
func keyOf(t *testing.T, s checkpoint.Store) (k checkpoint.Key) {
	t.Helper()
	within(t, "there is a record", func() bool {
		entries, err := s.List(t.Context())
		noError(t, "List", err)
		if len(entries) == 1 {
			k = entries[0].Record.Key
		}
		return len(entries) == 1
	})
	return k
}
