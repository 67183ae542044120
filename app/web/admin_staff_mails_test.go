package web

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

// TestStaffMailsPage: who is mailed what is shown to all, changed by managers, said in the activity log, and never another shop's.
func TestStaffMailsPage(t *testing.T) {
	b := newBench(t)
	const at = "/settings/mails"
	viewed := b.as(ledger.Viewer, shopBase+at, nil)
	b.want(200, viewed, "Only the owner and managers of the shop can change this.", "No mail has been written to your team yet", "IDGATE_SMTP", "America/Denver")
	b.lacks(viewed, ">Save<")
	opened := b.form(at, at, "to", " orders@example.com \r\n\r\nbo@example.com", "digest", "weekly")
	opened["alarms"] = []string{"budget", "orders", "orders"}
	if n := b.shop(shopHash).Settings.Staff; len(n.To)+len(n.Alarms) != 0 || n.Digest != "" {
		t.Errorf("preset: %+v", n)
	}
	b.want(403, b.as(ledger.Reviewer, shopBase+at, opened))
	b.wantGo(b.as(ledger.Manager, shopBase+at, opened), shopBase+at+"?alarms=1")
	want := ledger.StaffMails{To: []string{"orders@example.com", "bo@example.com"}, Alarms: []ledger.AlarmKind{ledger.OrderAlarm, ledger.BudgetAlarm}, Digest: ledger.Weekly}
	if n := b.shop(shopHash).Settings.Staff; !reflect.DeepEqual(n, want) {
		t.Errorf("%+v, want %+v", n, want)
	}
	if n := b.shop(otherHash).Settings.Staff; len(n.To) != 0 {
		t.Errorf("another shop's: %+v", n)
	}
	const said = "mailboxes of the team: none → “orders@example.com, bo@example.com”; mailed at once: nothing → “orders, budget”; digest: none → “weekly”"
	if a := b.lastActivity(); a.Detail != said || a.Action != ledger.ActSettingsSaved {
		t.Errorf("%+v", a)
	}
	b.want(200, b.as(ledger.Manager, shopBase+at, nil), "orders@example.com\nbo@example.com</textarea>", `value="orders" checked`, `value="weekly" checked`)
	opened.Set("to", "eve@example.com")
	b.want(409, b.as(ledger.Owner, shopBase+at, opened), "has changed this meanwhile", "eve@example.com</textarea>", said)
	again := b.form(at, at, "to", "", "digest", "")
	b.wantGo(b.as(ledger.Manager, shopBase+at, again), shopBase+at+"?no_alarms=1")
	if n := b.shop(shopHash).Settings.Staff; !reflect.DeepEqual(n, ledger.StaffMails{}) {
		t.Errorf("%+v", n)
	}
}

// TestStaffMailsFields: each field that is wrong says which line and what to do, and keeps what was typed.
func TestStaffMailsFields(t *testing.T) {
	b := newBench(t)
	const at = "/settings/mails"
	six := "a@x.example\nb@x.example\nc@x.example\nd@x.example\ne@x.example\nf@x.example"
	for _, c := range []struct{ to, alarm, digest, want string }{
		{"a@x.example\n\nnobody", "orders", "", "Line 3 is not one mailbox, such as orders@example.com."},
		{"Ada <a@x.example>", "orders", "", "Line 1 is not one mailbox"},
		{"a@x.example, b@x.example", "orders", "", "Line 1 is not one mailbox"},
		{"a@x.example\x00", "orders", "", "Line 1 is not one mailbox"},
		{strings.Repeat("a", 250) + "@x.example", "orders", "", "Line 1 is not one mailbox"},
		{"a@x.example\nA@X.example", "orders", "", "Line 2 names the same mailbox as line 1; take one out."},
		{six, "orders", "", "Line 6 is one mailbox too many; name at most 5."},
		{"", "orders", "", "Name at least one mailbox for what is chosen below."},
		{"", "", "daily", "Name at least one mailbox for what is chosen below."},
		{"a@x.example", "", "", "Choose what is mailed, here or as a digest, or take the mailboxes out."},
		{"a@x.example", "others", "", "Choose one of the choices."},
		{"a@x.example", "orders", "hourly", "Choose one of the choices."},
	} {
		form := b.form(at, at, "to", c.to, "digest", c.digest)
		if c.alarm != "" {
			form["alarms"] = []string{c.alarm}
		}
		w := b.as(ledger.Manager, shopBase+at, form)
		b.want(422, w, c.want, "Nothing was saved.")
		if !strings.Contains(c.to, "\x00") && c.to != "" {
			b.want(422, w, strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(c.to)+"</textarea>")
		}
	}
	if n := b.shop(shopHash).Settings.Staff; len(n.To) != 0 {
		t.Errorf("saved: %+v", n)
	}
	five := b.form(at, at, "to", strings.TrimSuffix(six, "\nf@x.example"), "digest", "daily")
	b.wantGo(b.as(ledger.Manager, shopBase+at, five), shopBase+at+"?alarms=1")
	if to := b.shop(shopHash).Settings.Staff.To; len(to) != ledger.MaxStaff {
		t.Errorf("%q", to)
	}
}

// TestStaffMailsTakeOver: the one mailbox of the alarms becomes the first of several, and its form gives way.
func TestStaffMailsTakeOver(t *testing.T) {
	b := newBench(t)
	const at = "/settings/mails"
	stale := b.forms(b.as(ledger.Manager, shopBase+"/settings", nil), "/settings/alarms")[0]
	old := b.forms(b.as(ledger.Manager, shopBase+"/settings", nil), "/settings/alarms")[0]
	old.Set(views.AlarmField, "one@example.com")
	b.wantGo(b.as(ledger.Manager, shopBase+"/settings/alarms", old), shopBase+"/settings?alarms=1")
	page := b.as(ledger.Manager, shopBase+at, nil)
	b.want(200, page, ">one@example.com</textarea>", `value="orders" checked`, `value="trouble" checked`)
	form := b.form(at, at, "to", "one@example.com\ntwo@example.com")
	form["alarms"] = []string{"orders"}
	b.wantGo(b.as(ledger.Manager, shopBase+at, form), shopBase+at+"?alarms=1")
	if n := b.shop(shopHash).Settings; n.AlarmTo != "" || len(n.Staff.To) != 2 {
		t.Errorf("%+v", n)
	}
	if a := b.lastActivity(); a.Detail != "mailboxes of the team: “one@example.com” → “one@example.com, two@example.com”; mailed at once: “orders, trouble” → “orders”" {
		t.Errorf("%q", a.Detail)
	}
	page = b.as(ledger.Manager, shopBase+"/settings", nil)
	b.want(200, page, "2 mailboxes of your team are mailed", `href="/s/abc123/settings/mails"`)
	b.lacks(page, `name="alarm_to"`)
	stale.Set(views.AlarmField, "three@example.com")
	b.want(409, b.as(ledger.Manager, shopBase+"/settings/alarms", stale), "has changed this meanwhile")
	if n := b.shop(shopHash).Settings; n.AlarmTo != "" {
		t.Errorf("%+v", n)
	}
}

// TestStaffMailsSent: what became of the mails is listed, and one that was refused can be sent again from Health.
func TestStaffMailsSent(t *testing.T) {
	b := newBench(t)
	const at = "/settings/mails"
	form := b.form(at, at, "to", "a@x.example\nb@x.example", "digest", "daily")
	b.wantGo(b.as(ledger.Manager, shopBase+at, form), shopBase+at+"?alarms=1")
	ctx, shop := context.Background(), b.shop(shopHash)
	b.ok(b.s.Ledger.SettleDigest(ctx, shop, b.clock().Add(24*time.Hour), true, b.clock()))
	ws, err := b.s.Ledger.LeaseStaffMails(ctx, shopHash, b.clock(), b.clock().Add(time.Minute), 9)
	b.ok(err)
	if len(ws) != 2 {
		t.Fatalf("%+v", ws)
	}
	for _, w := range ws {
		n, _ := ledger.ParseStaffRef(w.Ref)
		if to, _ := shop.StaffMailbox(n); to == "a@x.example" {
			b.ok(b.s.Ledger.FinishWriteback(ctx, w, "sent", b.clock()))
		} else {
			b.ok(b.s.Ledger.StickWriteback(ctx, w, "The mail was refused: no such mailbox.", b.clock()))
		}
	}
	b.want(200, b.as(ledger.Viewer, shopBase+at, nil), "Team: digest", "a@x.example", ">Sent<", "The mail was refused: no such mailbox.", `href="/s/abc123/health#stuck"`)
	health := b.as(ledger.Reviewer, shopBase+"/health", nil)
	b.want(200, health, "Mail: Team: digest", "b@x.example", "Send again")
	other := b.send(b.cookies[otherHash+" owner"], "/s/"+otherHash+at, nil)
	b.want(200, other, "No mail has been written to your team yet")
	b.wantGo(b.as(ledger.Manager, shopBase+at, b.form(at, at, "to", "a@x.example", "digest", "daily")), shopBase+at+"?alarms=1")
	b.want(200, b.as(ledger.Viewer, shopBase+at, nil), "a mailbox taken out since")
	b.want(200, b.as(ledger.Reviewer, shopBase+"/health", nil), "A mailbox of your team that was taken out since")
}

// TestStaffMailWords: every alarm has words, in text and HTML; a mail says of whose shop it is, and a merchant's words do no harm in it.
func TestStaffMailWords(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 3, 0, 0, time.UTC)
	shop := &ledger.Shop{Hash: "abc", Name: "Larkspur <b>&</b>\r\nBcc: eve@example.com", Timezone: "Europe/Paris", Currency: "EUR"}
	var whats []string
	for _, k := range ledger.ReviewKinds() {
		whats = append(whats, string(k))
	}
	for _, k := range []ledger.WritebackKind{ledger.Hold, ledger.Release, ledger.Cancel, ledger.Note, ledger.CancelNote, ledger.DecisionMetafield, ledger.CustomerAttributes, ledger.CustomerFieldsV2, ledger.ProofMetafield, ledger.Mail} {
		whats = append(whats, string(k))
	}
	whats = append(whats, ledger.AlarmHeldAgain, ledger.AlarmBudget, ledger.AlarmNotice, ledger.AlarmToken, ledger.AlarmEndpoint, ledger.AlarmScope+"store_v2_orders")
	seen := map[string]string{}
	for _, what := range whats {
		for _, k := range ledger.AlarmKinds() {
			ask := relay.MailAsk{Shop: shop, Which: relay.MailStaff, AppURL: "https://x.example", Link: "https://x.example/s/abc",
				Staff: &relay.StaffMail{Kind: k, Alarms: []ledger.StaffAlarm{{What: what, OrderID: 118, At: at}, {What: what, At: at}}, All: 60}}
			m := ComposeMail(ask, at)
			for _, want := range []string{"Mon 4 May 2026, 14:03", "and 58 more", "https://x.example/s/abc/orders/118", "https://x.example/s/abc/settings/mails"} {
				if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
					t.Errorf("%s, %s: no %q in %s", k, what, want, m.Text)
				}
			}
			if strings.ContainsAny(m.Subject+m.FromName, "\r\n") || strings.Contains(m.HTML, "<b>") || strings.Contains(m.Text, "unknown") || m.Lang != "en" || m.ReplyTo != "" {
				t.Errorf("%q from %q: %s", m.Subject, m.FromName, m.HTML)
			}
		}
		said := alarmWords(ledger.StaffAlarm{What: what, OrderID: 118})
		if other, ok := seen[said]; ok || said == "" {
			t.Errorf("%s says %q, like %s", what, said, other)
		}
		seen[said] = what
	}
	heading := func(k ledger.AlarmKind, all int64, whats ...ledger.StaffAlarm) string {
		m := ComposeMail(relay.MailAsk{Shop: &ledger.Shop{Name: "L"}, Link: "https://x.example/s/abc", Staff: &relay.StaffMail{Kind: k, Alarms: whats, All: all}}, at)
		return m.Subject
	}
	order, cart := ledger.StaffAlarm{What: "late", OrderID: 118}, ledger.StaffAlarm{What: "late"}
	for got, want := range map[string]string{
		heading(ledger.ReviewAlarm, 1, order):          "L: Order 118 waits for review: passed too late",
		heading(ledger.ReviewAlarm, 1, cart):           "L: A cart waits for review: passed too late",
		heading(ledger.ReviewAlarm, 2, order, order):   "L: 2 orders wait for review",
		heading(ledger.ReviewAlarm, 2, order, cart):    "L: 2 verifications or orders wait for review",
		heading(ledger.OrderAlarm, 1234, order, order): "L: 1,234 orders left our hold, or left without proof",
		heading(ledger.TroubleAlarm, 2, order, cart):   "L: idgate needs help with 2 things",
		heading(ledger.BudgetAlarm, 2, order, cart):    "L: No more verifications can begin",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestDigestMailWords: the figures of each, in the shop's currency and others, and what wants a person.
func TestDigestMailWords(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 4, 27, 0, 0, 0, 0, zone)
	shop := &ledger.Shop{Hash: "abc", Name: "Larkspur", Timezone: "Europe/Paris", Currency: "EUR", State: ledger.Suspended, Policy: gate.Policy{Mode: gate.Shadow}, Scopes: []string{"store_v2_orders"}}
	d := &ledger.Digest{Interval: ledger.Weekly, From: from, To: from.AddDate(0, 0, 7), Is: ledger.Figures{Shown: 1200, Started: 11, Passed: 7, Failed: 3, Abandoned: 1}, Was: ledger.Figures{Shown: 5},
		IsCancelled: 2, WasCancelled: 4, Money: []ledger.MoneyReport{
			{Currency: "EUR", Spans: []ledger.MoneyFigures{{Held: 1, HeldMinor: 99}, {Held: 2, HeldMinor: 123456, Released: 1, ReleasedMinor: 100}}},
			{Currency: "JPY", Spans: []ledger.MoneyFigures{{}, {Held: 3, HeldMinor: 5000}}}}}
	ask := relay.MailAsk{Shop: shop, Which: relay.MailStaff, AppURL: "https://x.example", Link: "https://x.example/s/abc", Staff: &relay.StaffMail{Digest: d,
		Attention: relay.Attention{Stuck: ledger.Stuck{Writebacks: 4}, Found: ledger.Found{Leaked: 2}, Budget: ledger.Budget{Used: 9, Most: 10}}}}
	m := ComposeMail(ask, from.AddDate(0, 0, 7))
	if m.Subject != "Larkspur: What idgate did from 27 April to 3 May 2026" {
		t.Errorf("%q", m.Subject)
	}
	for _, want := range []string{"Checks shown: 1,200 (the week before: 5)", "Verifications begun: 11 (the week before: 0)", "Passed: 7 (", "Failed: 3 (", "Given up: 1 (", "Orders held: 5 (the week before: 1)",
		"Orders released: 1 (the week before: 0)", "Orders cancelled: 2 (the week before: 4)", "Money held: 1,234.56 EUR (the week before: 0.99 EUR)", "Money released: 1.00 EUR (the week before: 0.00 EUR)",
		"Money held: 5,000 JPY (the week before: 0 JPY)", "- 2 orders shipped without proof in the last 30 days\n  https://x.example/s/abc/orders?filter=leaks", "- BigCommerce no longer accepts our token",
		"- 4 changes or mails are stuck", "- Most verifications of 24 hours are used up: 9 of 10", "permissions are missing"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("it does not say %q: %s", want, m.Text)
		}
	}
	for _, want := range []string{"<h2", "What needs attention now", ">27 Apr to 3 May<", ">the week before<", ">1,234.56 EUR<", "https://x.example/s/abc/overview"} {
		if !strings.Contains(m.HTML, want) {
			t.Errorf("no %q in %s", want, m.HTML)
		}
	}
	d.Interval, d.To = ledger.Daily, from.AddDate(0, 0, 1)
	ask.Shop, ask.Staff.Attention = &ledger.Shop{Hash: "abc", Name: "Larkspur", Timezone: "Europe/Paris"}, relay.Attention{Budget: ledger.Budget{Most: 10}}
	if m := ComposeMail(ask, from); m.Subject != "Larkspur: What idgate did on Monday 27 April 2026" || !strings.Contains(m.Text, "- Nothing.") || !strings.Contains(m.Text, "(the day before: ") {
		t.Errorf("%q: %s", m.Subject, m.Text)
	}
}

// FuzzReadMailboxes: whatever is typed, what is taken are mailboxes, few, each once.
func FuzzReadMailboxes(f *testing.F) {
	for _, seed := range []string{"", "a@x.example", "a@x.example\nb@x.example", "\n\n a@x.example \n", "a@x.example\nA@x.example", "Ada <a@x.example>", "a@x.example\r\nb@x.example\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		form := views.ParseStaffMailsForm(url.Values{"to": {text}})
		to, code := readMailboxes(form.To)
		if code != "" && len(to) > 0 || len(to) > ledger.MaxStaff {
			t.Errorf("%q: %q, %s", text, to, code)
		}
		for i, m := range to {
			if !oneMailbox(m) || m == "" || slices.Contains(to[:i], m) {
				t.Errorf("%q: %q", text, to)
			}
		}
		if again, code := readMailboxes(strings.Join(to, "\n")); code != "" || fmt.Sprint(again) != fmt.Sprint(to) {
			t.Errorf("%q: %q, then %q, %s", text, to, again, code)
		}
	})
}
