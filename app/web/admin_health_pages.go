package web

import (
	"context"
	"strconv"
	"time"

	"idgate/app/ledger"
	"idgate/views"
)

// reportsFor is how far the Health page looks back for what checkout pages have reported.
const reportsFor = 30 * 24 * time.Hour

// addPages adds what the shop's own pages have to allow, and what they no longer had as expected.
func (s *Server) addPages(ctx context.Context, p presenter, d *views.HealthData) error {
	d.CSP = directives(s.AppURL, p.shop)
	reports, err := s.Ledger.PageReports(ctx, p.shop.Hash, s.Now().Add(-reportsFor))
	if err != nil {
		return err
	}
	for _, r := range reports {
		row := views.ReportRow{Channel: channelName(p.shop, r.Channel), Missing: r.Missing, Count: "once", Last: p.when(r.At)}
		if r.Count > 1 {
			row.Count = p.count(r.Count, false) + " times or more" // a busy page's are not all counted
		}
		d.Reports = append(d.Reports, row)
	}
	return nil
}

// directives are what a content security policy of the shop's has to allow for our script; app is our public URL.
func directives(app string, shop *ledger.Shop) []views.Directive {
	us := origin(app)
	all := []views.Directive{
		{Name: "script-src", Value: us, For: "The script itself; script-src-elem, where there is one."},
		{Name: "connect-src", Value: us, For: "Its questions, and news of a verification."},
		{Name: "img-src", Value: "data:", For: "The QR code. Without it the shopper goes on by the link beside it."},
	}
	if shop.Settings.SignBack {
		all = append(all, views.Directive{Name: "form-action", Value: us, For: "Going on with the verification on the same device, which leads back to the account."})
	}
	return all
}

// channelName is what the merchant calls a channel.
func channelName(shop *ledger.Shop, id int64) string {
	for _, c := range shop.Channels {
		if c.ID == id && c.Name != "" {
			return c.Name
		}
	}
	return "Channel " + strconv.FormatInt(id, 10)
}
