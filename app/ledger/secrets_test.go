package ledger

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/idv"
)

// copied is the file as another process would find it this instant, with its WAL. It is copied by another process: closing a file that
// SQLite has open in this one would take SQLite's locks from it.
func copied(t testing.TB, path string) string {
	t.Helper()
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal"} {
		// By another process: closing the file in this one would drop SQLite's locks on it.
		if out, err := exec.Command("/bin/cp", path+suffix, filepath.Join(dir, "idgate.db"+suffix)).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out) // not Fatal: this may be the writer's goroutine
		}
	}
	return filepath.Join(dir, "idgate.db")
}

// raw is all the bytes of the file and its WAL.
func raw(t testing.TB, path string) []byte {
	t.Helper()
	var all []byte
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// spelled says in which spelling b has the text, or "".
func spelled(b []byte, text string) string {
	for name, s := range map[string]string{
		"as it is": text, "in upper case": strings.ToUpper(text), "in lower case": strings.ToLower(text), "in hex": hex.EncodeToString([]byte(text)),
		"in base64": base64.RawStdEncoding.EncodeToString([]byte(text)), "in base64url": base64.RawURLEncoding.EncodeToString([]byte(text)),
	} {
		if bytes.Contains(b, []byte(s)) {
			return name
		}
	}
	return ""
}

// TestNothingInTheClear writes every secret and everything personal that the ledger holds, and looks for it in the file's bytes: while it is
// open, after it was closed, and after the Shop was uninstalled.
func TestNothingInTheClear(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s := r.shop()
	secret := map[string]string{
		"token": "the-api-token-of-the-shop", "hook secret": s.HookSecret, "tenant": "licence-key-of-the-tenant", "capture link": "bearer-of-the-capture-link",
		"mailbox": "ada.lovelace@analytical.example", "local part": "ada.lovelace", "given name": "Augusta-Ada", "family name": "King-Lovelace", "address": "st-james-square-12",
		"name on the order": "Countess-of-Lovelace", "billing name": "Byron-Milbanke", "postcode": "SW1Y-4JH-postcode",
	}
	r.ok(r.l.InstallShop(ctx, Install{StoreHash: shopHash, Token: secret["token"], OwnerID: 5}, r.now))
	r.ok(r.l.SetKosmosTenant(ctx, shopHash, json.RawMessage(`{"dns":"tenant.example","licenceKey":"`+secret["tenant"]+`"}`), r.now))
	policy := gate.Default("EUR")
	policy.Mode = gate.Enforce
	_, err := r.l.SavePolicy(ctx, shopHash, PolicyChange{Base: 0, Policy: policy, Author: "staff", Note: "", Since: r.now}, r.now)
	r.ok(err)
	s = r.shop()

	facts := gate.Facts{Stage: gate.AtCheckout, CartID: "c1", Buyer: gate.Buyer{CustomerID: 7, Mailbox: s.MailboxHash(secret["mailbox"]),
		Name: gate.Name{Given: "x", Family: secret["billing name"]}}, Billing: gate.Place{Country: "GB", Postcode: secret["postcode"], Line: secret["address"]},
		Shipping:  []gate.Place{{Postcode: secret["postcode"], Line: secret["address"]}},
		Addresses: []gate.Address{{Street: secret["address"], Postcode: secret["postcode"]}}}
	c := Capability{Shop: s.Hash, Purpose: ForCart, CartID: "c1", CustomerID: 7, Mailbox: facts.Buyer.Mailbox, ExpiresAt: r.now.Add(time.Hour)}
	_, err = r.l.RecordCartDecision(ctx, s, NewDecision{Facts: facts, Decision: gate.Decide(s.Policy, facts, nil, r.now), Policy: 1, MadeBy: ByRule}, &c, r.now)
	r.ok(err)
	secret["capability"] = r.l.Token(c)[len("cart.")+22:] // beyond the id: the HMAC

	n := Session{ID: NewSessionID(r.now), Provider: "1kosmos", Ref: "ref", CaptureURL: "https://capture.example/" + secret["capture link"], Deadline: r.now.Add(time.Hour), PollAt: r.now}
	r.ok(r.l.StartSession(ctx, s, c, n, r.now))
	n = r.polled()
	_, err = r.l.MoveSession(ctx, s, n, Move{State: idv.StateStarted, PollAt: r.now, Deadline: n.Deadline}, r.now)
	r.ok(err)
	n = r.polled()
	facts.Stage = gate.AtCheckout
	d := NewDecision{Facts: facts, Decision: gate.Decide(s.Policy, facts, nil, r.now), Policy: 1, MadeBy: ByRule}
	_, err = r.l.MoveSession(ctx, s, n, Move{State: idv.StatePassed, Deadline: n.Deadline, Decision: &d, Proof: &NewProof{IAL: 2, Source: gate.SourcePolicy, Document: true,
		Person: Person{Given: secret["given name"], Family: secret["family name"], Street: secret["address"], Postcode: secret["postcode"], Country: "GBR"}, GoodUntil: r.now.Add(time.Hour)}}, r.now)
	r.ok(err)

	l := r.evaluated(118)
	o := r.order(118)
	o.Mailbox, o.Buyer = facts.Buyer.Mailbox, Buyer{Name: secret["name on the order"], Mailbox: secret["mailbox"]}
	o.StatusID, o.Hold, o.FormerStatus, o.HoldStatus = 11, Holding, 11, 12
	facts.Stage, facts.OrderID = gate.AtOrder, 118
	d = NewDecision{Facts: facts, Decision: gate.Decide(s.Policy, facts, nil, r.now), Policy: 1, MadeBy: ByRule}
	grant := &Capability{Shop: s.Hash, Purpose: ForMail, OrderID: 118, Mailbox: facts.Buyer.Mailbox, ExpiresAt: r.now.Add(time.Hour)}
	r.ok(r.l.SettleOrder(ctx, s, l, Settlement{Order: o, Decision: &d, Grant: grant, Owe: []WritebackKind{Hold, Note, DecisionMetafield}}, r.now))
	secret["link"] = r.l.Token(*grant)[len("mail.")+22:]

	endpoint, err := r.l.AddEndpoint(ctx, s, NewEndpoint{URL: "https://erp.example/", Host: "erp.example", Types: EventTypes()}, r.now)
	r.ok(err)
	e, err := r.l.Endpoint(ctx, s, endpoint)
	r.ok(err)
	r.ok(r.l.RotateEndpoint(ctx, s, e, r.now))
	secret["old secret of an endpoint"] = string(e.Secret.Key())
	secret["secret of an endpoint"], err = r.l.RevealSecret(ctx, s, endpoint, r.now)
	r.ok(err)

	look := func(when string, b []byte) {
		t.Helper()
		for name, text := range secret {
			if how := spelled(b, text); how != "" {
				t.Errorf("%s: the %s is in the file, %s", when, name, how)
			}
		}
		for _, public := range []string{shopHash, "1kosmos", "c1", "decision_metafield"} {
			if spelled(b, public) == "" {
				t.Errorf("%s: not even %q is in the file: is this the file?", when, public)
			}
		}
	}
	// It is all there, for whoever has the key.
	if p, err := r.l.ProofsFor(ctx, s, facts); err != nil || p[0].Name.Family != secret["family name"] {
		t.Errorf("proofs %+v, %v", p, err)
	}
	if o := r.order(118); o.Buyer.Mailbox != secret["mailbox"] || o.Buyer.Name != secret["name on the order"] {
		t.Errorf("order %+v", o)
	}
	look("open", raw(t, copied(t, r.path)))
	r.ok(r.l.Close())
	look("closed", raw(t, r.path))
	r.open()
	r.ok(r.l.UninstallShop(ctx, r.row(shopHash), r.now))
	r.ok(r.l.Close())
	look("uninstalled", raw(t, r.path))
	if log := r.log.String(); strings.Contains(log, secret["token"]) || strings.Contains(log, secret["mailbox"]) {
		t.Error("a secret is in the log")
	}
	// The search can find: written past the seal, each would show.
	r.open()
	for name, text := range secret {
		r.exec("UPDATE shops SET name = ?", text)
		if spelled(raw(t, copied(t, r.path)), text) == "" {
			t.Errorf("the search would not find the %s", name)
		}
	}
}

// TestUninstallDestroys: once the file is closed, of the token of a Shop that has gone not even the sealed bytes are left in it.
func TestUninstallDestroys(t *testing.T) {
	r := newRig(t)
	hashes := []string{"one", "two", "three", "four", "five"}
	for _, hash := range hashes {
		r.install(hash)
	}
	r.ok(r.l.Close())
	r.open()
	for _, hash := range hashes {
		var token, secret, key []byte
		r.ok(r.l.readDB.QueryRowContext(t.Context(), "SELECT token, hook_secret, data_key FROM shops WHERE store_hash = ?", hash).Scan(&token, &secret, &key))
		r.ok(r.l.UninstallShop(t.Context(), r.row(hash), r.now))
		r.ok(r.l.Close())
		file := raw(t, r.path)
		if bytes.Contains(file, token) || bytes.Contains(file, secret) {
			t.Errorf("shop %s: token left %v, webhook secret left %v", hash, bytes.Contains(file, token), bytes.Contains(file, secret))
		}
		if !bytes.Contains(file, key) {
			t.Errorf("shop %s: its key is not in the file: is this the file?", hash)
		}
		r.open()
	}
}
