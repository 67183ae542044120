package views

import (
	"net/url"
	"slices"
	"strings"
)

// StaffMailsData is who of the shop's staff is mailed what.
type StaffMailsData struct {
	Layout
	Form         StaffMailsForm
	Errors       map[string]string
	Moved        *SettingsMoved
	From         string // SettingsBase
	ReadOnly     bool
	NoMailServer bool   // this idgate sends no mails at all
	Zone         string // the shop's, by whose clock a digest comes
	Most         int    // mailboxes
	Sent         []SentMail
}

// StaffMailsForm is the form as typed.
type StaffMailsForm struct {
	To     string // mailboxes, one a line
	Alarms []string
	Digest string // one of DigestCodes
}

// SentMail is one mail to staff.
type SentMail struct {
	Which string // one of MailCodes
	To    string // empty: a mailbox that the settings name no longer
	When  When
	State string // one of WorkStates
	Said  string // the reason, where it was not sent
}

// ParseStaffMailsForm reads the form as it was posted.
func ParseStaffMailsForm(v url.Values) StaffMailsForm {
	return StaffMailsForm{To: strings.ReplaceAll(v.Get("to"), "\r\n", "\n"), Alarms: v["alarms"], Digest: v.Get("digest")}
}

var staffMailsFields = map[string]string{"to": "Mailboxes", "alarms": "Mail at once", "digest": "Digest"}

// StaffMailsFields lists the fields of the form.
func StaffMailsFields() []string { return codes(staffMailsFields) }

func (d StaffMailsData) control(name, value, hint string) control {
	return control{name: name, label: staffMailsFields[name], value: value, hint: hint, err: d.Errors[name]}
}

func (d StaffMailsData) ticked(alarm string) bool { return slices.Contains(d.Form.Alarms, alarm) }

func staffAlarms() []choice {
	return []choice{
		{"orders", "An order left", "One left without proof, or somebody in the shop moved one off our hold."},
		{"review", "Something waits for review", "A verification, an order or a cart that only a person can decide."},
		{"trouble", "idgate needs help", "What it cannot mend by itself: a change or a mail that is stuck, a missing permission, a token that BigCommerce refuses, an endpoint that was switched off."},
		{"budget", "Verifications are used up", "The limit of 24 hours is reached, and a shopper was turned away. At most one mail a day."},
	}
}

// AlarmCodes lists what staff can be mailed at once.
func AlarmCodes() (out []string) {
	for _, c := range staffAlarms() {
		out = append(out, c.value)
	}
	return out
}

func (d StaffMailsData) digests() []choice {
	return []choice{{"", "None", ""}, {"daily", "Daily", "Every day at 08:00, about the day before."}, {"weekly", "Weekly", "Mondays at 08:00, about the week before."}}
}

// DigestCodes lists how often a digest can come.
func DigestCodes() []string { return []string{"", "daily", "weekly"} }

func (m SentMail) to() string {
	if m.To == "" {
		return "a mailbox taken out since"
	}
	return m.To
}

// Text says in one sentence what wants a person.
func (a Attention) Text() string {
	text := a.words().one
	if a.Count != "1" && a.Count != "" {
		text = strings.ReplaceAll(a.words().many, "{n}", a.Count)
	}
	if a.Detail != "" {
		text += ": " + a.Detail
	}
	return text
}

// Path is where it is put right, under the shop's base.
func (a Attention) Path() string { return a.words().path }
