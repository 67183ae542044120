// Package ledger is the one SQLite file: everything idgate knows, and the only door to it.
//
// Every method that changes something is a verb and one transaction: when it returns nil, what it says is on disk
// (WAL, synchronous=FULL) and survives the loss of the process or the power. When it returns an error nothing of it is.
// A caller waits for its turn whatever becomes of its context, and so always learns the outcome; what was cancelled
// before its turn is not executed. All verbs may be repeated.
//
// One goroutine owns the one writing connection. It drains what is waiting into one transaction, each request inside its own
// savepoint, and answers after COMMIT, so that the cost of a disk flush is shared. Readers are separate, query_only connections.
// The Ledger owns the Shops' opened secrets; they live in memory only, behind an atomic pointer that is replaced after commit.
//
// The package is longer than others because every statement's caller stands here and nowhere else.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pressly/goose/v3"

	"idgate/app/receipt"
	"idgate/queries"
)

// Errors that callers tell apart.
var (
	ErrBusy        = errors.New("the ledger's queue is full; try again shortly")
	ErrNotFound    = errors.New("not found")
	ErrUnknownShop = errors.New("unknown shop")
	ErrPolicyMoved = errors.New("the policy has moved on since this form was opened")
	ErrMoved       = errors.New("the order has moved on since this page was opened")
	ErrLeaseLost   = errors.New("the lease has run out and is another's, or has ended already")
	ErrClosed      = errors.New("the ledger is closed")
)

// Kind stamps a file for one command; the other refuses it.
type Kind string

// The kinds of ledger.
const (
	Demo Kind = "demo"
	Real Kind = "real"
)

// Options opens a Ledger.
type Options struct {
	Path    string
	Kind    Kind
	Keyring Keyring
	Now     time.Time
	Log     *slog.Logger
	Issuer  string // our public URL, as Receipts name it
	// At, set by tests only, is called just before and just after each COMMIT.
	At func(step string)
}

// Ledger is an open file. Its methods may be called by any goroutine.
type Ledger struct {
	keyring Keyring
	macKeys [][]byte // of Capabilities; the first makes, all verify
	issuer  string
	log     *slog.Logger
	readDB  *sql.DB
	read    *queries.Queries
	writeDB *sql.DB

	lastID string // the writer's own: see nextID

	queue  chan *request
	done   chan struct{}
	closer sync.RWMutex // held for reading while enqueueing
	closed bool

	shops atomic.Pointer[map[string]*Shop]
	keys  atomic.Pointer[signing]
	bells map[Bell]chan struct{}

	// crash, when set by a test, is called between the steps of a commit.
	crash func(point string)
}

// signing is the key that signs and all that verify.
type signing struct {
	signer receipt.Signer
	jwks   []byte
}

// Bell tells a loop that there may be work; it is a hint, the work itself is rows.
type Bell string

// The bells.
const (
	NoticeBell    Bell = "notices"
	OrderBell     Bell = "orders"
	SessionBell   Bell = "sessions"
	WritebackBell Bell = "writebacks"
	ShopBell      Bell = "shops"
	EventBell     Bell = "events"
	ErasureBell   Bell = "erasures"
	StaffBell     Bell = "staff"
)

// Ring returns the channel that receives when b has rung. One receiver per bell.
func (l *Ledger) Ring(b Bell) <-chan struct{} { return l.bells[b] }

const (
	queueLength = 4096
	batchLength = 256
)

// Open opens or makes the file, migrates it, and starts the writer.
func Open(ctx context.Context, o Options) (*Ledger, error) {
	keepLocks()
	l := &Ledger{
		keyring: o.Keyring, macKeys: o.Keyring.DeriveAll("capability", 32), issuer: o.Issuer, log: o.Log, crash: o.At,
		queue: make(chan *request, queueLength), done: make(chan struct{}),
		bells: map[Bell]chan struct{}{},
	}
	for _, b := range []Bell{NoticeBell, OrderBell, SessionBell, WritebackBell, ShopBell, EventBell, ErasureBell, StaffBell} {
		l.bells[b] = make(chan struct{}, 1)
	}
	if err := l.open(ctx, o); err != nil {
		l.closeDBs()
		return nil, fmt.Errorf("opening the ledger %s: %w", o.Path, err)
	}
	return l, nil
}

func (l *Ledger) open(ctx context.Context, o Options) (err error) {
	if err := tellDamage(o.Path+"-wal", l.log); err != nil {
		return err
	}
	// secure_delete: of what is deleted or destroyed no bytes stay behind in the pages.
	l.writeDB, err = openDB(o.Path, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "busy_timeout(5000)", "cache_size(-8000)", "secure_delete(1)",
			"temp_store(MEMORY)"},
	})
	if err != nil {
		return err
	}
	l.writeDB.SetMaxOpenConns(1)
	if err := migrate(ctx, l.writeDB); err != nil {
		return err
	}
	conn, err := l.writeDB.Conn(ctx)
	if err != nil {
		return err
	}
	var q *queries.Queries
	running := false
	defer func() {
		if !running {
			err = errors.Join(err, giveBack(conn, q))
		}
	}()
	if q, err = queries.Prepare(ctx, conn); err != nil {
		return err
	}
	if err := stamp(ctx, q, o.Kind, o.Now); err != nil {
		return err
	}
	l.readDB, err = openDB(o.Path, url.Values{
		"_pragma": {"query_only(1)", "busy_timeout(5000)", "cache_size(-2000)", "temp_store(MEMORY)"},
	})
	if err != nil {
		return err
	}
	l.readDB.SetMaxOpenConns(4)
	l.readDB.SetMaxIdleConns(4)
	if l.read, err = queries.Prepare(ctx, l.readDB); err != nil {
		return err
	}
	running = true
	go l.writer(conn, q)
	if err := l.reseal(ctx); err != nil {
		return errors.Join(err, l.stop())
	}
	if err := l.loadKeys(ctx, o.Now); err != nil {
		return errors.Join(err, l.stop())
	}
	if err := l.loadShops(ctx); err != nil {
		return errors.Join(err, l.stop())
	}
	if err := l.resume(ctx, o.Now); err != nil {
		return errors.Join(err, l.stop())
	}
	return nil
}

// openDB opens the file in SQLite. Its errors that are the disk's are DiskErrors.
func openDB(path string, v url.Values) (*sql.DB, error) {
	c, err := newConnector(path, dsn(path, v))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

func dsn(path string, v url.Values) string {
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: v.Encode()}).String()
}

// migrate applies the forward-only migrations.
func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(queries.Migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir)
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		// goose takes a version table that cannot be read for one that is not there, and tries to make it.
		var versions int
		unread := db.QueryRowContext(ctx, "SELECT count(*) FROM goose_db_version").Scan(&versions)
		if errors.As(unread, new(*DiskError)) {
			err = unread
		}
		return fmt.Errorf("migrating: %w", err)
	}
	return nil
}

// stamp marks a new file with its kind and refuses a file of the other kind.
func stamp(ctx context.Context, q *queries.Queries, kind Kind, now time.Time) error {
	if err := q.StampLedger(ctx, queries.StampLedgerParams{Kind: string(kind), Now: millis(now)}); err != nil {
		return fmt.Errorf("stamping the file: %w", err)
	}
	have, err := q.LedgerKind(ctx)
	if err != nil {
		return err
	}
	if have != string(kind) {
		return fmt.Errorf("this is a %s ledger and the command is for a %s one: choose another data directory", have, kind)
	}
	return nil
}

// LeaveCheckpoints leaves moving the WAL into the file to whoever replicates it, or takes it back.
func (l *Ledger) LeaveCheckpoints(leave bool) {
	pages := 1000 // SQLite's own default
	if leave {
		pages = 0
	}
	err := l.do(context.Background(), func(ctx context.Context, t *tx) error {
		_, err := t.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", pages))
		return err
	})
	if err != nil && !errors.Is(err, ErrClosed) {
		l.log.Error("leaving checkpoints to the replica", "leave", leave, "error", err)
	}
}

// Close answers what is queued, then closes the file.
func (l *Ledger) Close() error {
	return errors.Join(l.stop(), l.closeDBs())
}

func (l *Ledger) stop() error {
	l.closer.Lock()
	was := l.closed
	l.closed = true
	l.closer.Unlock()
	if !was {
		close(l.queue)
	}
	<-l.done
	return nil
}

func (l *Ledger) closeDBs() error {
	var err error
	for _, db := range []*sql.DB{l.readDB, l.writeDB} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return err
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// found maps the driver's "no rows" to ErrNotFound.
func found[T any](v T, err error) (T, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return v, ErrNotFound
	}
	return v, err
}
