package ledger

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"
)

const heavyID = 4242

// heavy gives a customer n rows of each kind: Sessions with Proofs, signed in, as a guest in a cart, and as a guest in the cart that became an
// order of theirs; Decisions, links, webhooks and orders. They used three mailboxes, under the first of which guests ordered, too, and n/2
// more were shown to be theirs.
func (r *rig) heavy(n int) {
	r.Helper()
	s := r.shop()
	var boxes []any
	for i := range 3 {
		boxes = append(boxes, unhex(s.MailboxHash(fmt.Sprintf("heavy%d@example.com", i))))
	}
	const box = "CASE i % 3 WHEN 0 THEN ?1 WHEN 1 THEN ?2 ELSE ?3 END"
	session := `INSERT INTO sessions (id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, customer_id, mailbox, requirement, policy_version, started_at, deadline, changed_at, over_at)
		SELECT '%[1]s' || printf('%%08d', i), 'abc123', '1kosmos', '%[1]s' || i, %[2]s, 'passed', randomblob(16), '%[3]s' || i, %[4]d, %[5]s, '{}', 1, i, i, i, i + 9 FROM n WHERE ?1 != ?2 AND ?2 != ?3`
	proof := `INSERT INTO proofs (id, store_hash, session_id, cart_id, customer_id, mailbox, ial, source, document, selfie, age, person, proved_at, good_until)
		SELECT 'p' || id, store_hash, id, cart_id, customer_id, mailbox, 2, 'policy', 1, 1, 30, randomblob(90), started_at, started_at + 9000000000000 FROM sessions WHERE id NOT LIKE 'bought%' AND ?1 != ?2 AND ?2 != ?3`
	order := `INSERT INTO orders (store_hash, order_id, status_id, customer_id, cart_id, mailbox, buyer, seen_at, placed_at, hold)
		SELECT 'abc123', %d + i, 10, %d, '%s' || i, %s, randomblob(90), i, i, 'none' FROM n WHERE ?1 != ?2 AND ?2 != ?3`
	link := `INSERT INTO capabilities (id, store_hash, purpose, order_id, mailbox, made_at, expires_at) SELECT randomblob(16), 'abc123', 'mail', %d + i, ?1, i, i + 9000000000000 FROM n WHERE ?1 != ?2 AND ?2 != ?3`
	for _, insert := range []string{
		fmt.Sprintf(session, "own", "x''", "own cart ", heavyID, box),
		fmt.Sprintf(session, "bought", "x'01'", "cart ", 0, "x''"),
		fmt.Sprintf(session, "guest", "x''", "guest cart ", 0, "?1"),
		proof,
		fmt.Sprintf(order, 10_000_000, heavyID, "cart ", box),
		fmt.Sprintf(order, 20_000_000, 0, "other cart ", "?1"),
		fmt.Sprintf(link, 10_000_000), fmt.Sprintf(link, 20_000_000),
		`INSERT INTO capabilities (id, store_hash, purpose, cart_id, customer_id, mailbox, made_at, expires_at) SELECT randomblob(16), 'abc123', 'cart', 'own cart ' || i, 4242, ` + box + `, i, i + 9000000000000 FROM n`,
		`INSERT INTO decisions (id, store_hash, stage, cart_id, customer_id, outcome, mode, made_by, policy_version, facts_digest, explanation, receipt, made_at)
			SELECT printf('d%08d', i), 'abc123', 'checkout', 'cart ' || i, 4242, 'verify', 'enforce', 'rule', 1, randomblob(32), hex(randomblob(300)), hex(randomblob(250)), i FROM n WHERE ?1 != ?2 AND ?2 != ?3`,
		`INSERT INTO notices (store_hash, event_at, event_hash, scope, subject, received_at, state, due_at, handled_at)
			SELECT 'abc123', i, 'hash' || i, 'store/customer/updated', '4242', i, 'done', 0, i FROM n WHERE ?1 != ?2 AND ?2 != ?3`,
		`INSERT INTO shown_mailboxes (store_hash, mailbox, customer_id, way, shown_at) SELECT 'abc123', randomblob(32), 4242, 'code', i FROM n WHERE i % 2 = 0 AND ?1 != ?2 AND ?2 != ?3`,
	} {
		r.exec(fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", n)+insert, boxes...)
	}
}

// TestEraseSlices: of whom there is more than a slice, what is erased is durable and the rest is owed; whoever goes on with it, in whichever
// process, comes to the end that one transaction would have come to, and the end is told once.
func TestEraseSlices(t *testing.T) {
	const n = 250
	for name, tt := range map[string]struct {
		whom Whom
		told string
		left map[string]string
	}{
		"customer": {Whom{CustomerID: heavyID}, "500 proofs, 750 verifications, 250 orders, 250 decisions, 500 links, 125 mailboxes shown, 250 webhooks", map[string]string{
			"SELECT count(*) FROM orders WHERE mailbox != x'' AND customer_id = 0": "250", "SELECT count(*) FROM capabilities": "250"}}, // of guests' orders
		"guest": {Whom{Mailbox: "heavy0@example.com"}, "250 proofs, 250 verifications, 250 orders, 250 links", map[string]string{
			"SELECT count(*) FROM orders WHERE customer_id = 4242": "250", "SELECT count(*) FROM sessions WHERE customer_id = 4242": "250", "SELECT count(*) FROM capabilities": "500",
			"SELECT count(*) FROM proofs WHERE customer_id = 4242": "250"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			ctx := WithActor(t.Context(), "ada")
			r.heavy(n)
			before := dump(t, r.l.readDB)
			would, err := r.l.WouldErase(ctx, r.shop(), tt.whom, r.now)
			r.ok(err)
			if dump(t, r.l.readDB) != before || !would.More {
				t.Fatalf("a look has changed something, or has counted all: %+v", would)
			}
			began := r.now
			first, line, err := r.l.Erase(ctx, r.shop(), tt.whom, true, true, r.now)
			r.ok(err)
			if first != would || line != 0 {
				t.Fatalf("the first slice erased %+v, told in line %d; it would have erased %+v", first, line, would)
			}
			last, count := first, 1
			for ; ; count++ {
				under, err := r.l.Erasures(ctx, shopHash)
				r.ok(err)
				if len(under) == 0 {
					break
				}
				if u := under[0]; len(under) != 1 || u.Customer != (tt.whom.CustomerID != 0) || u.Person != "ada" || !u.BeganAt.Equal(began) || u.Erased != last {
					t.Fatalf("under way %+v, erased so far %+v", under, last)
				}
				hashes, err := r.l.ErasingShops(ctx)
				if err != nil || !slices.Equal(hashes, []string{shopHash}) {
					t.Fatalf("%v, %v", hashes, err)
				}
				<-r.l.Ring(ErasureBell)
				if count%3 == 0 { // the process ends, and another goes on with what it finds
					r.ok(r.l.Close())
					r.open()
				}
				r.wait(time.Minute)
				before := last.All()
				if count == 2 { // somebody asks for it again: it goes on
					last, line, err = r.l.Erase(WithActor(t.Context(), "ada"), r.shop(), tt.whom, false, false, r.now)
					if err != nil || line != 0 || !last.More {
						t.Fatalf("%+v, %d, %v", last, line, err)
					}
				} else {
					was, err := r.l.EraseSlice(context.Background(), shopHash, r.now)
					r.ok(err)
					if !was {
						t.Fatal("nothing was owed")
					}
					if under, err = r.l.Erasures(ctx, shopHash); err != nil || len(under) > 0 {
						last = under[0].Erased
					}
				}
				if n := last.All() - before; n > 600 {
					t.Errorf("slice %d: %d rows", count, n)
				}
			}
			if was, err := r.l.EraseSlice(ctx, shopHash, r.now); was || err != nil || count < 8 {
				t.Errorf("after %d slices there is more: %v, %v", count, was, err)
			}
			r.want("1", "SELECT count(*) FROM activity WHERE action = 'customer.erased'")
			r.want(tt.told, "SELECT detail FROM activity WHERE action = 'customer.erased' AND actor = 'ada'")
			for query, want := range tt.left {
				r.want(want, query)
			}
			if tt.whom.CustomerID != 0 {
				r.want("3", "SELECT count(*) FROM writebacks WHERE ref = 'erase'") // what clears their record is owed now
				r.exec("DELETE FROM writebacks")
			} else {
				r.want("0", "SELECT count(*) FROM writebacks")
			}
			again, err := r.l.WouldErase(ctx, r.shop(), tt.whom, r.now)
			if err != nil || again.All() != 0 || again.More {
				t.Errorf("left %+v, %v", again, err)
			}
			for _, c := range r.columns() {
				if tt.whom.CustomerID == 0 || c.name != "customer_id" && c.name != "subject" {
					continue
				}
				if got := r.value(fmt.Sprintf("SELECT count(*) FROM %s WHERE %s = 4242", c.table, c.name)); got != "0" {
					t.Errorf("%s names the customer %s times", c.table, got)
				}
			}
		})
	}
}

// TestEraseMany: the oldest erasure of a Shop goes first, and one that has nobody to tell is not told.
func TestEraseMany(t *testing.T) {
	r := newRig(t)
	r.heavy(120)
	r.ok(r.l.EraseCustomer(t.Context(), shopHash, heavyID, r.now))
	r.wait(time.Minute)
	if _, _, err := r.l.Erase(WithActor(t.Context(), "ada"), r.shop(), Whom{Mailbox: "heavy0@example.com"}, false, false, r.now); err != nil {
		t.Fatal(err)
	}
	var order []string
	for {
		under, err := r.l.Erasures(t.Context(), shopHash)
		r.ok(err)
		if len(under) == 0 {
			break
		}
		if who := fmt.Sprint(under[0].Customer, " ", under[0].Person); !slices.Contains(order, who) {
			order = append(order, who)
		}
		_, err = r.l.EraseSlice(t.Context(), shopHash, r.now)
		r.ok(err)
	}
	if !slices.Equal(order, []string{"true ", "false ada"}) {
		t.Errorf("erased %q", order)
	}
	r.want("mailbox", "SELECT group_concat(subject) FROM activity WHERE action = 'customer.erased'")
}

// BenchmarkErase reports the longest time that erasing a person with more than 100,000 rows holds the writer, half of the times, and how many
// rows a second go when nobody else writes.
func BenchmarkErase(b *testing.B) {
	for range b.N {
		b.StopTimer()
		r := newRig(b)
		r.heavy(20_000)
		var all []time.Duration
		b.StartTimer()
		began := time.Now()
		first, _, err := r.l.Erase(context.Background(), r.shop(), Whom{CustomerID: heavyID}, true, true, r.now)
		r.ok(err)
		all = append(all, time.Since(began))
		rows := first.All()
		for more := true; more; {
			if under, err := r.l.Erasures(context.Background(), shopHash); err != nil || len(under) > 0 {
				rows = under[0].Erased.All()
			}
			one := time.Now()
			if more, err = r.l.EraseSlice(context.Background(), shopHash, r.now); err != nil {
				b.Fatal(err)
			}
			all = append(all, time.Since(one))
		}
		took := time.Since(began)
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)-1])/1e6, "longest-ms")
		b.ReportMetric(float64(all[len(all)/2])/1e6, "p50-ms")
		b.ReportMetric(float64(rows), "rows")
		b.ReportMetric(float64(rows)/took.Seconds(), "rows/s")
		b.ReportMetric(0, "ns/op")
	}
}
