package ledger

import (
	"context"
	"fmt"
	"strings"
	"time"

	"idgate/queries"
)

// DigestInterval is how often staff are mailed a digest.
type DigestInterval string

// The intervals. A week's digest comes on Mondays.
const (
	NoDigest DigestInterval = ""
	Daily    DigestInterval = "daily"
	Weekly   DigestInterval = "weekly"
)

// digestHour is when a digest is due, by the clock of the Shop's zone.
const digestHour = 8

// farAhead: what was settled for a time so far ahead was settled by a clock that was wrong.
const farAhead = 24 * time.Hour

// zone is where the Shop is at home. One that this machine does not know is UTC.
func (s *Shop) zone() *time.Location { return zoneOf(s.Timezone) }

func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// lastDigest is when the latest digest was due, now or before.
func (n DigestInterval) lastDigest(now time.Time, zone *time.Location) time.Time {
	year, month, day := now.In(zone).Date()
	if n == Weekly {
		day -= (int(now.In(zone).Weekday()) + 6) % 7 // Monday
	}
	at := time.Date(year, month, day, digestHour, 0, 0, 0, zone)
	if at.After(now) {
		at = time.Date(year, month, day-n.days(), digestHour, 0, 0, 0, zone)
	}
	return at
}

// interval is how often a digest is mailed, where there is somebody to mail it to.
func (n StaffMails) interval() DigestInterval {
	if len(n.To) == 0 {
		return NoDigest
	}
	return n.Digest
}

func (n DigestInterval) days() int {
	if n == Weekly {
		return 7
	}
	return 1
}

// DigestDue reports whether a digest is due that was not settled, and which: the moment it was due at.
func (s *Shop) DigestDue(now time.Time) (due time.Time, ok bool) {
	n := s.Settings.Staff.interval()
	if s.State == Uninstalled || n == NoDigest {
		return time.Time{}, false
	}
	due = n.lastDigest(now, s.zone())
	return due, due.After(s.DigestTo) || s.DigestTo.Sub(now) > farAhead
}

// SettleDigest records that the digest that was due then is settled, and owes it to the staff unless nothing happened. One is owed once for
// its day, whatever the clock does.
func (l *Ledger) SettleDigest(ctx context.Context, s *Shop, due time.Time, happened bool, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		is, err := l.settingsNow(ctx, t, s.Hash)
		if err != nil || is.Staff.Digest != s.Settings.Staff.Digest {
			return err
		}
		t.reload = append(t.reload, s.Hash)
		n, err := t.SettleDigest(ctx, queries.SettleDigestParams{StoreHash: s.Hash, DigestTo: millis(due)})
		if err != nil || n == 0 || !happened {
			return err
		}
		return t.oweStaff(ctx, s, is.Staff.To, StaffDigest, string(is.Staff.Digest)+"."+due.In(s.zone()).Format(time.DateOnly), now)
	})
}

// Digest is what happened in the days before one, compared with as many days before those.
type Digest struct {
	Interval     DigestInterval
	From, To     time.Time // the first moment of the first day, and of the day after the last; in the Shop's zone
	Is, Was      Figures
	Money        []MoneyReport // of two spans: the one before, and this one
	IsCancelled  int64         // orders that we cancelled
	WasCancelled int64
}

// Happened reports whether anything did.
func (d Digest) Happened() bool {
	for _, m := range d.Money {
		if m.Spans[1] != (MoneyFigures{}) {
			return true
		}
	}
	return d.Is != (Figures{}) || d.IsCancelled > 0
}

// Digest is the digest that was due then.
func (l *Ledger) Digest(ctx context.Context, s *Shop, n DigestInterval, due time.Time) (Digest, error) {
	due = due.In(s.zone())
	moments := []time.Time{daysBefore(due, 2*n.days()), daysBefore(due, n.days()), daysBefore(due, 0)}
	d := Digest{Interval: n, From: moments[1], To: moments[2]}
	rep, err := l.Report(ctx, s, moments)
	if err != nil {
		return d, err
	}
	d.Was, d.Is, d.Money = rep.Spans[0], rep.Spans[1], rep.Money
	for i, into := range []*int64{&d.WasCancelled, &d.IsCancelled} {
		*into, err = l.read.CountCancelled(ctx, queries.CountCancelledParams{StoreHash: s.Hash, Since: millis(moments[i]), Until: millis(moments[i+1])})
		if err != nil {
			return d, err
		}
	}
	return d, nil
}

// DigestOf is the digest that the ref of a mail to staff names: "daily.2026-03-30".
func (l *Ledger) DigestOf(ctx context.Context, s *Shop, which string) (Digest, error) {
	n, day, _ := strings.Cut(which, ".")
	at, err := time.ParseInLocation(time.DateOnly, day, s.zone())
	if err != nil || DigestInterval(n) != Daily && DigestInterval(n) != Weekly {
		return Digest{}, fmt.Errorf("reading the digest %q: %w", which, ErrNotFound)
	}
	return l.Digest(ctx, s, DigestInterval(n), at.Add(12*time.Hour)) // noon: midnight may not be
}

// daysBefore is the first moment of the day so many days before the one that t is in, in t's zone.
func daysBefore(t time.Time, days int) time.Time {
	year, month, day := t.Date()
	return StartOfDay(time.Date(year, month, day-days, 12, 0, 0, 0, t.Location()))
}

// StartOfDay is the first moment of the day that t is in, in t's zone. Where the clock is put forward at midnight that is not midnight.
func StartOfDay(t time.Time) time.Time {
	year, month, day := t.Date()
	at := time.Date(year, month, day, 0, 0, 0, 0, t.Location())
	for step := at.Add(-2 * time.Hour); !step.After(at.Add(2 * time.Hour)); step = step.Add(15 * time.Minute) { // every zone changes on a quarter of an hour
		if y, m, d := step.Date(); y == year && m == month && d == day {
			return step
		}
	}
	return at
}
