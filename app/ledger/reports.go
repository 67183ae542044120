package ledger

import (
	"context"
	"time"

	"idgate/queries"
)

// PageReport is what a channel's checkout pages no longer had as expected, over some days. Anybody can report, so it is a hint.
type PageReport struct {
	Channel int64
	Missing string // what: submit_button, order_call, payment_step or checkout_app
	Count   int64
	At      time.Time // the last one
}

// keepReports is how long reports are kept.
const keepReports = 30 * 24 * time.Hour

// dayOf numbers days since 1 January 1970, UTC.
func dayOf(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

// ReportPage counts a report of a channel's page.
func (l *Ledger) ReportPage(ctx context.Context, hash string, channel int64, missing string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		return t.ReportPage(ctx, queries.ReportPageParams{StoreHash: hash, ChannelID: channel, Missing: missing, Day: dayOf(now), Now: millis(now)})
	})
}

// PageReports returns the reports of a Shop's pages since the day that a moment is in, by channel.
func (l *Ledger) PageReports(ctx context.Context, hash string, since time.Time) ([]PageReport, error) {
	rows, err := l.read.PageReports(ctx, queries.PageReportsParams{StoreHash: hash, Since: dayOf(since)})
	if err != nil {
		return nil, err
	}
	var out []PageReport
	for _, r := range rows {
		out = append(out, PageReport{Channel: r.ChannelID, Missing: r.Missing, Count: r.Count, At: instant(r.SeenAt)})
	}
	return out, nil
}
