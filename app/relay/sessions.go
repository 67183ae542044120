package relay

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
	"idgate/app/ledger"
)

// ReasonLate marks a pass that arrived after our deadline: it makes no Proof, a person is asked.
const ReasonLate = "late"

// someSessions polls a few of a Shop's Sessions.
func (r *Relay) someSessions(ctx context.Context, hash string) (int, error) {
	now := r.Now()
	due, err := r.Ledger.LeaseSessions(ctx, hash, now, now.Add(lease), laneBatch)
	each(ctx, r.piece, due, laneBatch, bySession, r.poll, func(n ledger.Session, err error) {
		r.Log.Error("polling a session", "shop", n.Shop, "session", n.ID, "error", err)
	})
	return len(due), err
}

// bySession keeps the Sessions of one Capability apart from each other: they are of one person.
func bySession(n ledger.Session) int64 {
	if len(n.Capability) < 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(n.Capability))
}

// poll asks the provider once and acts on the answer. An error of the provider's changes no state; only our deadline does.
func (r *Relay) poll(ctx context.Context, n ledger.Session) error {
	s, err := r.Ledger.Shop(n.Shop)
	if err != nil {
		return r.Ledger.PostponeSession(ctx, n, r.Now().Add(time.Hour), "the shop is not installed")
	}
	o, err := r.ask(ctx, s, n)
	r.At("session asked about")
	now := r.Now()
	late := now.After(n.Deadline)
	switch {
	case err != nil && late:
		return r.move(ctx, s, n, ledger.Move{State: idv.StateExpired, Reason: "unreachable"}, now)
	case err != nil:
		var ie *idv.Error
		wait := backoff(n.Attempt)
		if errors.As(err, &ie) && ie.RetryAfter > 0 {
			wait = ie.RetryAfter
		}
		return r.Ledger.PostponeSession(ctx, n, now.Add(min(wait, time.Minute)), err.Error())
	case o.State == idv.StatePassed:
		return r.passed(ctx, s, n, o, late, now)
	case o.State.Final():
		return r.move(ctx, s, n, ledger.Move{State: o.State, Reason: o.ReasonCode, Digest: o.RawDigest}, now)
	case late:
		return r.move(ctx, s, n, ledger.Move{State: idv.StateExpired, Reason: "deadline", Digest: o.RawDigest}, now)
	case !idv.CanMove(n.State, o.State):
		return r.Ledger.PostponeSession(ctx, n, now.Add(pace(n, n.State, now)), "")
	}
	m := ledger.Move{State: o.State, Digest: o.RawDigest, PollAt: now.Add(pace(n, o.State, now))}
	if o.State == idv.StateReview {
		m.Deadline = now.Add(reviewDeadline)
	}
	return r.move(ctx, s, n, m, now)
}

func (r *Relay) ask(ctx context.Context, s *ledger.Shop, n ledger.Session) (idv.Observation, error) {
	p, err := r.Provider(s)
	if err != nil {
		return idv.Observation{}, err
	}
	if p.Name() != n.Provider {
		return idv.Observation{}, fmt.Errorf("the session was opened at %s, the shop is now with %s", n.Provider, p.Name())
	}
	return p.Fetch(ctx, n.Ref)
}

// pace is 2 s for a fresh Session, slowing to 15 s, and a minute while a person at the provider is looking.
func pace(n ledger.Session, state idv.State, now time.Time) time.Duration {
	if state == idv.StateReview {
		return time.Minute
	}
	age := now.Sub(n.StartedAt)
	return min(max(2*time.Second, age/20), 15*time.Second)
}

func (r *Relay) move(ctx context.Context, s *ledger.Shop, n ledger.Session, m ledger.Move, now time.Time) error {
	if m.Deadline.IsZero() {
		m.Deadline = n.Deadline
	}
	m.Tries, m.TriesSince = s.Policy.TriesPerDay(), now.Add(-lookBack)
	moved, err := r.Ledger.MoveSession(ctx, s, n, m, now)
	if moved {
		r.watching.tell(n.ID)
	}
	return err
}

// passed turns a pass into a Proof, if it meets the evidence asked for and came in time.
func (r *Relay) passed(ctx context.Context, s *ledger.Shop, n ledger.Session, o idv.Observation, late bool, now time.Time) error {
	need := idv.Need{Selfie: s.Policy.NeedsSelfie(n.Requirement) && o.Assurance == nil, Grace: int(s.Policy.DocumentGrace), Today: idv.DateOf(now.UTC())}
	reason, ok := idv.Meets(o, need)
	switch {
	case !ok:
		return r.move(ctx, s, n, ledger.Move{State: idv.StateFailed, Reason: reason, Digest: o.RawDigest}, now)
	case late:
		return r.move(ctx, s, n, ledger.Move{State: idv.StatePassed, Reason: ReasonLate, Late: true, Digest: o.RawDigest}, now)
	}
	p := proofOf(s.Policy, o, now)
	m := ledger.Move{State: idv.StatePassed, Digest: o.RawDigest, Proof: &p}
	if n.CartID != "" {
		d, err := r.decideWith(ctx, s, n, p, now)
		if err != nil {
			// The Proof counts all the same; the page asks again and the cart is decided then.
			r.Log.Warn("deciding a cart right after its proof", "shop", s.Hash, "error", err)
		} else {
			m.Decision = &d
		}
	}
	return r.move(ctx, s, n, m, now)
}

// proofOf keeps what a Proof needs of an Observation: a level with its source, an age, and the names to compare.
func proofOf(p gate.Policy, o idv.Observation, now time.Time) ledger.NewProof {
	n := ledger.NewProof{
		IAL: p.Evidence.Level(o.Evidence.Document, o.Evidence.Selfie), Source: gate.SourcePolicy,
		Document: o.Evidence.Document, Selfie: o.Evidence.Selfie, Age: -1, GoodUntil: now.Add(p.ProofGood.Duration()),
	}
	if o.Assurance != nil {
		n.IAL, n.Source = gate.IAL(o.Assurance.Level), o.Assurance.Source
	}
	if o.Person.Birth.Valid() {
		n.Age = o.Person.Birth.AgeOn(idv.DateOf(now))
	}
	given, family := o.Person.GivenName, o.Person.FamilyName
	if given == "" && family == "" {
		if words := strings.Fields(o.Person.FullName); len(words) > 1 {
			given, family = strings.Join(words[:len(words)-1], " "), words[len(words)-1]
		}
	}
	n.Person = ledger.Person{Given: given, Family: family, Street: o.Person.Street, Postcode: o.Person.Zip, Country: o.Person.Country}
	return n
}

// decideWith decides the Session's cart as if the Proof were stored already: it will be, in the same transaction.
func (r *Relay) decideWith(ctx context.Context, s *ledger.Shop, n ledger.Session, p ledger.NewProof, now time.Time) (ledger.NewDecision, error) {
	f, err := r.cartFacts(ctx, s, n.CartID, n.CustomerID)
	if err != nil {
		return ledger.NewDecision{}, err
	}
	candidate := gate.Proof{IAL: p.IAL, Source: p.Source, Document: p.Document, Selfie: p.Selfie, Age: p.Age,
		Name: p.Person.Name(), Address: p.Person.Address(), At: now, Until: p.GoodUntil,
		Holder: gate.Holder{CustomerID: n.CustomerID, CartID: n.CartID, OrderID: n.OrderID, Mailbox: n.Mailbox}}
	d := gate.Decide(s.Policy, f, []gate.Proof{candidate}, now)
	switch w, err := r.word(ctx, s, f); {
	case err != nil:
		return ledger.NewDecision{}, err
	case w != nil:
		return inWords(w, f, d, s.Policy.Version), nil
	}
	return ledger.NewDecision{Facts: f, Decision: d, Policy: s.Policy.Version, MadeBy: ledger.ByRule}, nil
}
