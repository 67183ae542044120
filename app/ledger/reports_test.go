package ledger

import (
	"reflect"
	"testing"
	"time"
)

// TestPageReports: reports are counted by channel and what was missing, kept for 30 days, and go with the Shop.
func TestPageReports(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	start := r.now
	for _, c := range []struct {
		after   time.Duration
		channel int64
		missing string
	}{{0, 1, "submit_button"}, {time.Minute, 1, "submit_button"}, {25 * time.Hour, 1, "submit_button"}, {25 * time.Hour, 1, "order_call"}, {26 * time.Hour, 2, "submit_button"}} {
		r.ok(r.l.ReportPage(ctx, shopHash, c.channel, c.missing, start.Add(c.after)))
	}
	read := func(since time.Time, want ...PageReport) {
		t.Helper()
		got, err := r.l.PageReports(ctx, shopHash, since)
		r.ok(err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	at := func(after time.Duration) time.Time { return instant(millis(start.Add(after))) }
	late := []PageReport{{1, "order_call", 1, at(25 * time.Hour)}, {1, "submit_button", 1, at(25 * time.Hour)}, {2, "submit_button", 1, at(26 * time.Hour)}}
	read(start, late[0], PageReport{1, "submit_button", 3, at(25 * time.Hour)}, late[2])
	read(start.Add(25*time.Hour), late...)
	read(start.Add(72 * time.Hour))
	forget(r, ctx, start.Add(30*24*time.Hour))
	read(start, late[0], PageReport{1, "submit_button", 3, at(25 * time.Hour)}, late[2])
	forget(r, ctx, start.Add(31*24*time.Hour))
	read(start, late...)
	forget(r, ctx, start.Add(32*24*time.Hour+3*time.Hour))
	read(start)
}
