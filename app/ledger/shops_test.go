package ledger

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/receipt"
)

// TestShop: what BigCommerce says of a Shop is found again, in memory and after opening anew, and the secrets are in no log.
func TestShop(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	first := r.shop()
	if first.State != Installed || first.OwnerID != 5 || first.HookSecret == "" || first.Token != "token of abc123" || first.Policy.Mode != gate.Off || !first.InstalledAt.Equal(r.now) ||
		!first.SweepAt.Equal(r.now) || !first.SweptTo.Equal(r.now) || !first.ReconcileAt.Equal(r.now) || !first.EnforcedSince.IsZero() || first.Kosmos != nil {
		t.Errorf("installed: %+v", *first)
	}
	d := Description{StoreID: "1001", Name: "The Shop", Currency: "EUR", Timezone: "Europe/Berlin", ControlPanel: "https://panel.example", Country: "DE", Channels: []Channel{
		{ID: 1, Name: "Web", Origins: []string{"https://shop.example", "https://pay.shop.example"}}, {ID: 2, Name: "Other", Origins: []string{"https://other.example"}}}}
	r.ok(r.l.DescribeShop(ctx, shopHash, d))
	tenant := json.RawMessage(`{"dns":"tenant.example"}`)
	r.ok(r.l.SetKosmosTenant(ctx, shopHash, tenant, r.now))
	r.ok(r.l.RecordInstallation(ctx, shopHash, json.RawMessage(`{"hooks":4}`), r.now, r.now.Add(time.Hour)))
	r.ok(r.l.AdvanceSweep(ctx, shopHash, r.now.Add(time.Minute), r.now.Add(2*time.Minute)))
	s := r.shop()
	got := Description{s.StoreID, s.Name, s.Currency, s.Timezone, s.ControlPanel, s.Channels, s.Country}
	if !reflect.DeepEqual(got, d) || string(s.Kosmos) != string(tenant) || string(s.Installation) != `{"hooks":4}` || !s.ReconciledAt.Equal(r.now) ||
		!s.ReconcileAt.Equal(r.now.Add(time.Hour)) || !s.SweptTo.Equal(r.now.Add(time.Minute)) || !s.SweepAt.Equal(r.now.Add(2*time.Minute)) {
		t.Errorf("described: %+v", *s)
	}
	if want := []string{"https://shop.example", "https://pay.shop.example", "https://other.example"}; !slices.Equal(s.Origins(), want) {
		t.Errorf("origins %v", s.Origins())
	}
	if first.Name != "" {
		t.Error("a Shop that was given out was changed")
	}
	for _, verb := range []string{"%s", "%v"} {
		if out := fmt.Sprintf(verb, s); out != "shop abc123" {
			t.Errorf("printed: %s", out)
		}
	}
	r.ok(r.l.Close())
	r.open()
	same := *s
	same.SweepAt = start // nobody knows what was missed: it sweeps at once
	if again := r.shop(); !reflect.DeepEqual(again, &same) {
		t.Errorf("opened again: %+v\nwant %+v", *again, same)
	}
	r.ok(r.l.ReconcileSoon(ctx, shopHash, r.now))
	if !r.shop().ReconcileAt.Equal(r.now) {
		t.Error("not due for reconciliation")
	}
	<-r.l.Ring(ShopBell)
	r.ok(r.l.SetKosmosTenant(ctx, shopHash, nil, r.now))
	if s := r.shop(); s.Kosmos != nil {
		t.Errorf("tenant %s", s.Kosmos)
	}
	_, err := r.l.Shop("nobody")
	r.is(err, ErrUnknownShop)
	r.is(r.l.SetKosmosTenant(ctx, "nobody", tenant, r.now), ErrUnknownShop)
}

// TestShops lists who is worked for: suspended and uninstalled Shops are not, and a suspended one can still be looked at.
func TestShops(t *testing.T) {
	r := newRig(t)
	list := func() (out []string) {
		for _, s := range r.l.Shops() {
			out = append(out, s.Hash)
		}
		return out
	}
	r.install("zz9")
	r.install("aa1")
	if got := list(); !slices.Equal(got, []string{"aa1", shopHash, "zz9"}) {
		t.Errorf("%v", got)
	}
	r.ok(r.l.SuspendShop(t.Context(), r.row("aa1"), r.now, r.now.Add(time.Hour)))
	r.ok(r.l.UninstallShop(t.Context(), r.row("zz9"), r.now))
	if got := list(); !slices.Equal(got, []string{shopHash}) {
		t.Errorf("%v", got)
	}
	s, err := r.l.Shop("aa1")
	r.ok(err)
	if s.State != Suspended || s.Token == "" {
		t.Errorf("suspended: %+v", *s)
	}
	_, err = r.l.Shop("zz9")
	r.is(err, ErrUnknownShop)
	r.ok(r.l.SuspendShop(t.Context(), r.row("zz9"), r.now, r.now.Add(time.Hour)))
	r.want("uninstalled", "SELECT state FROM shops WHERE store_hash = 'zz9'")
	r.install("aa1") // BigCommerce gives a new token: all is well again
	if got := list(); !slices.Equal(got, []string{"aa1", shopHash}) {
		t.Errorf("%v", got)
	}
}

// TestUninstall destroys the token at once, keeps the data sealed, and a later installation finds it.
func TestUninstall(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	secret := r.shop().HookSecret
	r.ok(r.l.SetKosmosTenant(ctx, shopHash, json.RawMessage(`{}`), r.now))
	policy := gate.Default("EUR")
	policy.Mode = gate.Enforce
	_, err := r.l.SavePolicy(ctx, shopHash, PolicyChange{Base: 0, Policy: policy, Author: "ada", Note: "first", Since: r.now}, r.now)
	r.ok(err)
	login, err := r.l.StartLogin(ctx, shopHash, User{ID: 1, Email: "a@x.example", Role: Manager}, r.now, r.now.Add(time.Hour))
	r.ok(err)
	r.onHold(118)
	n := r.session(r.cart("c1", 7, "ada@example.com"))
	held := r.evaluated(119) // its hold is still to be written
	o := r.order(119)
	o.StatusID, o.Hold, o.FormerStatus, o.HoldStatus = 11, Holding, 11, 12
	d := r.orderDecision(119, gate.Hold)
	r.ok(r.l.SettleOrder(ctx, r.shop(), held, Settlement{Order: o, Decision: &d, Owe: []WritebackKind{Hold, Note}}, r.now))
	enforced := r.shop().EnforcedSince

	r.wait(time.Hour)
	r.ok(r.l.UninstallShop(ctx, r.row(shopHash), r.now))
	r.want("uninstalled|||"+fmt.Sprint(millis(r.now)), "SELECT state || '|' || coalesce(token, '') || '|' || coalesce(hook_secret, '') || '|' || uninstalled_at FROM shops")
	_, err = r.l.Login(ctx, shopHash, login, r.now)
	r.is(err, ErrNotFound)
	r.want("0", "SELECT count(*) FROM logins")
	r.want("2", "SELECT count(*) FROM writebacks WHERE state = 'dropped' AND reason = 'the app was uninstalled'")
	due, err := r.l.LeaseSessions(ctx, shopHash, r.now, r.now.Add(lease), 9)
	r.ok(err)
	if len(due) != 1 || due[0].ID != n.ID || due[0].CaptureURL != "" {
		t.Errorf("a session of a Shop that has gone: %+v", due)
	}
	before := dump(t, r.l.readDB)
	r.wait(time.Hour)
	r.ok(r.l.UninstallShop(ctx, r.row(shopHash), r.now))
	if after := dump(t, r.l.readDB); after != before {
		t.Errorf("uninstalled twice:\n%s\nwas\n%s", after, before)
	}
	r.ok(r.l.Close())
	r.open(func(o *Options) { o.Now = r.now })
	_, err = r.l.Shop(shopHash)
	r.is(err, ErrUnknownShop)

	r.ok(r.l.InstallShop(ctx, Install{StoreHash: shopHash, Token: "another", OwnerID: 6}, r.now))
	s := r.shop()
	if s.State != Installed || s.Token != "another" || s.OwnerID != 6 || s.HookSecret == "" || s.HookSecret == secret || s.Policy.Version != 1 || s.Policy.Mode != gate.Enforce ||
		!s.EnforcedSince.Equal(enforced) || string(s.Kosmos) != "{}" {
		t.Errorf("installed again: %+v", *s)
	}
	if o := r.order(118); o.Hold != Held {
		t.Errorf("an order of before: %+v", o)
	}
	if n, err := r.l.Session(ctx, n.ID); err != nil || n.CaptureURL == "" {
		t.Errorf("a session of before: %+v, %v", n, err)
	}
	// What was cut off is owed after all.
	if w := r.owed(0); w.Kind != Hold || w.Subject != 119 {
		t.Errorf("owed: %+v", w)
	}
	if w := r.owed(2); w.Kind != Note || w.Subject != 119 {
		t.Errorf("owed: %+v", w)
	}
	r.want("0", "SELECT count(*) FROM writebacks WHERE state = 'dropped'")
}

// TestOwedAcrossAnUninstallation: what a Shop that is uninstalled still owed it owes again once it is installed again, whatever kind it is;
// what was dropped before stays dropped, and a mail that a person must see to stays stuck with its reason. Twice is like once.
func TestOwedAcrossAnUninstallation(t *testing.T) {
	kinds := []WritebackKind{Hold, Release, Cancel, Note, CancelNote, DecisionMetafield, CustomerAttributes, CustomerFieldsV2, ProofMetafield, Mail}
	for _, c := range []struct {
		was, gone, again string // of all kinds but mails, which where they differ come after a slash
		handed           bool
	}{
		{was: "pending", gone: "dropped", again: "pending"},
		{was: "pending", gone: "dropped", again: "pending", handed: true},
		{was: "stuck", gone: "stuck", again: "pending/stuck"},
		{was: "dropped", gone: "dropped", again: "dropped"},
		{was: "done", gone: "done", again: "done"},
	} {
		t.Run(fmt.Sprintf("%s, handed over %t", c.was, c.handed), func(t *testing.T) {
			r := newRig(t)
			ctx := t.Context()
			const add = "INSERT INTO writebacks (store_hash, key, kind, subject, urgency, state, attempt, due_at, handed_at, reason, made_at, done_at) VALUES (?, ?, ?, 118, ?, ?, 3, ?, ?, 'why', 1, ?)"
			for _, k := range kinds {
				due, ended := int64(0), millis(r.now.Add(-time.Second))
				if c.was == "pending" {
					due, ended = millis(r.now.Add(time.Hour)), 0
				}
				r.exec(add, shopHash, "k/"+string(k), string(k), k.urgency(), c.was, due, bit(c.handed), ended)
			}
			is := func(want string) {
				t.Helper()
				others, mail, ok := strings.Cut(want, "/")
				if !ok {
					mail = others
				}
				r.want(fmt.Sprintf("%s %d", others, len(kinds)-1), "SELECT group_concat(DISTINCT state) || ' ' || count(*) FROM writebacks WHERE kind != 'mail'")
				r.want(fmt.Sprintf("%s %d", mail, bit(c.handed)), "SELECT state || ' ' || handed_at FROM writebacks WHERE kind = 'mail'")
			}
			for range 2 {
				r.ok(r.l.UninstallShop(ctx, r.row(shopHash), r.now))
				is(c.gone)
				r.wait(keepShop - time.Hour)
				r.install(shopHash)
				is(c.again)
				if due := millis(r.now); strings.HasPrefix(c.again, "pending") {
					r.want(fmt.Sprint(due), "SELECT group_concat(DISTINCT due_at) FROM writebacks WHERE state = 'pending'")
				}
				if c.was == "stuck" {
					r.want("why", "SELECT reason FROM writebacks WHERE kind = 'mail'")
					r.exec("UPDATE writebacks SET state = 'stuck', due_at = 0 WHERE kind != 'mail'") // the permission is still missing
				}
				r.wait(time.Minute)
			}
		})
	}
}

// TestInstallAgain: an installed Shop that is installed again gets its new token and keeps its webhook secret, which its webhooks still carry.
func TestInstallAgain(t *testing.T) {
	r := newRig(t)
	secret := r.shop().HookSecret
	r.ok(r.l.InstallShop(t.Context(), Install{StoreHash: shopHash, Token: "another", Scopes: []string{"a", "b"}, OwnerID: 6}, r.now))
	if s := r.shop(); s.Token != "another" || s.HookSecret != secret || !slices.Equal(s.Scopes, []string{"a", "b"}) {
		t.Errorf("%+v", *s)
	}
}

// TestInstallAfterKeyDestroyed: what only the destroyed key opened is gone, and the Shop works.
func TestInstallAfterKeyDestroyed(t *testing.T) {
	r := newRig(t)
	r.ok(r.l.SetKosmosTenant(t.Context(), shopHash, json.RawMessage(`{}`), r.now))
	mailbox := r.shop().MailboxHash("ada@example.com")
	r.ok(r.l.UninstallShop(t.Context(), r.row(shopHash), r.now))
	r.exec("UPDATE shops SET data_key = NULL")
	r.install(shopHash)
	s := r.shop()
	if s.Kosmos != nil || s.Token != "token of abc123" || s.MailboxHash("ada@example.com") == mailbox {
		t.Errorf("%+v", *s)
	}
	r.ok(r.l.Close())
	r.open()
	r.shop()
}

// TestSavePolicy: versions are counted, a form that is out of date is refused, and the enforcement epoch moves only when enforcement begins
// or ends.
func TestSavePolicy(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.onHold(118)
	mode := func(m gate.Mode) gate.Policy {
		p := gate.Default("EUR")
		p.Mode = m
		return p
	}
	began := r.now.Add(time.Hour)
	later := r.now.Add(5 * time.Hour)
	for i, tt := range []struct {
		mode  gate.Mode
		since time.Time
	}{
		{gate.Shadow, time.Time{}}, {gate.Enforce, began}, {gate.Enforce, began}, {gate.Off, time.Time{}}, {gate.Shadow, time.Time{}}, {gate.Enforce, later}, {gate.Enforce, later},
	} {
		p, err := r.l.SavePolicy(ctx, shopHash, PolicyChange{Base: int64(i), Policy: mode(tt.mode), Author: "ada", Note: fmt.Sprint("note ", i), Since: r.now}, r.now)
		r.ok(err)
		s := r.shop()
		if p.Version != int64(i+1) || s.Policy.Version != p.Version || s.Policy.Mode != tt.mode || !s.EnforcedSince.Equal(tt.since) || !s.ReconcileAt.Equal(r.now) {
			t.Errorf("version %d: %+v, enforced since %v, want %v", i+1, s.Policy, s.EnforcedSince, tt.since)
		}
		due, err := r.l.LeaseOrders(ctx, shopHash, true, r.now, r.now.Add(lease), 9) // what is on hold is looked at again
		r.ok(err)
		if len(due) != 1 || due[0].OrderID != 118 {
			t.Fatalf("version %d: due again are %v", i+1, due)
		}
		r.ok(r.l.SettleOrder(ctx, s, due[0], Settlement{Order: r.order(118)}, r.now))
		r.wait(time.Hour)
	}
	before := dump(t, r.l.readDB)
	for _, base := range []int64{6, 8, 0} {
		_, err := r.l.SavePolicy(ctx, shopHash, PolicyChange{Base: base, Policy: mode(gate.Off), Author: "bob", Note: "stale", Since: r.now}, r.now)
		r.is(err, ErrPolicyMoved)
	}
	_, err := r.l.SavePolicy(ctx, "nobody", PolicyChange{Base: 0, Policy: mode(gate.Off), Author: "bob", Note: "", Since: r.now}, r.now)
	r.is(err, ErrNotFound)
	if after := dump(t, r.l.readDB); after != before {
		t.Error("a refused policy has changed something")
	}
	vs, err := r.l.PolicyVersions(ctx, shopHash, 0, 3)
	r.ok(err)
	if len(vs) != 3 || vs[0].Policy.Version != 7 || vs[2].Policy.Version != 5 || vs[0].Author != "ada" || vs[0].Note != "note 6" || !vs[0].SavedAt.Equal(start.Add(6*time.Hour)) {
		t.Errorf("versions %+v", vs)
	}
	vs, err = r.l.PolicyVersions(ctx, shopHash, 3, 9)
	r.ok(err)
	if len(vs) != 2 || vs[0].Policy.Version != 2 || vs[1].Policy.Mode != gate.Shadow {
		t.Errorf("versions below 3: %+v", vs)
	}
}

// TestUseToken: once per token, also after the Shop has gone and after the file was opened again, until it is forgotten.
func TestUseToken(t *testing.T) {
	r := newRig(t)
	expires := r.now.Add(time.Hour)
	use := func(want bool) {
		t.Helper()
		first, err := r.l.UseToken(t.Context(), "jti", expires)
		r.ok(err)
		if first != want {
			t.Errorf("first %v, want %v", first, want)
		}
	}
	use(true)
	use(false)
	r.ok(r.l.UninstallShop(t.Context(), r.row(shopHash), r.now))
	use(false)
	r.ok(r.l.Close())
	r.open()
	use(false)
	login, err := r.l.StartLogin(t.Context(), shopHash, User{ID: 1, Role: Viewer}, r.now, r.now.Add(time.Minute))
	r.ok(err)
	forget(r, t.Context(), expires.Add(time.Hour))
	use(false)
	_, err = r.l.Login(t.Context(), shopHash, login, r.now)
	r.is(err, ErrNotFound)
	forget(r, t.Context(), expires.Add(time.Hour+time.Millisecond))
	use(true)
}

// TestLogins: a Login is good for one Shop, until it expires, is ended, or its user is removed; a new load brings the user back.
func TestLogins(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.install("other9")
	u := User{ID: 1, Email: "a@x.example", Role: Manager}
	in := func() string {
		t.Helper()
		id, err := r.l.StartLogin(ctx, shopHash, u, r.now, r.now.Add(time.Hour))
		r.ok(err)
		if len(id) != 32 {
			t.Errorf("id %s", id)
		}
		return id
	}
	login := func(hash, id string, at time.Time, want error) {
		t.Helper()
		got, err := r.l.Login(ctx, hash, id, at)
		r.is(err, want)
		if want == nil && got != u {
			t.Errorf("got %+v", got)
		}
	}
	id := in()
	login(shopHash, id, r.now.Add(time.Hour-time.Millisecond), nil)
	login(shopHash, id, r.now.Add(time.Hour), ErrNotFound)
	login("other9", id, r.now, ErrNotFound)
	login(shopHash, id[:31]+"x", r.now, ErrNotFound)
	r.ok(r.l.EndLogin(ctx, id))
	r.ok(r.l.EndLogin(ctx, id))
	login(shopHash, id, r.now, ErrNotFound)

	id = in()
	_, err := r.l.StartLogin(ctx, "other9", u, r.now, r.now.Add(time.Hour))
	r.ok(err)
	us, err := r.l.Users(ctx, shopHash)
	r.ok(err)
	if len(us) != 1 || us[0].Email != u.Email || us[0].Role != Manager || !us[0].SeenAt.Equal(r.now) {
		t.Errorf("users %+v", us)
	}
	r.ok(r.l.RemoveUser(ctx, shopHash, 1, r.now))
	login(shopHash, id, r.now, ErrNotFound)
	us, err = r.l.Users(ctx, shopHash)
	if len(us) != 0 || err != nil {
		t.Errorf("users %+v, %v", us, err)
	}
	r.want("1", "SELECT count(*) FROM logins") // the other Shop's
	login(shopHash, in(), r.now, nil)
	login(shopHash, id, r.now, ErrNotFound)
}

// TestScripts: a published script is kept for ever as it was first published.
func TestScripts(t *testing.T) {
	r := newRig(t)
	r.ok(r.l.PublishScript(t.Context(), "h1", "sha384-x", []byte("one"), r.now))
	r.ok(r.l.PublishScript(t.Context(), "h1", "sha384-y", []byte("two"), r.now))
	body, err := r.l.PublishedScript(t.Context(), "h1")
	if string(body) != "one" || err != nil {
		t.Errorf("%s, %v", body, err)
	}
	_, err = r.l.PublishedScript(t.Context(), "h2")
	r.is(err, ErrNotFound)
}

// TestSigningKeys: the newest key that is not retired signs, all are published, and one whose halves differ is refused.
func TestSigningKeys(t *testing.T) {
	r := newRig(t)
	first := r.l.Signer("https://a.example")
	if first.Issuer != "https://a.example" {
		t.Errorf("issuer %s", first.Issuer)
	}
	second, err := receipt.NewKey(strings.NewReader(strings.Repeat("seed", 20)))
	r.ok(err)
	sealed, err := parsedKeyring(t, operatorLine(1)).Seal("signing key", second.ID, second.Seed())
	r.ok(err)
	r.exec("INSERT INTO signing_keys (kid, public, private, made_at) VALUES (?, ?, ?, ?)", second.ID, second.Public().Key, sealed, millis(r.now.Add(time.Hour)))
	again := func() (string, string) {
		r.ok(r.l.Close())
		r.open()
		return r.l.Signer("").Key.ID, string(r.l.JWKS())
	}
	if id, jwks := again(); id != second.ID || !strings.Contains(jwks, second.ID) || !strings.Contains(jwks, first.Key.ID) {
		t.Errorf("signs with %s, publishes %s", id, jwks)
	}
	r.exec("UPDATE signing_keys SET retired_at = 1 WHERE kid = ?", second.ID)
	if id, jwks := again(); id != first.Key.ID || !strings.Contains(jwks, second.ID) {
		t.Errorf("signs with %s, publishes %s", id, jwks)
	}
	r.exec("UPDATE signing_keys SET public = (SELECT k.public FROM signing_keys AS k WHERE k.kid = ?) WHERE kid = ?", second.ID, first.Key.ID)
	r.ok(r.l.Close())
	_, err = Open(t.Context(), options(r.path, r.log))
	if err == nil || !strings.Contains(err.Error(), "does not match its public half") {
		t.Error(err)
	}
}

// TestMailboxHash: one Shop's hash of a mailbox says nothing to another, and no mailbox has none.
func TestMailboxHash(t *testing.T) {
	r := newRig(t)
	r.install("other9")
	s := r.shop()
	other, err := r.l.Shop("other9")
	r.ok(err)
	if s.MailboxHash("Ada@Example.com") != s.MailboxHash(" ada@example.com ") || s.MailboxHash("ada@example.com") == other.MailboxHash("ada@example.com") {
		t.Error("not one mailbox, or one in two Shops")
	}
	if s.MailboxHash("") != "" || s.MailboxHash(" \t") != "" {
		t.Error("no mailbox has a hash")
	}
	if string(s.FactsDigest([]byte("x"))) == string(other.FactsDigest([]byte("x"))) || string(s.FactsDigest([]byte("x"))) == string(s.FactsDigest([]byte("y"))) {
		t.Error("facts digests are alike")
	}
}

// TestCapability: a token opens what it was made for, for its one purpose, until it runs out, and nothing that was tampered with.
func TestCapability(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	c := r.cart("c1", 7, "ada@example.com")
	token := r.l.Token(c)
	got, err := r.l.Capability(ctx, token, ForCart, r.now)
	r.ok(err)
	if !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v\nwant %+v", got, c)
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "cart."))
	r.ok(err)
	flipped := func(i int) string {
		b := slices.Clone(raw)
		b[i] ^= 1
		return "cart." + base64.RawURLEncoding.EncodeToString(b)
	}
	unmade := c
	unmade.ID = []byte("an id never made")
	for name, tt := range map[string]struct {
		token string
		want  Purpose
		err   error
	}{
		"itself":                         {token, ForCart, nil},
		"another purpose asked for":      {token, ForMail, ErrBadCapability},
		"its prefix changed too":         {"mail." + strings.TrimPrefix(token, "cart."), ForMail, ErrBadCapability},
		"id altered":                     {flipped(0), ForCart, ErrBadCapability},
		"last of id altered":             {flipped(15), ForCart, ErrBadCapability},
		"HMAC altered":                   {flipped(16), ForCart, ErrBadCapability},
		"last of HMAC altered":           {flipped(31), ForCart, ErrBadCapability},
		"cut":                            {token[:len(token)-1], ForCart, ErrBadCapability},
		"longer":                         {token + "A", ForCart, ErrBadCapability},
		"padded":                         {token + "=", ForCart, ErrBadCapability},
		"without its purpose":            {strings.TrimPrefix(token, "cart."), ForCart, ErrBadCapability},
		"empty":                          {"", ForCart, ErrBadCapability},
		"purpose only":                   {"cart.", ForCart, ErrBadCapability},
		"a good HMAC over an unknown id": {r.l.Token(unmade), ForCart, ErrBadCapability},
	} {
		_, err := r.l.Capability(ctx, tt.token, tt.want, r.now)
		if err != tt.err {
			t.Errorf("%s: %v, want %v", name, err, tt.err)
		}
	}
	// A stored purpose that differs from the signed one.
	mail := c
	mail.Purpose = ForConfirm
	_, err = r.l.Capability(ctx, r.l.Token(mail), ForConfirm, r.now)
	r.is(err, ErrBadCapability)

	if _, err := r.l.Capability(ctx, token, ForCart, c.ExpiresAt.Add(-time.Millisecond)); err != nil {
		t.Errorf("just before it runs out: %v", err)
	}
	old, err := r.l.Capability(ctx, token, ForCart, c.ExpiresAt)
	r.is(err, ErrExpiredCapability)
	if old.CartID != "c1" {
		t.Errorf("run out: %+v", old) // whose it was may be said
	}

	// The operator's key is rotated: a new one signs, the old one still verifies; once it has gone, nothing verifies.
	rotate := func(lines ...string) {
		r.ok(r.l.Close())
		r.open(func(o *Options) { o.Keyring = parsedKeyring(t, lines...) })
	}
	rotate(operatorLine(2), operatorLine(1))
	if _, err := r.l.Capability(ctx, token, ForCart, r.now); err != nil {
		t.Errorf("after rotation: %v", err)
	}
	if r.l.Token(c) == token {
		t.Error("the new key signs as the old one did")
	}
	if _, err := r.l.Capability(ctx, r.l.Token(c), ForCart, r.now); err != nil {
		t.Errorf("made after rotation: %v", err)
	}
}

// forget forgets until nothing is left to forget.
func forget(r *rig, ctx context.Context, now time.Time) int64 {
	r.Helper()
	total := int64(0)
	for {
		n, err := r.l.Forget(ctx, now)
		r.ok(err)
		if total += n; n == 0 {
			return total
		}
	}
}
