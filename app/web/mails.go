package web

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"idgate/app/ledger"
	"idgate/app/mail"
	"idgate/app/relay"
	"idgate/app/words"
	"idgate/views"
)

var mailKinds = map[string]words.MailKind{
	relay.MailLink: words.MailLink, relay.MailReminder: words.MailReminder, relay.MailLastCall: words.MailLastCall,
	relay.MailReleased: words.MailReleased, relay.MailCancelled: words.MailCancelled,
	relay.MailCartLink: words.MailCartLink, relay.MailCode: words.MailCode,
	relay.MailLeaked: words.AlarmLeak, relay.MailMoved: words.AlarmMoved, relay.MailHeldAgain: words.AlarmHeldAgain,
	ledger.MailEndpointOff: words.AlarmEndpointOff,
}

// ComposeMail writes a mail about an order or a cart, in the shopper's language; those to staff are English.
func ComposeMail(a relay.MailAsk, now time.Time) mail.Message {
	if a.Staff != nil {
		return composeStaffMail(a, now)
	}
	look := a.Shop.BrandingOn(a.Channel)
	v, m := mailPage(a, look, shopWords(a.Shop, a.Channel, a.Order.Buyer.Locale, a.Locale), now)
	var html bytes.Buffer
	_ = views.Mail(v).Render(context.Background(), &html) // a buffer takes everything
	out := mail.Message{FromName: clip(strings.Join(strings.Fields(look.Name), " "), 100), Subject: m.Subject, Text: m.Text(), HTML: html.String(), Lang: m.Lang}
	if look.Contact != "" && oneMailbox(look.Contact) {
		out.ReplyTo = look.Contact
	}
	return out
}

// mailPage is a mail in words, and as its view takes it.
func mailPage(a relay.MailAsk, look ledger.Branding, said words.Words, now time.Time) (views.MailData, words.Mail) {
	zone := present(a.Shop).zone
	d := words.MailData{Shop: look.Name, Contact: look.Contact, Order: subjectOf(a.Order), Link: a.Link, Need: shopperNeed(a.Shop, a.Need), Detail: alarmDetail(a), Code: a.Code}
	if a.Code != "" {
		d.ValidFor = ledger.CodeGood
	}
	if !a.Until.IsZero() {
		d.Deadline = a.Until.In(zone)
	}
	if t := a.Order.CancelAt; !t.IsZero() {
		d.CancelAt, d.Left = t.In(zone), t.Sub(now).Round(time.Hour)
	}
	m := said.Mail(mailKinds[a.Which], d)
	v := views.MailData{Lang: m.Lang, Dir: m.Dir, Subject: m.Subject, Heading: m.Heading, Paragraphs: m.Paragraphs, Code: m.Code, Button: m.Button, Link: m.Link,
		Footer: m.Footer, ShopName: look.Name, Accent: look.Accent}
	if look.Logo != "" {
		v.LogoURL = a.AppURL + logoPath(a.Shop, look.Logo)
	}
	return v, m
}

// alarmDetail is what is known of an order that staff are told of.
func alarmDetail(a relay.MailAsk) string {
	switch a.Which {
	case relay.MailLeaked:
		return fmt.Sprintf("It was found in status %d without proof of identity. It is not touched: see what can still be done.", a.Order.StatusID)
	case relay.MailMoved:
		return fmt.Sprintf("Somebody moved it from our hold to status %d. BigCommerce does not say who. It is left as it is.", a.Order.StatusID)
	case relay.MailHeldAgain:
		return "To let it go, release it in idgate, or move it off hold once more."
	case ledger.MailEndpointOff:
		if a.Endpoint.Why == ledger.OffGone {
			return "The endpoint at " + hostOf(a.Endpoint.URL) + " answered 410 Gone, which asks never to be told again."
		}
		return "The endpoint at " + hostOf(a.Endpoint.URL) + " has taken nothing for five days. What it missed can be sent again once it works."
	}
	return ""
}
