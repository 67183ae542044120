package web

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/text/number"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

// startOfDay is the first moment of the day that t is in, in t's zone.
func startOfDay(t time.Time) time.Time { return ledger.StartOfDay(t) }

// nextDay is the first moment of the day after the one that t is in.
func nextDay(t time.Time) time.Time {
	year, month, day := t.Date()
	return startOfDay(time.Date(year, month, day+1, 12, 0, 0, 0, t.Location()))
}

// daysBefore is the first moment of the day so many days before the one that t is in.
func daysBefore(t time.Time, days int) time.Time {
	year, month, day := t.Date()
	return startOfDay(time.Date(year, month, day-days, 12, 0, 0, 0, t.Location()))
}

// momentsOf are the moments that a range of the overview is cut at: today by the hour, longer ranges by the day, today among them.
func momentsOf(code string, now time.Time, zone *time.Location) (moments []time.Time, ok bool) {
	now = now.In(zone)
	end := nextDay(now)
	if code == "today" {
		for at := startOfDay(now); at.Before(end); at = at.Add(time.Hour) {
			moments = append(moments, at)
		}
		return append(moments, end), true
	}
	days := map[string]int{"7": 7, "30": 30, "90": 90}[code]
	if days == 0 {
		return nil, false
	}
	for at := daysBefore(now, days-1); at.Before(end); at = nextDay(at) {
		moments = append(moments, at)
	}
	return append(moments, end), true
}

const defaultRange = "7"

// figures reads what the overview says of a range of days.
func (s *Server) figures(r *http.Request, shop *ledger.Shop) (views.FiguresData, error) {
	p := present(shop)
	code := cmp.Or(r.URL.Query().Get("range"), defaultRange)
	moments, ok := momentsOf(code, s.Now(), p.zone)
	if !ok {
		return views.FiguresData{}, refuse(http.StatusBadRequest, "bad_request", "no such range").at("range")
	}
	rep, err := s.Ledger.Report(r.Context(), shop, moments)
	if err != nil {
		return views.FiguresData{}, err
	}
	return p.figuresOf(code, moments, rep), nil
}

// figuresOf puts a report the way the overview shows it.
func (p presenter) figuresOf(code string, moments []time.Time, rep ledger.Report) views.FiguresData {
	t := rep.Total
	d := views.FiguresData{Range: code, From: moments[0].Format(time.DateOnly), To: moments[len(moments)-1].Add(-time.Minute).Format(time.DateOnly),
		Shown: p.whole(t.Shown), Started: p.whole(t.Started), Passed: p.whole(t.Passed), Failed: p.whole(t.Failed), Abandoned: p.whole(t.Abandoned)}
	head, when := "Day", "a day"
	if code == "today" {
		head, when = "Hour", "an hour"
	}
	d.Ended = views.Chart{ID: "chart-ended", Title: "How verifications ended", Head: head, Stacked: true, Desc: "Verifications that passed, failed or were given up, " + when + ".",
		Series: []views.Series{{Name: "Passed", Class: "good"}, {Name: "Failed", Class: "bad"}, {Name: "Given up", Class: "none"}}}
	for i, f := range rep.Spans {
		pt := p.point(code, moments, i)
		pt.Values = []int64{f.Passed, f.Failed, f.Abandoned}
		pt.Texts = []string{p.whole(f.Passed), p.whole(f.Failed), p.whole(f.Abandoned)}
		d.Ended.Points = append(d.Ended.Points, pt)
	}
	for i, m := range rep.Money {
		d.Money = append(d.Money, views.MoneyData{Currency: m.Currency, Other: m.Currency != p.shop.Currency,
			Held: p.money(gate.Money{Minor: m.Total.HeldMinor, Currency: m.Currency}), HeldOrders: p.whole(m.Total.Held),
			Released: p.money(gate.Money{Minor: m.Total.ReleasedMinor, Currency: m.Currency}), ReleasedOrders: p.whole(m.Total.Released)})
		if i > 0 {
			continue
		}
		d.Values = views.Chart{ID: "chart-money", Title: "Held and released, " + m.Currency, Head: head, Digits: relay.MinorDigits(m.Currency),
			Desc:   "What the orders are worth that were held and released, " + when + ", in " + m.Currency + ".",
			Series: []views.Series{{Name: "Held", Class: "bad"}, {Name: "Released", Class: "good"}}}
		for j, f := range m.Spans {
			pt := p.point(code, moments, j)
			pt.Values = []int64{f.HeldMinor, f.ReleasedMinor}
			for _, v := range pt.Values {
				pt.Texts = append(pt.Texts, p.money(gate.Money{Minor: v, Currency: m.Currency}))
			}
			d.Values.Points = append(d.Values.Points, pt)
		}
	}
	if n := rep.Times; n.Passes > 0 {
		d.Median, d.P90, d.TimesOf = took(n.Median), took(n.P90), p.whole(int64(n.Passes))+" that passed"
		if n.More {
			d.TimesOf = "the newest " + d.TimesOf
		}
		if n.Passes == 1 {
			d.TimesOf = "the one that passed"
		}
	}
	return d
}

// point is the i-th span's place on the axis of time.
func (p presenter) point(code string, moments []time.Time, i int) views.Point {
	at := moments[i].In(p.zone)
	switch {
	case code == "today":
		return views.Point{Label: at.Format("15:04"), Long: at.Format("15:04") + " – " + moments[i+1].In(p.zone).Format("15:04")}
	case len(moments) <= 8:
		return views.Point{Label: at.Format("Mon 2"), Long: at.Format("Mon 2 Jan 2006")}
	}
	return views.Point{Label: at.Format("2 Jan"), Long: at.Format("Mon 2 Jan 2006")}
}

// whole is a figure that was counted to its end, grouped: "20,000".
func (p presenter) whole(n int64) string { return p.printer.Sprint(number.Decimal(n)) }

// took is how long something took, as people say it: "42 s", "3 min 20 s", "1 h 5 min", "2 d 3 h".
func took(d time.Duration) string {
	d = max(d, 0)
	n := func(v int64, unit string) string { return strconv.FormatInt(v, 10) + " " + unit }
	with := func(a string, b int64, unit string) string {
		if b == 0 {
			return a
		}
		return a + " " + n(b, unit)
	}
	seconds := int64(d.Round(time.Second) / time.Second)
	switch {
	case seconds < 60:
		return n(seconds, "s")
	case seconds < 60*60:
		return with(n(seconds/60, "min"), seconds%60, "s")
	case seconds < 24*60*60:
		return with(n(seconds/3600, "h"), seconds%3600/60, "min")
	}
	return with(n(seconds/86400, "d"), seconds%86400/3600, "h")
}
