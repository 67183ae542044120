package sim

import "time"

const (
	blockWindow = 2 * time.Minute // a destination host is judged over this long,
	blockAfter  = 100             // from this many deliveries on,
	blockFor    = 3 * time.Minute // and left alone for this long
)

// hostRecord is how a destination host has answered lately.
type hostRecord struct {
	results []hostResult // of the last blockWindow, the oldest first
	good    int          // of results
	until   time.Time    // blocked until
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
	if ok {
		r.good++
	}
	for len(r.results) > 0 && now.Sub(r.results[0].at) > blockWindow {
		if r.results[0].ok {
			r.good--
		}
		r.results = r.results[1:]
	}
	if n := len(r.results); n >= blockAfter && r.good*10 < n*9 && !now.Before(r.until) {
		r.until, r.results, r.good = now.Add(blockFor), nil, 0
		d.shop.deliveryException(h, 90003, "Domain is blocked because of its failure rate")
		w.opt.Log.Warn("webhook destination blocked", "host", key, "for", blockFor, "seed", w.opt.Seed)
	}
}

// hostKey is the block list's key: a destination host as one client uses it.
func hostKey(h *Hook) string { return h.ClientID + " " + hostOf(h.Destination) }
