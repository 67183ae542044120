package sim

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestQuotaUse(t *testing.T) {
	b := newBench(t, 1)
	b.s.SetQuota(4)
	b.clock.add(time.Minute)
	other := b.s.AddAPIAccount("store_v2_orders")
	first := b.clock.now()
	for _, tc := range []struct {
		token  string
		status int
	}{
		{b.token.Value, 200}, {other.Value, 200}, {b.token.Value, 200}, {"nonsense", 401}, {other.Value, 200}, {b.token.Value, 429}, {other.Value, 429},
	} {
		if a := b.apiAs(tc.token, "GET", "/v2/time", ""); a.status != tc.status {
			t.Errorf("%.8s: %d, want %d", tc.token, a.status, tc.status)
		}
	}
	if got := b.s.QuotaUse(); len(got) != 0 {
		t.Errorf("the running window is listed: %+v", got)
	}
	b.clock.add(rateWindow)
	second := b.clock.now()
	b.s.SetQuota(9)
	b.want(200, "GET", "/v2/time", "")
	b.s.FailNext(FailRule{Fault: TooManyBare})
	b.want(429, "GET", "/v2/time", "")
	b.s.FailNext(FailRule{Fault: LegacyLimit})
	b.want(509, "GET", "/v2/time", "")
	b.clock.add(5 * time.Minute)
	want := []QuotaWindow{
		{Start: first, Quota: 4, Ours: 3, Others: 3, Refused: 1},
		{Start: second, Quota: 9, Ours: 3, Refused: 1},
	}
	for range 2 { // asking again changes nothing
		if got := b.s.QuotaUse(); !slices.Equal(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	b.s.SetQuota(-1)
	b.want(200, "GET", "/v2/time", "")
	b.clock.add(-24 * time.Hour) // a clock that jumps back ends the window
	b.want(200, "GET", "/v2/time", "")
	if got := b.s.QuotaUse(); len(got) != 3 || got[2].Quota != -1 || got[2].Ours != 1 {
		t.Errorf("%+v", got)
	}
}

func TestKeptWindowsAreBounded(t *testing.T) {
	l := limiter{quota: 1}
	at := time.Date(2026, 9, 25, 10, 0, 0, 0, time.UTC)
	for range 2*keptWindows + 10 {
		l.take(at, true)
		at = at.Add(rateWindow)
	}
	l.roll(at)
	if n := len(l.finished); n < keptWindows || n > 2*keptWindows {
		t.Errorf("%d windows are kept", n)
	}
	if last := l.finished[len(l.finished)-1]; !last.Start.Equal(at.Add(-rateWindow)) {
		t.Errorf("the last one began at %s", last.Start)
	}
}

// TestAtOnce holds three requests of an operation at the point where they are done and not answered,
// and then sends a fourth.
func TestAtOnce(t *testing.T) {
	b := newBench(t, 1)
	ada := b.s.Customers()[0].ID
	b.want(200, "POST", "/v3/customers/attributes", `[{"name":"a","type":"string"}]`)
	if n := b.s.MostAttributeWritesAtOnce(); n != 0 {
		t.Errorf("%d at once before the first", n)
	}
	value := fmt.Sprintf(`[{"attribute_id":1,"customer_id":%d,"value":"2"}]`, ada)
	b.want(200, "PUT", "/v3/customers/attribute-values", value)
	if n := b.s.MostAttributeWritesAtOnce(); n != 1 {
		t.Errorf("%d at once after the first", n)
	}
	for _, tc := range []struct{ method, path, held, body string }{
		{"PUT", "/v3/customers/attribute-values", value, value},
		{"PUT", "/v3/customers", fmt.Sprintf(`[{"id":%d,"company":"x"}]`, ada), fmt.Sprintf(`[{"id":%d,"company":"y"}]`, ada)},
		{"POST", "/v3/customers/attributes", `[{"name":"b","type":"string"}]`, `[{"name":"c","type":"string"}]`},
	} {
		release := b.hold(3, tc.method, tc.path, tc.held)
		fourth := b.want(429, tc.method, tc.path, tc.body)
		if fourth.header.Get("X-Retry-After") != "" || fourth.header.Get("X-Rate-Limit-Requests-Left") == "" || fourth.at("title") != "Too many requests" {
			t.Errorf("%s %s: %v %s", tc.method, tc.path, fourth.header, fourth.raw)
		}
		b.want(200, "GET", "/v3/customers/attributes", "") // other operations are not limited
		release()
		b.want(200, tc.method, tc.path, tc.body)
	}
	if n := b.s.MostAttributeWritesAtOnce(); n != 4 {
		t.Errorf("%d at once, want 4 with the refused one", n)
	}
}

// hold sends n requests that are done and not answered until release, which waits for their end.
func (b *bench) hold(n int, method, path, body string) (release func()) {
	b.t.Helper()
	b.s.FailNext(FailRule{Fault: DoneButTimeout, Times: n}) // for a minute, or until the caller leaves
	done := make(chan struct{})
	b.w.opt.Observe = func(Exchange) { done <- struct{}{} }
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != http.ErrAbortHandler {
					b.t.Errorf("the held request ended with %v", r)
				}
			}()
			req := httptest.NewRequestWithContext(ctx, method, "/stores/"+b.s.Hash+path, strings.NewReader(body))
			req.Header.Set("X-Auth-Token", b.token.Value)
			req.Header.Set("Content-Type", "application/json")
			b.w.apiHandler().ServeHTTP(httptest.NewRecorder(), req)
		})
	}
	for range n {
		<-done
	}
	b.w.opt.Observe = nil
	return func() {
		cancel()
		wg.Wait()
	}
}

// TestThreeAtATime sends many writes three at a time: a caller that waits for each answer is never
// refused, whatever the platform does with the answer.
func TestThreeAtATime(t *testing.T) {
	b := newBench(t, 1)
	ada := b.s.Customers()[0].ID
	b.want(200, "POST", "/v3/customers/attributes", `[{"name":"a","type":"string"}]`)
	b.s.SetFaults(Faults{API: map[Fault]float64{Cut: 0.2, DoneButError: 0.2, DoneButTimeout: 0.2}, SlowFor: time.Millisecond})
	body := fmt.Sprintf(`[{"attribute_id":1,"customer_id":%d,"value":"2"}]`, ada)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 50 {
				if a := b.api("PUT", "/v3/customers/attribute-values", body); a.status == http.StatusTooManyRequests {
					t.Error("refused")
				}
			}
		})
	}
	wg.Wait()
	if n := b.s.MostAttributeWritesAtOnce(); n < 1 || n > 3 {
		t.Errorf("%d at once", n)
	}
}

func TestLatency(t *testing.T) {
	b := newBench(t, 1)
	b.s.SetLatency(30 * time.Millisecond)
	b.s.FailNext(FailRule{Fault: ServerError})
	for _, want := range []int{500, 200} {
		began := time.Now()
		b.want(want, "GET", "/v2/time", "")
		if took := time.Since(began); took < 30*time.Millisecond {
			t.Errorf("%d came after %s", want, took)
		}
	}
	b.s.SetLatency(time.Hour)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	began := time.Now()
	if a := b.apiWithin(ctx, b.token.Value, "PUT", "/v2/orders/101", `{"staff_notes":"written"}`); a.err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%d after %s", a.status, time.Since(began))
	}
	b.s.SetLatency(0)
	b.want(200, "GET", "/v2/time", "")
	if o := must[Order](t)(b.s.Order(101)); o.StaffNotes != "" {
		t.Error("what the caller did not wait for was done")
	}
}

// TestDates asks what time it is by every way that an answer tells it: all follow the World's clock.
func TestDates(t *testing.T) {
	b := newBench(t, 1)
	b.clock.add(-10 * 365 * 24 * time.Hour)
	for _, day := range []string{"Tue, 27 Sep 2016", "Wed, 28 Sep 2016"} {
		o := b.buy("COF-250", PlaceOptions{})
		a := b.want(200, "GET", fmt.Sprintf("/v2/orders/%d", o.ID), "")
		for what, got := range map[string]string{"Date": a.header.Get("Date"), "date_created": a.at("date_created").(string), "date_modified": a.at("date_modified").(string)} {
			if len(got) < len(day) || got[:len(day)] != day {
				t.Errorf("%s is %s, want %s", what, got, day)
			}
		}
		b.s.FailNext(FailRule{Fault: Unavailable})
		if got := b.want(503, "GET", "/v2/time", "").header.Get("Date"); got[:len(day)] != day {
			t.Errorf("an error's Date is %s", got)
		}
		if got := b.apiAs("nonsense", "GET", "/v2/time", "").header.Get("Date"); got[:len(day)] != day {
			t.Errorf("a refusal's Date is %s", got)
		}
		b.clock.add(24 * time.Hour)
	}
}
