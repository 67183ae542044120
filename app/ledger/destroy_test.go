package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"idgate/app/gate"
)

// of counts a Shop's rows in every table that has any, but for its own row.
func (r *rig) of(hash string) map[string]string {
	r.Helper()
	out := map[string]string{}
	for _, c := range r.columns() {
		if c.name == "store_hash" && c.table != "shops" {
			if n := r.value("SELECT count(*) FROM "+c.table+" WHERE store_hash = ?", hash); n != "0" {
				out[c.table] = n
			}
		}
	}
	return out
}

// TestDestroyShop: 30 days after a Shop went, to the millisecond, its key is destroyed and every row of it deleted, here and in the file's
// bytes; another Shop's stay; and it can be installed again as one that was never there.
func TestDestroyShop(t *testing.T) {
	r, _ := shopping(t)
	ctx := t.Context()
	_, err := r.l.StartLogin(ctx, shopHash, User{ID: 1, Email: "staff@shop.example", Role: Manager}, r.now, r.now.Add(365*day))
	r.ok(err)
	r.ok(r.l.DescribeShop(ctx, shopHash, Description{"1001", "The Shop", "EUR", "Europe/Berlin", "https://panel.example", []Channel{{ID: 1}}, "DE"}))
	_, err = r.l.ChangeSettings(ctx, shopHash, SettingsChange{Logo: []byte("png"), To: func(n Settings) (Settings, string, error) {
		n.Branding.Logo = LogoName([]byte("png"))
		return n, "", nil
	}}, r.now)
	r.ok(err)
	r.exec("INSERT INTO money_figures (store_hash, currency, quarter, held) VALUES (?, 'EUR', 0, 1)", shopHash)
	r.ok(r.l.ReportPage(ctx, shopHash, 1, "order_call", r.now))
	r.exec("INSERT INTO staff_alarms (store_hash, kind, cause, what, at) VALUES (?, 'orders', 'c', 'leaked', 1)", shopHash)
	first, err := r.l.UseToken(ctx, "jti", r.now.Add(365*day))
	if !first || err != nil {
		t.Fatal(first, err)
	}
	before := r.of(shopHash)
	for _, c := range r.columns() {
		if c.name == "store_hash" && c.table != "shops" && c.table != "logins" && before[c.table] == "" && notTried[c.table] == "" {
			t.Errorf("%s is empty: nothing is tried", c.table)
		}
	}
	other := r.of("other9")
	mailbox := r.shop().MailboxHash(ada.mailbox)
	var key []byte
	r.ok(r.l.readDB.QueryRowContext(ctx, "SELECT data_key FROM shops WHERE store_hash = ?", shopHash).Scan(&key))
	sealed := ada.sealedOf(r)
	gone := r.now
	r.ok(r.l.UninstallShop(ctx, r.row(shopHash), r.now))
	left := r.of(shopHash)
	r.now = gone.Add(keepShop - time.Millisecond)
	forget(r, ctx, r.now)
	still := r.of(shopHash)
	for _, table := range []string{"capabilities", "events", "deliveries"} { // those that have run out are nobody's business any more
		delete(left, table)
		delete(still, table)
	}
	if !maps.Equal(still, left) {
		t.Errorf("a millisecond early there is left %v, want %v", still, left)
	}
	r.want("1", "SELECT data_key IS NOT NULL FROM shops WHERE store_hash = ?", shopHash)
	r.wait(time.Millisecond)
	if n := forget(r, ctx, r.now); n == 0 {
		t.Error("nothing was destroyed")
	}
	if got := r.of(shopHash); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	tomb := r.rows()["shops abc123"]
	for c, want := range (row{"store_hash": shopHash, "state": "uninstalled", "store_id": "", "name": "", "currency": "", "timezone": "UTC", "control_panel": "", "channels": "[]", "country": "", "owner_id": "0",
		"scopes": "", "data_key": "NULL", "token": "NULL", "hook_secret": "NULL", "kosmos": "NULL", "policy": "0", "enforced_since": "0", "installation": "{}", "settings": "{}",
		"suspended_at": "0", "probe_at": "0", "suspected_at": "0", "reconciled_at": "0", "uninstalled_at": fmt.Sprint(millis(gone))}) {
		if tomb[c] != want {
			t.Errorf("of the shop there is left %s = %s", c, tomb[c])
		}
	}
	now := r.of("other9")
	for _, table := range []string{"capabilities", "asked_mails", "events", "deliveries"} { // the clock's
		delete(now, table)
		delete(other, table)
	}
	if !maps.Equal(now, other) {
		t.Errorf("of the other shop there is %v, was %v", now, other)
	}
	if _, err := r.l.Shop(shopHash); !errors.Is(err, ErrUnknownShop) {
		t.Error(err)
	}
	r.ok(r.l.Close())
	file := raw(t, r.path)
	for _, b := range append(sealed, key) {
		if bytes.Contains(file, b) {
			t.Error("the key or what it sealed is in the file's bytes still")
		}
	}
	r.open(func(o *Options) { o.Now = r.now })

	// Anew.
	r.install(shopHash)
	s := r.shop()
	if s.MailboxHash(ada.mailbox) == mailbox || !s.InstalledAt.Equal(r.now) || !s.SweptTo.Equal(r.now) || !s.SweepAt.Equal(r.now) || !s.ReconcileAt.Equal(r.now) || s.Policy.Version != 0 ||
		s.Policy.Mode != gate.Off || !s.EnforcedSince.IsZero() || s.Name != "" || s.Kosmos != nil || s.OwnerID != 5 || s.Token != "token of abc123" {
		t.Errorf("installed again: %+v", *s)
	}
	if _, err := r.l.Order(ctx, s, ada.order); !errors.Is(err, ErrNotFound) {
		t.Errorf("an order of before: %v", err)
	}
	if first, err := r.l.UseToken(ctx, "jti", gone.Add(365*day)); first || err != nil {
		t.Errorf("a token that was used before: first %v, %v", first, err)
	}
	r.keeps(30) // version 1 once more
}

// notTried are tables of Shops that TestDestroyShop has no row in.
var notTried = map[string]string{
	"whatifs": "their own tests", "whatif_orders": "their own tests",
}

// TestInstallInTime: a Shop that comes back on the 29th day finds all that it had.
func TestInstallInTime(t *testing.T) {
	r, _ := shopping(t)
	ctx := t.Context()
	s := r.shop()
	o := r.order(ada.order)
	before := r.of(shopHash)
	r.ok(r.l.UninstallShop(ctx, r.row(shopHash), r.now))
	r.wait(29 * day)
	forget(r, ctx, r.now)
	r.install(shopHash)
	again := r.shop()
	if again.MailboxHash(ada.mailbox) != s.MailboxHash(ada.mailbox) || !again.InstalledAt.Equal(s.InstalledAt) || !again.SweptTo.Equal(s.SweptTo) || again.Policy.Version != 1 ||
		!again.EnforcedSince.Equal(s.EnforcedSince) {
		t.Errorf("installed again: %+v", *again)
	}
	if got := r.order(ada.order); got.Buyer != o.Buyer || got.DecisionID != o.DecisionID || got.Hold != o.Hold || got.Mailbox != o.Mailbox {
		t.Errorf("its order: %+v, was %+v", got, o)
	}
	after := r.of(shopHash)
	for _, table := range []string{"orders", "decisions", "sessions", "proofs", "notices", "writebacks", "policies"} {
		if before[table] == "" || after[table] != before[table] {
			t.Errorf("%s: %s rows, was %s", table, after[table], before[table])
		}
	}
	r.wait(10 * day) // it is installed: the 30 days end for nobody
	forget(r, ctx, r.now)
	r.shop()
	r.order(ada.order)
}

// TestInstallWhileDestroyed: a Shop comes back after its key was destroyed and before all of its rows were. None of them could be opened
// with the new key: none is left.
func TestInstallWhileDestroyed(t *testing.T) {
	r, _ := shopping(t)
	ctx := t.Context()
	r.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
		INSERT INTO notices (store_hash, event_at, event_hash, scope, subject, received_at, state, due_at) SELECT 'abc123', i, i, 's', i, 1, 'stuck', 0 FROM n`)
	r.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
		INSERT INTO sessions (id, store_hash, provider, provider_ref, capture_url, state, capability, requirement, policy_version, started_at, deadline, changed_at)
		SELECT 's' || i, 'abc123', 'p', 's' || i, x'', 'passed', randomblob(16), '{}', 1, 5, 5, 5 FROM n`)
	r.ok(r.l.UninstallShop(ctx, r.row(shopHash), r.now))
	r.wait(keepShop)
	for range 2 {
		n, err := r.l.Forget(ctx, r.now)
		if n == 0 || err != nil {
			t.Fatal(n, err)
		}
	}
	if left := r.of(shopHash); left["notices"] == "" || left["sessions"] == "" {
		t.Fatalf("nothing is left already: %v", left)
	}
	r.install(shopHash)
	left := r.of(shopHash)
	delete(left, "activity") // that it was installed
	if len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	r.ok(r.l.DueOrder(ctx, shopHash, ada.order, r.now))
	l := r.leased(ada.order)
	o := r.order(ada.order)
	o.Buyer = Buyer{Name: "Ada"}
	r.ok(r.l.SettleOrder(ctx, r.shop(), l, Settlement{Order: o}, r.now))
	if n := forget(r, ctx, r.now); n != 0 {
		t.Errorf("%d forgotten of a shop that is installed", n)
	}
	if got := r.order(ada.order); got.Buyer.Name != "Ada" {
		t.Errorf("%+v", got)
	}
}

// TestDestroyShops: several Shops whose time has come at once are all destroyed, and those that hardly had anything, too.
func TestDestroyShops(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for _, hash := range []string{"empty", "later", "logged", "linked"} {
		r.install(hash)
	}
	_, err := r.l.RecordNotice(ctx, r.notice(shopHash, 1), r.now)
	r.ok(err)
	r.ok(r.l.do(ctx, func(ctx context.Context, t *tx) error {
		return addCapability(ctx, t, &Capability{Shop: "linked", Purpose: ForMail, OrderID: 1, ExpiresAt: r.now.Add(90 * day)}, r.now)
	}))
	for _, hash := range []string{shopHash, "empty", "logged", "linked"} {
		r.ok(r.l.UninstallShop(ctx, r.row(hash), r.now))
	}
	r.exec("DELETE FROM activity")
	r.ok(r.l.do(ctx, func(ctx context.Context, t *tx) error { return t.act(ctx, "logged", ActExported, "", "", r.now) }))
	r.wait(time.Hour)
	r.ok(r.l.UninstallShop(ctx, r.row("later"), r.now))
	r.now = start.Add(keepShop)
	forget(r, ctx, r.now)
	r.want("abc123,empty,linked,logged", "SELECT group_concat(store_hash) FROM (SELECT store_hash FROM shops WHERE data_key IS NULL ORDER BY store_hash)")
	for _, hash := range []string{shopHash, "empty", "logged", "linked"} {
		if left := r.of(hash); len(left) != 0 {
			t.Errorf("of %s there is left %v", hash, left)
		}
	}
	if left := r.of("later"); left["activity"] == "" {
		t.Errorf("of the one that went later there is left %v", left)
	}
}
