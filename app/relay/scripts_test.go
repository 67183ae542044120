package relay_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	"idgate/assets"
)

func (w *world) reconcile() relay.Installation {
	w.t.Helper()
	rep, err := w.relay.Reconcile(context.Background(), w.s())
	if err != nil {
		w.t.Fatal(err)
	}
	return rep
}

// scriptsLike are the Shop's scripts whose name has a word in it.
func (w *world) scriptsLike(word string) (out []sim.Script) {
	for _, x := range w.shop.Scripts() {
		if strings.Contains(x.Name, word) {
			out = append(out, x)
		}
	}
	return out
}

// TestInlineLock: off at first; made for each storefront where the gate is, before it; mended, and removed when it is switched off.
func TestInlineLock(t *testing.T) {
	w := newWorld(t)
	w.settle()
	if got := w.scriptsLike("inline lock"); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	w.shop.AddChannel(sim.Channel{Name: "Second", Platform: "bigcommerce", Type: "storefront", Status: "active"})
	for _, x := range w.shop.Scripts() {
		if err := w.shop.DeleteScript(x.UUID); err != nil {
			t.Fatal(err)
		}
	}
	w.settings(ledger.Settings{InlineLock: true})
	rep := w.reconcile()
	locks := w.scriptsLike("inline lock")
	if len(rep.Problems) != 0 || len(rep.Scripts) != 4 || len(locks) != 2 || locks[0].ChannelID == locks[1].ChannelID {
		t.Fatalf("%+v, %+v", rep, locks)
	}
	for _, x := range locks {
		if x.Kind != "script_tag" || x.HTML != assets.Lock(false) || strings.Contains(x.HTML, "{{") || x.Visibility != "checkout" || x.Location != "head" || x.LoadMethod != "default" ||
			x.ConsentCategory != "essential" || !x.Enabled || !x.AutoUninstall || len(x.IntegrityHashes) != 0 {
			t.Errorf("%+v", x)
		}
		page := w.shop.ScriptsFor(x.ChannelID, "checkout", "head")
		if len(page) != 2 || page[0].UUID != x.UUID {
			t.Errorf("on the page of channel %d: %+v", x.ChannelID, page)
		}
	}
	for _, part := range rep.Scripts {
		if !part.OK || part.ID == "" {
			t.Errorf("%+v", part)
		}
	}
	if again := w.reconcile(); len(again.Changed) != 0 {
		t.Errorf("a second run: %q", again.Changed)
	}
	// Changed by hand, in each way.
	for name, change := range map[string]func(*sim.Script){
		"switched off": func(x *sim.Script) { x.Enabled = false }, "other words": func(x *sim.Script) { x.HTML = "<script>1</script>" },
		"another category": func(x *sim.Script) { x.ConsentCategory = "analytics" }, "elsewhere": func(x *sim.Script) { x.Visibility = "storefront" },
	} {
		if err := w.shop.UpdateScript(locks[0].UUID, change); err != nil {
			t.Fatal(err)
		}
		rep := w.reconcile()
		now := w.scriptsLike("inline lock")
		if len(rep.Changed) != 1 || !strings.Contains(rep.Changed[0], "put right the checkout script of") || now[0].HTML != assets.Lock(false) || !now[0].Enabled || now[0].Visibility != "checkout" {
			t.Errorf("%s: %q, %+v", name, rep.Changed, now[0])
		}
	}
	if err := w.shop.DeleteScript(locks[1].UUID); err != nil {
		t.Fatal(err)
	}
	if rep := w.reconcile(); len(rep.Changed) != 1 || len(w.scriptsLike("inline lock")) != 2 {
		t.Errorf("deleted: %q", rep.Changed)
	}
	// What happens when the gate never comes is the Policy's to say, and where wallets stand the Shop's.
	w.policy(func(p *gate.Policy) { p.OnUnreachable = gate.Stop })
	w.settings(ledger.Settings{InlineLock: true, ScriptOnAllPages: true})
	w.reconcile()
	for _, x := range w.scriptsLike("inline lock") {
		if x.HTML != assets.Lock(true) || x.Visibility != "all_pages" {
			t.Errorf("%+v", x)
		}
	}
	w.settings(ledger.Settings{})
	if rep := w.reconcile(); len(rep.Changed) != 4 || len(w.scriptsLike("inline lock")) != 0 || len(w.shop.Scripts()) != 2 { // two removed, two gates off all pages
		t.Errorf("switched off: %q, %+v", rep.Changed, w.shop.Scripts())
	}
}

// TestScriptsLimit: what BigCommerce has no room for is not made and is named; a script of somebody else's under our client id counts and is left alone.
func TestScriptsLimit(t *testing.T) {
	w := newWorld(t)
	w.settle()
	for range 3 {
		w.shop.AddChannel(sim.Channel{Name: "One more", Platform: "bigcommerce", Type: "storefront", Status: "active"})
	}
	w.settings(ledger.Settings{InlineLock: true, ConfirmationScript: true}) // 4 gates, 4 locks, 4 pages after the order
	rep := w.reconcile()
	problems := strings.Join(rep.Problems, " ")
	if len(rep.Scripts) != 10 || len(w.shop.Scripts()) != 10 || len(rep.LeftOut) != 2 || !strings.HasSuffix(rep.LeftOut[0], relay.ConfirmationPart) ||
		!strings.Contains(problems, "BigCommerce allows 10 scripts per app; so many channels have no script on the page after the order, and their shoppers are told by mail: 2") {
		t.Errorf("%+v", rep)
	}
	if again := w.reconcile(); len(again.Changed) != 0 || len(again.LeftOut) != 2 {
		t.Errorf("a second run: %q", again.Changed)
	}
	theirs := w.scriptsLike("order confirmation")[0]
	if err := w.shop.UpdateScript(theirs.UUID, func(x *sim.Script) { x.Name = "My own copy" }); err != nil {
		t.Fatal(err)
	}
	rep = w.reconcile()
	if rep.Foreign != 1 || len(rep.Scripts) != 9 || len(w.scriptsLike("My own copy")) != 1 || len(rep.LeftOut) != 3 || !strings.Contains(strings.Join(rep.Problems, " "), "and 1 of these are taken by scripts") {
		t.Errorf("%+v", rep)
	}
	w.settings(ledger.Settings{InlineLock: true})
	if rep = w.reconcile(); len(rep.LeftOut) != 0 || len(rep.Problems) != 0 || len(w.scriptsLike("order confirmation")) != 0 {
		t.Errorf("%+v", rep)
	}
}

// TestConfirmationScriptWorks: the address of the script on the page after the order is served with the very bytes that its integrity names,
// and what it asks there is answered.
func TestConfirmationScriptWorks(t *testing.T) {
	w := newWorld(t)
	w.settle()
	w.settings(ledger.Settings{ConfirmationScript: true})
	w.reconcile()
	page := w.shop.ScriptsFor(1, "order_confirmation", "head")
	if len(page) != 1 || page[0].Kind != "src" || !slices.Equal(page[0].IntegrityHashes, []string{assets.GateIntegrity()}) {
		t.Fatalf("%+v", page)
	}
	if status, body := w.get(page[0].Src, nil); status != http.StatusOK || string(body) != string(assets.Gate()) || !strings.Contains(page[0].Src, "/scripts/"+hash+"/1/gate.") {
		t.Errorf("%s answers %d with %d bytes", page[0].Src, status, len(body))
	}
	cart := w.guest(adas)
	a := w.decide(cart, nil)
	o := w.place(cart)
	if got := w.decide("", map[string]any{"page": "order_confirmation", "capability": a.Capability}); got.Decision != "verify" || got.Texts["confirm_title"] == "" || got.Order == "" {
		t.Errorf("order %d: %+v", o.ID, got)
	}
}

// TestLookPerStorefront: dialog, mail and hosted page are a storefront's own where it has something of its own, else the Shop's.
func TestLookPerStorefront(t *testing.T) {
	w := newWorld(t)
	w.settle()
	second := w.shop.AddChannel(sim.Channel{Name: "Second", Platform: "bigcommerce", Type: "storefront", Status: "active"}).ID
	w.reconcile()
	w.settings(ledger.Settings{
		Branding: ledger.Branding{Name: "First & Sons", Contact: "help@first.example", Accent: "#8a1c4a"},
		Channels: map[int64]ledger.Look{second: {Branding: ledger.Branding{Name: "Second", Accent: "#005f73"},
			Texts: map[string]map[string]string{"en": {"mail.button": "Prove it to {shop}", "dialog.title": "Second asks"}}}},
	})
	if s := w.s(); s.Country == "" {
		t.Error("the country is not known")
	}
	seen := 0
	for _, c := range []struct {
		channel                      int64
		name, accent, title, subject string
	}{{1, "First & Sons", "#8a1c4a", "Verify your identity", "at First & Sons"}, {second, "Second", "#005f73", "Second asks", "at Second"}} {
		a := w.decide(w.guest(adas), map[string]any{"channel": c.channel})
		if a.Texts["accent"] != c.accent || a.Texts["title"] != c.title || !strings.Contains(a.Texts["who_sees"], c.name) {
			t.Errorf("the dialog of %d: %q", c.channel, a.Texts)
		}
		ada := w.ada()
		o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{ChannelID: c.channel, CustomerID: ada.ID, Billing: sim.BillingOf(ada), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		if n := w.ours(o.ID); n.Buyer.Channel != c.channel {
			t.Errorf("order %d: %+v", o.ID, n.Buyer)
		}
		mails := w.mailbox.Mails()
		if got := w.sent(&seen); len(got) != 1 || !strings.Contains(got[0], c.subject) {
			t.Errorf("mails %q", got)
		}
		m := mails[len(mails)-1]
		if m.FromName != c.name || !strings.Contains(m.HTML, "background:"+c.accent) || !strings.Contains(m.Text, "help@first.example") {
			t.Errorf("from %q: %s", m.FromName, m.HTML)
		}
		link := m.Links[0]
		cookie := http.Header{"Cookie": {"__Host-idgate-link=" + link[strings.LastIndex(link, "/")+1:]}}
		if status, page := w.get(w.app.URL+"/v/", cookie); status != http.StatusOK || !strings.Contains(string(page), "/assets/accent."+c.accent[1:]+".css") ||
			!strings.Contains(string(page), "help@first.example") {
			t.Errorf("the hosted page: %d %s", status, page)
		}
	}
	if strings.Contains(w.mailbox.Mails()[0].Text, "Prove it") {
		t.Error("a storefront's text is on another")
	}
}
