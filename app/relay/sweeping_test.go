package relay

import (
	"testing"
	"time"

	"idgate/app/bigcommerce"
)

// TestSweepsFirst: a sweep under way goes first for a while only, whichever way the clock is set, and not while BigCommerce cannot be asked.
func TestSweepsFirst(t *testing.T) {
	now := start
	r := &Relay{Options: Options{Now: func() time.Time { return now }}}
	if r.sweepsFirst("abc") {
		t.Error("none is under way")
	}
	r.sweeps.Store("abc", sweeping{second: start})
	if r.sweepsFirst("abc") {
		t.Error("it cannot go on")
	}
	r.sweeps.Store("abc", sweeping{since: start})
	for after, want := range map[time.Duration]bool{0: true, sweepFirst - 1: true, sweepFirst: false, time.Hour: false, -time.Hour: false} {
		if now = start.Add(after); r.sweepsFirst("abc") != want || r.sweepsFirst("other9") {
			t.Errorf("after %s: %t", after, !want)
		}
	}
}

// TestSweepingRead: where a sweep goes after each kind of page.
func TestSweepingRead(t *testing.T) {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	page := func(n int, first, last int) (os []bigcommerce.Order) {
		for i := range n {
			o := bigcommerce.Order{ID: int64(100 + i), DateModified: at(first)}
			if i == n-1 {
				o.DateModified = at(last)
			}
			os = append(os, o)
		}
		return os
	}
	way := sweeping{since: at(50)}
	in := func(after int64, began int) sweeping {
		return sweeping{since: at(50), second: at(7), after: after, began: at(began)}
	}
	for name, tt := range map[string]struct {
		way  sweeping
		mark int
		os   []bigcommerce.Order
		to   int
		then sweeping
		more bool
	}{
		"nothing":                    {way, 7, nil, 7, way, false},
		"a short page":               {way, 7, page(49, 7, 9), 9, way, false},
		"a full page":                {way, 7, page(50, 7, 9), 9, way, true},
		"a full page of a second":    {way, 7, page(50, 7, 7), 7, in(0, 60), true},
		"of that, by number":         {in(0, 60), 7, page(50, 7, 7), 7, in(149, 60), true},
		"the last of that":           {in(149, 60), 7, page(3, 7, 8), 8, way, true},
		"none after that":            {in(149, 60), 7, nil, 8, way, true},
		"while the second still ran": {in(149, 9), 7, page(3, 7, 7), 7, way, false},
		"just not any more":          {in(149, 10), 7, page(3, 7, 7), 8, way, true},
		"in another second":          {in(149, 60), 8, page(50, 8, 9), 9, way, true},
	} {
		to, then, more := tt.way.read(at(tt.mark), at(60), tt.os)
		if !to.Equal(at(tt.to)) || more != tt.more || more && then != tt.then {
			t.Errorf("%s: to %s, %+v, more %t; want %s, %+v, %t", name, to, then, more, at(tt.to), tt.then, tt.more)
		}
	}
}
