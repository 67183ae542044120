package ledger

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
)

// content is every row of a file that no process has open.
func content(t testing.TB, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var check string
	if err := db.QueryRowContext(context.Background(), "PRAGMA integrity_check").Scan(&check); err != nil || check != "ok" {
		t.Fatalf("integrity: %s, %v", check, err)
	}
	return dump(t, db)
}

// crashes runs a verb and keeps the file as a process that dies at that instant would leave it: between the last statement and COMMIT, and
// after COMMIT, when nobody has been answered yet.
func (r *rig) crashes(verb func() error) (before, after string) {
	r.Helper()
	r.l.crash = func(point string) {
		switch point {
		case "before commit":
			before = copied(r, r.path)
		case "after commit":
			after = copied(r, r.path)
		default:
			r.Errorf("unheard-of point %q", point)
		}
	}
	r.ok(verb())
	r.l.crash = nil
	return before, after
}

// TestCrash: whatever a verb does is there whole once COMMIT has returned, and not at all before.
func TestCrash(t *testing.T) {
	ctx := t.Context()
	enforce := gate.Default("EUR")
	enforce.Mode = gate.Enforce
	for name, verb := range map[string]func(r *rig) func() error{
		"RecordNotice": func(r *rig) func() error {
			return func() error { _, err := r.l.RecordNotice(ctx, r.notice(shopHash, 1), r.now); return err }
		},
		"FinishNotice": func(r *rig) func() error {
			_, err := r.l.RecordNotice(ctx, r.notice(shopHash, 1), r.now)
			r.ok(err)
			due, err := r.l.LeaseNotices(ctx, shopHash, r.now, r.now.Add(lease), 1)
			r.ok(err)
			return func() error { return r.l.FinishNotice(ctx, due[0], "looked at", []int64{1, 2, 3}, r.now) }
		},
		"LeaseOrders": func(r *rig) func() error {
			r.ok(r.l.DueOrder(ctx, shopHash, 1, r.now))
			return func() error { _, err := r.l.LeaseOrders(ctx, shopHash, false, r.now, r.now.Add(lease), 9); return err }
		},
		"SettleOrder": func(r *rig) func() error {
			l := r.evaluated(118)
			o := r.order(118)
			o.StatusID, o.Hold, o.FormerStatus, o.HoldStatus, o.Buyer = 11, Holding, 11, 12, Buyer{Name: "Ada"}
			d := r.orderDecision(118, gate.Hold)
			grant := &Capability{Shop: shopHash, Purpose: ForMail, OrderID: 118, ExpiresAt: r.now}
			return func() error {
				return r.l.SettleOrder(ctx, r.shop(), l, Settlement{Order: o, Decision: &d, Grant: grant, Owe: []WritebackKind{Hold, Note, DecisionMetafield}}, r.now)
			}
		},
		"Override": func(r *rig) func() error {
			o := r.onHold(118)
			d := r.orderDecision(118, gate.Allow)
			d.MadeBy, d.Person = ByPerson, "ada"
			return func() error { return r.l.Override(ctx, r.shop(), o, true, d, nil, r.now) }
		},
		"RecordCartDecision": func(r *rig) func() error {
			c := &Capability{Shop: shopHash, Purpose: ForCart, CartID: "c1", ExpiresAt: r.now}
			return func() error {
				_, err := r.l.RecordCartDecision(ctx, r.shop(), r.cartDecision("c1", gate.Verify), c, r.now)
				return err
			}
		},
		"AnswerCart": func(r *rig) func() error {
			c := &Capability{Shop: shopHash, Purpose: ForCart, CartID: "c1", ExpiresAt: r.now}
			return func() error {
				_, err := r.l.AnswerCart(ctx, r.shop(), r.cartDecision("c1", gate.Verify), c, r.now)
				return err
			}
		},
		"MoveSession": func(r *rig) func() error {
			_, err := r.l.SavePolicy(ctx, shopHash, PolicyChange{Base: 0, Policy: enforce, Author: "ada", Note: "", Since: r.now}, r.now)
			r.ok(err)
			r.onHold(118)
			r.exec("UPDATE orders SET customer_id = 7")
			r.session(r.cart("c1", 7, "ada@example.com"))
			n, p, d := r.polled(), r.ada(), r.cartDecision("c1", gate.Allow)
			return func() error {
				_, err := r.l.MoveSession(ctx, r.shop(), n, Move{State: idv.StatePassed, Deadline: n.Deadline, Proof: &p, Decision: &d}, r.now)
				return err
			}
		},
		"EraseCustomer": func(r *rig) func() error {
			r.policy(gate.Enforce)
			ada.shops(r)
			return func() error { return r.l.EraseCustomer(ctx, shopHash, ada.id, r.now) }
		},
		"RevokeProof": func(r *rig) func() error {
			r.policy(gate.Enforce)
			r.proved(r.cart("c1", 7, "ada@example.com"), r.ada(), nil)
			id := r.value("SELECT id FROM proofs")
			r.rests(118, 11, id)
			return func() error { return r.l.RevokeProof(ctx, r.shop(), id, "ada", "fraud", r.now) }
		},
		"KeepOrder": func(r *rig) func() error {
			r.onHold(118)
			r.owe(Cancel, 118, "d")
			return func() error { return r.l.KeepOrder(ctx, r.shop(), 118, true, "called", r.now) }
		},
		"HandOver": func(r *rig) func() error {
			r.mail(118, "link#1")
			w := r.owed(2)
			return func() error { return r.l.HandOver(ctx, w, r.now) }
		},
		"InstallShop": func(r *rig) func() error {
			return func() error { return r.l.InstallShop(ctx, Install{StoreHash: "other9", Token: "t"}, r.now) }
		},
		"UninstallShop": func(r *rig) func() error {
			_, err := r.l.StartLogin(ctx, shopHash, User{ID: 1, Role: Owner}, r.now, r.now.Add(time.Hour))
			r.ok(err)
			r.owe(Hold, 1, "d")
			return func() error { return r.l.UninstallShop(ctx, r.row(shopHash), r.now) }
		},
		"SavePolicy": func(r *rig) func() error {
			r.onHold(118)
			return func() error {
				_, err := r.l.SavePolicy(ctx, shopHash, PolicyChange{Base: 0, Policy: enforce, Author: "ada", Note: "", Since: r.now}, r.now)
				return err
			}
		},
		"StartLogin": func(r *rig) func() error {
			return func() error {
				_, err := r.l.StartLogin(ctx, shopHash, User{ID: 1, Role: Owner}, r.now, r.now.Add(time.Hour))
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			do := verb(r)
			was := dump(t, r.l.readDB)
			before, after := r.crashes(do)
			is := dump(t, r.l.readDB)
			if is == was {
				t.Error("the verb changes nothing")
			}
			if got := content(t, before); got != was {
				t.Errorf("before COMMIT there is\n%s\nwas\n%s", got, was)
			}
			if got := content(t, after); got != is {
				t.Errorf("after COMMIT there is\n%s\nwant\n%s", got, is)
			}
		})
	}
}

// TestCrashOfBatch: a batch is there whole or not at all, but for the requests that failed.
func TestCrashOfBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		was := dump(t, r.l.readDB)
		var copies []string
		var wg sync.WaitGroup
		release := r.blocked()
		r.l.crash = func(string) { copies = append(copies, copied(r, r.path)) }
		for i := range 40 {
			wg.Go(func() {
				hash := shopHash
				if i%4 == 3 {
					hash = "nobody"
				}
				if _, err := r.l.RecordNotice(t.Context(), r.notice(hash, i), r.now); (err != nil) != (i%4 == 3) {
					t.Errorf("request %d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		release()
		wg.Wait()
		if len(copies) != 4 { // of the blocker's transaction, and of the batch's
			t.Fatalf("%d copies", len(copies))
		}
		if got := content(t, copies[2]); got != was {
			t.Errorf("before COMMIT there is\n%s", got)
		}
		if got := content(t, copies[3]); got != dump(t, r.l.readDB) {
			t.Errorf("after COMMIT there is\n%s", got)
		}
		r.want("30", "SELECT count(*) FROM notices")
	})
}

// TestCrashAndGoOn: the process dies after COMMIT and before anybody is told; the sender repeats itself, and the effect is one.
func TestCrashAndGoOn(t *testing.T) {
	r := newRig(t)
	n := r.notice(shopHash, 1)
	before, after := r.crashes(func() error { _, err := r.l.RecordNotice(t.Context(), n, r.now); return err })
	for path, want := range map[string]bool{before: true, after: false} {
		l, err := Open(t.Context(), options(path, r.log))
		r.ok(err)
		first, err := l.RecordNotice(t.Context(), n, r.now.Add(time.Minute))
		r.ok(err)
		if first != want {
			t.Errorf("first %v, want %v", first, want)
		}
		due, err := l.LeaseNotices(t.Context(), shopHash, r.now.Add(time.Hour), r.now.Add(2*time.Hour), 9)
		r.ok(err)
		if len(due) != 1 {
			t.Errorf("%d notices", len(due))
		}
		r.ok(l.Close())
	}
}
