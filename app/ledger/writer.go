package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"idgate/queries"
)

// request is one verb waiting for the writer.
type request struct {
	ctx  context.Context
	work func(context.Context, *tx) error
	tx   tx
	err  error
	done chan struct{}
}

// tx is what a verb may use inside its transaction.
type tx struct {
	*queries.Queries
	conn   *sql.Conn
	actor  string   // in whose name
	reload []string // Shops to read again after commit
	ring   []Bell
}

// do runs work in the writer and returns after COMMIT. The queue is bounded: a full one is ErrBusy at once.
func (l *Ledger) do(ctx context.Context, work func(context.Context, *tx) error) error {
	r := &request{ctx: ctx, work: work, done: make(chan struct{})}
	l.closer.RLock()
	if l.closed {
		l.closer.RUnlock()
		return ErrClosed
	}
	select {
	case l.queue <- r:
		l.closer.RUnlock()
	default:
		l.closer.RUnlock()
		return ErrBusy
	}
	<-r.done
	return r.err
}

// writer is the only goroutine that writes. It takes no timer: what has arrived while the last COMMIT was flushing is the next batch.
func (l *Ledger) writer(conn *sql.Conn, q *queries.Queries) {
	defer close(l.done)
	defer func() {
		if err := giveBack(conn, q); err != nil {
			l.log.Error("giving back the writing connection", "error", err)
		}
	}()
	batch := make([]*request, 0, batchLength)
	for r := range l.queue {
		batch = append(batch[:0], r)
	drain:
		for len(batch) < batchLength {
			select {
			case r, ok := <-l.queue:
				if !ok {
					break drain
				}
				batch = append(batch, r)
			default:
				break drain
			}
		}
		l.commit(conn, q, batch)
		for _, r := range batch {
			close(r.done)
		}
	}
}

// giveBack closes the writing connection. A connection in use outlives its sql.DB, and so does one with statements that were prepared on it
// alone: the file would stay open in this process, and the WAL behind.
func giveBack(conn *sql.Conn, q *queries.Queries) error {
	if q == nil {
		return conn.Close()
	}
	return errors.Join(q.Close(), conn.Close())
}

// commit runs a batch in one transaction. A request that fails is rolled back alone. When SQLite has given up the whole transaction
// (a full disk), the rest of the batch is not begun: each statement would commit by itself.
func (l *Ledger) commit(conn *sql.Conn, q *queries.Queries, batch []*request) {
	ctx := context.Background() // a caller that goes away must not abort its neighbours
	fail := func(err error) {
		_, _ = conn.ExecContext(ctx, "ROLLBACK") // the transaction may have ended already
		for _, r := range batch {
			r.err = err
		}
	}
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		fail(fmt.Errorf("beginning: %w", err))
		return
	}
	for _, r := range batch {
		if r.err = r.ctx.Err(); r.err != nil {
			continue
		}
		r.tx = tx{Queries: q, conn: conn, actor: actorOf(r.ctx)}
		whole, err := l.apply(ctx, conn, r)
		if !whole {
			fail(fmt.Errorf("the transaction was given up: %w", err))
			return
		}
		if r.err = err; err != nil {
			r.tx = tx{}
		}
	}
	if l.crash != nil {
		l.crash("before commit")
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		fail(fmt.Errorf("committing: %w", err))
		return
	}
	if l.crash != nil {
		l.crash("after commit")
	}
	for _, r := range batch {
		for _, hash := range r.tx.reload {
			if err := l.reloadShop(ctx, q, hash); err != nil {
				l.log.Error("reading a shop again after commit", "shop", hash, "error", err)
			}
		}
		for _, b := range r.tx.ring {
			select {
			case l.bells[b] <- struct{}{}:
			default:
			}
		}
	}
}

// apply runs one request inside a savepoint. It reports false when the savepoint, and so the transaction, is lost.
func (l *Ledger) apply(ctx context.Context, conn *sql.Conn, r *request) (whole bool, err error) {
	if _, err := conn.ExecContext(ctx, "SAVEPOINT request"); err != nil {
		return false, fmt.Errorf("opening a savepoint: %w", err)
	}
	err = r.work(ctx, &r.tx)
	if err != nil {
		if _, rerr := conn.ExecContext(ctx, "ROLLBACK TO request"); rerr != nil {
			return false, fmt.Errorf("%w; rolling back: %w", err, rerr)
		}
	}
	if _, rerr := conn.ExecContext(ctx, "RELEASE request"); rerr != nil {
		return false, errors.Join(err, fmt.Errorf("releasing a savepoint: %w", rerr))
	}
	return true, err
}
