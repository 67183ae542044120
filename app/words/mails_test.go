package words

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"
)

func fullMail(kind MailKind) MailData {
	d := MailData{Shop: "Acme & Sons", Order: "1042", Link: "https://idgate.example/v/mail.abc", Need: fullDialog().Need,
		Deadline: someDay.AddDate(0, 0, 3), CancelAt: someDay.AddDate(0, 0, 2), Left: 48 * time.Hour}
	switch kind {
	case MailCode:
		return MailData{Shop: d.Shop, Code: "042137", ValidFor: 10 * time.Minute}
	case MailCartLink:
		return MailData{Shop: d.Shop, Link: d.Link, Need: d.Need, Deadline: d.Deadline}
	case AlarmEndpointOff:
		return MailData{Shop: d.Shop, Link: "https://idgate.example/s/abc/webhooks/2", Detail: "It answered 410 Gone."}
	case AlarmLeak, AlarmMoved, AlarmHeldAgain, AlarmStuck:
		return MailData{Shop: d.Shop, Order: d.Order, Link: "https://idgate.example/s/abc/orders/1042", Detail: "Order 1042 was found in status Shipped."}
	case MailReleased, MailCancelled, MailRefused:
		return MailData{Shop: d.Shop, Order: d.Order, Contact: "help@acme.example"}
	case MailLink, MailReminder, MailLastCall:
	}
	return d
}

// In the order a shopper may get them.
func kinds() []MailKind {
	return []MailKind{MailCartLink, MailCode, MailLink, MailReminder, MailLastCall, MailReleased, MailCancelled, MailRefused, AlarmLeak, AlarmMoved, AlarmHeldAgain, AlarmStuck, AlarmEndpointOff}
}

func TestMailsAreWhole(t *testing.T) {
	if got, want := sorted(asStrings(kinds())), sorted(asStrings(slices.Collect(maps.Keys(mailKinds)))); !slices.Equal(got, want) {
		t.Fatalf("the test knows %q, the package %q", got, want)
	}
	each(t, func(t *testing.T, w Words) {
		for _, k := range kinds() {
			m := w.Mail(k, fullMail(k))
			wantLang := w.Lang()
			if slices.Contains([]MailKind{AlarmLeak, AlarmMoved, AlarmHeldAgain, AlarmStuck, AlarmEndpointOff}, k) {
				wantLang = "en"
			}
			if m.Lang != wantLang || m.Dir != Dir(Match(wantLang)) {
				t.Errorf("%s is in %s, %s", k, m.Lang, m.Dir)
			}
			for _, s := range append([]string{m.Subject, m.Heading, m.Footer}, m.Paragraphs...) {
				if s == "" || strings.ContainsAny(s, "{}\n") || strings.HasPrefix(s, "mail.") || strings.HasPrefix(s, "alarm.") {
					t.Errorf("%s: %q", k, s)
				}
			}
			if want := 1 + len(mailKinds[k].paragraphs) + len(fullMail(k).Contact)/len("help@acme.example"); len(m.Paragraphs) != want {
				t.Errorf("%s has %d paragraphs of %d", k, len(m.Paragraphs), want)
			}
			if (m.Link == "") != (m.Button == "") || m.Link != fullMail(k).Link {
				t.Errorf("%s: the button %q opens %q", k, m.Button, m.Link)
			}
			if !strings.Contains(m.Subject, "Acme & Sons") {
				t.Errorf("%s: the subject does not name the shop: %q", k, m.Subject)
			}
			body := m.Text()
			for _, s := range append([]string{m.Heading, m.Link, m.Code, m.Button, m.Footer}, m.Paragraphs...) {
				if strings.Count(body, s) == 0 {
					t.Errorf("%s: the body lacks %q", k, s)
				}
			}
		}
	})
	if got := For(language.English, nil).Mail("birthday", fullMail(MailLink)); got.Subject != "" || got.Text() == "" {
		t.Errorf("a mail of no kind: %+v", got)
	}
}

func asStrings(ks []MailKind) []string {
	out := make([]string, len(ks))
	for i, k := range ks {
		out[i] = string(k)
	}
	return out
}

func TestMailText(t *testing.T) {
	want := `One step left

Thank you for your order 1042 at Acme & Sons. Before it can go on, the shop asks you to prove your identity.

Verify your identity
https://idgate.example/v/mail.abc

You need a valid driver's licence, and a phone with a camera.

It usually takes about two minutes.

1Kosmos takes and checks the pictures; Acme & Sons learns whether you passed, your age in years, and your name and address, which are kept encrypted and only compared with your orders. The pictures and the document's number never reach it.

This link works until 25 November 2026, 2:04 pm (UTC).

You receive this e-mail because this address was given with the order. The link is meant for you alone: please do not pass it on. If you did not place the order, please tell the shop.
`
	d := fullMail(MailLink)
	d.Need, d.CancelAt, d.Left = Need{}, time.Time{}, 0
	if got := For(language.English, nil).Mail(MailLink, d).Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	code := For(language.English, nil).Mail(MailCode, fullMail(MailCode))
	if code.Subject != "042137 is your code for Acme & Sons" || code.Code != "042137" || code.Paragraphs[1] != "The code works for 10 minutes." {
		t.Errorf("the code's mail: %+v", code)
	}
	if !strings.Contains(code.Text(), "\n\n042137\n\n") {
		t.Errorf("the code does not stand on a line of its own:\n%s", code.Text())
	}
}

// What is not known is not spoken of.
func TestMailLeavesOutWhatIsNotKnown(t *testing.T) {
	each(t, func(t *testing.T, w Words) {
		for kind, want := range map[MailKind]int{MailLink: 4, MailReminder: 3, MailLastCall: 3, MailCartLink: 4, MailCode: 1, AlarmLeak: 1} {
			m := w.Mail(kind, MailData{Shop: "Acme", Order: "1"})
			if len(m.Paragraphs) != want || m.Link != "" || m.Button != "" {
				t.Errorf("%s has %d paragraphs, want %d; the button %q opens %q", kind, len(m.Paragraphs), want, m.Button, m.Link)
			}
		}
	})
}

// What is known is told whole; a name is bounded sooner.
func TestDetailIsToldWhole(t *testing.T) {
	w := For(language.English, nil)
	for _, c := range []struct{ detail, want string }{
		{strings.Repeat("é", 500), "What is known: " + strings.Repeat("é", 500)},
		{strings.Repeat("é", 501), "What is known: " + strings.Repeat("é", 499) + "…"},
	} {
		m := w.Mail(AlarmLeak, MailData{Shop: "Acme", Order: "1", Detail: c.detail})
		if got := m.Paragraphs[len(m.Paragraphs)-1]; got != c.want {
			t.Errorf("%d characters became %d", len([]rune(c.detail)), len([]rune(got)))
		}
	}
}

func TestSubjectIsBounded(t *testing.T) {
	long := map[string]string{"mail.link.subject": strings.Repeat("{shop}", 16)}
	for _, c := range []struct {
		tag, shop, want string
	}{
		{"en", strings.Repeat("é", 9), strings.Repeat("é", 144)},
		{"en", strings.Repeat("é", 10), strings.Repeat("é", 149) + "…"},
		{"ar", strings.Repeat("é", 7), strings.Repeat("\u2068"+strings.Repeat("é", 7)+"\u2069", 16)},
		{"ar", strings.Repeat("é", 10), strings.Repeat("é", 149) + "…"},
	} {
		if got := For(Match(c.tag), long).Mail(MailLink, MailData{Shop: c.shop}).Subject; got != c.want {
			t.Errorf("%s: %q, want %q", c.tag, got, c.want)
		}
	}
}

// A merchant's own texts reach mails, and cannot lose the link or the code.
func TestMailWithOverrides(t *testing.T) {
	w := For(language.French, map[string]string{"mail.link.subject": "{shop} a une question", "mail.button": "Allons-y", "mail.code.text": "Bonjour", "alarm.leak.subject": "x"})
	m := w.Mail(MailLink, fullMail(MailLink))
	if m.Subject != "Acme & Sons a une question" || m.Button != "Allons-y" || m.Link != fullMail(MailLink).Link {
		t.Errorf("%q, %q, %q", m.Subject, m.Button, m.Link)
	}
	if c := w.Mail(MailCode, fullMail(MailCode)); c.Paragraphs[0] != "Bonjour" || !strings.Contains(c.Text(), "042137") {
		t.Errorf("%q", c.Text())
	}
}
