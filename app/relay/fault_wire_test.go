package relay_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"idgate/app/sim"
)

// wire carries the product's API requests. It tells the platform to fail just before the request that is to meet the fault.
type wire struct {
	w    *world
	next http.RoundTripper
	done chan struct{} // the platform has done what it will not answer

	mu    sync.Mutex
	sees  func(operation string) // is told of each request before it is sent; nil: nobody
	plan  meeting
	hits  int
	last  time.Time      // when the fault was last met
	calls map[string]int // API requests, by operation
}

// meeting is which requests meet which fault.
type meeting struct {
	operation string // such as "GET /v2/orders/{id}"
	fault     sim.Fault
	skip      int       // so many of the operation go well first
	times     int       // so many meet the fault; 0: all
	until     time.Time // none after that, by the platform's clock; zero: no such limit
}

// Two more ways to answer, which the wire plays itself.
const (
	missing sim.Fault = -1 - iota // 404, as a database that lags behind would have it; nothing is done
	emptied                       // done, and answered with 200 and nothing else
)

func faultName(f sim.Fault) string {
	switch f {
	case missing:
		return "404 but it is there"
	case emptied:
		return "done but answered with nothing"
	}
	return f.String()
}

func newWire(w *world) *wire {
	x := &wire{w: w, next: http.DefaultTransport.(*http.Transport).Clone(), done: make(chan struct{}, 1), calls: map[string]int{}}
	w.http.Transport = x
	see := func(e sim.Exchange) {
		if e.Fault == sim.DoneButTimeout {
			select {
			case x.done <- struct{}{}:
			default:
			}
		}
	}
	w.observe.Store(&see)
	return x
}

var (
	numberInPath = regexp.MustCompile(`/[0-9]+`)
	uuidInPath   = regexp.MustCompile(`/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

// operationOf names what an API request does; false for what is no API request.
func operationOf(r *http.Request) (string, bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/stores/"+hash)
	rest = uuidInPath.ReplaceAllString(rest, "/{id}")
	return r.Method + " " + numberInPath.ReplaceAllString(rest, "/{id}"), ok
}

// RoundTrip is http.RoundTripper's.
func (x *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	operation, ok := operationOf(r)
	if !ok {
		return x.next.RoundTrip(r)
	}
	x.mu.Lock()
	sees := x.sees
	x.mu.Unlock()
	if sees != nil {
		sees(operation)
	}
	fault := x.meets(operation)
	switch fault {
	case 0:
		return x.next.RoundTrip(r)
	case missing:
		return &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
	case emptied:
		resp, err := x.next.RoundTrip(r)
		if err == nil {
			_ = resp.Body.Close()
			resp.Body = http.NoBody
		}
		return resp, err
	}
	x.w.shop.FailNext(sim.FailRule{Fault: fault, Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, "/stores/"+hash)})
	if fault != sim.DoneButTimeout {
		return x.next.RoundTrip(r)
	}
	// The caller's patience ends as soon as the platform has done its work: a timeout that needs no waiting.
	ctx, giveUp := context.WithCancel(r.Context())
	defer giveUp()
	go func() {
		if resp, err := x.next.RoundTrip(r.WithContext(ctx)); err == nil {
			_ = resp.Body.Close()
		}
	}()
	select {
	case <-x.done:
	case <-r.Context().Done():
	}
	return nil, context.DeadlineExceeded
}

// meets counts a request and returns the fault that it is to meet; 0 for none.
func (x *wire) meets(operation string) sim.Fault {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calls[operation]++
	now, p := x.w.clock.now(), &x.plan
	if p.fault == 0 || p.operation != operation || !p.until.IsZero() && !now.Before(p.until) {
		return 0
	}
	if p.skip > 0 {
		p.skip--
		return 0
	}
	if p.times > 0 && x.hits == p.times {
		return 0
	}
	x.hits++
	x.last = now
	return p.fault
}

// meet plans a fault, from now on, in place of any before.
func (x *wire) meet(m meeting) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.plan, x.hits, x.last = m, 0, time.Time{}
}

// watch has each request told to sees, from now on.
func (x *wire) watch(sees func(operation string)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sees = sees
}

// met is how often the planned fault was met, and when for the last time.
func (x *wire) met() (int, time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.hits, x.last
}

// over reports whether no request will meet the planned fault any more.
func (x *wire) over(now time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.plan.fault == 0 || x.plan.times > 0 && x.hits == x.plan.times || !x.plan.until.IsZero() && !now.Before(x.plan.until)
}

// count returns how many API requests there were of the operations whose names begin so, and of all with "".
func (x *wire) count(prefix string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for operation, k := range x.calls {
		if strings.HasPrefix(operation, prefix) {
			n += k
		}
	}
	return n
}
