package web

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/app/mail"
	"idgate/app/relay"
	"idgate/app/words"
	"idgate/views"
)

var mailKinds = map[string]words.MailKind{
	relay.MailLink: words.MailLink, relay.MailReminder: words.MailReminder, relay.MailLastCall: words.MailLastCall,
	relay.MailReleased: words.MailReleased, relay.MailCancelled: words.MailCancelled,
	relay.MailLeaked: words.AlarmLeak, relay.MailMoved: words.AlarmMoved, relay.MailHeldAgain: words.AlarmMoved,
}

// ComposeMail writes a mail about an order, in the shopper's language; those to staff are English.
func ComposeMail(a relay.MailAsk, now time.Time) mail.Message {
	p := present(a.Shop)
	d := words.MailData{Shop: a.Shop.Name, Order: strconv.FormatInt(a.Order.ID, 10), Link: a.Link, Need: shopperNeed(a.Shop.Policy, a.Need), Detail: alarmDetail(a)}
	if t := a.Order.CancelAt; !t.IsZero() {
		d.CancelAt, d.Left = t.In(p.zone), t.Sub(now).Round(time.Hour)
	}
	m := words.For(words.Match(a.Order.Buyer.Locale), nil).Mail(mailKinds[a.Which], d)
	v := views.MailData{Lang: m.Lang, Dir: m.Dir, Subject: m.Subject, Heading: m.Heading, Paragraphs: m.Paragraphs, Code: m.Code, Button: m.Button, Link: m.Link,
		Footer: m.Footer, ShopName: a.Shop.Name}
	var html bytes.Buffer
	_ = views.Mail(v).Render(context.Background(), &html) // a buffer takes everything
	return mail.Message{FromName: clip(strings.Join(strings.Fields(a.Shop.Name), " "), 100), Subject: m.Subject, Text: m.Text(), HTML: html.String(), Lang: m.Lang}
}

// shopperNeed is a Requirement in the words of the shopper. A passed document is what every level rests on.
func shopperNeed(p gate.Policy, r gate.Requirement) words.Need {
	return words.Need{Documents: []string{"driver_license"}, Selfie: p.NeedsSelfie(r), LeastAge: r.LeastAge, NameMatch: r.NameMatch}
}

// alarmDetail is what is known of an order that staff are told of.
func alarmDetail(a relay.MailAsk) string {
	switch a.Which {
	case relay.MailLeaked:
		return fmt.Sprintf("It was found in status %d without proof of identity. It is not touched: see what can still be done.", a.Order.StatusID)
	case relay.MailMoved:
		return fmt.Sprintf("Somebody moved it from our hold to status %d. BigCommerce does not say who. It is left as it is.", a.Order.StatusID)
	case relay.MailHeldAgain:
		return "Somebody moved it off our hold, and it was put on hold once more. To let it go, release it in idgate, or move it once more."
	}
	return ""
}
