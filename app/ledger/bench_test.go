package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/queries"
)

// The benchmarks write to a real disk, with synchronous=FULL: every figure is of answers that survive the loss of power.
// Callers are many, as webhooks and shoppers are: 64 per processor.
const callers = 64

// oneByOne stores Notices with the same pragmas, statements and file, in one transaction per request over a pool of one connection.
func oneByOne(b *testing.B, path string) (record func(NewNotice, time.Time) error) {
	b.Helper()
	db, err := sql.Open("sqlite", dsn(path, url.Values{"_txlock": {"immediate"}, "_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"busy_timeout(60000)", "cache_size(-8000)", "temp_store(MEMORY)"}}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	q, err := queries.Prepare(context.Background(), db)
	if err != nil {
		b.Fatal(err)
	}
	return func(n NewNotice, now time.Time) error {
		t, err := db.BeginTx(context.Background(), nil)
		if err != nil {
			return err
		}
		defer func() { _ = t.Rollback() }()
		_, err = q.WithTx(t).AddNotice(context.Background(), queries.AddNoticeParams{StoreHash: n.Shop, EventAt: millis(n.EventAt), EventHash: n.Hash, Scope: n.Scope,
			Subject: n.Subject, Detail: "{}", Now: millis(now)})
		if err != nil {
			return err
		}
		return t.Commit()
	}
}

// BenchmarkRecordNotice compares the one writer with a transaction per request, in one run on one disk.
func BenchmarkRecordNotice(b *testing.B) {
	var n atomic.Int64
	notice := func() NewNotice {
		i := n.Add(1)
		return NewNotice{Shop: shopHash, EventAt: start.Add(time.Duration(i) * time.Millisecond), Hash: fmt.Sprintf("%040x", i), Scope: "store/order/statusUpdated", Subject: fmt.Sprint(i / 4)}
	}
	parallel := func(b *testing.B, record func(NewNotice) error) float64 {
		b.SetParallelism(callers)
		b.ResetTimer()
		b.RunParallel(func(p *testing.PB) {
			for p.Next() {
				if err := record(notice()); err != nil {
					b.Error(err)
				}
			}
		})
		b.StopTimer()
		rate := float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(rate, "durable/s")
		return rate
	}
	var alone, together float64
	b.Run("a transaction each", func(b *testing.B) {
		r := newRig(b)
		r.ok(r.l.Close())
		record := oneByOne(b, r.path)
		alone = parallel(b, func(n NewNotice) error { return record(n, start) })
	})
	b.Run("one writer", func(b *testing.B) {
		r := newRig(b)
		together = parallel(b, func(n NewNotice) error { _, err := r.l.RecordNotice(context.Background(), n, start); return err })
		if alone > 0 {
			b.ReportMetric(together/alone, "times")
		}
	})
}

// BenchmarkRecordCartDecision is what a checkout costs: a Decision, its signed Receipt, and a Capability.
func BenchmarkRecordCartDecision(b *testing.B) {
	r := newRig(b)
	s := r.shop()
	var n atomic.Int64
	b.SetParallelism(callers)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := n.Add(1)
			c := &Capability{Shop: shopHash, Purpose: ForCart, CartID: fmt.Sprint("cart ", i), ExpiresAt: start}
			if _, err := r.l.RecordCartDecision(context.Background(), s, r.cartDecision(c.CartID, gate.Verify), c, start.Add(time.Duration(i)*time.Millisecond)); err != nil {
				b.Error(err)
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "durable/s")
}

// BenchmarkLeaseOrders leases and settles batches of 64, with 100,000 orders in the Shop.
func BenchmarkLeaseOrders(b *testing.B) {
	r := newRig(b)
	r.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
		INSERT INTO orders (store_hash, order_id, seen_at, due_at, status_id) SELECT 'abc123', i, 1, i, 11 FROM n`)
	b.ResetTimer()
	leased := 0
	for b.Loop() {
		due, err := r.l.LeaseOrders(context.Background(), shopHash, false, start, start.Add(lease), 64)
		r.ok(err)
		if leased += len(due); len(due) < 64 {
			b.StopTimer()
			r.exec("UPDATE orders SET due_at = order_id")
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(leased)/b.Elapsed().Seconds(), "leases/s")
}

// BenchmarkProofsFor reads a customer's Proofs, opened, among 20,000, while nothing and while Notices are being written.
func BenchmarkProofsFor(b *testing.B) {
	for _, busy := range []bool{false, true} {
		b.Run(map[bool]string{false: "idle", true: "while writing"}[busy], func(b *testing.B) {
			r := newRig(b)
			s := r.shop()
			r.proved(r.cart("c1", 7, "ada@example.com"), r.ada(), nil)
			r.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
				INSERT INTO sessions (id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, order_id, customer_id, mailbox, requirement, policy_version, reason,
					trouble, digest, started_at, deadline, changed_at, attempt, poll_at, leased_until, woken_at, late) SELECT 's' || i, store_hash, provider, 'r' || i, capture_url, state, capability, 'c' || (i + 1), order_id, i + 100, mailbox, requirement, policy_version,
					reason, trouble, digest, started_at, deadline, changed_at, attempt, poll_at, leased_until, woken_at, late FROM sessions, n`)
			r.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
				INSERT INTO proofs SELECT 'p' || i, store_hash, 's' || i, i + 100, 'c' || (i + 1), order_id, randomblob(32), ial, source, document, selfie, age, person, proved_at,
					good_until, revoked_at, revoked_by, revoked_why FROM proofs, n`)
			f := gate.Facts{CartID: "c1", Buyer: gate.Buyer{CustomerID: 7, Mailbox: s.MailboxHash("ada@example.com")}}
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for i := 0; busy; i++ {
					select {
					case <-stop:
						return
					default:
					}
					if _, err := r.l.RecordNotice(context.Background(), r.notice(shopHash, i), start); err != nil {
						b.Error(err)
					}
				}
			}()
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if ps, err := r.l.ProofsFor(context.Background(), s, f); err != nil || len(ps) != 1 {
						b.Errorf("%d proofs, %v", len(ps), err)
					}
				}
			})
			b.StopTimer()
			close(stop)
			<-stopped
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
		})
	}
}

// over fills the file with n rows of each kind that are over: Notices, Writebacks, Decisions, Sessions with their Proofs, Capabilities, orders.
func (r *rig) over(n int) {
	r.Helper()
	old := millis(start.Add(-3 * 365 * day))
	for _, insert := range []string{
		`INSERT INTO notices (store_hash, event_at, event_hash, scope, subject, received_at, state, due_at, handled_at)
			SELECT 'abc123', ?1 + i, 'old' || i, 'store/order/statusUpdated', i / 4, ?1 + i, 'done', 0, ?1 + i FROM n`,
		`INSERT INTO writebacks (store_hash, key, kind, subject, urgency, state, due_at, made_at, done_at)
			SELECT 'abc123', 'decision_metafield/' || i, 'decision_metafield', i, 1, 'done', 0, ?1 + i, ?1 + i FROM n`,
		`INSERT INTO decisions (id, store_hash, stage, cart_id, outcome, mode, made_by, policy_version, facts_digest, explanation, receipt, made_at)
			SELECT printf('old%08d', i), 'abc123', 'checkout', 'old' || i, 'verify', 'enforce', 'rule', 1, randomblob(32), hex(randomblob(300)), hex(randomblob(250)), ?1 + i FROM n`,
		`INSERT INTO sessions (id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, mailbox, requirement, policy_version, started_at, deadline, changed_at, over_at)
			SELECT printf('old%08d', i), 'abc123', '1kosmos', 'old' || i, x'', 'passed', randomblob(16), 'old' || i, randomblob(32), '{}', 1, ?1 + i, ?1 + i, ?1 + i, ?1 + i FROM n`,
		`INSERT INTO proofs (id, store_hash, session_id, cart_id, mailbox, ial, source, document, selfie, age, person, proved_at, good_until)
			SELECT printf('old%08d', i), 'abc123', printf('old%08d', i), 'old' || i, randomblob(32), 2, 'policy', 1, 1, 30, randomblob(90), ?1 + i - 1, ?1 + i FROM n`,
		`INSERT INTO capabilities (id, store_hash, purpose, cart_id, mailbox, made_at, expires_at) SELECT randomblob(16), 'abc123', 'cart', 'old' || i, randomblob(32), ?1 + i, ?1 + i FROM n`,
		`INSERT INTO orders (store_hash, order_id, status_id, mailbox, buyer, seen_at, hold) SELECT 'abc123', i, 10, randomblob(32), randomblob(90), ?1 + i, 'none' FROM n`,
	} {
		r.exec(fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", n)+insert, old)
	}
}

// BenchmarkForget compares durable Notices per second while nothing else goes on and while slices are forgotten one after the other, as after
// a long retention was shortened: in one run, on one disk.
func BenchmarkForget(b *testing.B) {
	r := newRig(b)
	r.over(100_000)
	var n atomic.Int64
	var alone float64
	for _, forgetting := range []bool{false, true} {
		b.Run(map[bool]string{false: "notices alone", true: "notices while forgetting"}[forgetting], func(b *testing.B) {
			var slices, forgotten atomic.Int64
			stop, stopped := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(stopped)
				for forgetting {
					select {
					case <-stop:
						return
					default:
					}
					k, err := r.l.Forget(context.Background(), start)
					if err != nil {
						b.Error(err)
					}
					if k == 0 {
						b.Log("nothing is left to forget: the figures are too good")
						return
					}
					forgotten.Add(k)
					slices.Add(1)
				}
			}()
			var slowest atomic.Int64
			b.SetParallelism(callers)
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					i := int(n.Add(1))
					notice := r.notice(shopHash, i)
					notice.EventAt = start.Add(time.Duration(i) * time.Millisecond)
					began := time.Now()
					if _, err := r.l.RecordNotice(context.Background(), notice, start); err != nil {
						b.Error(err)
					}
					if took := int64(time.Since(began)); took > slowest.Load() {
						slowest.Store(took)
					}
				}
			})
			b.StopTimer()
			rate := float64(b.N) / b.Elapsed().Seconds()
			close(stop)
			<-stopped
			b.ReportMetric(rate, "durable/s")
			b.ReportMetric(float64(slowest.Load())/1e6, "ms-slowest")
			if !forgetting {
				alone = rate
				return
			}
			b.ReportMetric(float64(forgotten.Load())/b.Elapsed().Seconds(), "forgotten/s")
			b.ReportMetric(float64(slices.Load())/b.Elapsed().Seconds(), "slices/s")
			if alone > 0 {
				b.ReportMetric(alone/rate, "times-slower")
			}
		})
	}
}
