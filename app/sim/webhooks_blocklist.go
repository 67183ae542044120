package sim

import (
	"slices"
	"time"
)

const (
	blockWindow = 2 * time.Minute // a destination host is judged over this long,
	blockAfter  = 100             // from this many deliveries on,
	blockFor    = 3 * time.Minute // and left alone for this long
)

// hostRecord is how a destination host has answered lately.
type hostRecord struct {
	results []hostResult
	until   time.Time // blocked until
}

type hostResult struct {
	at time.Time
	ok bool
}

// blocked tells whether a delivery's host is on the block list.
func (w *World) blocked(d *delivery, now time.Time) bool {
	h := d.shop.hook(d.hookID)
	if h == nil {
		return false
	}
	r := w.hosts[hostKey(h)]
	return r != nil && now.Before(r.until)
}

// judge notes a result and blocks a host of which fewer than 90 % succeeded.
func (w *World) judge(d *delivery, h *Hook, ok bool) {
	if h == nil {
		return
	}
	now, key := w.now(), hostKey(h)
	r := w.hosts[key]
	if r == nil {
		r = &hostRecord{}
		w.hosts[key] = r
	}
	r.results = append(r.results, hostResult{now, ok})
	r.results = slices.DeleteFunc(r.results, func(x hostResult) bool { return now.Sub(x.at) > blockWindow })
	good := 0
	for _, x := range r.results {
		if x.ok {
			good++
		}
	}
	if n := len(r.results); n >= blockAfter && good*10 < n*9 && !now.Before(r.until) {
		r.until, r.results = now.Add(blockFor), nil
		d.shop.deliveryException(h, 90003, "Domain is blocked because of its failure rate")
		w.opt.Log.Warn("webhook destination blocked", "host", key, "for", blockFor, "seed", w.opt.Seed)
	}
}

// hostKey is the block list's key: a destination host as one client uses it.
func hostKey(h *Hook) string { return h.ClientID + " " + hostOf(h.Destination) }
