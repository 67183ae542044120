package words

import (
	"strings"
	"time"
	"unicode/utf8"
)

// MailKind is what a mail is for.
type MailKind string

// The mails. Those to the shop's own staff are written in English.
const (
	MailLink      MailKind = "link"      // the order is held: the link to verify
	MailCartLink  MailKind = "cart_link" // the shopper asked for a link in the checkout's dialog
	MailReminder  MailKind = "reminder"
	MailLastCall  MailKind = "last_call" // the shop is about to cancel the order
	MailReleased  MailKind = "released"
	MailCancelled MailKind = "cancelled"
	MailRefused   MailKind = "refused"
	MailCode      MailKind = "code" // six digits that show whose the mailbox is

	AlarmLeak  MailKind = "leak"  // an order has gone unproven
	AlarmMoved MailKind = "moved" // somebody took a held order off hold
	AlarmStuck MailKind = "stuck" // an outside change cannot be written

	AlarmHeldAgain MailKind = "held_again" // somebody took an order off hold, and it was held once more

	AlarmEndpointOff MailKind = "endpoint_off" // an endpoint of outbound webhooks was switched off
)

// A mail's parts, by key. A paragraph that needs something which MailData does not have is left out.
type mailParts struct {
	group      string // of subject, heading and the first paragraph
	paragraphs []string
	button     string
	footer     string
}

var mailKinds = map[MailKind]mailParts{
	MailLink:       {"mail.link.", []string{"needs", "dialog.duration", "dialog.who_sees", "page.link_until", "mail.cancel_at"}, "mail.button", "mail.footer_link"},
	MailCartLink:   {"mail.cart_link.", []string{"needs", "dialog.duration", "dialog.who_sees", "page.link_until"}, "mail.button", "mail.footer_asked"},
	MailReminder:   {"mail.reminder.", []string{"needs", "dialog.duration", "page.link_until", "mail.cancel_at", "mail.time_left"}, "mail.button", "mail.footer_link"},
	MailLastCall:   {"mail.last_call.", []string{"mail.cancel_at", "mail.time_left", "needs", "dialog.duration"}, "mail.button", "mail.footer_link"},
	MailReleased:   {"mail.released.", nil, "", "mail.footer_order"},
	MailCancelled:  {"mail.cancelled.", []string{"mail.questions"}, "", "mail.footer_order"},
	MailRefused:    {"mail.refused.", []string{"mail.questions"}, "", "mail.footer_order"},
	MailCode:       {"mail.code.", []string{"mail.code.valid"}, "", "mail.footer_asked"},
	AlarmLeak:      {"alarm.leak.", []string{"alarm.detail"}, "alarm.button", "alarm.footer"},
	AlarmMoved:     {"alarm.moved.", []string{"alarm.detail"}, "alarm.button", "alarm.footer"},
	AlarmHeldAgain: {"alarm.held_again.", []string{"alarm.detail"}, "alarm.button", "alarm.footer"},
	AlarmStuck:     {"alarm.stuck.", []string{"alarm.detail"}, "alarm.button", "alarm.footer"},

	AlarmEndpointOff: {"alarm.endpoint_off.", []string{"alarm.detail"}, "alarm.endpoint_off.button", "alarm.footer"},
}

// MailData is what a mail's words depend on. Times are shown in their own zone; a zero one is not spoken of.
type MailData struct {
	Shop     string
	Order    string        // the order's number; not for cart_link and code
	Link     string        // what the button opens: the hosted page, for alarms the order's page in the control panel
	Need     Need          // what must be proved
	Deadline time.Time     // when the link ends
	CancelAt time.Time     // when the shop cancels the order
	Left     time.Duration // how long until then
	Code     string        // six digits
	ValidFor time.Duration // how long the code works
	Detail   string        // for alarms: what is known, in English
	Contact  string        // whom the shopper may ask; empty says nothing
}

// Mail is a mail in words. Code and Link stand beside the text, so that no text of a merchant's can lose them.
type Mail struct {
	Lang, Dir  string
	Subject    string // one line
	Heading    string
	Paragraphs []string
	Code       string // to be shown large; empty but for a code mail
	Button     string // what Link opens; empty where there is nothing to open
	Link       string
	Footer     string
}

// Mail writes a mail. A kind that does not exist gives a mail without words.
func (w Words) Mail(kind MailKind, d MailData) Mail {
	parts, ok := mailKinds[kind]
	if !ok {
		return Mail{}
	}
	if strings.HasPrefix(parts.group, "alarm.") {
		w = For(languages[0].Tag, nil)
	}
	data := d.data()
	m := Mail{Lang: w.Lang(), Dir: w.Dir(), Code: d.Code, Subject: headline(w.Text(parts.group+"subject", data)), Heading: w.Text(parts.group+"heading", data),
		Paragraphs: []string{w.Text(parts.group+"text", data)}, Footer: w.Text(parts.footer, data)}
	for _, key := range parts.paragraphs {
		switch {
		case key == "needs":
			m.Paragraphs = append(m.Paragraphs, w.Needs(d.Need))
		case complete(key, data):
			m.Paragraphs = append(m.Paragraphs, w.Text(key, data))
		}
	}
	if d.Contact != "" && !strings.HasPrefix(parts.group, "alarm.") {
		m.Paragraphs = append(m.Paragraphs, w.Text("page.contact", data))
	}
	if parts.button != "" && d.Link != "" {
		m.Button, m.Link = w.Text(parts.button, nil), d.Link
	}
	return m
}

// mostHeadline is about what mail programs show of a subject, and less than what a mail server takes.
const mostHeadline = 150

// headline bounds a subject. One that is cut off loses its isolates, since the end of one might be cut off too.
func headline(s string) string {
	if utf8.RuneCountInString(s) <= mostHeadline {
		return s
	}
	return clean(s, mostHeadline)
}

func (d MailData) data() Data {
	data := Data{"shop": d.Shop, "order": d.Order, "code": d.Code}
	if !d.Deadline.IsZero() {
		data["link_until"] = d.Deadline
	}
	if !d.CancelAt.IsZero() {
		data["cancel_at"] = d.CancelAt
	}
	if d.Left > 0 {
		data["left"] = d.Left
	}
	if d.ValidFor > 0 {
		data["count"] = int(d.ValidFor / time.Minute)
	}
	if d.Detail != "" {
		data["detail"] = d.Detail
	}
	if d.Contact != "" {
		data["contact"] = d.Contact
	}
	return data
}

// Text is the mail's plain-text body: what the HTML says, with the link written out on a line of its own.
func (m Mail) Text() string {
	parts := append([]string{m.Heading}, m.Paragraphs[:min(1, len(m.Paragraphs))]...)
	if m.Code != "" {
		parts = append(parts, m.Code)
	}
	if m.Link != "" {
		parts = append(parts, m.Button+"\n"+m.Link)
	}
	if len(m.Paragraphs) > 1 {
		parts = append(parts, m.Paragraphs[1:]...)
	}
	return strings.Join(append(parts, m.Footer), "\n\n") + "\n"
}
