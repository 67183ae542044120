package relay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
	"idgate/app/sim/mailbox"
	"idgate/app/words"
)

const adas = "ada@example.com"

// said is what a storefront door answers.
type said struct {
	Decision    string            `json:"decision"`
	Order       string            `json:"order"`
	AgainIn     int               `json:"again_in"`
	Capability  string            `json:"capability"`
	Documents   []string          `json:"documents"`
	Mail        bool              `json:"mail"`
	Mailbox     string            `json:"mailbox"`
	TriesLeft   int               `json:"tries_left"`
	Texts       map[string]string `json:"texts"`
	Lang        string            `json:"lang"`
	Dir         string            `json:"dir"`
	ResendAfter int               `json:"resend_after"`
	Session     *session          `json:"session"`
	Error       struct{ Code, Message, Field string }
}

// post plays the script: a request of the shop's own page.
func (w *world) post(path, capability string, body map[string]any, header ...string) (int, said) {
	w.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	h := http.Header{"Origin": {w.origin()}}
	if capability != "" {
		h.Set("Idgate-Capability", capability)
	}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	status, raw := w.do(http.MethodPost, w.app.URL+"/storefront/v1/"+path, h, b)
	var out said
	if err := json.Unmarshal(raw, &out); err != nil {
		w.t.Fatalf("%s: %d %s", path, status, raw)
	}
	return status, out
}

// decide asks about a cart as the script does, with more of the body.
func (w *world) decide(cart string, more map[string]any, header ...string) said {
	w.t.Helper()
	body := map[string]any{"shop": hash, "channel": 1, "cart_id": cart, "page": "checkout", "locale": "en-US"}
	for k, v := range more {
		body[k] = v
	}
	status, a := w.post("decisions", "", body, header...)
	if status != http.StatusOK {
		w.t.Fatalf("decisions: %d %+v", status, a.Error)
	}
	return a
}

// guest makes a guest's cart under a mailbox.
func (w *world) guest(mailbox string) string {
	w.t.Helper()
	return w.cart(w.product(cheap), 0, billing(mailbox))
}

// guestProved is a world in which a guest has proved identity under Ada's mailbox, in a cart that became an order.
func guestProved(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	cart := w.guest(adas)
	if n := w.verify(cart, "", simkosmos.PassesWithSelfie); n.State != "passed" {
		t.Fatalf("session %+v", n)
	}
	w.place(cart)
	w.clock.pass(2 * time.Minute)
	return w
}

var hrefs = regexp.MustCompile(`href="([^"]*)"`)

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// code asks for a code and reads it in the mailbox.
func (w *world) code(capability, mailbox string) string {
	w.t.Helper()
	status, a := w.post("codes", capability, map[string]any{})
	if status != http.StatusAccepted || a.ResendAfter != 60 {
		w.t.Fatalf("codes: %d %+v", status, a)
	}
	m := w.lastMail()
	code := sixDigits.FindString(m.Text)
	if m.To != mailbox || code == "" || !strings.Contains(m.HTML, code) || !strings.Contains(m.Subject, code) {
		w.t.Fatalf("the code's mail: %+v", m)
	}
	return code
}

func (w *world) lastMail() (m struct {
	To, Subject, Text, HTML, Lang string
	Links                         []string
}) {
	w.t.Helper()
	all := w.mailbox.Mails()
	if len(all) == 0 {
		w.t.Fatal("no mail came")
	}
	l := slices.MaxFunc(all, func(a, b mailbox.Mail) int { return a.Number - b.Number })
	m.To, m.Subject, m.Text, m.HTML, m.Lang, m.Links = l.To, l.Subject, l.Text, l.HTML, l.Lang, l.Links
	return m
}

func (w *world) enter(capability, code string) (int, said) {
	w.t.Helper()
	return w.post("codes/check", capability, map[string]any{"code": code})
}

// allowed places the order of a cart and reports whether it was let through by a Proof.
func (w *world) allowed(cart string) bool {
	w.t.Helper()
	o := w.place(cart)
	w.clock.pass(10 * time.Second)
	w.settle()
	return w.order(o.ID).StatusID == 11
}

func TestGuestShowsTheMailboxByCode(t *testing.T) {
	w := guestProved(t)
	cart := w.guest(adas)
	a := w.decide(cart, nil)
	if a.Decision != "verify" || !a.Mail || a.Mailbox != "unproved" || a.TriesLeft != 5 {
		t.Fatalf("before: %+v", a)
	}
	code := w.code(a.Capability, adas)
	typed := code[:3] + " " + code[3:]
	if status, got := w.enter(a.Capability, typed); status != http.StatusOK || got.Decision != "allow" {
		t.Fatalf("the right code: %d %+v", status, got)
	}
	if again := w.decide(cart, map[string]any{"capability": a.Capability}); again.Decision != "allow" {
		t.Errorf("asked again: %+v", again)
	}
	if !w.allowed(cart) {
		t.Error("the order was held")
	}
	if another := w.decide(w.guest(adas), nil); another.Decision != "verify" {
		t.Errorf("another cart under the same mailbox: %+v", another)
	}
	w.check()
}

// TestMailboxIsNotShown: each way in which somebody else might come by Ada's Proof.
func TestMailboxIsNotShown(t *testing.T) {
	for name, attack := range map[string]func(t *testing.T, w *world) (cart string){
		"typed": func(_ *testing.T, w *world) string { return w.guest(adas) },
		"typed, and a wrong code guessed five times, then the right one": func(t *testing.T, w *world) string {
			cart := w.guest(adas)
			a := w.decide(cart, nil)
			code := w.code(a.Capability, adas)
			for i := range 5 {
				if status, got := w.enter(a.Capability, other(code)); status != http.StatusUnprocessableEntity || got.Error.Code != "code_wrong" || got.Error.Field != "code" {
					t.Errorf("guess %d: %d %+v", i+1, status, got.Error)
				}
			}
			if status, got := w.enter(a.Capability, code); status != http.StatusGone || got.Error.Code != "code_expired" {
				t.Errorf("the right one after five: %d %+v", status, got.Error)
			}
			return cart
		},
		"the code came too late": func(t *testing.T, w *world) string {
			cart := w.guest(adas)
			a := w.decide(cart, nil)
			code := w.code(a.Capability, adas)
			w.clock.pass(10 * time.Minute)
			if status, got := w.enter(a.Capability, code); status != http.StatusGone || got.Error.Code != "code_expired" {
				t.Errorf("%d %+v", status, got.Error)
			}
			return cart
		},
		"an older code than the newest": func(t *testing.T, w *world) string {
			cart := w.guest(adas)
			a := w.decide(cart, nil)
			old := w.code(a.Capability, adas)
			w.clock.pass(time.Minute)
			if w.code(a.Capability, adas) == old {
				t.Skip("two codes that are alike, by one chance in a million")
			}
			if status, got := w.enter(a.Capability, old); status != http.StatusUnprocessableEntity || got.Error.Code != "code_wrong" {
				t.Errorf("%d %+v", status, got.Error)
			}
			return cart
		},
		"a code for another cart": func(t *testing.T, w *world) string {
			mine, theirs := w.guest(adas), w.guest("eve@example.com")
			a, b := w.decide(mine, nil), w.decide(theirs, nil)
			code := w.code(b.Capability, "eve@example.com")
			if status, got := w.enter(a.Capability, code); status != http.StatusGone || got.Error.Code != "code_expired" {
				t.Errorf("%d %+v", status, got.Error)
			}
			return mine
		},
		"the mailbox changed after one's own was shown": func(t *testing.T, w *world) string {
			cart := w.guest("eve@example.com")
			a := w.decide(cart, nil)
			if status, _ := w.enter(a.Capability, w.code(a.Capability, "eve@example.com")); status != http.StatusOK {
				t.Errorf("one's own code: %d", status)
			}
			if _, err := w.shop.SetCheckoutBilling(cart, billing(adas)); err != nil {
				t.Fatal(err)
			}
			return cart
		},
		"a code used once, and entered again for another cart": func(t *testing.T, w *world) string {
			first, second := w.guest(adas), w.guest(adas)
			a, b := w.decide(first, nil), w.decide(second, nil)
			code := w.code(a.Capability, adas)
			if status, _ := w.enter(a.Capability, code); status != http.StatusOK {
				t.Errorf("the first time: %d", status)
			}
			for name, capability := range map[string]string{"again": a.Capability, "for the other cart": b.Capability} {
				if status, got := w.enter(capability, code); status != http.StatusGone || got.Error.Code != "code_expired" {
					t.Errorf("%s: %d %+v", name, status, got.Error)
				}
			}
			return second
		},
		"a code asked for under one's own mailbox, which was changed before it was entered": func(t *testing.T, w *world) string {
			cart := w.guest("eve@example.com")
			a := w.decide(cart, nil)
			code := w.code(a.Capability, "eve@example.com")
			if _, err := w.shop.SetCheckoutBilling(cart, billing(adas)); err != nil {
				t.Fatal(err)
			}
			if status, got := w.enter(a.Capability, code); status != http.StatusOK || got.Decision != "verify" {
				t.Errorf("%d %+v", status, got)
			}
			return cart
		},
		"an account registered under the mailbox": func(t *testing.T, w *world) string {
			c := w.register("eve@example.com")
			if err := w.shop.UpdateCustomer(c.ID, func(c *sim.Customer) { c.Email = "ada+1@example.com" }); err != nil {
				t.Fatal(err)
			}
			cart := w.cart(w.product(cheap), c.ID, billing(adas))
			if a := w.decide(cart, map[string]any{"customer_jwt": w.token(c.ID)}); a.Decision != "verify" {
				t.Errorf("the account: %+v", a)
			}
			return cart
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := guestProved(t)
			cart := attack(t, w)
			if a := w.decide(cart, nil); a.Decision != "verify" {
				t.Errorf("the cart may go on: %+v", a)
			}
			if w.allowed(cart) {
				t.Error("the order was let through")
			}
			w.check()
		})
	}
}

// other is six digits that are not code.
func other(code string) string {
	return fmt.Sprintf("%d%s", (code[0]-'0'+1)%10, code[1:])
}

func (w *world) register(mailbox string) sim.Customer {
	w.t.Helper()
	c, err := w.shop.CreateCustomer(sim.Customer{Email: mailbox, FirstName: "Ada", LastName: "Lovelace", Password: "x"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.settle()
	return c
}

// TestGuestOpensAnAccountLater: what she proved as a guest follows her, once the account shows the mailbox.
func TestGuestOpensAnAccountLater(t *testing.T) {
	const late = "ada.later@example.com"
	w := newWorld(t)
	first := w.guest(late)
	if n := w.verify(first, "", simkosmos.PassesWithSelfie); n.State != "passed" {
		t.Fatalf("session %+v", n)
	}
	w.place(first)
	c := w.register(late)
	ns, err := w.ledger.SubjectNotices(context.Background(), hash, fmt.Sprint(c.ID))
	if err != nil || len(ns) != 1 || !strings.Contains(ns[0].Remark, "counts for the account once the account shows") {
		t.Fatalf("the notice: %+v, %v", ns, err)
	}
	if got := w.shop.CustomerAttributes(c.ID); len(got) != 0 {
		t.Errorf("the account has %v from having been opened", got)
	}
	cart := w.cart(w.product(cheap), c.ID, billing(late))
	a := w.decide(cart, map[string]any{"customer_jwt": w.token(c.ID)})
	if a.Decision != "verify" || a.Mailbox != "unproved" {
		t.Fatalf("before: %+v", a)
	}
	if status, got := w.enter(a.Capability, w.code(a.Capability, late)); status != http.StatusOK || got.Decision != "allow" {
		t.Fatalf("the code: %d %+v", status, got)
	}
	w.settle()
	w.checkAttributes(c.ID)
	if !w.allowed(cart) || !w.allowed(w.cart(w.product(cheap), c.ID, billing(late))) {
		t.Error("an order of the account was held")
	}
	if a := w.decide(w.guest(late), nil); a.Decision != "verify" {
		t.Errorf("a guest's cart from what the account has shown: %+v", a)
	}
	stranger := w.register("nobody@example.com")
	ns, err = w.ledger.SubjectNotices(context.Background(), hash, fmt.Sprint(stranger.ID))
	if err != nil || len(ns) != 1 || !strings.Contains(ns[0].Remark, "counts for the account once the account shows") {
		t.Errorf("a stranger's notice: %+v, %v", ns, err)
	}
	w.check()
}

// press opens a link and presses its button.
func (w *world) press(link string) (int, string) {
	w.t.Helper()
	if status, _ := w.get(link, nil); status != http.StatusSeeOther {
		w.t.Fatalf("the link answers %d", status)
	}
	cookie := http.Header{"Cookie": {"__Host-idgate-link=" + link[strings.LastIndex(link, "/")+1:]}, "Content-Type": {"application/x-www-form-urlencoded"}}
	if status, page := w.get(w.app.URL+"/v/", cookie); status != http.StatusOK {
		w.t.Fatalf("the page: %d %s", status, page)
	}
	status, page := w.do(http.MethodPost, w.app.URL+"/v/start", cookie, []byte(url.Values{"document": {"passport"}}.Encode()))
	return status, string(page)
}

// TestMailedLinkShowsTheMailbox: pressing the button behind the link that was mailed is enough where a Proof under the mailbox is; opening it
// is not, and neither is the link that staff see.
func TestMailedLinkShowsTheMailbox(t *testing.T) {
	w := guestProved(t)
	o := w.api()
	w.clock.pass(10 * time.Second)
	w.settle()
	mailed := w.lastMail().Links[0]
	if w.order(o.ID).StatusID != 12 || mailed == w.link(o.ID) {
		t.Fatalf("status %d, the mail carries the link that staff see", w.order(o.ID).StatusID)
	}
	sessions := len(w.tenant.Sessions())
	w.get(mailed, nil) // as a mail scanner does
	w.settle()
	if w.order(o.ID).StatusID != 12 {
		t.Error("opening the link let the order go")
	}
	if status, page := w.press(w.link(o.ID)); status != http.StatusSeeOther || len(w.tenant.Sessions()) != sessions+1 {
		t.Errorf("the staff's link: %d, %d sessions: %s", status, len(w.tenant.Sessions()), page)
	}
	w.settle()
	if w.order(o.ID).StatusID != 12 {
		t.Error("the link that staff see let the order go")
	}
	status, page := w.press(mailed)
	if status != http.StatusOK || !strings.Contains(page, "Verified. Your order can go on.") || len(w.tenant.Sessions()) != sessions+1 {
		t.Errorf("the mailed link: %d, %d sessions: %s", status, len(w.tenant.Sessions()), page)
	}
	w.settle()
	if got := w.order(o.ID); got.StatusID != 11 {
		t.Errorf("status %d", got.StatusID)
	}
	if w.decide(w.guest(adas), nil).Decision != "verify" {
		t.Error("what was shown for an order counts for a cart")
	}
	w.check()
}

// TestLinkFromTheDialog: a link to the cart's own mailbox, opened elsewhere; the checkout goes on.
func TestLinkFromTheDialog(t *testing.T) {
	w := newWorld(t)
	cart := w.guest(adas)
	a := w.decide(cart, map[string]any{"locale": "fr-CA"})
	status, got := w.post("links", a.Capability, map[string]any{"to": "eve@example.com", "email": "eve@example.com", "locale": "fr-CA"})
	if status != http.StatusAccepted || got.ResendAfter != 60 {
		t.Fatalf("links: %d %+v", status, got)
	}
	m := w.lastMail()
	if m.To != adas || m.Lang != "fr" || len(m.Links) != 1 {
		t.Fatalf("the mail: %+v", m)
	}
	if status, page := w.press(m.Links[0]); status != http.StatusSeeOther {
		t.Fatalf("pressing: %d %s", status, page)
	}
	sessions := w.tenant.Sessions()
	last := sessions[len(sessions)-1]
	if last.Document != "ppt_object" {
		t.Errorf("the provider was asked for %s", last.Document)
	}
	w.choose(last.URL, simkosmos.PassesWithSelfie)
	if again := w.decide(cart, map[string]any{"capability": a.Capability}); again.Decision != "allow" {
		t.Errorf("the checkout: %+v", again)
	}
	if !w.allowed(cart) {
		t.Error("the order was held")
	}
	if status, page := w.get(w.app.URL+"/v/", http.Header{"Cookie": {"__Host-idgate-link=" + m.Links[0][strings.LastIndex(m.Links[0], "/")+1:]}}); status != http.StatusOK ||
		!strings.Contains(string(page), `lang="fr"`) {
		t.Errorf("the page afterwards: %d %s", status, page)
	}
}

func TestDocumentsToChoose(t *testing.T) {
	w := newWorld(t)
	cart := w.guest(adas)
	a := w.decide(cart, nil)
	if !slices.Equal(a.Documents, []string{"driver_license", "passport", "id_card"}) {
		t.Fatalf("documents %q", a.Documents)
	}
	if status, got := w.post("sessions", a.Capability, map[string]any{"document": "library_card"}); status != http.StatusUnprocessableEntity || got.Error.Field != "document" {
		t.Errorf("a library card: %d %+v", status, got.Error)
	}
	for document, want := range map[string]string{"driver_license": "dl_object", "passport": "ppt_object", "id_card": "idcard_object", "": "dl_object"} {
		b := w.decide(w.guest(adas), nil)
		if status, got := w.post("sessions", b.Capability, map[string]any{"document": document}); status != http.StatusCreated {
			t.Errorf("%q: %d %+v", document, status, got.Error)
		}
		sessions := w.tenant.Sessions()
		if got := sessions[len(sessions)-1].Document; got != want {
			t.Errorf("%q asks the provider for %s", document, got)
		}
	}
	w.settings(ledger.Settings{Documents: []string{"passport"}})
	b := w.decide(w.guest(adas), nil)
	if !slices.Equal(b.Documents, []string{"passport"}) || !strings.Contains(b.Texts["needs"], "passport") {
		t.Errorf("one kind only: %q, %s", b.Documents, b.Texts["needs"])
	}
	if status, _ := w.post("sessions", b.Capability, map[string]any{"document": "id_card"}); status != http.StatusUnprocessableEntity {
		t.Errorf("a kind that will not do: %d", status)
	}
}

// Where the address is compared a passport is not offered, and not taken; it is said before what will be compared.
func TestDocumentsThatShowAnAddress(t *testing.T) {
	w := newWorld(t, func(p *gate.Policy) { p.Checkout.AddressMatch = true })
	a := w.decide(w.guest(adas), nil)
	if !slices.Equal(a.Documents, []string{"driver_license", "id_card"}) || !strings.Contains(a.Texts["needs"], "The address on the document") || strings.Contains(a.Texts["needs"], "passport") {
		t.Errorf("documents %q, %s", a.Documents, a.Texts["needs"])
	}
	if status, got := w.post("sessions", a.Capability, map[string]any{"document": "passport"}); status != http.StatusUnprocessableEntity || got.Error.Field != "document" || strings.Contains(got.Error.Message, "passport") {
		t.Errorf("a passport: %d %+v", status, got.Error)
	}
	if status, got := w.post("sessions", a.Capability, map[string]any{"document": "id_card"}); status != http.StatusCreated {
		t.Errorf("an identity card: %d %+v", status, got.Error)
	}
	w.settings(ledger.Settings{Documents: []string{"passport", "id_card"}})
	if b := w.decide(w.guest(adas), nil); !slices.Equal(b.Documents, []string{"id_card"}) {
		t.Errorf("of two kinds: %q", b.Documents)
	}
}

// TestDocumentGrace: within the Policy's days of grace a document that has expired makes a Proof, as good as any other; beyond, none.
func TestDocumentGrace(t *testing.T) {
	for _, c := range []struct {
		grace  gate.Days
		person simkosmos.Person
		state  string
		status int
	}{
		{0, simkosmos.LatelyExpired, "failed", 12},
		{20, simkosmos.LatelyExpired, "failed", 12},
		{21, simkosmos.LatelyExpired, "passed", 11},
		{90, simkosmos.ExpiredDocument, "failed", 12},
		{90, simkosmos.Fails, "failed", 12},
	} {
		w := newWorld(t, func(p *gate.Policy) { p.DocumentGrace = c.grace })
		cart := w.guest(adas)
		if n := w.verify(cart, "", c.person); n.State != c.state {
			t.Errorf("%s, %d days: %+v", c.person, c.grace, n)
		}
		o := w.place(cart)
		if o.StatusID != c.status {
			t.Errorf("%s, %d days: status %d", c.person, c.grace, o.StatusID)
		}
		if c.state != "passed" {
			continue
		}
		ps, err := w.ledger.ProofsFor(t.Context(), w.s(), gate.Facts{CartID: cart})
		if err != nil || len(ps) != 1 || ps[0].Until.Sub(ps[0].At) != w.s().Policy.ProofGood.Duration() {
			t.Errorf("%+v, %v", ps, err)
		}
	}
}

// allSettings replaces a Shop's settings.
func allSettings(n ledger.Settings) ledger.SettingsChange {
	return ledger.SettingsChange{To: func(ledger.Settings) (ledger.Settings, string, error) { return n, "", nil }}
}

func (w *world) settings(n ledger.Settings) {
	w.t.Helper()
	if _, err := w.ledger.ChangeSettings(context.Background(), hash, allSettings(n), w.now()); err != nil {
		w.t.Fatal(err)
	}
}

// TestShoppersLanguage: the page's language decides, then the browser's, and the Shop's own words come first.
func TestShoppersLanguage(t *testing.T) {
	w := newWorld(t)
	w.settings(ledger.Settings{Texts: map[string]map[string]string{"de": {"dialog.title": "Bitte kurz ausweisen"}, "en": {"dialog.title": "<b>Prove it</b>"}}})
	for _, c := range []struct{ locale, accept, lang, dir, title string }{
		{"en-US", "de", "en", "ltr", "<b>Prove it</b>"},
		{"de-CH", "en", "de", "ltr", "Bitte kurz ausweisen"},
		{"", "pt-BR,pt;q=0.9", "pt-BR", "ltr", ""},
		{"xx", "ar", "ar", "rtl", ""},
		{"", "", "en", "ltr", "<b>Prove it</b>"},
	} {
		a := w.decide(w.guest(adas), map[string]any{"locale": c.locale}, "Accept-Language", c.accept)
		if a.Lang != c.lang || a.Dir != c.dir || c.title != "" && a.Texts["title"] != c.title || a.Texts["title"] == "" {
			t.Errorf("%s %s: %s %s %q", c.locale, c.accept, a.Lang, a.Dir, a.Texts["title"])
		}
		// The Session, and what goes wrong, are in the language of the page that asked.
		want := words.For(words.Match(c.lang), nil).Ended(words.Ended{Code: "unsupported_document", Retry: true, Documents: a.Documents})
		if _, got := w.post("sessions", a.Capability, map[string]any{"document": "x"}); got.Error.Message != want.Text+" "+want.Next {
			t.Errorf("%s: %q", c.lang, got.Error.Message)
		}
		_, n := w.start(a.Capability)
		w.choose(n.URL, simkosmos.ExpiredDocument)
		said := words.For(words.Match(c.lang), nil).Ended(words.Ended{State: "failed", Code: "expired_document", Retry: true})
		if end := w.session(n.ID, a.Capability); end.Reason == nil || end.Reason.Text != said.Text || end.Reason.Next != said.Next {
			t.Errorf("%s: the session says %+v", c.lang, end.Reason)
		}
	}
	for _, l := range words.Languages() {
		a := w.decide(w.guest(adas), map[string]any{"locale": l.Tag.String()})
		if a.Lang != l.Tag.String() || a.Texts["tries_left"] == "" || a.Texts["choose_document"] == "" {
			t.Errorf("%s: %s %+v", l.Tag, a.Lang, a.Texts)
		}
	}
}

// TestConfirmationPage: only the browser that holds the cart's Capability learns that a step is left.
func TestConfirmationPage(t *testing.T) {
	w := newWorld(t)
	cart := w.guest(adas)
	a := w.decide(cart, nil)
	confirm := func(capability string) said {
		return w.decide("", map[string]any{"page": "order_confirmation", "capability": capability})
	}
	if got := confirm(a.Capability); got.Decision != "none" || got.AgainIn == 0 {
		t.Errorf("before the order is known: %+v", got)
	}
	o := w.place(cart)
	stranger := w.decide(w.guest("eve@example.com"), nil)
	for name, capability := range map[string]string{"none": "", "garbage": "cart.AAAA", "another cart's": stranger.Capability} {
		got := confirm(capability)
		if got.Decision != "none" || got.Order != "" || len(got.Texts) != 0 || got.Capability != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := w.decide(cart, map[string]any{"page": "order_confirmation"}); got.Decision != "none" || got.Order != "" {
		t.Errorf("who knows the cart's id only: %+v", got)
	}
	got := confirm(a.Capability)
	if got.Decision != "verify" || got.Order != fmt.Sprint(o.ID) || got.Texts["confirm_title"] == "" || got.Capability != a.Capability || got.TriesLeft != 5 {
		t.Fatalf("the buyer: %+v", got)
	}
	status, n := w.start(got.Capability)
	if status != http.StatusCreated {
		t.Fatalf("starting: %d %+v", status, n)
	}
	if err := w.tenant.Choose(n.URL[strings.LastIndex(n.URL, "/")+1:], simkosmos.PassesWithSelfie); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(5 * time.Second)
	if did, err := w.relay.Step(context.Background(), ledger.SessionBell); did == 0 || err != nil {
		t.Fatalf("polling: %d %v", did, err)
	}
	// The order has not weighed the Proof yet: nothing has gone wrong, and nobody may be told so.
	if weighed := w.session(n.ID, got.Capability); weighed.State != "processing" || weighed.Reason != nil || weighed.Decision != "verify" {
		t.Errorf("before the order is decided again: %+v", weighed)
	}
	if still := confirm(a.Capability); still.Session == nil || still.Session.State != "processing" || still.Session.Reason != nil {
		t.Errorf("the page before the order is decided again: %+v", still)
	}
	events := make(chan string)
	first := make(chan struct{})
	go func() {
		defer close(events)
		req, _ := http.NewRequest(http.MethodGet, w.app.URL+"/storefront/v1/sessions/"+n.ID+"/events", nil)
		req.Header.Set("Origin", w.origin())
		req.Header.Set("Idgate-Capability", got.Capability)
		res, err := http.DefaultClient.Do(req)
		close(first)
		if err != nil {
			return
		}
		defer res.Body.Close()
		all, _ := io.ReadAll(res.Body)
		events <- string(all)
	}()
	<-first
	w.settle()
	var states []string
	for _, m := range regexp.MustCompile(`"state":"(\w+)"`).FindAllStringSubmatch(<-events, -1) {
		states = append(states, m[1])
	}
	if len(states) == 0 || states[len(states)-1] != "passed" || len(states) > 2 {
		t.Errorf("the stream told %q", states)
	}
	if end := w.session(n.ID, got.Capability); end.Decision != "allow" || end.State != "passed" {
		t.Errorf("the session: %+v", end)
	}
	if after := confirm(a.Capability); after.Decision != "allow" || w.order(o.ID).StatusID != 11 {
		t.Errorf("afterwards: %+v, status %d", after, w.order(o.ID).StatusID)
	}
	// Over HTTP/2 a stream ends at its deadline although nothing is being written: each lies beyond the next heartbeat.
	d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	req := httptest.NewRequest(http.MethodGet, "/storefront/v1/sessions/"+n.ID+"/events", nil)
	req.Header.Set("Origin", w.origin())
	req.Header.Set("Idgate-Capability", got.Capability)
	w.app.Config.Handler.ServeHTTP(d, req)
	if len(d.after) != 1 || d.after[0] < 20*time.Second {
		t.Errorf("deadlines %s, body %s", d.after, d.Body)
	}
	w.check()
}

// deadlines notes how far away each deadline of writing is.
type deadlines struct {
	*httptest.ResponseRecorder
	after []time.Duration
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.after = append(d.after, time.Until(at))
	return nil
}

// TestConfirmationPageInTheMail: a customer whom BigCommerce names is told to look in the mail while the order that they have just placed is
// on our hold; whoever else asks is answered alike and learns nothing.
func TestConfirmationPageInTheMail(t *testing.T) {
	w := newWorld(t)
	ada := w.ada()
	asks := func(more map[string]any) (int, string) {
		t.Helper()
		body := map[string]any{"shop": hash, "channel": 1, "cart_id": "", "page": "order_confirmation", "locale": "de"}
		for k, v := range more {
			body[k] = v
		}
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		w.clock.pass(time.Second) // within the address's rate
		status, raw := w.do(http.MethodPost, w.app.URL+"/storefront/v1/decisions", http.Header{"Origin": {w.origin()}}, b)
		return status, string(raw)
	}
	_, nothing := asks(nil)
	if nothing != `{"decision":"none","tries_left":0,"session":null}` {
		t.Errorf("a stranger is told: %s", nothing)
	}
	alike := func(name, token string) {
		t.Helper()
		if status, got := asks(map[string]any{"customer_jwt": token}); status != http.StatusOK || got != nothing {
			t.Errorf("%s: %d %s", name, status, got)
		}
	}
	alike("before there is an order", w.token(ada.ID))
	place := func() sim.Order { return w.place(w.cart(w.product(cheap), ada.ID, sim.BillingOf(ada))) }
	o := place()
	if w.ours(o.ID).Hold != ledger.Held {
		t.Fatalf("the order: %+v", w.ours(o.ID))
	}
	alike("no token", "")
	alike("garbage", "a.b.c")
	alike("another customer's", w.token(w.other(ada).ID))
	alike("another shop's", w.token(ada.ID, func(c map[string]any) { c["sub"], c["store_hash"] = "othershop", "othershop" }))
	alike("of another operation", w.token(ada.ID, func(c map[string]any) { c["operation"] = "customer_login" }))
	alike("expired", w.token(ada.ID, func(c map[string]any) { c["exp"] = w.clock.now().Unix() - 3600 }))
	alike("a guest's", w.token(0))
	if status, got := asks(map[string]any{"capability": "cart.AAAA"}); status != http.StatusOK || got != nothing {
		t.Errorf("garbage for a Capability: %d %s", status, got)
	}
	for name, capability := range map[string]string{"none": "", "garbage": "cart.AAAA"} {
		got := w.decide("", map[string]any{"page": "order_confirmation", "customer_jwt": w.token(ada.ID), "capability": capability, "locale": "de"})
		german := words.For(words.Match("de"), nil)
		if got.Decision != "mail" || got.Lang != "de" || got.Texts["confirm_title"] != german.Text("dialog.confirm_title", nil) || got.Texts["confirm_mail"] != german.Text("dialog.confirm_mail", nil) ||
			got.Texts["title"] == "" || got.Texts["close"] == "" || got.Order != "" || got.Capability != "" || got.Session != nil {
			t.Errorf("the customer, with the Capability %s: %+v", name, got)
		}
	}
	// Nobody is told by the hour, or on a newer order's page.
	w.clock.pass(time.Hour)
	alike("an hour later", w.token(ada.ID))
	o = place()
	token := func() string { return w.token(ada.ID) }
	if _, got := asks(map[string]any{"customer_jwt": token()}); !strings.Contains(got, `"decision":"mail"`) {
		t.Errorf("the next order: %s", got)
	}
	w.override(o.ID, true)
	alike("a released order", token())
	o = place()
	w.override(o.ID, false)
	alike("a refused order", token())
	place()
	w.policy(func(p *gate.Policy) { p.Mails = false })
	alike("a shop that sends no mails", token())
}

// TestConfirmationPageOnHold: where BigCommerce tells a browser that its order is on hold, the words for that come from us, the same for all,
// and nothing was looked up for them.
func TestConfirmationPageOnHold(t *testing.T) {
	w := newWorld(t)
	held := func(more map[string]any) said {
		t.Helper()
		m := map[string]any{"page": "held", "locale": "fr"}
		for k, v := range more {
			m[k] = v
		}
		w.clock.pass(time.Second)
		return w.decide("held", m)
	}
	before := held(nil)
	french := words.For(words.Match("fr"), nil)
	if want := french.Text("dialog.held_text", nil); before.Decision != "mail" || before.Texts["confirm_mail"] != want || before.Texts["confirm_title"] != french.Text("dialog.held_title", nil) ||
		before.Lang != "fr" || before.Order != "" || before.Capability != "" || len(before.Texts) != 4 {
		t.Fatalf("%+v", before)
	}
	ada := w.ada()
	a := w.decide(w.guest(adas), nil)
	w.place(w.guest(adas))
	w.place(w.cart(w.product(cheap), ada.ID, sim.BillingOf(ada)))
	for name, more := range map[string]map[string]any{"a stranger": nil, "the customer": {"customer_jwt": w.token(ada.ID)}, "a Capability": {"capability": a.Capability}} {
		if got := held(more); plain(t, got) != plain(t, before) {
			t.Errorf("%s is told something else once there are orders: %+v", name, got)
		}
	}
	for name, change := range map[string]func(*gate.Policy){
		"no mails": func(p *gate.Policy) { p.Mails = false },
		"another hold status, which says nothing of a hold": func(p *gate.Policy) { p.HoldStatus = 7 },
		"a policy without effect":                           func(p *gate.Policy) { p.Mode = gate.Shadow },
	} {
		w.policy(change)
		if got := held(nil); got.Decision != "none" || len(got.Texts) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestConfirmationAfterTheMailboxChanged: the Proof has to be under the mailbox that the order names.
func TestConfirmationAfterTheMailboxChanged(t *testing.T) {
	w := newWorld(t)
	cart := w.guest("typo@example.com")
	a := w.decide(cart, nil)
	if _, err := w.shop.SetCheckoutBilling(cart, billing(adas)); err != nil {
		t.Fatal(err)
	}
	o := w.place(cart)
	got := w.decide("", map[string]any{"page": "order_confirmation", "capability": a.Capability})
	if got.Decision != "verify" || got.Capability == a.Capability {
		t.Fatalf("%+v", got)
	}
	_, n := w.start(got.Capability)
	w.choose(n.URL, simkosmos.PassesWithSelfie)
	if w.order(o.ID).StatusID != 11 {
		t.Errorf("status %d", w.order(o.ID).StatusID)
	}
}

func TestConfirmationOfARefusedOrder(t *testing.T) {
	w := newWorld(t)
	cart := w.guest(adas)
	a := w.decide(cart, nil)
	o := w.place(cart)
	w.override(o.ID, false)
	if got := w.decide("", map[string]any{"page": "order_confirmation", "capability": a.Capability}); got.Decision != "refuse" || got.Texts["order_blocked"] == "" {
		t.Errorf("%+v", got)
	}
}

// TestScriptsOfAShop: the gate per channel, on the checkout or on all pages, and the page after the order; counted against what BigCommerce
// allows, the gates first.
func TestScriptsOfAShop(t *testing.T) {
	w := newWorld(t)
	w.settle()
	for _, c := range []struct {
		name         string
		settings     ledger.Settings
		channels     int // besides the first
		gates, after int
		visibility   string
		problem      string
	}{
		{"as it begins", ledger.Settings{}, 0, 1, 0, "checkout", ""},
		{"all pages", ledger.Settings{ScriptOnAllPages: true}, 0, 1, 0, "all_pages", ""},
		{"the page after the order", ledger.Settings{ConfirmationScript: true}, 0, 1, 1, "checkout", ""},
		{"both, five channels", ledger.Settings{ScriptOnAllPages: true, ConfirmationScript: true}, 4, 5, 5, "all_pages", ""},
		{"seven channels", ledger.Settings{ConfirmationScript: true}, 2, 7, 3, "checkout", "so many channels have no script on the page after the order, and their shoppers are told by mail: 4"},
		{"twelve channels", ledger.Settings{ConfirmationScript: true}, 5, 10, 0, "checkout", "channels beyond that have no gate in the page, only the order gate: 2"},
		{"as it was", ledger.Settings{}, 0, 10, 0, "checkout", "only the order gate: 2"},
	} {
		for range c.channels {
			w.shop.AddChannel(sim.Channel{Name: "one more", Platform: "bigcommerce", Type: "storefront", Status: "active"})
		}
		w.settings(c.settings)
		rep, err := w.relay.Reconcile(context.Background(), w.s())
		if err != nil {
			t.Fatal(err)
		}
		gates, after := 0, 0
		for _, x := range w.shop.Scripts() {
			confirms := strings.HasSuffix(x.Src, "&page=order_confirmation")
			switch {
			case x.Visibility == c.visibility && !confirms:
				gates++
			case x.Visibility == "order_confirmation" && confirms && len(x.IntegrityHashes) == 1 && x.ConsentCategory == "essential":
				after++
			default:
				t.Errorf("%s: %+v", c.name, x)
			}
		}
		problems := strings.Join(rep.Problems, "\n")
		if gates != c.gates || after != c.after || len(rep.Scripts) != gates+after || c.problem == "" && problems != "" || !strings.Contains(problems, c.problem) {
			t.Errorf("%s: %d gates, %d after the order, problems %q", c.name, gates, after, problems)
		}
		if again, err := w.relay.Reconcile(context.Background(), w.s()); err != nil || len(again.Changed) != 0 {
			t.Errorf("%s, a second time: %q, %v", c.name, again.Changed, err)
		}
	}
}
