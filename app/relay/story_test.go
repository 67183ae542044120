package relay_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
	"idgate/app/receipt"
	"idgate/app/relay"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

const (
	cheap = "Coffee beans"
	dear  = "watch"
)

// product finds a seeded product by a part of its name.
func (w *world) product(name string) int64 {
	w.t.Helper()
	for _, p := range w.shop.Products() {
		if strings.Contains(strings.ToLower(p.Name), strings.ToLower(name)) {
			return p.ID
		}
	}
	w.t.Fatalf("no product like %q", name)
	return 0
}

func (w *world) ada() sim.Customer {
	w.t.Helper()
	for _, c := range w.shop.Customers() {
		if c.Email == "ada@example.com" {
			return c
		}
	}
	w.t.Fatal("no Ada")
	return sim.Customer{}
}

// billing is a guest's address under Ada's name, whom the simulated people are by default.
func billing(email string) sim.Address {
	return sim.Address{FirstName: "Ada", LastName: "Lovelace", Street1: "12 St James's Square", City: "Austin", State: "Texas", StateCode: "TX", Zip: "78701",
		Country: "United States", CountryCode: "US", Email: email}
}

// token is the Current Customer JWT that the storefront hands to its script.
func (w *world) token(customer int64, change ...func(map[string]any)) string {
	now := w.clock.now().Unix()
	claims := map[string]any{"customer": map[string]any{"id": customer, "email": "ada@example.com", "group_id": "0"}, "iss": "bc/apps", "sub": hash, "aud": "client",
		"iat": now, "exp": now + 900, "version": 1, "application_id": "client", "store_hash": hash, "operation": "current_customer"}
	for _, c := range change {
		c(claims)
	}
	return sim.SignJWT(claims, "a secret of the client")
}

func TestInstallationIsReconciled(t *testing.T) {
	w := newWorld(t)
	w.settle()
	hooks, scripts := w.shop.Hooks(), w.shop.Scripts()
	if len(hooks) != 8 || len(scripts) != 1 {
		t.Fatalf("%d hooks and %d scripts", len(hooks), len(scripts))
	}
	for _, h := range hooks {
		if h.Headers["Idgate-Hook-Secret"] != w.s().HookSecret || len(w.s().HookSecret) < 32 {
			t.Errorf("hook %s has no secret header", h.Scope)
		}
	}
	sc := scripts[0]
	if sc.ConsentCategory != "essential" || sc.Location != "head" || sc.LoadMethod != "default" || sc.Visibility != "checkout" || !sc.AutoUninstall || len(sc.IntegrityHashes) != 1 ||
		!strings.Contains(sc.Src, "/gate.") {
		t.Errorf("script %+v", sc)
	}
	again, err := w.relay.Reconcile(context.Background(), w.s())
	if err != nil || len(again.Changed) != 0 || len(again.Problems) != 0 || len(again.Attributes) != 5 {
		t.Fatalf("a second run: %+v, %v", again, err)
	}
	if err := w.shop.DeactivateHook(hooks[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := w.shop.DeleteScript(sc.UUID); err != nil {
		t.Fatal(err)
	}
	mended, err := w.relay.Reconcile(context.Background(), w.s())
	if err != nil || len(mended.Changed) != 2 || len(w.shop.Scripts()) != 1 || !w.shop.Hooks()[0].Active {
		t.Fatalf("mending: %+v, %v", mended, err)
	}
	if status, body := w.get(w.shop.Scripts()[0].Src, nil); status != http.StatusOK || len(body) < 1000 {
		t.Errorf("the script's address answers %d with %d bytes", status, len(body))
	}
}

func TestMemberProvesOnceAndStepsUp(t *testing.T) {
	w := newWorld(t)
	ada := w.ada()
	cart := w.cart(w.product(cheap), ada.ID, sim.BillingOf(ada))
	status, a := w.ask(cart, w.token(ada.ID), "")
	if status != 200 || a.Decision != "verify" || a.Requirement["ial"] != 2.0 || a.Texts["title"] == "" {
		t.Fatalf("first question: %d %+v", status, a)
	}
	n := w.verify(cart, w.token(ada.ID), simkosmos.PassesWithSelfie)
	if n.State != "passed" || n.Decision != "allow" {
		t.Fatalf("session %+v", n)
	}
	if _, a = w.ask(cart, w.token(ada.ID), ""); a.Decision != "allow" {
		t.Fatalf("after the proof: %+v", a)
	}
	o := w.place(cart)
	if o.StatusID != 11 || w.ours(o.ID).Hold != ledger.NotHeld {
		t.Fatalf("order %d in status %d, hold %s", o.ID, o.StatusID, w.ours(o.ID).Hold)
	}
	w.checkAttributes(ada.ID)
	w.checkMetafield(o.ID, "allow")

	second := w.cart(w.product(cheap), ada.ID, sim.BillingOf(ada))
	if _, a = w.ask(second, w.token(ada.ID), ""); a.Decision != "allow" {
		t.Errorf("the next order asks again: %+v", a)
	}
	big := w.cart(w.product(dear), ada.ID, sim.BillingOf(ada))
	w.clock.pass(48 * time.Hour)
	if _, a = w.ask(big, w.token(ada.ID), ""); a.Decision != "verify" || a.Requirement["selfie"] != true {
		t.Errorf("a dear order does not step up: %+v", a)
	}
	if _, a = w.ask(second, w.token(ada.ID), ""); a.Decision != "allow" {
		t.Errorf("a cheap order asks again after two days: %+v", a)
	}
}

func (w *world) checkAttributes(customer int64) {
	w.t.Helper()
	got := w.shop.CustomerAttributes(customer)
	if got["blockid_ial"] != "2" || got["blockid_liveid_enrolled"] != "true" || got["blockid_verified_at"] == "" || got["blockid_expires_at"] == "" {
		w.t.Errorf("attributes %v", got)
	}
	if fields := w.shop.Metafields("customer", customer); len(fields) != 1 || fields[0].Namespace != "blockid" || fields[0].PermissionSet != "app_only" {
		w.t.Errorf("customer metafields %+v", fields)
	}
	if stuck, err := w.ledger.StuckWritebacks(context.Background(), hash); err != nil || len(stuck) != 0 {
		w.t.Errorf("stuck writebacks %+v, %v", stuck, err)
	}
	if len(got["blockid_vc_token"]) > 255 {
		w.t.Errorf("a token of %d characters", len(got["blockid_vc_token"]))
	}
	_, jwks := w.get(w.app.URL+"/.well-known/jwks.json", nil)
	c, err := receipt.Verify(jwks, got["blockid_vc_token"], w.clock.now())
	if err != nil {
		w.t.Fatalf("the customer's receipt: %v", err)
	}
	if err := c.Names(hash, customer); err != nil {
		w.t.Error(err)
	}
	if c.Names(hash, customer+1) == nil {
		w.t.Error("the receipt names another customer too")
	}
}

func (w *world) checkMetafield(order int64, outcome string) {
	w.t.Helper()
	for _, m := range w.shop.Metafields("order", order) {
		if m.Namespace != "blockid" || m.Key != "decision" {
			continue
		}
		var v struct{ Outcome, Receipt string }
		if err := json.Unmarshal([]byte(m.Value), &v); err != nil || v.Outcome != outcome {
			w.t.Errorf("metafield %s: %v", m.Value, err)
		}
		if _, err := receipt.Verify(w.ledger.JWKS(), v.Receipt, w.clock.now()); err != nil {
			w.t.Errorf("the decision's receipt: %v", err)
		}
		return
	}
	w.t.Errorf("order %d carries no decision", order)
}

func TestOrderRoundTheScriptIsHeldAndReleased(t *testing.T) {
	w := newWorld(t)
	o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	held := w.order(o.ID)
	if held.StatusID != 12 || !strings.Contains(held.StaffNotes, "on hold") || w.ours(o.ID).Hold != ledger.Held {
		t.Fatalf("status %d, notes %q, hold %s", held.StatusID, held.StaffNotes, w.ours(o.ID).Hold)
	}
	w.checkMetafield(o.ID, "hold")
	w.openLinkAndVerify(w.link(o.ID), simkosmos.PassesWithSelfie)
	released := w.order(o.ID)
	if released.StatusID != 11 || w.ours(o.ID).Hold != ledger.Released || !strings.Contains(released.StaffNotes, "released, identity proved") {
		t.Fatalf("status %d, notes %q, hold %s", released.StatusID, released.StaffNotes, w.ours(o.ID).Hold)
	}
	w.checkMetafield(o.ID, "allow")
	if strings.Count(released.StaffNotes, "idgate:") != 2 {
		t.Errorf("notes doubled: %q", released.StaffNotes)
	}
}

// link is the address of an order's verification link.
func (w *world) link(order int64) string {
	w.t.Helper()
	return w.app.URL + "/v/" + w.ledger.Token(ledger.Capability{ID: w.ours(order).Link, Purpose: ledger.ForMail})
}

// openLink plays the shopper who opens a mailed link in a browser without JavaScript and begins. It returns where the provider waits, and
// the browser's cookie.
func (w *world) openLink(link string) (captureURL string, cookie http.Header) {
	w.t.Helper()
	status, _ := w.get(link, nil)
	if status != http.StatusSeeOther {
		w.t.Fatalf("the link answers %d", status)
	}
	cookie = http.Header{"Cookie": {"__Host-idgate-link=" + link[strings.LastIndex(link, "/")+1:]}}
	if status, page := w.get(w.app.URL+"/v/", cookie); status != http.StatusOK || !strings.Contains(string(page), "Start verification") {
		w.t.Fatalf("the page: %d %s", status, page)
	}
	if status, _ := w.do(http.MethodPost, w.app.URL+"/v/start", cookie, nil); status != http.StatusSeeOther {
		w.t.Fatalf("starting answers %d", status)
	}
	_, page := w.get(w.app.URL+"/v/", cookie)
	sessions := w.tenant.Sessions()
	last := sessions[len(sessions)-1]
	if !strings.Contains(string(page), last.URL) {
		w.t.Fatalf("the page does not lead to the provider: %s", page)
	}
	return last.URL, cookie
}

// openLinkAndVerify goes on until p has done what p does.
func (w *world) openLinkAndVerify(link string, p simkosmos.Person) {
	w.t.Helper()
	capture, cookie := w.openLink(link)
	w.choose(capture, p)
	if status, page := w.get(w.app.URL+"/v/", cookie); status != http.StatusOK {
		w.t.Fatalf("the page afterwards: %d %s", status, page)
	}
}

func TestWhatTheProviderSays(t *testing.T) {
	for _, c := range []struct {
		person   simkosmos.Person
		state    string
		decision string
		reason   string
		hold     ledger.HoldState
	}{
		{simkosmos.PassesWithSelfie, "passed", "allow", "", ledger.NotHeld},
		{simkosmos.Passes, "failed", "verify", idv.ReasonNoSelfie, ledger.Held},
		{simkosmos.TooYoung, "passed", "verify", "age_too_low", ledger.Held},
		{simkosmos.ExpiredDocument, "failed", "verify", idv.ReasonExpiredDocument, ledger.Held},
		{simkosmos.LatelyExpired, "failed", "verify", idv.ReasonExpiredDocument, ledger.Held},
		{simkosmos.Glare, "failed", "verify", idv.ReasonUnreadableExpiry, ledger.Held},
		{simkosmos.OtherName, "passed", "verify", "name_differs", ledger.Held},
		{simkosmos.Fails, "failed", "verify", "not_verified", ledger.Held},
		{simkosmos.GivesUp, "abandoned", "verify", "", ledger.Held},
		{simkosmos.Declines, "declined", "verify", "", ledger.Held},
		{simkosmos.NeedsReview, "review", "verify", "", ledger.Held},
	} {
		t.Run(string(c.person), func(t *testing.T) {
			w := newWorld(t, func(p *gate.Policy) { p.Checkout.LeastAge = 18 })
			cart := w.cart(w.product(cheap), 0, billing("guest@example.com"))
			n := w.verify(cart, "", c.person)
			if n.State != c.state || n.Decision != c.decision {
				t.Errorf("session %+v", n)
			}
			if c.reason != "" && (n.Reason == nil || n.Reason.Code != c.reason || n.Reason.Text == "" || n.Reason.Next == "") {
				t.Errorf("reason %+v, want %s", n.Reason, c.reason)
			}
			// A guest who places the order all the same finds it held.
			o := w.place(cart)
			if got := w.ours(o.ID).Hold; got != c.hold {
				t.Errorf("hold %s, want %s", got, c.hold)
			}
		})
	}
}

func TestReviewIsNotFinal(t *testing.T) {
	w := newWorld(t)
	cart := w.cart(w.product(cheap), 0, billing("guest@example.com"))
	_, a := w.ask(cart, "", "")
	_, n := w.start(a.Capability)
	w.choose(n.URL, simkosmos.NeedsReview)
	if _, again := w.ask(cart, "", a.Capability); again.Decision != "review" || again.Session == nil || again.Session.State != "review" {
		t.Fatalf("in review: %+v", again)
	}
	o := w.place(cart)
	if o.StatusID != 12 {
		t.Fatalf("status %d", o.StatusID)
	}
	id := n.URL[strings.LastIndex(n.URL, "/")+1:]
	if err := w.tenant.Review(id, simkosmos.Approve); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(2 * time.Minute)
	w.settle()
	if got := w.order(o.ID); got.StatusID != 11 {
		t.Errorf("approved, but in status %d", got.StatusID)
	}
}

func TestVerifyAsAOrderAsB(t *testing.T) {
	verified := func(t *testing.T) (*world, string) {
		w := newWorld(t)
		cart := w.cart(w.product(cheap), 0, billing("ada@example.com"))
		if n := w.verify(cart, "", simkosmos.PassesWithSelfie); n.State != "passed" {
			t.Fatalf("session %+v", n)
		}
		return w, cart
	}
	heldFor := func(t *testing.T, w *world, o sim.Order, code gate.Code) {
		t.Helper()
		d, err := w.ledger.Decision(context.Background(), hash, w.ours(o.ID).DecisionID)
		if err != nil {
			t.Fatal(err)
		}
		if o.StatusID != 12 || !slices.ContainsFunc(d.Reasons, func(r gate.Reason) bool { return r.Code == code }) {
			t.Errorf("status %d for %v, want 12 for %s", o.StatusID, d.Reasons, code)
		}
	}
	t.Run("the mailbox typed into another cart", func(t *testing.T) {
		w, _ := verified(t)
		heldFor(t, w, w.place(w.cart(w.product(cheap), 0, billing("ada@example.com"))), gate.MailboxUnproved)
	})
	t.Run("the mailbox registered as another account", func(t *testing.T) {
		w, _ := verified(t)
		c, err := w.shop.CreateCustomer(sim.Customer{Email: "ada.again@example.com", FirstName: "Ada", LastName: "Lovelace", Password: "x"})
		if err != nil {
			t.Fatal(err)
		}
		heldFor(t, w, w.place(w.cart(w.product(cheap), c.ID, billing("ada@example.com"))), gate.MailboxUnproved)
	})
	t.Run("the cart handed over", func(t *testing.T) {
		w, cart := verified(t)
		b := billing("bob@example.com")
		if _, err := w.shop.SetCheckoutBilling(cart, b); err != nil {
			t.Fatal(err)
		}
		heldFor(t, w, w.place(cart), gate.MailboxDiffers)
	})
	t.Run("the name on the bill changed", func(t *testing.T) {
		w, cart := verified(t)
		b := billing("ada@example.com")
		b.FirstName, b.LastName = "Bob", "Byron"
		if _, err := w.shop.SetCheckoutBilling(cart, b); err != nil {
			t.Fatal(err)
		}
		heldFor(t, w, w.place(cart), gate.NameDiffers)
	})
	byAddress := func(p *gate.Policy) { p.Checkout.AddressMatch = true }
	elsewhere := func(b *sim.Address) {
		b.Street1, b.City, b.State, b.StateCode, b.Zip = "5 Tower Road", "Denver", "Colorado", "CO", "80202"
	}
	t.Run("the address of somebody else", func(t *testing.T) {
		w := newWorld(t, byAddress)
		b := billing("ada@example.com")
		elsewhere(&b)
		cart := w.cart(w.product(cheap), 0, b)
		if n := w.verify(cart, "", simkosmos.PassesWithSelfie); n.State != "passed" || n.Decision != "verify" || n.Reason == nil || n.Reason.Code != string(gate.AddressDiffers) || n.Reason.Next == "" {
			t.Fatalf("session %+v", n)
		}
		heldFor(t, w, w.place(cart), gate.AddressDiffers)
	})
	t.Run("the addresses changed after the proof", func(t *testing.T) {
		w := newWorld(t, byAddress)
		cart := w.cart(w.product(cheap), 0, billing("ada@example.com"))
		if n := w.verify(cart, "", simkosmos.PassesWithSelfie); n.Decision != "allow" {
			t.Fatalf("session %+v", n)
		}
		o := w.place(cart)
		b, to := o.Billing, o.Shipping[0]
		elsewhere(&b)
		elsewhere(&to)
		w.clock.pass(time.Minute)
		if err := w.shop.SetOrderBilling(o.ID, b, "staff"); err != nil {
			t.Fatal(err)
		}
		w.clock.pass(2 * time.Minute)
		w.settle()
		if got := w.order(o.ID); got.StatusID != 11 {
			t.Errorf("it still ships to the address on the document, but is in status %d", got.StatusID)
		}
		if err := w.shop.SetOrderShipping(o.ID, to, "staff"); err != nil {
			t.Fatal(err)
		}
		w.clock.pass(2 * time.Minute)
		w.settle()
		heldFor(t, w, w.order(o.ID), gate.AddressDiffers)
		w.check()
	})
	t.Run("a document that shows no address", func(t *testing.T) {
		w := newWorld(t, byAddress)
		w.settings(ledger.Settings{Documents: []string{"passport"}}) // nothing else is taken, so it is offered
		cart := w.cart(w.product(cheap), 0, billing("ada@example.com"))
		if n := w.verify(cart, "", simkosmos.PassesWithSelfie); n.Reason == nil || n.Reason.Code != string(gate.AddressUnknown) {
			t.Fatalf("session %+v", n)
		}
		heldFor(t, w, w.place(cart), gate.AddressUnknown)
	})
	t.Run("A's token with B's cart", func(t *testing.T) {
		w := newWorld(t)
		ada := w.ada()
		mine := w.cart(w.product(cheap), ada.ID, sim.BillingOf(ada))
		if n := w.verify(mine, w.token(ada.ID), simkosmos.PassesWithSelfie); n.State != "passed" {
			t.Fatalf("session %+v", n)
		}
		bobs := w.cart(w.product(cheap), 0, billing("bob@example.com"))
		if _, a := w.ask(bobs, w.token(ada.ID), ""); a.Decision != "verify" {
			t.Errorf("Ada's token opened Bob's cart: %+v", a)
		}
		heldFor(t, w, w.place(bobs), gate.NoProof)
	})
	t.Run("B's order proved by A", func(t *testing.T) {
		w := newWorld(t)
		b := billing("bob@example.com")
		b.FirstName, b.LastName = "Bob", "Byron"
		o := w.api(func(a *sim.APIOrder) { a.Billing = b })
		w.openLinkAndVerify(w.link(o.ID), simkosmos.PassesWithSelfie) // whose document says Ada Lovelace
		heldFor(t, w, w.order(o.ID), gate.NameDiffers)
	})
	edited := func(t *testing.T, w *world, id int64, edit func() error) sim.Order {
		t.Helper()
		if got := w.order(id); got.StatusID != 11 {
			t.Fatalf("not allowed before: status %d", got.StatusID)
		}
		w.clock.pass(time.Minute)
		if err := edit(); err != nil {
			t.Fatal(err)
		}
		w.clock.pass(2 * time.Minute)
		w.settle()
		return w.order(id)
	}
	t.Run("the bill made out to somebody else after the order", func(t *testing.T) {
		w, cart := verified(t)
		o := w.place(cart)
		b := billing("ada@example.com")
		b.FirstName, b.LastName = "Bob", "Byron"
		heldFor(t, w, edited(t, w, o.ID, func() error { return w.shop.SetOrderBilling(o.ID, b, "staff") }), gate.NameDiffers)
		w.check()
	})
	t.Run("the mailbox changed after the order", func(t *testing.T) {
		w, cart := verified(t)
		o := w.place(cart)
		heldFor(t, w, edited(t, w, o.ID, func() error { return w.shop.SetOrderBilling(o.ID, billing("bob@example.com"), "staff") }), gate.MailboxDiffers)
		w.check()
	})
	t.Run("the address changed after the order", func(t *testing.T) {
		abroad := gate.Rule{Name: "abroad", Mode: gate.Enforce, When: []gate.Condition{{Fact: gate.FactCountry, Values: []string{"FR"}}}, Require: gate.Requirement{IAL: 2, LeastAge: 99}}
		w := newWorld(t, func(p *gate.Policy) { p.Rules = []gate.Rule{abroad} })
		cart := w.cart(w.product(cheap), 0, billing("ada@example.com"))
		w.verify(cart, "", simkosmos.PassesWithSelfie)
		o := w.place(cart)
		to := billing("ada@example.com")
		to.CountryCode, to.City = "FR", "Calais"
		heldFor(t, w, edited(t, w, o.ID, func() error { return w.shop.SetOrderShipping(o.ID, to, "staff") }), gate.AgeTooLow)
		w.check()
	})
	t.Run("the customer turned guest", func(t *testing.T) {
		w := newWorld(t)
		ada := w.ada()
		w.verify(w.cart(w.product(cheap), ada.ID, sim.BillingOf(ada)), w.token(ada.ID), simkosmos.PassesWithSelfie)
		o := w.place(w.cart(w.product(cheap), ada.ID, sim.BillingOf(ada))) // another cart: allowed as hers
		heldFor(t, w, edited(t, w, o.ID, func() error { return w.shop.SetOrderCustomer(o.ID, 0, "staff") }), gate.MailboxUnproved)
		w.check()
	})
	t.Run("the guest turned customer", func(t *testing.T) {
		w, cart := verified(t)
		o := w.place(cart)
		bob, err := w.shop.CreateCustomer(sim.Customer{Email: "bob@example.com", FirstName: "Bob", LastName: "Byron", Password: "x"})
		if err != nil {
			t.Fatal(err)
		}
		// The order is still of the cart and the mailbox that the Proof was made for.
		if got := edited(t, w, o.ID, func() error { return w.shop.SetOrderCustomer(o.ID, bob.ID, "staff") }); got.StatusID != 11 {
			t.Errorf("status %d", got.StatusID)
		}
		// Bob has nothing from it.
		heldFor(t, w, w.place(w.cart(w.product(cheap), bob.ID, billing("bob@example.com"))), gate.NoProof)
		w.check()
	})
	t.Run("the amount grown over the step-up after the proof", func(t *testing.T) {
		w, cart := verified(t)
		w.clock.pass(25 * time.Hour)
		if _, err := w.shop.AddToCart(cart, w.product(dear), 1); err != nil {
			t.Fatal(err)
		}
		heldFor(t, w, w.place(cart), gate.ProofTooOld)
	})
}

func TestLostWebhooksAreFoundBySweep(t *testing.T) {
	w := newWorld(t)
	w.settle() // the first sweep is behind us
	w.shop.DropWebhooks(true)
	o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	if w.order(o.ID).StatusID != 11 {
		t.Fatal("held without a webhook or a sweep")
	}
	w.clock.pass(time.Minute)
	w.settle()
	if got := w.order(o.ID).StatusID; got != 12 {
		t.Errorf("status %d after a sweep", got)
	}
}

func TestOrdersBeforeEnforcementAndOthersHoldsAreLeftAlone(t *testing.T) {
	w := newWorld(t, func(p *gate.Policy) { p.Mode = gate.Shadow })
	place := func() int64 {
		o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		w.settle()
		return o.ID
	}
	early := place()
	if w.order(early).StatusID != 11 {
		t.Fatal("shadow mode wrote")
	}
	d, err := w.ledger.Decision(context.Background(), hash, w.ours(early).DecisionID)
	if err != nil || d.Outcome != gate.Hold || d.Binds() {
		t.Fatalf("shadow decided %+v, %v", d, err)
	}
	w.clock.pass(time.Hour)
	w.policy()
	w.settle()
	w.clock.pass(time.Minute)
	w.settle()
	if w.order(early).StatusID != 11 {
		t.Error("an order from before enforcement was held")
	}
	twelve := 12
	o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}, StatusID: &twelve})
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	if got := w.ours(o.ID); got.Hold != ledger.NotHeld || got.DecisionID == "" {
		t.Errorf("somebody else's 12: hold %s, decision %q", got.Hold, got.DecisionID)
	}
}

func TestLeakIsNamedAndNotUndone(t *testing.T) {
	w := newWorld(t)
	ten := 10
	o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}, StatusID: &ten})
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	if w.order(o.ID).StatusID != 10 || w.ours(o.ID).Hold != ledger.Leaked {
		t.Errorf("status %d, hold %s", w.order(o.ID).StatusID, w.ours(o.ID).Hold)
	}
}

func TestDoorbellChangesNothingButTheNextPoll(t *testing.T) {
	w := newWorld(t)
	cart := w.cart(w.product(cheap), 0, billing("guest@example.com"))
	_, a := w.ask(cart, "", "")
	_, n := w.start(a.Capability)
	ring := func(body string) int {
		status, b := w.do(http.MethodPost, w.app.URL+"/bc/result", http.Header{"Origin": {w.origin()}}, []byte(body))
		if len(b) != 0 {
			t.Errorf("an answer with a body: %s", b)
		}
		return status
	}
	for _, forged := range []string{
		`{"store_hash":"testshop","result":{"session_id":"` + n.ID + `","state":"passed","ial":3,"token":"x"}}`,
		`{"store_hash":"testshop","result":{"session_id":"00000000-0000-7000-8000-000000000000"}}`,
		`{"store_hash":"nobody","result":{"ial":"2"}}`,
		`{"store_hash":"testshop","result":"passed"}`,
		`{"store_hash":"testshop"}`,
	} {
		if status := ring(forged); status != http.StatusAccepted {
			t.Errorf("%s: %d", forged, status)
		}
		w.settle()
	}
	if got := w.session(n.ID, a.Capability); got.State != "created" {
		t.Errorf("a forged result made the session %s", got.State)
	}
	if _, again := w.ask(cart, "", ""); again.Decision != "verify" {
		t.Errorf("a forged result opened the gate: %+v", again)
	}
}

func TestProviderDownIsTheMerchantsChoice(t *testing.T) {
	for choice, want := range map[gate.FailureChoice]string{gate.LetPay: "allow", gate.Stop: "verify"} {
		w := newWorld(t, func(p *gate.Policy) { p.OnProviderDown = choice })
		cart := w.cart(w.product(cheap), 0, billing("guest@example.com"))
		_, a := w.ask(cart, "", "")
		w.tenant.Misbehave(simkosmos.Fault{Down: true})
		if status, _ := w.start(a.Capability); status != http.StatusServiceUnavailable {
			t.Errorf("%s: starting answers %d", choice, status)
		}
		if _, a = w.ask(cart, "", a.Capability); a.Decision != want {
			t.Errorf("%s: %s, want %s", choice, a.Decision, want)
		}
		if o := w.place(cart); o.StatusID != 12 {
			t.Errorf("%s: the order is in status %d", choice, o.StatusID)
		}
	}
}

func TestHostileProviderNeverPasses(t *testing.T) {
	for name, fault := range map[string]simkosmos.Fault{
		"undecryptable": {Undecryptable: true}, "reflected": {Reflected: true}, "foreign key": {ForeignKey: true}, "in the clear": {Unencrypted: true},
		"another session": {WrongSession: true}, "unknown state": {UnknownState: true}, "down": {Down: true}, "busy": {Busy: true}, "dropped": {Dropped: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			cart := w.cart(w.product(cheap), 0, billing("guest@example.com"))
			_, a := w.ask(cart, "", "")
			_, n := w.start(a.Capability)
			w.tenant.Misbehave(fault)
			w.choose(n.URL, simkosmos.PassesWithSelfie)
			if got := w.session(n.ID, a.Capability); got.State == "passed" || got.Decision == "allow" {
				t.Fatalf("passed: %+v", got)
			}
			w.tenant.Misbehave(simkosmos.Fault{})
			w.clock.pass(2 * time.Minute)
			w.settle()
			if got := w.session(n.ID, a.Capability); got.State != "passed" || got.Decision != "allow" {
				t.Errorf("well again, but %+v", got)
			}
		})
	}
	t.Run("passes after our deadline", func(t *testing.T) {
		w := newWorld(t)
		cart := w.cart(w.product(cheap), 0, billing("guest@example.com"))
		_, a := w.ask(cart, "", "")
		_, n := w.start(a.Capability)
		if err := w.tenant.Choose(n.URL, simkosmos.PassesWithSelfie); err != nil {
			t.Fatal(err)
		}
		w.clock.pass(31 * time.Minute)
		w.settle()
		got, err := w.ledger.Session(context.Background(), n.ID)
		if err != nil || got.State != idv.StatePassed || !got.Late || got.Reason != relay.ReasonLate {
			t.Errorf("session %+v, %v", got, err)
		}
		if _, again := w.ask(cart, "", a.Capability); again.Decision != "verify" {
			t.Errorf("a late pass opened the gate: %+v", again)
		}
	})
	t.Run("images are not stored", func(t *testing.T) {
		w := newWorld(t)
		w.tenant.Misbehave(simkosmos.Fault{BigImages: true})
		cart := w.cart(w.product(cheap), 0, billing("guest@example.com"))
		if n := w.verify(cart, "", simkosmos.PassesWithSelfie); n.State != "passed" {
			t.Fatalf("session %+v", n)
		}
	})
}

func TestRefusedTokenSuspendsUntilReinstalled(t *testing.T) {
	w := newWorld(t)
	w.shop.RevokeToken()
	o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	w.settle()
	if s := w.s(); s.State != ledger.Suspended {
		t.Fatalf("a refused token leaves the shop %s", s.State)
	}
	w.install()
	w.clock.pass(11 * time.Minute)
	w.settle()
	if got := w.order(o.ID).StatusID; got != 12 {
		t.Errorf("after a re-install: status %d", got)
	}
}

// An order that moves between its decision and its hold is looked at again, and held where it is then.
func TestOrderThatMovesBeforeItsHoldIsHeldAllTheSame(t *testing.T) {
	w := newWorld(t)
	o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	w.platform.Deliver(context.Background())
	for _, b := range []ledger.Bell{ledger.NoticeBell, ledger.OrderBell} {
		if _, err := w.relay.Step(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	if w.ours(o.ID).Hold != ledger.Holding {
		t.Fatalf("hold %s", w.ours(o.ID).Hold)
	}
	if err := w.shop.SetOrderStatus(o.ID, 9, "merchant"); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if got := w.ours(o.ID); w.order(o.ID).StatusID != 12 || got.Hold != ledger.Held || got.FormerStatus != 9 {
		t.Errorf("status %d, hold %s, former %d", w.order(o.ID).StatusID, got.Hold, got.FormerStatus)
	}
}

// A refusal stands over the rules; it may come while the hold is still being written, and may be taken back.
func TestRefusedWhileBeingHeld(t *testing.T) {
	w := newWorld(t)
	o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	w.platform.Deliver(context.Background())
	for _, b := range []ledger.Bell{ledger.NoticeBell, ledger.OrderBell} {
		if _, err := w.relay.Step(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	w.override(o.ID, false)
	w.settle()
	if w.order(o.ID).StatusID != 12 || w.ours(o.ID).Hold != ledger.Refused {
		t.Fatalf("refused: status %d, hold %s", w.order(o.ID).StatusID, w.ours(o.ID).Hold)
	}
	w.override(o.ID, true)
	w.settle()
	if w.order(o.ID).StatusID != 11 || w.ours(o.ID).Hold != ledger.Released {
		t.Errorf("taken back: status %d, hold %s", w.order(o.ID).StatusID, w.ours(o.ID).Hold)
	}
}

// override plays a named person's word.
func (w *world) override(order int64, release bool) {
	w.t.Helper()
	d := gate.Decision{Outcome: gate.Refuse, Mode: gate.Enforce, Reasons: []gate.Reason{{Code: gate.RefusedByPerson}}, Rules: []gate.RuleResult{}}
	if release {
		d.Outcome, d.Reasons[0].Code = gate.Allow, gate.ReleasedByPerson
	}
	n := ledger.NewDecision{Facts: gate.Facts{Stage: gate.AtOrder, OrderID: order}, Decision: d, Policy: w.s().Policy.Version, MadeBy: ledger.ByPerson, Person: "rita@example.com", Note: "because"}
	if err := w.ledger.Override(context.Background(), w.s(), w.ours(order), release, n, w.relay.OverrideMails(w.ours(order), release), w.clock.now()); err != nil {
		w.t.Fatal(err)
	}
}

// Rules may look at what only the catalog, the customer's group or their earlier orders tell.
func TestFactsThatAreLookedUp(t *testing.T) {
	var alcohol string
	rule := func(f gate.FactName, values ...string) gate.Rule {
		return gate.Rule{Name: "r", Mode: gate.Enforce, Require: gate.Requirement{IAL: 2}, When: []gate.Condition{{Fact: f, Values: values}}}
	}
	probe := newWorld(t)
	for _, c := range probe.shop.Categories() {
		if c.Name == "Alcohol" {
			alcohol = strconv.FormatInt(c.ID, 10)
		}
	}
	if alcohol == "" {
		t.Fatal("no category Alcohol")
	}
	for _, c := range []struct {
		name    string
		rule    gate.Rule
		product string
		member  bool
		want    string
	}{
		{"whisky", rule(gate.FactCategory, alcohol), "whisky", false, "verify"},
		{"coffee", rule(gate.FactCategory, alcohol), cheap, false, "allow"},
		{"a guest", rule(gate.FactGroup, "guest"), cheap, false, "verify"},
		{"a member is no guest", rule(gate.FactGroup, "guest"), cheap, true, "allow"},
		{"a member with orders", rule(gate.FactFirstOrder), cheap, true, "allow"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, func(p *gate.Policy) {
				p.Checkout, p.StepUp, p.Rules = gate.Requirement{}, nil, []gate.Rule{c.rule}
			})
			id, token, bill := int64(0), "", billing("guest@example.com")
			if c.member {
				ada := w.ada()
				id, token, bill = ada.ID, w.token(ada.ID), sim.BillingOf(ada)
			}
			cart := w.cart(w.product(c.product), id, bill)
			if _, a := w.ask(cart, token, ""); a.Decision != c.want {
				t.Errorf("at checkout %s, want %s", a.Decision, c.want)
			}
			held := map[string]int{"verify": 12, "allow": 11}[c.want]
			if o := w.place(cart); o.StatusID != held {
				t.Errorf("the order is in status %d, want %d", o.StatusID, held)
			}
		})
	}
}

// TestFactsThatNobodyTells: an order is decided although BigCommerce will not tell a fact that a rule asks for, and the fact counts against it.
func TestFactsThatNobodyTells(t *testing.T) {
	group := func(f gate.FactName, values ...string) gate.Rule {
		return gate.Rule{Name: "r", Mode: gate.Enforce, Require: gate.Requirement{IAL: 2}, When: []gate.Condition{{Fact: f, Values: values}}}
	}
	order := func(t *testing.T, r gate.Rule, before func(*world, int64)) (*world, int64) {
		w := newWorld(t, func(p *gate.Policy) { p.Checkout, p.StepUp, p.Rules = gate.Requirement{}, nil, []gate.Rule{r} })
		w.shop.KeepCustomerInOrders(true)
		ada := w.ada()
		o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{CustomerID: ada.ID, Billing: sim.BillingOf(ada), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
		w.must(err)
		before(w, ada.ID)
		w.settle()
		return w, o.ID
	}
	t.Run("the customer is gone", func(t *testing.T) {
		w, id := order(t, group(gate.FactGroup, "77"), func(w *world, ada int64) { w.must(w.shop.DeleteCustomer(ada)) })
		w.stands(id, 12, ledger.Held)
	})
	for name, c := range map[string]struct {
		rule  gate.Rule
		scope string
	}{
		"no permission to read products":  {group(gate.FactCategory, "77"), "store_v2_products"},
		"no permission to read customers": {group(gate.FactGroup, "77"), "store_v2_customers"},
	} {
		t.Run(name, func(t *testing.T) {
			w, id := order(t, c.rule, func(w *world, _ int64) {
				scopes := slices.DeleteFunc(slices.Clone(sim.DefaultScopes), func(s string) bool { return strings.HasPrefix(s, c.scope) })
				w.must(w.shop.SetTokenScopes(w.shop.Installation().Token, scopes...))
			})
			w.stands(id, 12, ledger.Held)
		})
	}
}

// A cart that names no buyer yet gets no Session: a proof for it would be nobody's, and a try would be spent.
func TestCartThatNamesNobody(t *testing.T) {
	w := newWorld(t)
	c := w.shop.NewCart(w.shop.Channels()[0].ID, 0)
	if _, err := w.shop.AddToCart(c.ID, w.product(cheap), 1); err != nil {
		t.Fatal(err)
	}
	_, a := w.ask(c.ID, "", "")
	if a.Decision != "verify" || !a.Unnamed {
		t.Errorf("%+v", a)
	}
	status, b := w.do(http.MethodPost, w.app.URL+"/storefront/v1/sessions", http.Header{"Origin": {w.origin()}, "Idgate-Capability": {a.Capability}}, []byte("{}"))
	if status != http.StatusConflict || !strings.Contains(string(b), "buyer_unknown") {
		t.Errorf("starting: %d %s", status, b)
	}
	if _, err := w.shop.SetCheckoutBilling(c.ID, billing("guest@example.com")); err != nil {
		t.Fatal(err)
	}
	if _, a = w.ask(c.ID, "", a.Capability); a.Unnamed {
		t.Errorf("named by now: %+v", a)
	}
	if status, _ := w.start(a.Capability); status != http.StatusCreated {
		t.Errorf("starting: %d", status)
	}
}

// However BigCommerce answers for a while, the order is held once it answers again, once, and its note stands once.
func TestBigCommerceAnswersBadlyForAWhile(t *testing.T) {
	for _, fault := range []sim.Fault{sim.TooMany, sim.TooManyBare, sim.LegacyLimit, sim.ServerError, sim.Unavailable, sim.Cut, sim.DoneButError} {
		t.Run(fault.String(), func(t *testing.T) {
			w := newWorld(t)
			w.settle()
			w.shop.FailNext(sim.FailRule{Fault: fault, Path: "/v2/orders", Times: 7})
			o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
			if err != nil {
				t.Fatal(err)
			}
			for range 12 {
				w.settle()
				w.clock.pass(2 * time.Minute)
			}
			w.settle()
			got := w.order(o.ID)
			if got.StatusID != 12 || w.ours(o.ID).Hold != ledger.Held || strings.Count(got.StaffNotes, "on hold") != 1 {
				t.Errorf("status %d, hold %s (%s), notes %q", got.StatusID, w.ours(o.ID).Hold, w.ours(o.ID).Trouble, got.StaffNotes)
			}
			for _, complaint := range CheckWorld(w.ledger, w.shop, Checks{Since: o.ID}) {
				t.Error(complaint)
			}
		})
	}
}
