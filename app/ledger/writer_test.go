package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"idgate/app/gate"
)

// blocked keeps the writer busy until release is called: what is asked for meanwhile is the next batch.
func (r *rig) blocked() (release func()) {
	r.Helper()
	began, end, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- r.l.do(context.Background(), func(context.Context, *tx) error { close(began); <-end; return nil })
	}()
	<-began
	return func() {
		close(end)
		r.ok(<-done)
	}
}

func (r *rig) notice(hash string, n int) NewNotice {
	return NewNotice{Shop: hash, EventAt: r.now, Hash: fmt.Sprintf("hash %d", n), Scope: "store/order/created", Subject: fmt.Sprint(n)}
}

// TestBatch: what waits while the writer is busy becomes one transaction, in which each request stands or falls alone.
func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		commits := 0
		r.l.crash = func(point string) {
			if point == "after commit" {
				commits++
			}
		}
		release := r.blocked()
		gone, cancel := context.WithCancel(t.Context())
		own := errors.New("a request's own error")
		results := make([]error, 12)
		ran := false
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				switch i {
				case 3: // refused by SQLite
					_, results[i] = r.l.RecordNotice(t.Context(), r.notice("nobody", i), r.now)
				case 5: // refused by itself, after it has written
					results[i] = r.l.do(t.Context(), func(ctx context.Context, x *tx) error {
						if err := x.EndLogin(ctx, "l"); err != nil {
							return err
						}
						x.ring = append(x.ring, ShopBell)
						_, err := x.conn.ExecContext(ctx, "UPDATE shops SET name = 'taken back'")
						return errors.Join(err, own)
					})
				case 7: // its caller has gone
					results[i] = r.l.do(gone, func(context.Context, *tx) error { ran = true; return nil })
				default:
					_, results[i] = r.l.RecordNotice(t.Context(), r.notice(shopHash, i), r.now)
				}
			})
		}
		<-r.l.Ring(ShopBell) // of the installation
		synctest.Wait()
		cancel()
		release()
		wg.Wait()
		if commits != 2 {
			t.Errorf("%d transactions, want the blocker's and one more", commits)
		}
		for i, err := range results {
			switch i {
			case 3:
				if err == nil || !strings.Contains(err.Error(), "FOREIGN KEY") {
					t.Errorf("request 3: %v", err)
				}
			case 5:
				r.is(err, own)
			case 7:
				r.is(err, context.Canceled)
			default:
				r.is(err, nil)
			}
		}
		if ran {
			t.Error("a request was executed though its caller had gone")
		}
		r.want("9", "SELECT count(*) FROM notices")
		r.want("", "SELECT name FROM shops")
		select {
		case <-r.l.Ring(NoticeBell):
		default:
			t.Error("no bell for what was committed")
		}
		select {
		case <-r.l.Ring(ShopBell):
			t.Error("a bell for what was taken back")
		default:
		}
	})
}

// TestCancelledBefore: a caller that has gone before it asked is not served either.
func TestCancelledBefore(t *testing.T) {
	r := newRig(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.l.RecordNotice(gone, r.notice(shopHash, 1), r.now)
	r.is(err, context.Canceled)
	r.want("0", "SELECT count(*) FROM notices")
}

// TestFaultFullQueue: the queue is bounded, a full one is said at once, and what was in it is served.
func TestFaultFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		release := r.blocked()
		longest, now := 0, 0
		r.l.crash = func(point string) {
			longest, now = max(longest, now), 0
		}
		var wg sync.WaitGroup
		for range queueLength {
			wg.Go(func() {
				if err := r.l.do(t.Context(), func(context.Context, *tx) error { now++; return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		for range 3 {
			r.is(r.l.do(t.Context(), func(context.Context, *tx) error { t.Error("served"); return nil }), ErrBusy)
		}
		release()
		wg.Wait()
		if longest != batchLength {
			t.Errorf("the longest batch was of %d requests, want %d", longest, batchLength)
		}
		r.ok(r.l.DueOrder(t.Context(), shopHash, 1, r.now))
	})
}

// TestClose: what is queued is answered, nothing more is taken, and closing twice does no harm.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		release := r.blocked()
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				if _, err := r.l.RecordNotice(t.Context(), r.notice(shopHash, i), r.now); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		closed := false
		wg.Go(func() {
			if err := r.l.Close(); err != nil {
				t.Error(err)
			}
			closed = true
		})
		synctest.Wait()
		if closed {
			t.Error("closed before what was queued has been answered")
		}
		_, err := r.l.RecordNotice(t.Context(), r.notice(shopHash, 1000), r.now)
		r.is(err, ErrClosed)
		release()
		wg.Wait()
		r.is(r.l.DueOrder(t.Context(), shopHash, 1, r.now), ErrClosed)
		r.ok(r.l.Close())
		r.open()
		r.want("300", "SELECT count(*) FROM notices")
		r.want("0", "SELECT count(*) FROM orders")
	})
}

// TestFaultFailedCommit: when COMMIT fails, every caller of the batch is told, nothing of it is there, and the next batch is as any other.
func TestFaultFailedCommit(t *testing.T) {
	for name, breaking := range map[string]string{
		// A reference that is checked at COMMIT only.
		"committing: ": "PRAGMA defer_foreign_keys = ON; INSERT INTO logins (id, store_hash, user_id, made_at, expires_at) VALUES ('l', 'nobody', 1, 1, 1)",
		// SQLite does this by itself when the disk is full.
		"the transaction was given up: ": "ROLLBACK",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				release := r.blocked()
				before := dump(t, r.l.readDB)
				results := make([]error, 9)
				var wg sync.WaitGroup
				for i := range results {
					wg.Go(func() {
						if i == 4 {
							results[i] = r.l.do(t.Context(), func(ctx context.Context, x *tx) error {
								x.reload, x.ring = append(x.reload, shopHash), append(x.ring, SessionBell)
								_, err := x.conn.ExecContext(ctx, breaking)
								if breaking == "ROLLBACK" {
									err = errors.Join(err, errors.New("disk full"))
								}
								return err
							})
							return
						}
						_, results[i] = r.l.RecordNotice(t.Context(), r.notice(shopHash, i), r.now)
					})
				}
				synctest.Wait()
				release()
				wg.Wait()
				for i, err := range results {
					if err == nil || !strings.Contains(err.Error(), name) {
						t.Errorf("request %d: %v", i, err)
					}
				}
				if after := dump(t, r.l.readDB); after != before {
					t.Errorf("of a batch that failed there is\n%s", after)
				}
				select {
				case <-r.l.Ring(SessionBell):
					t.Error("a bell for nothing")
				default:
				}
				_, err := r.l.RecordNotice(t.Context(), r.notice(shopHash, 1), r.now)
				r.ok(err)
				r.want("1", "SELECT count(*) FROM notices")
			})
		})
	}
}

// TestFaultFailedBegin: a file that somebody else has locked is an error, not a hang or a loss.
func TestFaultFailedBegin(t *testing.T) {
	r := newRig(t)
	r.exec("PRAGMA busy_timeout = 0")
	conn, err := r.l.readDB.Conn(t.Context())
	r.ok(err)
	for _, q := range []string{"PRAGMA query_only = 0", "BEGIN IMMEDIATE"} {
		_, err = conn.ExecContext(t.Context(), q)
		r.ok(err)
	}
	err = r.l.DueOrder(t.Context(), shopHash, 1, r.now)
	if err == nil || !strings.Contains(err.Error(), "beginning: ") || !strings.Contains(err.Error(), "locked") {
		t.Error(err)
	}
	for _, q := range []string{"ROLLBACK", "PRAGMA query_only = 1"} {
		_, err = conn.ExecContext(t.Context(), q)
		r.ok(err)
	}
	r.ok(conn.Close())
	r.ok(r.l.DueOrder(t.Context(), shopHash, 1, r.now))
	r.want("1", "SELECT count(*) FROM orders")
}

// TestConcurrentVerbs runs many verbs at once, some of which fail, and counts what is there.
func TestConcurrentVerbs(t *testing.T) {
	const workers, rounds = 16, 25
	r := newRig(t)
	s := r.shop()
	ctx := t.Context()
	var mu sync.Mutex
	firstNotices, firstTokens := 0, 0
	count := func(first bool, n *int) {
		mu.Lock()
		defer mu.Unlock()
		if first {
			*n++
		}
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range rounds {
				if _, err := r.l.RecordNotice(ctx, r.notice(shopHash, w*rounds+i), r.now); err != nil {
					t.Error(err)
				}
				first, err := r.l.RecordNotice(ctx, r.notice(shopHash, -1-i), r.now) // the same for all workers
				if err != nil {
					t.Error(err)
				}
				count(first, &firstNotices)
				if _, err := r.l.RecordNotice(ctx, r.notice("nobody", i), r.now); err == nil {
					t.Error("a notice for nobody was taken")
				}
				first, err = r.l.UseToken(ctx, fmt.Sprintf("token %d", i), r.now)
				if err != nil {
					t.Error(err)
				}
				count(first, &firstTokens)
				if err := r.l.DueOrder(ctx, shopHash, int64(1+i), r.now); err != nil {
					t.Error(err)
				}
				c := Capability{Shop: shopHash, Purpose: ForCart, CartID: fmt.Sprintf("cart %d/%d", w, i), ExpiresAt: r.now}
				if _, err := r.l.RecordCartDecision(ctx, s, r.cartDecision(c.CartID, gate.Verify), &c, r.now); err != nil {
					t.Error(err)
				}
				if _, err := r.l.CartDecisions(ctx, shopHash, c.CartID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if firstNotices != rounds || firstTokens != rounds {
		t.Errorf("%d notices and %d tokens came first, want %d of each", firstNotices, firstTokens, rounds)
	}
	r.want(fmt.Sprint(workers*rounds+rounds), "SELECT count(*) FROM notices")
	r.want(fmt.Sprint(workers), "SELECT max(deliveries) FROM notices")
	r.want(fmt.Sprint(workers), "SELECT min(deliveries) FROM notices WHERE event_hash LIKE 'hash -%'")
	r.want(fmt.Sprint(rounds), "SELECT count(*) FROM orders")
	r.want(fmt.Sprint(workers*rounds), "SELECT count(*) FROM decisions")
	r.want(fmt.Sprint(workers*rounds), "SELECT count(*) FROM capabilities")
	r.want("ok", "PRAGMA integrity_check")
	r.want("0", "SELECT count(*) FROM pragma_foreign_key_check")
}
