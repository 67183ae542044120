package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/words"
)

// TestRefusal: a shopper reads what went wrong in their language; whoever wrote the page reads the rest.
func TestRefusal(t *testing.T) {
	s := &Server{}
	shop := &ledger.Shop{Settings: ledger.Settings{Documents: []string{"passport"}, Texts: map[string]map[string]string{"de": {"reason.busy": "Gerade ist viel los."}}}}
	for _, c := range []struct{ locale, code, want string }{
		{"en", "retries_spent", "The verification was tried as often as this shop allows. Please contact the shop."},
		{"en", "too_soon", "This was asked too often in a short time. Please wait a minute and try again."},
		{"en", "too_many", "This was asked too often in a short time. Please wait a minute and try again."},
		{"en", "code_wrong", "This is not the code. Please look at the newest e-mail."},
		{"en", "code_expired", "This code no longer works. Please ask for a new one."},
		{"en", "no_mailbox", "We do not know yet who is buying. Please fill in your e-mail address and your billing address first."},
		{"en", "document", "This kind of document is not accepted. Please try again with a document that is accepted: passport."},
		{"de-AT", "busy", "Gerade ist viel los. "},
		{"de-AT", "mail_down", "Gerade ist viel los. "},
		{"de-AT", "bad_request", "said in English"},
		{"fr", "unknown_shop", "said in English"},
	} {
		r, talk := talking(httptest.NewRequest(http.MethodPost, "/", nil))
		speak(r, shop, c.locale)
		speak(r, nil, "")
		if talk.shop != shop || talk.locale != c.locale {
			t.Fatalf("%+v", talk)
		}
		if got := s.refusal(r, refuse(400, c.code, "said in English")); got != c.want && (!strings.HasSuffix(c.want, " ") || !strings.HasPrefix(got, c.want)) {
			t.Errorf("%s %s: %q, want %q", c.locale, c.code, got, c.want)
		}
	}
	bare := httptest.NewRequest(http.MethodPost, "/", nil)
	speak(bare, shop, "de") // without a talk nothing is kept
	if got := s.words(bare).Lang(); got != "en" {
		t.Errorf("a request without a talk is answered in %s", got)
	}
}

// TestComposeMail: each mail has words of its own, in the order's or the page's language, and says until when its link works.
func TestComposeMail(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	shop := &ledger.Shop{Hash: "abc", Name: "Larkspur", Timezone: "Europe/Paris"}
	order := ledger.Order{ID: 118, StatusID: 11, Buyer: ledger.Buyer{Locale: "fr"}, CancelAt: now.Add(72 * time.Hour)}
	subjects := map[string]string{}
	for _, c := range []struct {
		ask  relay.MailAsk
		lang string
		has  []string
	}{
		{relay.MailAsk{Which: relay.MailLink, Order: order, Link: "https://x.example/v/mail.1", Until: now.Add(48 * time.Hour)}, "fr", []string{"118", "https://x.example/v/mail.1", "12 mars 2026", "13:00"}},
		{relay.MailAsk{Which: relay.MailReminder, Order: order, Link: "https://x.example/v/mail.1"}, "fr", []string{"118"}},
		{relay.MailAsk{Which: relay.MailLastCall, Order: order, Link: "https://x.example/v/mail.1"}, "fr", []string{"118", "13 mars 2026"}},
		{relay.MailAsk{Which: relay.MailReleased, Order: order}, "fr", []string{"118"}},
		{relay.MailAsk{Which: relay.MailCancelled, Order: order}, "fr", []string{"118"}},
		{relay.MailAsk{Which: relay.MailCartLink, Locale: "ar", Link: "https://x.example/v/mail.2", Until: now.Add(time.Hour)}, "ar", []string{"https://x.example/v/mail.2"}},
		{relay.MailAsk{Which: relay.MailCode, Locale: "ja", Code: "012345"}, "ja", []string{"012345", "10"}},
		{relay.MailAsk{Which: relay.MailLeaked, Order: order, Link: "https://x.example/s/abc/orders/118"}, "en", []string{"118", "status 11"}},
		{relay.MailAsk{Which: relay.MailMoved, Order: order, Link: "https://x.example/s/abc/orders/118"}, "en", []string{"118", "moved it from our hold"}},
		{relay.MailAsk{Which: relay.MailHeldAgain, Order: order, Link: "https://x.example/s/abc/orders/118"}, "en", []string{"118", "put it on hold once more", "move it off hold once more"}},
	} {
		c.ask.Shop, c.ask.Need = shop, gate.Requirement{IAL: 2}
		m := ComposeMail(c.ask, now)
		if m.Lang != c.lang || m.Subject == "" || m.FromName != "Larkspur" || !strings.Contains(m.HTML, `lang="`+c.lang+`" dir="`+words.Dir(words.Match(c.lang))+`"`) {
			t.Errorf("%s: %s, subject %q", c.ask.Which, m.Lang, m.Subject)
		}
		for _, part := range c.has {
			if !strings.Contains(m.Text, part) {
				t.Errorf("%s does not say %q: %s", c.ask.Which, part, m.Text)
			}
		}
		if other, ok := subjects[m.Subject]; ok {
			t.Errorf("%s has the subject of %s: %q", c.ask.Which, other, m.Subject)
		}
		subjects[m.Subject] = c.ask.Which
	}
}

func TestDigits(t *testing.T) {
	for _, c := range []struct {
		typed, code string
		ok          bool
	}{
		{"123456", "123456", true}, {" 123 456 ", "123456", true}, {"123-456\r\n", "123456", true}, {"١٢٣٤٥٦", "123456", true}, {"۱۲۳۴۵۶", "123456", true}, {"１２３４５６", "123456", true},
		{"000000", "000000", true}, {"12345", "12345", false}, {"1234567", "1234567", false}, {"", "", false}, {"12345a", "", false}, {"123456\x00", "", false}, {strings.Repeat(" ", 60) + "123456", "", false},
	} {
		if code, ok := digits(c.typed); code != c.code || ok != c.ok {
			t.Errorf("%q: %q, %t", c.typed, code, ok)
		}
	}
}

func FuzzDigits(f *testing.F) {
	f.Add("123 456")
	f.Add("١٢٣٤٥٦")
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := digits(typed)
		if ok != (len(code) == codeLength) || strings.Trim(code, "0123456789") != "" {
			t.Errorf("%q: %q, %t", typed, code, ok)
		}
	})
}
