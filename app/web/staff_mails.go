package web

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/mail"
	"idgate/app/relay"
	"idgate/views"
)

// mostSubject is about what mail programs show of a subject.
const mostSubject = 150

// composeStaffMail writes a mail to the Shop's staff: alarms, or a digest. It names orders by their numbers and no shopper, and its links open
// pages that ask for a Login.
func composeStaffMail(a relay.MailAsk, now time.Time) mail.Message {
	look := a.Shop.BrandingOn(0)
	name := clip(strings.Join(strings.Fields(look.Name), " "), 100)
	v := views.MailData{Lang: "en", Dir: "ltr", ShopName: look.Name, Accent: look.Accent,
		Footer: "You get this mail because your mailbox is named in idgate under Settings, Mails to your team. Change it or switch it off there:", FooterLink: a.Link + "/settings/mails"}
	if look.Logo != "" {
		v.LogoURL = a.AppURL + logoPath(a.Shop, look.Logo)
	}
	p := present(a.Shop)
	if a.Staff.Digest != nil {
		p.digestMail(&v, a, now)
	} else {
		p.alarmsMail(&v, a)
	}
	v.Subject = clip(name+": "+v.Heading, mostSubject)
	var html bytes.Buffer
	_ = views.Mail(v).Render(context.Background(), &html) // a buffer takes everything
	return mail.Message{FromName: name, Subject: v.Subject, Text: staffText(v), HTML: html.String(), Lang: v.Lang}
}

// alarmsMail tells of alarms of one kind.
func (p presenter) alarmsMail(v *views.MailData, a relay.MailAsk) {
	m := a.Staff
	orders := !slices.ContainsFunc(m.Alarms, func(x ledger.StaffAlarm) bool { return x.OrderID == 0 })
	v.Heading = p.alarmHeading(m.Kind, m.All, orders)
	if m.All == 1 {
		v.Heading = alarmWords(m.Alarms[0])
	}
	list := views.MailList{}
	for _, x := range m.Alarms {
		list.Items = append(list.Items, views.MailItem{Text: alarmWords(x) + ", " + p.when(x.At).Text, Link: a.Link + alarmPath(m.Kind, x)})
	}
	if more := m.All - int64(len(m.Alarms)); more > 0 {
		list.Items = append(list.Items, views.MailItem{Text: "and " + p.whole(more) + " more", Link: a.Link + alarmPath(m.Kind, ledger.StaffAlarm{})})
	}
	v.Lists = []views.MailList{list}
	v.Paragraphs = []string{alarmNext[m.Kind]}
	v.Button, v.Link = "Open idgate", a.Link+alarmPath(m.Kind, ledger.StaffAlarm{})
}

// alarmNext says what can be done about alarms of a kind.
var alarmNext = map[ledger.AlarmKind]string{
	ledger.OrderAlarm:   "What has gone idgate cannot call back, and what somebody moved it leaves to them after the first time. See what can still be done.",
	ledger.ReviewAlarm:  "Only a person can decide this.",
	ledger.TroubleAlarm: "idgate cannot mend this by itself. The page says what helps.",
	ledger.BudgetAlarm:  "The limit on verifications of 24 hours is used up, and a shopper was turned away. What you chose for “1Kosmos cannot be reached” happens until some are free again. Raise the limit if these shoppers are honest ones.",
}

// alarmHeading says how many alarms of a kind there are.
func (p presenter) alarmHeading(k ledger.AlarmKind, all int64, orders bool) string {
	n := p.whole(all)
	switch {
	case k == ledger.OrderAlarm:
		return n + " orders left our hold, or left without proof"
	case k == ledger.ReviewAlarm && orders:
		return n + " orders wait for review"
	case k == ledger.ReviewAlarm:
		return n + " verifications or orders wait for review"
	case k == ledger.TroubleAlarm:
		return "idgate needs help with " + n + " things"
	}
	return "No more verifications can begin"
}

// alarmWords says in a few words what happened.
func alarmWords(x ledger.StaffAlarm) string {
	order := "Order " + strconv.FormatInt(x.OrderID, 10)
	if x.OrderID == 0 {
		order = "A cart"
	}
	switch x.What {
	case string(ledger.WasLeaked):
		return order + " left without proof"
	case string(ledger.WasMoved):
		return order + " was moved off our hold by hand"
	case ledger.AlarmHeldAgain:
		return order + " was moved off our hold by hand, and was held again"
	case string(ledger.InReview), string(ledger.LatePass), string(ledger.TriesSpent), string(ledger.NoWay):
		return order + " waits for review: " + lowerFirst(views.ReviewWords(x.What).Short)
	case ledger.AlarmBudget:
		return "No more verifications can begin"
	case ledger.AlarmNotice:
		return "A webhook of BigCommerce's could not be handled"
	case ledger.AlarmToken:
		return "BigCommerce refuses our token: install the app again"
	case ledger.AlarmEndpoint:
		return "An endpoint of your outbound webhooks was switched off"
	}
	if scope, ok := strings.CutPrefix(x.What, ledger.AlarmScope); ok {
		return "The permission " + scope + " is missing"
	}
	if x.OrderID == 0 {
		order = "A customer"
	}
	return order + ": “" + views.WritebackWords(x.What).Short + "” is stuck"
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// alarmPath is where an alarm is looked at, or all of its kind.
func alarmPath(k ledger.AlarmKind, x ledger.StaffAlarm) string {
	switch {
	case x.OrderID != 0:
		return "/orders/" + strconv.FormatInt(x.OrderID, 10)
	case k == ledger.OrderAlarm:
		return "/review"
	case k == ledger.ReviewAlarm:
		return "/review"
	case k == ledger.BudgetAlarm:
		return "/settings/checkout#limit"
	case x.What == ledger.AlarmEndpoint:
		return "/webhooks"
	}
	return "/health"
}

// digestMail tells what happened in a day or a week.
func (p presenter) digestMail(v *views.MailData, a relay.MailAsk, now time.Time) {
	d := a.Staff.Digest
	from, to := d.From.In(p.zone), d.To.In(p.zone).Add(-time.Minute)
	v.Heading, v.Columns = "What idgate did on "+from.Format("Monday 2 January 2006"), [3]string{"What", from.Format("Mon 2 Jan"), "the day before"}
	if d.Interval == ledger.Weekly {
		v.Heading, v.Columns = "What idgate did from "+from.Format("2 January")+" to "+to.Format("2 January 2006"), [3]string{"What", from.Format("2 Jan") + " to " + to.Format("2 Jan"), "the week before"}
	}
	v.Paragraphs = []string{"Times are those of " + p.zone.String() + "."}
	v.Rows = p.digestRows(d)
	v.Button, v.Link = "Open the overview", a.Link+"/overview"
	list := views.MailList{Title: "What needs attention now"}
	for _, x := range p.digestAttention(a, now) {
		list.Items = append(list.Items, views.MailItem{Text: x.Text(), Link: a.Link + x.Path()})
	}
	if len(list.Items) == 0 {
		list.Items = []views.MailItem{{Text: "Nothing."}}
	}
	v.Lists = []views.MailList{list}
}

func (p presenter) digestRows(d *ledger.Digest) (rows []views.MailRow) {
	count := func(what string, is, was int64) {
		rows = append(rows, views.MailRow{What: what, Is: p.whole(is), Was: p.whole(was)})
	}
	count("Checks shown", d.Is.Shown, d.Was.Shown)
	count("Verifications begun", d.Is.Started, d.Was.Started)
	count("Passed", d.Is.Passed, d.Was.Passed)
	count("Failed", d.Is.Failed, d.Was.Failed)
	count("Given up", d.Is.Abandoned, d.Was.Abandoned)
	var is, was ledger.MoneyFigures
	for _, m := range d.Money {
		was.Held, was.Released = was.Held+m.Spans[0].Held, was.Released+m.Spans[0].Released
		is.Held, is.Released = is.Held+m.Spans[1].Held, is.Released+m.Spans[1].Released
	}
	count("Orders held", is.Held, was.Held)
	count("Orders released", is.Released, was.Released)
	count("Orders cancelled", d.IsCancelled, d.WasCancelled)
	for _, m := range d.Money {
		money := func(what string, is, was int64) {
			rows = append(rows, views.MailRow{What: what, Is: p.money(gate.Money{Minor: is, Currency: m.Currency}), Was: p.money(gate.Money{Minor: was, Currency: m.Currency})})
		}
		money("Money held", m.Spans[1].HeldMinor, m.Spans[0].HeldMinor)
		money("Money released", m.Spans[1].ReleasedMinor, m.Spans[0].ReleasedMinor)
	}
	return rows
}

// digestAttention is what the Overview lists, as far as the ledger knows: neither the provider nor the replica is asked for a mail.
func (p presenter) digestAttention(a relay.MailAsk, now time.Time) []views.Attention {
	n := a.Staff.Attention
	found, _ := installedParts(a.Shop, "") // a report that cannot be read says nothing; Health says that
	out := attention(standing{shop: a.Shop, now: now, counts: n.Counts, found: n.Found, stuck: n.Stuck, tenant: true, parts: found, pace: n.Pace,
		endpointsOff: n.EndpointsOff, endpointsFailing: n.EndpointsFail}, p)
	switch u := p.use(n.Budget); u.Status {
	case "spent":
		out = append(out, views.Attention{Code: "budget_spent", Detail: u.Used + " of " + u.Most})
	case "nearly_spent":
		out = append(out, views.Attention{Code: "budget_nearly_spent", Detail: u.Used + " of " + u.Most})
	}
	return out
}

// staffText is what the mail says, as plain text.
func staffText(v views.MailData) string {
	var b strings.Builder
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(&b, format+"\n", args...) }
	line("%s\n", strings.Join(strings.Fields(v.ShopName), " "))
	line("%s\n", v.Heading)
	for _, t := range v.Paragraphs {
		line("%s\n", t)
	}
	for _, r := range v.Rows {
		line("%s: %s (%s: %s)", r.What, r.Is, v.Columns[2], r.Was)
	}
	if len(v.Rows) > 0 {
		line("")
	}
	for _, l := range v.Lists {
		if l.Title != "" {
			line("%s\n", l.Title)
		}
		for _, i := range l.Items {
			line("- %s", i.Text)
			if i.Link != "" {
				line("  %s", i.Link)
			}
		}
		line("")
	}
	line("%s: %s\n", v.Button, v.Link)
	line("%s\n%s", v.Footer, v.FooterLink)
	return b.String()
}
