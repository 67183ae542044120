package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
)

// rig is a ledger on a file of its own, with a clock that moves by hand and the Shop abc123 installed.
type rig struct {
	testing.TB
	l    *Ledger
	path string
	now  time.Time
	log  *safeBuffer
}

const shopHash = "abc123"

var start = time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC)

func options(path string, log *safeBuffer) Options {
	ring, err := ParseKeyring(operatorLine(1))
	if err != nil {
		panic(err)
	}
	return Options{Path: path, Kind: Real, Keyring: ring, Now: start, Log: slog.New(slog.NewTextHandler(log, nil)), Issuer: "https://idgate.example"}
}

func newRig(t testing.TB) *rig { return newRigAt(t, filepath.Join(t.TempDir(), "idgate.db")) }

func newRigAt(t testing.TB, path string) *rig {
	t.Helper()
	r := &rig{TB: t, path: path, now: start, log: &safeBuffer{}}
	r.open()
	r.install(shopHash)
	return r
}

func (r *rig) open(change ...func(*Options)) {
	r.Helper()
	o := options(r.path, r.log)
	for _, c := range change {
		c(&o)
	}
	l, err := Open(context.Background(), o)
	if err != nil {
		r.Fatal(err)
	}
	r.l = l
	r.Cleanup(func() {
		if err := l.Close(); err != nil {
			r.Error(err)
		}
	})
}

func (r *rig) install(hash string) {
	r.Helper()
	r.ok(r.l.InstallShop(context.Background(), Install{StoreHash: hash, Token: "token of " + hash, Scopes: []string{"store_v2_orders", "store_v2_customers"}, OwnerID: 5}, r.now))
}

func (r *rig) shop() *Shop {
	r.Helper()
	s, err := r.l.Shop(shopHash)
	r.ok(err)
	return s
}

// row is what is published of a Shop, also of one that has gone.
func (r *rig) row(hash string) *Shop {
	r.Helper()
	s, ok := (*r.l.shops.Load())[hash]
	if !ok {
		r.Fatalf("no shop %s", hash)
	}
	return s
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) is(err, want error) {
	r.Helper()
	if !errors.Is(err, want) {
		r.Errorf("error %v, want %v", err, want)
	}
}

func (r *rig) wait(d time.Duration) { r.now = r.now.Add(d) }

// exec changes the file behind the verbs' back.
func (r *rig) exec(query string, args ...any) {
	r.Helper()
	r.ok(r.l.do(context.Background(), func(ctx context.Context, t *tx) error {
		_, err := t.conn.ExecContext(ctx, query, args...)
		return err
	}))
}

// set replaces the first Shop's settings.
func (r *rig) set(ctx context.Context, n Settings) error {
	_, err := r.l.ChangeSettings(ctx, shopHash, SettingsChange{To: func(Settings) (Settings, string, error) { return n, "", nil }}, r.now)
	return err
}

// value reads one value of the file.
func (r *rig) value(query string, args ...any) string {
	r.Helper()
	var v any
	if err := r.l.readDB.QueryRowContext(context.Background(), query, args...).Scan(&v); err != nil {
		r.Fatalf("%s: %v", query, err)
	}
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

func (r *rig) want(want string, query string, args ...any) {
	r.Helper()
	if got := r.value(query, args...); got != want {
		r.Errorf("%s: %s, want %s", query, got, want)
	}
}

// dump is every row of every table.
func dump(t testing.TB, db *sql.DB) string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'goose%' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		names = append(names, s)
	}
	_ = rows.Close()
	var out []string
	for _, name := range names {
		rows, err := db.QueryContext(context.Background(), "SELECT * FROM "+name)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			line := name
			for i, c := range columns {
				line += fmt.Sprintf(" %s=%v", c, values[i])
			}
			out = append(out, line)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		_ = rows.Close()
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// cart is a Capability of the kind that the checkout page gets, with a Decision that asks for proof.
func (r *rig) cart(cartID string, customerID int64, mailbox string) Capability {
	r.Helper()
	s := r.shop()
	c := Capability{Shop: s.Hash, Purpose: ForCart, CartID: cartID, CustomerID: customerID, Mailbox: s.MailboxHash(mailbox), ExpiresAt: r.now.Add(time.Hour)}
	_, err := r.l.RecordCartDecision(context.Background(), s, r.cartDecision(cartID, gate.Verify), &c, r.now)
	r.ok(err)
	return c
}

func (r *rig) cartDecision(cartID string, o gate.Outcome) NewDecision {
	return NewDecision{Facts: gate.Facts{Stage: gate.AtCheckout, CartID: cartID}, MadeBy: ByRule, Policy: 1,
		Decision: gate.Decision{Outcome: o, Mode: gate.Enforce, Reasons: []gate.Reason{{Code: gate.NoProof}}, Rules: []gate.RuleResult{}}}
}

func (r *rig) orderDecision(orderID int64, o gate.Outcome) NewDecision {
	n := r.cartDecision("", o)
	n.Facts = gate.Facts{Stage: gate.AtOrder, OrderID: orderID, Value: gate.Money{Minor: 5000, Currency: "EUR"}}
	return n
}

// session starts a Session for c, due at once.
func (r *rig) session(c Capability) Session {
	r.Helper()
	n := Session{ID: NewSessionID(r.now), Provider: "1kosmos", CaptureURL: "https://capture.example/secret-link", State: idv.StateCreated,
		Requirement: gate.Requirement{IAL: 2, Selfie: true}, Policy: 1, Deadline: r.now.Add(30 * time.Minute), PollAt: r.now}
	n.Ref = "ref " + n.ID
	r.ok(r.l.StartSession(context.Background(), r.shop(), c, n, r.now))
	return n
}

// polled leases the one Session that is due.
func (r *rig) polled() Session {
	r.Helper()
	due, err := r.l.LeaseSessions(context.Background(), shopHash, r.now, r.now.Add(lease), 9)
	r.ok(err)
	if len(due) != 1 {
		r.Fatalf("%d sessions are due", len(due))
	}
	return due[0]
}

const lease = 2 * time.Minute

// evaluated makes an order due and leases it.
func (r *rig) evaluated(id int64) OrderLease {
	r.Helper()
	r.ok(r.l.DueOrder(context.Background(), shopHash, id, r.now))
	return r.leased(id)
}

// leased leases the one order that is due.
func (r *rig) leased(id int64) OrderLease {
	r.Helper()
	due, err := r.l.LeaseOrders(context.Background(), shopHash, false, r.now, r.now.Add(lease), 9)
	r.ok(err)
	if len(due) != 1 || due[0].OrderID != id {
		r.Fatalf("due: %v, want order %d", due, id)
	}
	return due[0]
}

func (r *rig) order(id int64) Order {
	r.Helper()
	o, err := r.l.Order(context.Background(), r.shop(), id)
	r.ok(err)
	return o
}

// onHold is an order that a Decision has put on hold, its hold confirmed.
func (r *rig) onHold(id int64) Order {
	r.Helper()
	l := r.evaluated(id)
	o := r.order(id)
	o.StatusID, o.Hold, o.FormerStatus, o.HoldStatus = 11, Holding, 11, 12
	d := r.orderDecision(id, gate.Hold)
	r.ok(r.l.SettleOrder(context.Background(), r.shop(), l, Settlement{Order: o, Decision: &d, Owe: []WritebackKind{Hold}}, r.now))
	w := r.owed(0)
	r.ok(r.l.ConfirmHold(context.Background(), shopHash, id, Holding, Held, 12, r.now))
	r.ok(r.l.FinishWriteback(context.Background(), w, "on hold", r.now))
	return r.order(id)
}

// owed leases the one Writeback of an urgency that is due.
func (r *rig) owed(urgency int64) Writeback {
	r.Helper()
	due, err := r.l.LeaseWritebacks(context.Background(), shopHash, urgency, r.now, r.now.Add(lease), 9)
	r.ok(err)
	if len(due) != 1 {
		r.Fatalf("%d writebacks of urgency %d are due: %v", len(due), urgency, due)
	}
	return due[0]
}

// TestOpenAgain shows that a closed file is one file, held by nobody, and that everything is found in it again.
func TestOpenAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20é")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	r := newRigAt(t, filepath.Join(dir, "idgate ledger.db"))
	jwks := string(r.l.JWKS())
	r.cart("c1", 0, "")
	before := dump(t, r.l.readDB)
	r.ok(r.l.Close())
	files, err := os.ReadDir(dir)
	r.ok(err)
	if len(files) != 1 || files[0].Name() != "idgate ledger.db" {
		t.Errorf("left behind: %v", files)
	}
	if runtime.GOOS == "linux" {
		fds, err := os.ReadDir("/proc/self/fd")
		r.ok(err)
		for _, fd := range fds {
			if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, dir) {
				t.Errorf("still open: %s", to)
			}
		}
	}
	r.open()
	if after := dump(t, r.l.readDB); after != before {
		t.Errorf("opened again:\n%s\nwas\n%s", after, before)
	}
	if string(r.l.JWKS()) != jwks {
		t.Error("another signing key")
	}
	if s := r.shop(); s.Token != "token of abc123" || !slices.Equal(s.Scopes, []string{"store_v2_orders", "store_v2_customers"}) {
		t.Errorf("the shop: %+v", *s)
	}
	if strings.Contains(r.log.String(), "level=ERROR") {
		t.Error(r.log.String())
	}
}

// TestOpenRefuses lists what a ledger does not open, and what the operator is told. A refused file is let go of, and stays as it is.
func TestOpenRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "idgate.db")
	r := newRigAt(t, path)
	r.ok(r.l.Close())
	whole, err := os.ReadFile(path)
	r.ok(err)
	wrongKey, err := ParseKeyring(operatorLine(2))
	r.ok(err)
	for name, tt := range map[string]struct {
		change func(*Options)
		want   string
	}{
		"the other command":  {func(o *Options) { o.Kind = Demo }, "this is a real ledger and the command is for a demo one: choose another data directory"},
		"another key":        {func(o *Options) { o.Keyring = wrongKey }, "is this the right operator key?"},
		"names the file":     {func(o *Options) { o.Kind = Demo }, path},
		"no such directory":  {func(o *Options) { o.Path = filepath.Join(path+"x", "idgate.db") }, "unable to open database file"},
		"not a database":     {func(o *Options) { o.Path = text(t) }, "file is not a database"},
		"a directory":        {func(o *Options) { o.Path = t.TempDir() }, "unable to open database file"},
		"key named by error": {func(o *Options) { o.Keyring = wrongKey }, ErrUnknownKey.Error()},
	} {
		o := options(path, r.log)
		tt.change(&o)
		l, err := Open(t.Context(), o)
		if err == nil {
			_ = l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), o.Path) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	again, err := os.ReadFile(path)
	r.ok(err)
	if string(again) != string(whole) {
		t.Error("a refused file was changed")
	}
}

// text is the path of a file that is no database.
func text(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOpenWithShopUnderAnotherKey: the signing key is old, and only the Shop was sealed with a key that has been taken out too early.
func TestOpenWithShopUnderAnotherKey(t *testing.T) {
	r := newRig(t)
	other, err := ParseKeyring(operatorLine(2))
	r.ok(err)
	sealed, err := other.SealKey(shopHash, NewShopKey(strings.NewReader(strings.Repeat("k", keyLength))))
	r.ok(err)
	r.exec("UPDATE shops SET data_key = ?", sealed)
	r.ok(r.l.Close())
	_, err = Open(t.Context(), options(r.path, r.log))
	if err == nil || !strings.Contains(err.Error(), "the key of shop abc123 (is this the right operator key?)") || !errors.Is(err, ErrUnknownKey) {
		t.Error(err)
	}
}

// TestOpenTakesBackLeases: whoever held a lease when the process died is dead, and its work is due at once.
func TestOpenTakesBackLeases(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	_, err := r.l.RecordNotice(ctx, NewNotice{Shop: shopHash, EventAt: r.now, Hash: "h", Scope: "s", Subject: "1"}, r.now)
	r.ok(err)
	r.session(r.cart("c1", 0, ""))
	r.onHold(7)
	r.ok(r.l.do(ctx, func(ctx context.Context, t *tx) error { return owe(ctx, t, shopHash, Note, 7, "d", r.now) }))
	r.ok(r.l.DueOrder(ctx, shopHash, 7, r.now))
	hold := func() (Notice, Session, OrderLease, Writeback) {
		notices, err := r.l.LeaseNotices(ctx, shopHash, r.now, r.now.Add(lease), 9)
		r.ok(err)
		if len(notices) != 1 {
			t.Fatalf("%d notices", len(notices))
		}
		return notices[0], r.polled(), r.leased(7), r.owed(2)
	}
	hold()
	r.ok(r.l.Close())
	r.wait(time.Second)
	r.open(func(o *Options) { o.Now = r.now })
	n, s, o, w := hold()
	if n.Attempt != 2 || s.Attempt != 2 || o.Attempt != 2 || w.Attempt != 2 {
		t.Errorf("attempts %d, %d, %d, %d", n.Attempt, s.Attempt, o.Attempt, w.Attempt)
	}
}

// TestLeaveCheckpoints hands the WAL over to whoever replicates it, and takes it back.
func TestLeaveCheckpoints(t *testing.T) {
	r := newRig(t)
	pages := func() (n int) {
		r.ok(r.l.do(t.Context(), func(ctx context.Context, t *tx) error {
			return t.conn.QueryRowContext(ctx, "PRAGMA wal_autocheckpoint").Scan(&n)
		}))
		return n
	}
	if n := pages(); n != 1000 {
		t.Errorf("at first: %d", n)
	}
	for leave, want := range map[bool]int{true: 0, false: 1000} {
		r.l.LeaveCheckpoints(leave)
		if n := pages(); n != want {
			t.Errorf("after leaving (%v): %d", leave, n)
		}
	}
	r.ok(r.l.Close())
	r.l.LeaveCheckpoints(true)
	if s := r.log.String(); strings.Contains(s, "level=ERROR") {
		t.Error(s)
	}
}

// TestPragmas holds the settings that durability and integrity rest on.
func TestPragmas(t *testing.T) {
	r := newRig(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "cache_size": "-8000", "busy_timeout": "5000"} {
		r.ok(r.l.do(t.Context(), func(ctx context.Context, x *tx) error {
			var got string
			err := x.conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got)
			if got != want {
				t.Errorf("writer's %s is %s, want %s", pragma, got, want)
			}
			return err
		}))
	}
	r.want("1", "PRAGMA query_only")
	if _, err := r.l.readDB.ExecContext(t.Context(), "DELETE FROM shops"); err == nil {
		t.Error("a reader can write")
	}
	if !strings.Contains(dsn("/a b/c?d.db", url.Values{"x": {"y"}}), "file:/a%20b/c%3Fd.db?x=y") {
		t.Error(dsn("/a b/c?d.db", url.Values{"x": {"y"}}))
	}
}

// TestIDs: ids are time-ordered, and those of Decisions and Proofs strictly, also when the clock stands still or is put back.
func TestIDs(t *testing.T) {
	l := &Ledger{}
	last := ""
	for i := range 2000 {
		now := start
		if i%3 == 0 {
			now = now.Add(-time.Duration(i) * time.Second)
		}
		id := l.nextID(now)
		if id <= last || len(id) != 36 || id[14] != '7' || !strings.ContainsRune("89ab", rune(id[19])) {
			t.Fatalf("%d: %s after %s", i, id, last)
		}
		last = id
	}
	if later := l.nextID(start.Add(time.Millisecond)); later <= last || later[:13] == last[:13] {
		t.Errorf("%s after %s: not of its own millisecond", later, last)
	}
	if a, b := newID(start), newID(start); a == b || a[:13] != b[:13] {
		t.Errorf("%s, %s", a, b)
	}
	if a, b := newSecret(16), newSecret(16); a == b || len(a) != 32 {
		t.Errorf("secrets %s, %s", a, b)
	}
}

// TestLatestDecision: two Decisions of one millisecond are listed in the order they were made in.
func TestLatestDecision(t *testing.T) {
	r := newRig(t)
	var ids []string
	for range 20 {
		id, err := r.l.RecordCartDecision(t.Context(), r.shop(), r.cartDecision("c1", gate.Verify), nil, r.now)
		r.ok(err)
		ids = append(ids, id)
	}
	ds, err := r.l.CartDecisions(t.Context(), shopHash, "c1")
	r.ok(err)
	for i, d := range ds {
		if want := ids[len(ids)-1-i]; d.ID != want {
			t.Fatalf("place %d: %s, want %s", i, d.ID, want)
		}
	}
}
