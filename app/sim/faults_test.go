package sim

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"
)

func TestAPIFaults(t *testing.T) {
	b := newBench(t, 5)
	b.s.SetFaults(Faults{SlowFor: 20 * time.Millisecond})
	for _, tc := range []struct {
		fault  Fault
		status int   // 0: no whole answer
		done   bool  // the notes were written all the same
		err    error // what reading the answer ends with
	}{
		{TooMany, 429, false, nil},
		{TooManyBare, 429, false, nil},
		{LegacyLimit, 509, false, nil},
		{ServerError, 500, false, nil},
		{Unavailable, 503, false, nil},
		{Slow, 200, true, nil},
		{Cut, 200, true, io.ErrUnexpectedEOF},
		{DoneButError, 500, true, nil},
		{DoneButTimeout, 0, true, io.EOF},
	} {
		t.Run(tc.fault.String(), func(t *testing.T) {
			if err := b.s.SetStaffNotes(101, ""); err != nil {
				t.Fatal(err)
			}
			b.s.FailNext(FailRule{Fault: tc.fault, Method: "PUT", Path: "/v2/orders/"})
			if a := b.api("GET", "/v2/orders/101", ""); a.status != 200 {
				t.Fatalf("a request that does not match: %d", a.status)
			}
			a := b.api("PUT", "/v2/orders/101", `{"staff_notes":"written"}`)
			if a.status != tc.status || !errors.Is(a.err, tc.err) {
				t.Errorf("%d %v, want %d %v", a.status, a.err, tc.status, tc.err)
			}
			if o, _ := b.s.Order(101); (o.StaffNotes == "written") != tc.done {
				t.Errorf("notes %q, want done %v", o.StaffNotes, tc.done)
			}
			bare := a.header.Get("X-Rate-Limit-Requests-Left") == ""
			if tc.status != 0 && bare != (tc.fault == TooManyBare) {
				t.Errorf("quota headers are missing: %v", bare)
			}
			if retry := a.header.Get("X-Retry-After"); (retry != "") != (tc.fault == TooMany) {
				t.Errorf("X-Retry-After %q", retry)
			}
			if a := b.api("PUT", "/v2/orders/101", `{"staff_notes":"again"}`); a.status != 200 {
				t.Errorf("the rule outlives its one time: %d", a.status)
			}
		})
	}
}

func TestTimeoutEndsWithTheCaller(t *testing.T) {
	b := newBench(t, 5) // SlowFor is unset: a minute at most
	b.s.FailNext(FailRule{Fault: DoneButTimeout})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	a := b.apiWithin(ctx, b.token.Value, "PUT", "/v2/orders/101", `{"staff_notes":"written"}`)
	if !errors.Is(a.err, context.DeadlineExceeded) {
		t.Errorf("%d %v", a.status, a.err)
	}
	if o, _ := b.s.Order(101); o.StaffNotes != "written" {
		t.Error("it was not done")
	}
}

func TestFaultProbabilities(t *testing.T) {
	b := newBench(t, 5)
	b.s.SetFaults(Faults{API: map[Fault]float64{ServerError: 0.5}})
	failed := 0
	for range 100 {
		if b.api("GET", "/v2/time", "").status == 500 {
			failed++
		}
	}
	if failed < 30 || failed > 70 {
		t.Errorf("%d of 100 failed", failed)
	}
	if b.s.Faults().API[ServerError] != 0.5 {
		t.Error("the setting is not what was set")
	}
	b.s.FailNext(FailRule{Fault: Unavailable, Times: 3})
	b.s.ClearFaults()
	for range 20 {
		b.want(200, "GET", "/v2/time", "")
	}
	b.s.FailNext(FailRule{Fault: Unavailable, Times: 2})
	for _, want := range []int{503, 503, 200} {
		b.want(want, "GET", "/v2/time", "")
	}
	if Fault(0).String() != "fault 0" {
		t.Error(Fault(0))
	}
}

// TestOutage lets each fault last for an hour of the World's clock and looks before, in and after it.
func TestOutage(t *testing.T) {
	b := newBench(t, 5)
	b.s.SetFaults(Faults{SlowFor: time.Millisecond})
	for _, tc := range []struct {
		fault      Fault
		status     int // 0: no whole answer
		done       bool
		err        error
		retryAfter string
		bare       bool // no quota headers
	}{
		{TooMany, 429, false, nil, "30", false},
		{TooManyBare, 429, false, nil, "", true},
		{LegacyLimit, 509, false, nil, "", false},
		{ServerError, 500, false, nil, "", false},
		{Unavailable, 503, false, nil, "", false},
		{Slow, 200, true, nil, "", false},
		{Cut, 200, true, io.ErrUnexpectedEOF, "", false},
		{DoneButError, 500, true, nil, "", false},
		{DoneButTimeout, 0, true, io.EOF, "", true},
	} {
		t.Run(tc.fault.String(), func(t *testing.T) {
			b.clock.add(time.Minute)
			if err := b.s.SetStaffNotes(101, ""); err != nil {
				t.Fatal(err)
			}
			b.s.Outage(tc.fault, b.clock.now().Add(time.Hour))
			b.s.FailNext(FailRule{Fault: Unavailable}) // waits until the outage is over
			for _, later := range []time.Duration{0, time.Hour - time.Second} {
				b.clock.add(later)
				a := b.api("PUT", "/v2/orders/101", `{"staff_notes":"written"}`)
				if a.status != tc.status || !errors.Is(a.err, tc.err) {
					t.Errorf("%d %v, want %d %v", a.status, a.err, tc.status, tc.err)
				}
				if got := a.header.Get("X-Retry-After"); got != tc.retryAfter {
					t.Errorf("X-Retry-After %q, want %q", got, tc.retryAfter)
				}
				left := a.header.Get("X-Rate-Limit-Requests-Left")
				if (left == "") != tc.bare || (left == "0") != (tc.fault == TooMany) {
					t.Errorf("requests left %q", left)
				}
			}
			if o := must[Order](t)(b.s.Order(101)); (o.StaffNotes == "written") != tc.done {
				t.Errorf("notes %q, want done %v", o.StaffNotes, tc.done)
			}
			b.clock.add(time.Second)
			b.want(503, "GET", "/v2/time", "")
			b.want(200, "GET", "/v2/time", "")
		})
	}
	b.s.Outage(ServerError, b.clock.now().Add(time.Hour))
	b.want(500, "GET", "/v2/time", "")
	b.s.Outage(0, time.Time{})
	b.want(200, "GET", "/v2/time", "")
	b.s.Outage(ServerError, b.clock.now().Add(time.Hour))
	b.s.ClearFaults()
	b.want(200, "GET", "/v2/time", "")
}

// TestOutageKeepsTheQuotaHonest: what the quota refuses is refused for want of quota, outage or not.
func TestOutageKeepsTheQuotaHonest(t *testing.T) {
	b := newBench(t, 5)
	b.s.SetQuota(1)
	b.clock.add(time.Minute)
	b.s.Outage(DoneButError, b.clock.now().Add(time.Hour))
	b.want(500, "PUT", "/v2/orders/101", `{"staff_notes":"first"}`)
	if a := b.want(429, "PUT", "/v2/orders/101", `{"staff_notes":"second"}`); a.header.Get("X-Retry-After") != "30" {
		t.Errorf("%v", a.header)
	}
	if o := must[Order](t)(b.s.Order(101)); o.StaffNotes != "first" {
		t.Errorf("notes %q", o.StaffNotes)
	}
	b.s.Outage(TooManyBare, b.clock.now().Add(time.Hour))
	if a := b.want(429, "GET", "/v2/time", ""); a.header.Get("X-Retry-After") != "" {
		t.Errorf("a bare 429 has %v", a.header)
	}
}
