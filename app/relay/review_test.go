package relay_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

const reviewer = "rita@example.com"

// held makes an order round the script, which the gate holds.
func (w *world) held() sim.Order {
	w.t.Helper()
	o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.settle()
	if got := w.ours(o.ID).Hold; got != ledger.Held {
		w.t.Fatalf("order %d is %s", o.ID, got)
	}
	return w.order(o.ID)
}

// says is a reviewer's Decision on an order.
func (w *world) says(o ledger.Order, out gate.Outcome, code gate.Code) ledger.NewDecision {
	return ledger.NewDecision{Decision: gate.Decision{Outcome: out, Would: out, Mode: gate.Enforce, Rules: []gate.RuleResult{}, Reasons: []gate.Reason{{Code: code, Detail: reviewer}}},
		Policy: w.s().Policy.Version, MadeBy: ledger.ByPerson, Person: reviewer, Note: "because",
		Facts: gate.Facts{Stage: gate.AtOrder, OrderID: o.ID, CartID: o.CartID, Buyer: gate.Buyer{CustomerID: o.CustomerID, Mailbox: o.Mailbox}, Value: o.Value}}
}

func (w *world) overrides(id int64, release bool) error {
	o := w.ours(id)
	n := w.says(o, gate.Refuse, gate.RefusedByPerson)
	if release {
		n = w.says(o, gate.Allow, gate.ReleasedByPerson)
	}
	return w.ledger.Override(context.Background(), w.s(), o, release, n, w.relay.OverrideMails(o, release), w.now())
}

func (w *world) undoes(id int64) error {
	o := w.ours(id)
	return w.relay.Undo(context.Background(), w.s(), o, w.says(o, gate.Hold, gate.UndoneByPerson))
}

// waits holds what waits for a person to kinds, with the orders they are about.
func (w *world) waits(want ...ledger.Review) {
	w.t.Helper()
	got, err := w.ledger.ReviewsPage(context.Background(), hash, "", ledger.ReviewPlace{}, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	same := slices.EqualFunc(got, want, func(a, b ledger.Review) bool {
		return a.Kind == b.Kind && a.OrderID == b.OrderID && a.CartID == b.CartID && !a.Since.IsZero()
	})
	if !same {
		w.t.Errorf("waits %+v, want %+v", got, want)
	}
	if n, err := w.ledger.CountReviews(context.Background(), hash); err != nil || n != int64(len(want)) {
		w.t.Errorf("counted %d, %v", n, err)
	}
}

func (w *world) stands(id int64, status int, hold ledger.HoldState) {
	w.t.Helper()
	if o, h := w.order(id), w.ours(id).Hold; o.StatusID != status || h != hold {
		w.t.Errorf("order %d is in status %d and %s, want %d and %s; notes %q", id, o.StatusID, h, status, hold, o.StaffNotes)
	}
}

func (w *world) decision(id int64) ledger.Decision {
	w.t.Helper()
	d, err := w.ledger.Decision(context.Background(), hash, w.ours(id).DecisionID)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func has(d ledger.Decision, code gate.Code) bool {
	return slices.ContainsFunc(d.Reasons, func(r gate.Reason) bool { return r.Code == code })
}

// well holds the world to CheckWorld.
func (w *world) well() {
	w.t.Helper()
	for _, wrong := range CheckWorld(w.ledger, w.shop, Checks{Mails: w.mailbox.Mails()}) {
		w.t.Error(wrong)
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) is(got, want error) {
	w.t.Helper()
	if !errors.Is(got, want) {
		w.t.Errorf("%v, want %v", got, want)
	}
}

// mailed lists the subjects' ids of the mails that an order's buyer was sent.
func (w *world) mailed(id int64) (refs []string) {
	w.t.Helper()
	ws, err := w.ledger.OrderWritebacks(context.Background(), hash, id)
	w.must(err)
	for _, x := range ws {
		if x.Kind == ledger.Mail && x.State == "done" {
			refs = append(refs, x.Ref)
		}
	}
	slices.Sort(refs)
	return refs
}

func TestReviewRelease(t *testing.T) {
	w := newWorld(t)
	o := w.held()
	w.must(w.overrides(o.ID, true))
	w.is(w.overrides2(o.ID, o), ledger.ErrMoved)
	w.settle()
	w.stands(o.ID, 11, ledger.Released)
	w.must(w.undoes(o.ID))
	w.is(w.undoes(o.ID), ledger.ErrMoved) // twice
	w.settle()
	w.clock.pass(10 * time.Second)
	w.settle() // the echoes
	w.stands(o.ID, 12, ledger.Held)
	if got := w.ours(o.ID); got.PersonSays != "" || got.Holds != 2 || got.Touched || got.Reheld != 0 {
		t.Errorf("%+v", got)
	}
	if got := w.mailed(o.ID); !slices.Equal(got, []string{"link#1", "link#2", "released#1"}) {
		t.Errorf("mailed %v", got)
	}
	w.waits()
	w.well()
	w.openLinkAndVerify(w.link(o.ID), simkosmos.PassesWithSelfie)
	w.stands(o.ID, 11, ledger.Released)
	w.is(w.undoes(o.ID), ledger.ErrMoved) // a Proof let it go, nobody's word
	w.well()
}

// overrides2 is a second reviewer whose page showed the order as it was.
func (w *world) overrides2(id int64, was sim.Order) error {
	o := w.ours(id)
	o.Hold, o.PersonSays = ledger.Held, ""
	return w.ledger.Override(context.Background(), w.s(), o, false, w.says(o, gate.Refuse, gate.RefusedByPerson), nil, w.now())
}

// TestReviewUndoInTime: the release is taken back at every moment of its being written.
func TestReviewUndoInTime(t *testing.T) {
	for _, at := range []string{"before it is written", "writeback claimed", "before the order is written", "after the order is written", "writeback confirmed"} {
		t.Run(at, func(t *testing.T) {
			w := newWorld(t)
			o := w.held()
			w.must(w.overrides(o.ID, true))
			var undone error
			if at == "before it is written" {
				undone = w.undoes(o.ID)
			} else {
				var once sync.Once
				w.relay.At = func(step string) {
					if step == at && w.ours(o.ID).PersonSays == "release" {
						once.Do(func() { undone = w.undoes(o.ID) })
					}
				}
			}
			w.settle()
			w.clock.pass(time.Minute)
			w.settle()
			w.must(undone)
			w.stands(o.ID, 12, ledger.Held)
			if got := w.ours(o.ID); got.PersonSays != "" || got.Touched {
				t.Errorf("%+v", got)
			}
			w.well()
		})
	}
}

func TestReviewUndoTooLate(t *testing.T) {
	for _, status := range []int{2, 9, 10, 5} {
		w := newWorld(t)
		o := w.held()
		w.must(w.overrides(o.ID, true))
		w.settle()
		w.must(w.shop.SetOrderStatus(o.ID, status, "somebody"))
		w.is(w.undoes(o.ID), relay.ErrMovedOn) // before the webhook has come
		w.settle()
		if relay.CanUndo(w.s(), w.ours(o.ID)) != relay.NotUndoable {
			t.Errorf("%d: can be undone", status)
		}
		w.is(w.undoes(o.ID), ledger.ErrMoved)
		if got := w.order(o.ID).StatusID; got != status {
			t.Errorf("in status %d, was %d", got, status)
		}
		w.well()
	}
}

func TestReviewRefusal(t *testing.T) {
	w := newWorld(t)
	o := w.held()
	link := w.link(o.ID)
	capture, _ := w.openLink(link)
	w.must(w.overrides(o.ID, false))
	w.is(w.overrides(o.ID, false), ledger.ErrMoved)
	w.settle()
	w.choose(capture, simkosmos.PassesWithSelfie)
	w.stands(o.ID, 12, ledger.Refused) // a Proof does not change a person's mind
	w.must(w.undoes(o.ID))
	w.is(w.undoes(o.ID), ledger.ErrMoved)
	w.settle()
	w.stands(o.ID, 11, ledger.Released) // it was proved meanwhile
	if d := w.decision(o.ID); d.MadeBy != ledger.ByRule || d.ProofID == "" {
		t.Errorf("%+v", d)
	}
	w.well()

	p := w.held()
	w.must(w.overrides(p.ID, false))
	w.settle()
	w.must(w.undoes(p.ID))
	w.settle()
	w.stands(p.ID, 12, ledger.Held)
	if d := w.decision(p.ID); d.MadeBy != ledger.ByRule || d.Outcome != gate.Hold {
		t.Errorf("%+v", d)
	}
	w.well()
}

func TestReviewTwoAtOnce(t *testing.T) {
	w := newWorld(t)
	o := w.held()
	was := w.ours(o.ID)
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		release := i%2 == 0
		n := w.says(was, gate.Refuse, gate.RefusedByPerson)
		if release {
			n = w.says(was, gate.Allow, gate.ReleasedByPerson)
		}
		wg.Go(func() { errs[i] = w.ledger.Override(context.Background(), w.s(), was, release, n, nil, w.now()) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			w.is(err, ledger.ErrMoved)
		}
	}
	if won != 1 {
		t.Errorf("%d had their way", won)
	}
	ds, err := w.ledger.OrderDecisions(context.Background(), hash, o.ID)
	w.must(err)
	if n := len(slices.DeleteFunc(ds, func(d ledger.Decision) bool { return d.MadeBy != ledger.ByPerson })); n != 1 {
		t.Errorf("%d decisions of people", n)
	}
	w.settle()
	w.well()
}

// tries plays a buyer who tries behind the link, for the first time or once more.
func (w *world) tries(id int64, p simkosmos.Person, before int) {
	w.t.Helper()
	link := w.link(id)
	cookie := http.Header{"Cookie": {"__Host-idgate-link=" + link[strings.LastIndex(link, "/")+1:]}}
	if status, page := w.do(http.MethodPost, w.app.URL+"/v/start", cookie, nil); status != http.StatusSeeOther {
		w.t.Fatalf("try %d: %d %s", before+1, status, page)
	}
	sessions := w.tenant.Sessions()
	w.choose(sessions[len(sessions)-1].URL, p)
}

func TestReviewTriesSpentAndAskedAgain(t *testing.T) {
	w := newWorld(t)
	o := w.held()
	ctx := context.Background()
	fail := func(n int) {
		for i := range n {
			w.waits()
			w.tries(o.ID, simkosmos.Fails, i)
		}
	}
	fail(5)
	w.waits(ledger.Review{Kind: ledger.TriesSpent, OrderID: o.ID})
	_, err := w.relay.AskAgain(ctx, w.s(), w.ours(o.ID), "she called")
	w.must(err)
	next, err := w.relay.AskAgain(ctx, w.s(), w.ours(o.ID), "twice")
	w.is(err, ledger.ErrMoved)
	if want := w.now().Add(time.Hour); !next.Equal(want) {
		t.Errorf("again at %s, want %s", next, want)
	}
	w.is(w.ledger.AskAgain(ctx, w.s(), w.ours(o.ID), "link-ask-2#1", w.now().Add(-time.Hour), "at the same time", w.now()), ledger.ErrMoved)
	w.settle()
	if got := w.mailed(o.ID); !slices.Equal(got, []string{"link#1", "link-ask-1#1"}) {
		t.Errorf("mailed %v", got)
	}
	w.clock.pass(time.Second)
	fail(4)
	w.tries(o.ID, simkosmos.PassesWithSelfie, 4)
	w.stands(o.ID, 11, ledger.Released)
	w.waits()
	w.well()
	if _, err := w.relay.AskAgain(ctx, w.s(), w.ours(o.ID), "gone"); !errors.Is(err, ledger.ErrMoved) {
		t.Error(err)
	}
	silent := newWorld(t, func(p *gate.Policy) { p.Mails = false })
	o = silent.held()
	_, err = silent.relay.AskAgain(ctx, silent.s(), silent.ours(o.ID), "")
	silent.is(err, relay.ErrNoMails)
}

// TestReviewAskedTooOften: fresh tries have an end.
func TestReviewAskedTooOften(t *testing.T) {
	w := newWorld(t)
	o := w.held()
	for range 10 {
		_, err := w.relay.AskAgain(context.Background(), w.s(), w.ours(o.ID), "")
		w.must(err)
		w.settle()
		w.clock.pass(time.Hour + time.Second)
	}
	_, err := w.relay.AskAgain(context.Background(), w.s(), w.ours(o.ID), "")
	w.is(err, relay.ErrTooManyTries)
	if n := len(w.mailed(o.ID)); n < 11 {
		t.Errorf("%d mails", n)
	}
}

func TestReviewQueue(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	shipped := 2
	leak, err := w.shop.PlaceOrderByAPI(sim.APIOrder{StatusID: &shipped, Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
	w.must(err)
	w.settle()
	w.clock.pass(time.Minute)
	moved := w.held()
	w.clock.pass(time.Minute)
	w.must(w.shop.SetOrderStatus(moved.ID, 2, "somebody"))
	w.settle()
	w.must(w.ledger.List(ctx, w.s(), []ledger.Listed{{Mailbox: "eve@example.com", List: gate.OnBlockList, Note: "n"}}, w.now()))
	w.clock.pass(time.Minute)
	blocked, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("eve@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
	w.must(err)
	w.settle()
	want := []ledger.Review{{Kind: ledger.WasLeaked, OrderID: leak.ID}, {Kind: ledger.WasMoved, OrderID: moved.ID}, {Kind: ledger.NoWay, OrderID: blocked.ID}}
	w.waits(want...)
	for i, k := range []ledger.ReviewKind{ledger.WasLeaked, ledger.WasMoved, ledger.NoWay} {
		got, err := w.ledger.ReviewsPage(ctx, hash, k, ledger.ReviewPlace{}, 10)
		w.must(err)
		if len(got) != 1 || got[0].OrderID != want[i].OrderID {
			t.Errorf("%s: %+v", k, got)
		}
		next, err := w.ledger.ReviewsPage(ctx, hash, "", ledger.ReviewPlace{Since: got[0].Since, Kind: k, Subject: got[0].Subject}, 10)
		w.must(err)
		if len(next) != 2-i {
			t.Errorf("after %s: %+v", k, next)
		}
	}
	w.must(w.ledger.AcknowledgeReview(ctx, hash, ledger.WasLeaked, subjectOf(want[0]), "seen it", w.now()))
	w.is(w.ledger.AcknowledgeReview(ctx, hash, ledger.WasLeaked, subjectOf(want[0]), "seen it", w.now()), ledger.ErrMoved)
	w.is(w.ledger.AcknowledgeReview(ctx, "another", ledger.WasMoved, subjectOf(want[1]), "theirs", w.now()), ledger.ErrMoved)
	for _, o := range []int64{leak.ID, moved.ID, blocked.ID} { // looked at once more
		w.must(w.ledger.DueOrder(ctx, hash, o, w.now()))
	}
	w.settle()
	w.waits(want[1:]...)
	w.must(w.overrides(blocked.ID, true))
	w.settle()
	w.waits(want[1])
	w.must(w.shop.SetOrderStatus(moved.ID, 4, "somebody"))
	w.settle()
	w.waits()
	w.well()
}

func subjectOf(r ledger.Review) string { return strconv.FormatInt(r.OrderID, 10) }

// TestReviewOfSessions: a Session that a person at the provider looks at waits here too, until it ends or somebody decides.
func TestReviewOfSessions(t *testing.T) {
	w := newWorld(t)
	cart := w.cart(w.product(cheap), 0, billing("guest@example.com"))
	w.verify(cart, "", simkosmos.NeedsReview)
	w.waits(ledger.Review{Kind: ledger.InReview, CartID: cart})
	sessions := w.tenant.Sessions()
	w.must(w.tenant.Review(sessions[len(sessions)-1].ID, simkosmos.Approve))
	w.clock.pass(2 * time.Minute)
	w.settle()
	w.waits()

	cart = w.cart(w.product(cheap), 0, billing("other@example.com"))
	w.verify(cart, "", simkosmos.NeedsReview)
	o := w.place(cart)
	w.stands(o.ID, 12, ledger.Held)
	w.waits(ledger.Review{Kind: ledger.InReview, CartID: cart})
	w.must(w.overrides(o.ID, true))
	w.settle()
	w.waits()
	w.well()
}

// TestReviewLatePass: a pass after our deadline makes no Proof, and waits for a person.
func TestReviewLatePass(t *testing.T) {
	w := newWorld(t)
	o := w.held()
	capture, _ := w.openLink(w.link(o.ID))
	w.must(w.tenant.Choose(capture[strings.LastIndex(capture, "/")+1:], simkosmos.PassesWithSelfie))
	w.clock.pass(48 * time.Hour)
	w.settle()
	w.stands(o.ID, 12, ledger.Held)
	w.waits(ledger.Review{Kind: ledger.LatePass, OrderID: o.ID})
	w.must(w.overrides(o.ID, true))
	w.settle()
	w.stands(o.ID, 11, ledger.Released)
	w.waits()
	w.well()
}

// waitingSession is the Session of what waits first.
func (w *world) waitingSession() ledger.Session {
	w.t.Helper()
	rs, err := w.ledger.ReviewsPage(context.Background(), hash, "", ledger.ReviewPlace{}, 1)
	if err != nil || len(rs) != 1 {
		w.t.Fatal(rs, err)
	}
	n, err := w.ledger.Session(context.Background(), rs[0].Subject)
	w.must(err)
	return n
}

// TestReviewOfCart: a person's word on a cart stands for that cart, and for the order that it becomes, and for nothing else.
func TestReviewOfCart(t *testing.T) {
	ctx := context.Background()
	inReview := func(t *testing.T) (*world, string, ledger.Session) {
		w := newWorld(t)
		cart := w.cart(w.product(cheap), 0, billing("guest@example.com"))
		w.verify(cart, "", simkosmos.NeedsReview)
		return w, cart, w.waitingSession()
	}
	t.Run("allowed", func(t *testing.T) {
		w, cart, n := inReview(t)
		w.must(w.relay.SayOfCart(ctx, w.s(), n, true, reviewer, "known to us"))
		w.is(w.relay.SayOfCart(ctx, w.s(), n, false, "second@example.com", "no"), ledger.ErrMoved)
		w.waits()
		if _, a := w.ask(cart, "", ""); a.Decision != "allow" {
			t.Errorf("%+v", a)
		}
		o := w.place(cart)
		w.stands(o.ID, 11, ledger.NotHeld)
		if d := w.decision(o.ID); d.MadeBy != ledger.ByPerson || d.Person != reviewer || d.Note != "known to us" || w.ours(o.ID).PersonSays != "release" {
			t.Errorf("%+v", d)
		}
		w.is(w.relay.SayOfCart(ctx, w.s(), n, false, reviewer, "no"), relay.ErrIsOrder)
		w.well()
	})
	t.Run("another cart by then", func(t *testing.T) {
		w, cart, n := inReview(t)
		w.must(w.relay.SayOfCart(ctx, w.s(), n, true, reviewer, "known to us"))
		_, err := w.shop.AddToCart(cart, w.product(dear), 1)
		w.must(err)
		if _, a := w.ask(cart, "", ""); a.Decision != "verify" {
			t.Errorf("%+v", a)
		}
		w.stands(w.place(cart).ID, 12, ledger.Held)
		w.well()
	})
	t.Run("another buyer by then", func(t *testing.T) {
		w, cart, n := inReview(t)
		w.must(w.relay.SayOfCart(ctx, w.s(), n, true, reviewer, "known to us"))
		_, err := w.shop.SetCheckoutBilling(cart, billing("eve@example.com"))
		w.must(err)
		w.stands(w.place(cart).ID, 12, ledger.Held)
		w.well()
	})
	t.Run("refused", func(t *testing.T) {
		w, cart, n := inReview(t)
		w.must(w.relay.SayOfCart(ctx, w.s(), n, false, reviewer, "stolen card"))
		if _, a := w.ask(cart, "", ""); a.Decision != "refuse" {
			t.Errorf("%+v", a)
		}
		o := w.place(cart)
		w.stands(o.ID, 12, ledger.Refused)
		w.must(w.undoes(o.ID))
		w.settle()
		w.stands(o.ID, 12, ledger.Held)
		w.well()
	})
	t.Run("taken back", func(t *testing.T) {
		w, cart, n := inReview(t)
		w.must(w.relay.SayOfCart(ctx, w.s(), n, true, reviewer, "known to us"))
		words, err := w.ledger.Words(ctx, hash, time.Time{}, 10)
		if err != nil || len(words) != 1 || !words[0].AtCart || words[0].CartID != cart || words[0].By != reviewer || words[0].Outcome != gate.Allow {
			t.Fatalf("%+v, %v", words, err)
		}
		w.clock.pass(time.Second)
		w.must(w.relay.UnsayCart(ctx, w.s(), words[0], reviewer, "wrong one"))
		w.is(w.relay.UnsayCart(ctx, w.s(), words[0], reviewer, "wrong one"), ledger.ErrMoved)
		w.waits(ledger.Review{Kind: ledger.InReview, CartID: cart})
		if _, a := w.ask(cart, "", ""); a.Decision != "verify" {
			t.Errorf("%+v", a)
		}
		w.stands(w.place(cart).ID, 12, ledger.Held)
		w.well()
	})
	t.Run("ordered before it is taken back", func(t *testing.T) {
		w, cart, n := inReview(t)
		w.must(w.relay.SayOfCart(ctx, w.s(), n, true, reviewer, "known to us"))
		words, err := w.ledger.Words(ctx, hash, time.Time{}, 10)
		w.must(err)
		o := w.place(cart)
		w.is(w.relay.UnsayCart(ctx, w.s(), words[0], reviewer, "wrong one"), ledger.ErrMoved)
		w.stands(o.ID, 11, ledger.NotHeld)
		w.well()
	})
}

func exempting(p *gate.Policy) {
	p.Rules = []gate.Rule{{Name: "What comes by API", Mode: gate.Enforce, Exempt: true, When: []gate.Condition{{Fact: gate.FactSource, Values: []string{"external"}}}}}
}

func TestRequestedCheck(t *testing.T) {
	ctx := context.Background()
	selfie := ledger.Request{Require: gate.Requirement{IAL: 2, Selfie: true}, Hold: true, By: reviewer, Why: "odd address"}
	free := func(t *testing.T) (*world, sim.Order) {
		w := newWorld(t, exempting)
		o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
		w.must(err)
		w.settle()
		w.stands(o.ID, 11, ledger.NotHeld)
		return w, w.order(o.ID)
	}
	t.Run("held and proved", func(t *testing.T) {
		w, o := free(t)
		w.must(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie))
		w.must(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie)) // a double click
		w.settle()
		w.stands(o.ID, 12, ledger.Held)
		d := w.decision(o.ID)
		if !d.Requested() || !slices.Contains(d.Reasons, gate.Reason{Code: gate.RequestedByPerson, Detail: reviewer}) || !d.Requirement.Selfie || d.Requirement.IAL != 2 || !d.Requirement.NameMatch {
			t.Errorf("%+v", d.Decision)
		}
		if got := w.mailed(o.ID); !slices.Equal(got, []string{"link#1"}) {
			t.Errorf("mailed %v", got)
		}
		w.policy(exempting, func(p *gate.Policy) { p.ProofGood = 200 }) // it survives another version of the Policy
		w.settle()
		w.stands(o.ID, 12, ledger.Held)
		w.openLinkAndVerify(w.link(o.ID), simkosmos.PassesWithSelfie)
		w.stands(o.ID, 11, ledger.Released)
		w.must(w.ledger.DueOrder(ctx, hash, o.ID, w.now()))
		w.settle()
		w.stands(o.ID, 11, ledger.Released)
		if d := w.decision(o.ID); !d.Requested() || d.ProofID == "" {
			t.Errorf("%+v", d.Decision)
		}
		if n := w.replayed(w.s().Policy, w.s().EnforcedSince).Tally; n.Recorded.Orders != 1 || n.Differs.Orders != 0 {
			t.Errorf("a what-if of the policy in force gives it otherwise: %+v", n)
		}
		w.well()
	})
	t.Run("strictest wins", func(t *testing.T) {
		w := newWorld(t)
		o := w.held()
		q := selfie
		q.Require = gate.Requirement{LeastAge: 21}
		w.must(w.relay.RequestCheck(ctx, w.s(), o.ID, q))
		w.settle()
		if d := w.decision(o.ID); d.Requirement.IAL != 2 || d.Requirement.LeastAge != 21 || !d.Requested() {
			t.Errorf("%+v", d.Requirement)
		}
		if got := w.mailed(o.ID); len(got) != 2 {
			t.Errorf("mailed %v", got)
		}
		w.tries(o.ID, simkosmos.TooYoung, 0)
		w.stands(o.ID, 12, ledger.Held)
		w.tries(o.ID, simkosmos.PassesWithSelfie, 1)
		w.stands(o.ID, 11, ledger.Released)
		w.well()
	})
	t.Run("taken back", func(t *testing.T) {
		w, o := free(t)
		w.must(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie))
		w.settle()
		w.must(w.ledger.WithdrawRequest(ctx, hash, o.ID, "second@example.com", "she called", w.now()))
		w.is(w.ledger.WithdrawRequest(ctx, hash, o.ID, "third@example.com", "me too", w.now()), ledger.ErrMoved)
		w.settle()
		w.stands(o.ID, 11, ledger.Released)
		d := w.decision(o.ID)
		if d.MadeBy != ledger.ByPerson || d.Person != "second@example.com" || d.Note != "she called" || d.Reasons[0].Code != gate.RequestWithdrawn || !has(d, gate.Exempt) {
			t.Errorf("%+v", d)
		}
		_, err := w.ledger.Request(ctx, hash, o.ID)
		w.is(err, ledger.ErrNotFound)
		w.well()
	})
	t.Run("taken back, and the policy holds it all the same", func(t *testing.T) {
		w := newWorld(t)
		o := w.held()
		w.must(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie))
		w.settle()
		w.must(w.ledger.WithdrawRequest(ctx, hash, o.ID, reviewer, "never mind", w.now()))
		w.settle()
		w.stands(o.ID, 12, ledger.Held)
		if d := w.decision(o.ID); d.MadeBy != ledger.ByRule || d.Requested() {
			t.Errorf("%+v", d)
		}
		w.well()
	})
	t.Run("not held", func(t *testing.T) {
		w, o := free(t)
		q := selfie
		q.Hold = false
		w.must(w.relay.RequestCheck(ctx, w.s(), o.ID, q))
		w.settle()
		w.stands(o.ID, 11, ledger.NotHeld)
		if d := w.decision(o.ID); d.Outcome != gate.Allow || !d.Asks() || !d.Requirement.Selfie {
			t.Errorf("%+v", d.Decision)
		}
		if got := w.mailed(o.ID); len(got) != 1 || !strings.HasPrefix(got[0], "link-request-") {
			t.Fatalf("mailed %v", got)
		}
		mails := w.mailbox.Mails()
		w.openLinkAndVerify(mails[len(mails)-1].Links[0], simkosmos.PassesWithSelfie)
		w.stands(o.ID, 11, ledger.NotHeld)
		if d := w.decision(o.ID); d.Outcome != gate.Allow || d.Asks() || d.ProofID == "" {
			t.Errorf("%+v", d.Decision)
		}
		w.well()
	})
	t.Run("of an order that idgate has not seen", func(t *testing.T) {
		w := newWorld(t, exempting)
		o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
		w.must(err)
		w.must(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie))
		w.settle()
		w.stands(o.ID, 12, ledger.Held)
		if w.relay.RequestCheck(ctx, w.s(), o.ID+1000, selfie) == nil {
			t.Error("of an order that there is not")
		}
		w.well()
	})
	t.Run("of what has left", func(t *testing.T) {
		w, o := free(t)
		w.must(w.shop.SetOrderStatus(o.ID, 2, "somebody"))
		w.is(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie), relay.ErrMovedOn)
		w.settle()
		w.is(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie), relay.ErrMovedOn)
		w.waits()
		w.well()
	})
	t.Run("shipped before it was held", func(t *testing.T) {
		w, o := free(t)
		w.must(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie))
		w.must(w.shop.SetOrderStatus(o.ID, 2, "somebody"))
		w.settle()
		w.stands(o.ID, 2, ledger.NotHeld) // it was allowed when it left: no leak
		w.well()
	})
	t.Run("of what somebody moved", func(t *testing.T) {
		w := newWorld(t)
		o := w.held()
		w.clock.pass(time.Minute)
		w.must(w.shop.SetOrderStatus(o.ID, 11, "somebody"))
		w.settle()
		w.clock.pass(time.Minute)
		w.must(w.shop.SetOrderStatus(o.ID, 11, "somebody"))
		w.settle()
		if w.ours(o.ID).Hold == ledger.Held { // held again: moved once more, it is theirs
			w.clock.pass(time.Minute)
			w.must(w.shop.SetOrderStatus(o.ID, 9, "somebody"))
			w.settle()
		}
		w.waits(ledger.Review{Kind: ledger.WasMoved, OrderID: o.ID})
		w.clock.pass(time.Minute)
		w.must(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie))
		w.settle()
		w.stands(o.ID, 12, ledger.Held)
		w.waits()
		w.well()
	})
	t.Run("after a release by hand", func(t *testing.T) {
		w := newWorld(t)
		o := w.held()
		w.must(w.overrides(o.ID, true))
		w.settle()
		w.must(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie))
		w.settle()
		w.stands(o.ID, 12, ledger.Held)
		w.well()
	})
	t.Run("while nothing is enforced", func(t *testing.T) {
		w := newWorld(t, func(p *gate.Policy) { p.Mode = gate.Shadow })
		o, err := w.shop.PlaceOrderByAPI(sim.APIOrder{Billing: billing("ada@example.com"), Items: []sim.APIItem{{ProductID: w.product(cheap), Quantity: 1}}})
		w.must(err)
		w.is(w.relay.RequestCheck(ctx, w.s(), o.ID, selfie), relay.ErrNotAsking)
	})
}
