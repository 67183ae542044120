package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAbuseFullLimiter: a stranger who fills the limiter's memory shuts nobody out for longer than it takes the buckets to be full again, and
// the scripts go on being served meanwhile.
func TestAbuseFullLimiter(t *testing.T) {
	b := newBench(t)
	l := b.s.limits
	l.allow("spent", 1.0/600, 1) // what says something stays
	for i := range maxBuckets {
		l.allow(fmt.Sprint("stranger ", i), 20, 100)
	}
	if len(l.buckets) != maxBuckets {
		t.Fatalf("%d buckets", len(l.buckets))
	}
	ask := func(path string) int {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr = "198.51.100.1:4711"
		return b.do(r).Code
	}
	if got := ask("/storefront/v1/sessions/x"); got != http.StatusTooManyRequests {
		t.Errorf("a new address is answered %d: the limiter is not full", got)
	}
	if got := ask("/storefront/v1/widget.js"); got != http.StatusOK {
		t.Errorf("the widget: %d", got)
	}
	b.wait(sweepHurry)
	if got := ask("/storefront/v1/sessions/x"); got != http.StatusForbidden {
		t.Errorf("a new address a second later is answered %d", got)
	}
	if n := len(l.buckets); n > 2 {
		t.Errorf("%d buckets are left", n)
	}
	if l.allow("spent", 1.0/600, 1) {
		t.Error("a spent bucket was forgotten")
	}
}

// TestAbuseScriptsAreServed: the scripts that were asked for once come from memory, whoever floods; one that is not known costs a token.
func TestAbuseScriptsAreServed(t *testing.T) {
	b := newBench(t)
	const hash = "00112233445566ff"
	b.ok(b.s.Ledger.PublishScript(t.Context(), hash, "sha384-x", []byte("/* gate */"), b.clock()))
	ask := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.RemoteAddr = "198.51.100.1:4711"
		r.Header.Set("Origin", "https://anybody.example")
		return b.do(r)
	}
	for i := range 300 {
		for _, path := range []string{"/storefront/v1/scripts/" + shopHash + "/1/gate." + hash + ".js", "/storefront/v1/widget.js"} {
			w := ask(path)
			if w.Code != http.StatusOK || w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Fatalf("%s, %d times: %d %v", path, i, w.Code, w.Header())
			}
		}
	}
	if w := ask("/storefront/v1/scripts/" + shopHash + "/1/gate." + hash + ".js"); w.Body.String() != "/* gate */" || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
		t.Errorf("%q %v", w.Body, w.Header())
	}
	codes := map[int]int{}
	for i := range 120 {
		codes[ask(fmt.Sprintf("/storefront/v1/scripts/%s/1/gate.%016x.js", shopHash, i)).Code]++
	}
	if codes[http.StatusNotFound] != 99 || codes[http.StatusTooManyRequests] != 21 {
		t.Errorf("scripts that never were: %v", codes)
	}
	if w := ask("/storefront/v1/scripts/" + shopHash + "/1/gate.js"); w.Code != http.StatusNotFound {
		t.Errorf("another name: %d", w.Code)
	}
}

// TestLimitsForgetNothing: a limiter that forgets full buckets answers as one that forgets none.
func TestLimitsForgetNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC)
		clock := func() time.Time { return now }
		sweeps, keeps := newLimits(clock), newLimits(clock)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 50, 900, 61_000, 700_000}).Draw(t, "ms")) * time.Millisecond)
			k := rapid.IntRange(0, 3).Draw(t, "key")
			perSecond, burst := []float64{20, 2, 0.2, 1.0 / 600}[k], []int{10, 3, 2, 3}[k]
			keeps.swept = now
			if got, want := sweeps.allow(fmt.Sprint(k), perSecond, burst), keeps.allow(fmt.Sprint(k), perSecond, burst); got != want {
				t.Fatalf("key %d: %t, want %t", k, got, want)
			}
		}
	})
}

// TestGiveBack: a token that was taken for nothing is there again, and never more than the bucket holds.
func TestGiveBack(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC)
	l := newLimits(func() time.Time { return now })
	take := func() (n int) {
		for l.allow("k", 1.0/600, 2) {
			n++
		}
		return n
	}
	l.giveBack("k") // of no bucket
	if n := take(); n != 2 {
		t.Fatalf("the bucket holds %d", n)
	}
	l.giveBack("k")
	if n := take(); n != 1 {
		t.Errorf("one given back is %d to take", n)
	}
	for range 5 {
		l.giveBack("k")
	}
	if n := take(); n != 2 {
		t.Errorf("%d to take of a bucket of two", n)
	}
}
