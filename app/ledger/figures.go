package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/queries"
)

// quarter is what figures are counted by: midnight of every zone begins one.
const quarter = 15 * time.Minute

func quarterOf(now time.Time) int64 { return millis(now.Truncate(quarter)) }

// countShown counts a cart or order that is asked for a proof, unless its cart was asked before.
func countShown(ctx context.Context, t *tx, hash, cartID string, now time.Time) error {
	shown, err := t.CartShown(ctx, queries.CartShownParams{StoreHash: hash, CartID: cartID})
	if err != nil || shown {
		return err
	}
	return t.CountUp(ctx, queries.CountUpParams{StoreHash: hash, Quarter: quarterOf(now), Shown: 1})
}

func countStarted(ctx context.Context, t *tx, hash string, now time.Time) error {
	return t.CountUp(ctx, queries.CountUpParams{StoreHash: hash, Quarter: quarterOf(now), Started: 1})
}

// countEnded counts Sessions that ended in a state.
func countEnded(ctx context.Context, t *tx, hash string, state idv.State, sessions int64, now time.Time) error {
	n := queries.CountUpParams{StoreHash: hash, Quarter: quarterOf(now)}
	switch state {
	case idv.StatePassed:
		n.Passed = sessions
	case idv.StateFailed, idv.StateDeclined, idv.StateError:
		n.Failed = sessions
	case idv.StateAbandoned, idv.StateExpired:
		n.Abandoned = sessions
	case idv.StateCreated, idv.StateStarted, idv.StateProcessing, idv.StateReview:
		return nil
	}
	if sessions == 0 {
		return nil
	}
	return t.CountUp(ctx, n)
}

// countHold counts an order that our hold begins for, or that is let go. o is as it has become.
func countHold(ctx context.Context, t *tx, hash string, was HoldState, o Order, now time.Time) error {
	begins, released := !was.Ours() && o.Hold.Ours(), was.Ours() && o.Hold == Released
	if begins {
		if err := countShown(ctx, t, hash, o.CartID, now); err != nil {
			return err
		}
	}
	worth := o.Worth()
	n := queries.CountMoneyParams{StoreHash: hash, Currency: worth.Currency, Quarter: quarterOf(now)}
	switch {
	case worth.Currency == "":
		return nil
	case begins:
		n.Held, n.HeldMinor = 1, worth.Minor
	case released:
		n.Released, n.ReleasedMinor = 1, worth.Minor
	default:
		return nil
	}
	return t.CountMoney(ctx, n)
}

// countErased counts those of the erased Sessions that were under way, and says how many were erased.
func countErased(ctx context.Context, t *tx, hash string, ended []int64, now time.Time) (erased int64, err error) {
	n := int64(0)
	for _, is := range ended {
		n += is
	}
	return int64(len(ended)), countEnded(ctx, t, hash, idv.StateAbandoned, n, now)
}

// Figures is what happened in a span.
type Figures struct {
	Shown     int64 // carts and orders that were asked for a proof, each when it was first
	Started   int64 // Sessions begun
	Passed    int64 // Sessions that ended so; the next two likewise
	Failed    int64 // failed, declined or in error
	Abandoned int64 // given up, or not finished in time
}

func (f *Figures) add(g Figures) {
	f.Shown += g.Shown
	f.Started += g.Started
	f.Passed += g.Passed
	f.Failed += g.Failed
	f.Abandoned += g.Abandoned
}

// MoneyFigures is what was held and released in a span, in minor units of one currency.
type MoneyFigures struct {
	Held          int64 // orders that our hold began for
	HeldMinor     int64
	Released      int64 // orders that were let go
	ReleasedMinor int64
}

func (f *MoneyFigures) add(g MoneyFigures) {
	f.Held += g.Held
	f.HeldMinor += g.HeldMinor
	f.Released += g.Released
	f.ReleasedMinor += g.ReleasedMinor
}

// Report is a Shop's figures over spans that follow each other.
type Report struct {
	Spans []Figures
	Total Figures
	Money []MoneyReport // the Shop's currency first, then others by name; those without figures are left out
	Times PassTimes
}

// MoneyReport is one currency's share of a Report. An order whose own rate to the Shop's currency was known is counted in that; others in
// their own, so that nothing is added up that was not converted.
type MoneyReport struct {
	Currency string
	Spans    []MoneyFigures
	Total    MoneyFigures
}

// passesTimed is how many passes times are taken of.
const passesTimed = 2000

// PassTimes is how long passes took, from their beginning until we knew: of the newest 2,000 of a Report's spans.
type PassTimes struct {
	Passes int  // how many times were taken of
	More   bool // there are more
	Median time.Duration
	P90    time.Duration
}

// Report adds up a Shop's figures between moments, of which each is later than the one before: one span fewer than moments. A moment
// within a quarter of an hour counts as that one's beginning.
func (l *Ledger) Report(ctx context.Context, s *Shop, moments []time.Time) (Report, error) {
	var spans [][2]int64
	for i := 1; i < len(moments); i++ {
		spans = append(spans, [2]int64{quarterOf(moments[i-1]), quarterOf(moments[i])})
	}
	if len(spans) == 0 {
		return Report{}, nil
	}
	text, err := json.Marshal(spans)
	if err != nil {
		return Report{}, err
	}
	var out Report
	rows, err := l.read.Figures(ctx, queries.FiguresParams{StoreHash: s.Hash, Spans: string(text)})
	if err != nil {
		return out, err
	}
	for _, row := range rows {
		var f Figures
		if err := sums(row, &f.Shown, &f.Started, &f.Passed, &f.Failed, &f.Abandoned); err != nil {
			return out, err
		}
		out.Spans = append(out.Spans, f)
		out.Total.add(f)
	}
	if out.Money, err = l.money(ctx, s, string(text)); err != nil {
		return out, err
	}
	out.Times, err = l.passTimes(ctx, s.Hash, spans[0][0], spans[len(spans)-1][1])
	return out, err
}

// sums reads back a JSON array of integers.
func sums(text string, into ...*int64) error {
	var ns []int64
	if err := json.Unmarshal([]byte(text), &ns); err != nil || len(ns) != len(into) {
		return fmt.Errorf("reading the sums %q: %w", text, err)
	}
	for i, n := range ns {
		*into[i] = n
	}
	return nil
}

func (l *Ledger) money(ctx context.Context, s *Shop, spans string) (out []MoneyReport, err error) {
	for above := ""; ; {
		next, err := l.read.NextCurrency(ctx, queries.NextCurrencyParams{StoreHash: s.Hash, Above: above})
		if err != nil {
			return nil, err
		}
		if len(next) == 0 {
			break
		}
		above = next[0]
		rows, err := l.read.MoneyFigures(ctx, queries.MoneyFiguresParams{StoreHash: s.Hash, Currency: above, Spans: spans})
		if err != nil {
			return nil, err
		}
		m := MoneyReport{Currency: above}
		for _, row := range rows {
			var f MoneyFigures
			if err := sums(row, &f.Held, &f.HeldMinor, &f.Released, &f.ReleasedMinor); err != nil {
				return nil, err
			}
			m.Spans = append(m.Spans, f)
			m.Total.add(f)
		}
		if m.Total != (MoneyFigures{}) {
			out = append(out, m)
		}
	}
	if i := slices.IndexFunc(out, func(m MoneyReport) bool { return m.Currency == s.Currency }); i > 0 {
		ours := out[i]
		out = slices.Insert(slices.Delete(out, i, i+1), 0, ours)
	}
	return out, nil
}

func (l *Ledger) passTimes(ctx context.Context, hash string, since, until int64) (PassTimes, error) {
	took, err := l.read.PassTimes(ctx, queries.PassTimesParams{StoreHash: hash, Since: since, Until: until, Count: passesTimed + 1})
	if err != nil || len(took) == 0 {
		return PassTimes{}, err
	}
	more := len(took) > passesTimed
	took = took[:min(len(took), passesTimed)]
	slices.Sort(took)
	return PassTimes{Passes: len(took), More: more, Median: percentile(took, 50), P90: percentile(took, 90)}, nil
}

// percentile is the nearest rank's value of sorted milliseconds.
func percentile(sorted []int64, p int) time.Duration {
	rank := (len(sorted)*p + 99) / 100
	return time.Duration(sorted[max(rank, 1)-1]) * time.Millisecond
}

// AnswerOf is what lists call a Decision: its outcome, or "exempt" where it allowed because nothing was to be proved by this buyer.
func AnswerOf(d gate.Decision) string {
	if d.Outcome == gate.Allow && slices.ContainsFunc(d.Reasons, func(r gate.Reason) bool {
		return r.Code == gate.Exempt || r.Code == gate.GuestExempt || r.Code == gate.AllowListed
	}) {
		return "exempt"
	}
	return string(d.Outcome)
}
