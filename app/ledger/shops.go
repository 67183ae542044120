package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/queries"
)

// ShopState says whether BigCommerce still lets us work for the Shop.
type ShopState string

// The states. Suspended: BigCommerce refuses our token; a fresh install puts it right.
const (
	Installed   ShopState = "installed"
	Suspended   ShopState = "suspended"
	Uninstalled ShopState = "uninstalled"
)

// Channel is one storefront of a Shop.
type Channel struct {
	ID      int64    `json:"id"`
	Name    string   `json:"name"`
	Origins []string `json:"origins"` // scheme://host[:port] of the storefront and its checkout
}

// Shop is one merchant, with the secrets opened. Values are never changed after they are published: copy to change.
type Shop struct {
	Hash          string
	State         ShopState
	StoreID       string
	Name          string
	Currency      string
	Timezone      string
	Country       string // ISO 3166-1 alpha-2; empty until BigCommerce has told
	ControlPanel  string
	Channels      []Channel
	OwnerID       int64
	Scopes        []string
	Token         string
	Grants        int64 // how often BigCommerce has granted a token: names this one
	HookSecret    string
	Kosmos        json.RawMessage // the Shop's own tenant, or nil
	Policy        gate.Policy
	EnforcedSince time.Time
	SweptTo       time.Time
	SweepAt       time.Time
	ReconcileAt   time.Time
	ReconciledAt  time.Time
	Installation  json.RawMessage
	InstalledAt   time.Time
	SuspendedAt   time.Time // since when BigCommerce refuses our token
	ProbeAt       time.Time // when to ask again whether it still does
	UninstalledAt time.Time
	Settings      Settings
	DigestTo      time.Time // when the last digest was due that was settled

	key ShopKey
}

// String keeps the secrets out of logs.
func (s *Shop) String() string { return "shop " + s.Hash }

// MailboxHash is the keyed hash under which a mailbox is looked up and compared; "" for none.
func (s *Shop) MailboxHash(mailbox string) string {
	if strings.TrimSpace(mailbox) == "" {
		return ""
	}
	return hex.EncodeToString(s.key.MailboxHash(mailbox))
}

// FactsDigest is the keyed digest of what a Decision is made on: a plain one could be searched for an address.
func (s *Shop) FactsDigest(canonical []byte) []byte {
	m := hmac.New(sha256.New, s.key.Derive("facts digest"))
	m.Write(canonical)
	return m.Sum(nil)
}

// Origins lists every storefront origin of the Shop.
func (s *Shop) Origins() []string {
	var out []string
	for _, c := range s.Channels {
		out = append(out, c.Origins...)
	}
	return out
}

// Shop returns an installed or suspended Shop from memory.
func (l *Ledger) Shop(hash string) (*Shop, error) {
	s, ok := (*l.shops.Load())[hash]
	if !ok || s.State == Uninstalled {
		return nil, ErrUnknownShop
	}
	return s, nil
}

// Suspended returns the Shops whose token BigCommerce refuses.
func (l *Ledger) Suspended() []*Shop {
	var out []*Shop
	for _, s := range *l.shops.Load() {
		if s.State == Suspended {
			out = append(out, s)
		}
	}
	return out
}

// Shops returns the installed Shops by store hash.
func (l *Ledger) Shops() []*Shop {
	m := *l.shops.Load()
	var out []*Shop
	for _, hash := range slices.Sorted(maps.Keys(m)) {
		if m[hash].State == Installed {
			out = append(out, m[hash])
		}
	}
	return out
}

func (l *Ledger) loadShops(ctx context.Context) error {
	rows, err := l.read.Shops(ctx)
	if err != nil {
		return fmt.Errorf("reading the shops: %w", err)
	}
	m := make(map[string]*Shop, len(rows))
	for _, r := range rows {
		if m[r.StoreHash], err = l.openShop(ctx, l.read, queries.Shop(r)); err != nil {
			return err
		}
	}
	l.shops.Store(&m)
	return nil
}

// reloadShop publishes a changed row. Only the writer calls it.
func (l *Ledger) reloadShop(ctx context.Context, q *queries.Queries, hash string) error {
	r, err := q.Shop(ctx, hash)
	if err != nil {
		return err
	}
	s, err := l.openShop(ctx, q, queries.Shop(r))
	if err != nil {
		return err
	}
	m := maps.Clone(*l.shops.Load())
	m[hash] = s
	l.shops.Store(&m)
	return nil
}

func (l *Ledger) openShop(ctx context.Context, q *queries.Queries, r queries.Shop) (*Shop, error) {
	s := &Shop{
		Hash: r.StoreHash, State: ShopState(r.State), StoreID: r.StoreID, Name: r.Name, Currency: r.Currency, Timezone: r.Timezone, Country: r.Country,
		ControlPanel: r.ControlPanel, OwnerID: r.OwnerID, Scopes: strings.Fields(r.Scopes),
		EnforcedSince: instant(r.EnforcedSince), SweptTo: instant(r.SweptTo), SweepAt: instant(r.SweepAt),
		ReconcileAt: instant(r.ReconcileAt), ReconciledAt: instant(r.ReconciledAt),
		Installation: json.RawMessage(r.Installation), InstalledAt: instant(r.InstalledAt),
		SuspendedAt: instant(r.SuspendedAt), ProbeAt: instant(r.ProbeAt), UninstalledAt: instant(r.UninstalledAt), DigestTo: instant(r.DigestTo), Grants: r.Grants,
	}
	if s.State == Uninstalled || r.DataKey == nil {
		s.State = Uninstalled
		return s, nil
	}
	key, err := l.keyring.OpenKey(s.Hash, r.DataKey)
	if err != nil {
		return nil, fmt.Errorf("opening the key of shop %s (is this the right operator key?): %w", s.Hash, err)
	}
	s.key = key
	open := func(sealed []byte, purpose string) []byte {
		if sealed == nil || err != nil {
			return nil
		}
		var plain []byte
		plain, err = key.Open(purpose, s.Hash, sealed)
		return plain
	}
	s.Token = string(open(r.Token, "token"))
	s.HookSecret = string(open(r.HookSecret, "hook secret"))
	s.Kosmos = open(r.Kosmos, "kosmos")
	if err != nil {
		return nil, fmt.Errorf("opening the secrets of shop %s: %w", s.Hash, err)
	}
	if err := json.Unmarshal([]byte(r.Channels), &s.Channels); err != nil {
		return nil, fmt.Errorf("reading the channels of shop %s: %w", s.Hash, err)
	}
	if err := json.Unmarshal([]byte(r.Settings), &s.Settings); err != nil {
		return nil, fmt.Errorf("reading the settings of shop %s: %w", s.Hash, err)
	}
	s.Policy = gate.Default(s.Currency)
	if r.Policy > 0 {
		p, err := q.Policy(ctx, queries.PolicyParams{StoreHash: s.Hash, Version: r.Policy})
		if err != nil {
			return nil, fmt.Errorf("reading the policy of shop %s: %w", s.Hash, err)
		}
		s.Policy = gate.Policy{} // what the stored version leaves out is zero, not a default
		if err := json.Unmarshal([]byte(p.Body), &s.Policy); err != nil {
			return nil, fmt.Errorf("reading the policy of shop %s: %w", s.Hash, err)
		}
	}
	return s, nil
}

// Settings are a Shop's choices that are no part of its Policy.
type Settings struct {
	AlarmTo string `json:"alarm_to,omitempty"` // mailbox of the staff who are told of leaks, moved orders and stuck work; empty: nobody by mail
	// Texts are the Shop's own words for shoppers: by language, then by key (words.Keys). One that words.CheckOverride refuses is not shown.
	Texts map[string]map[string]string `json:"texts,omitempty"`
	// Documents are the kinds that will do (idv.DocumentType); empty: all of them. A shopper chooses where there are several.
	Documents []string `json:"documents,omitempty"`
	// SessionsPerDay is how many Sessions may begin within 24 hours, whoever begins them; 0: DefaultBudget.
	SessionsPerDay int `json:"sessions_per_day,omitempty"`
	// ScriptOnAllPages puts the gate on cart and product pages too, where wallets place orders from there.
	ScriptOnAllPages bool `json:"script_on_all_pages,omitempty"`
	// ConfirmationScript puts a second script on the page after the order, which says that a step is left.
	ConfirmationScript bool `json:"confirmation_script,omitempty"`
	// InlineLock puts a small script into the page itself, which holds the order call until the gate has come.
	InlineLock bool `json:"inline_lock,omitempty"`
	// Branding is how the Shop looks to its shoppers, and Channels what is different on one of its storefronts: of a text and of each part
	// of the branding, what the storefront has counts, else the Shop's.
	Branding Branding       `json:"branding,omitzero"`
	Channels map[int64]Look `json:"channels,omitempty"`
	// GuideSkipped puts the first-run guide away.
	GuideSkipped bool `json:"guide_skipped,omitempty"`
	// SignBack lets a customer who verified on the hosted page, which their own checkout opened in the same browser, go on in their account.
	SignBack bool `json:"sign_back,omitempty"`
	// Staff are those who are mailed alarms and a digest. Where it names somebody AlarmTo is empty.
	Staff StaffMails `json:"staff,omitzero"`
}

// PublishScript keeps a storefront script for ever.
func (l *Ledger) PublishScript(ctx context.Context, hash, integrity string, body []byte, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		return t.PublishScript(ctx, queries.PublishScriptParams{Hash: hash, Integrity: integrity, Body: body, Now: millis(now)})
	})
}

// PublishedScript returns a script that some page may still ask for.
func (l *Ledger) PublishedScript(ctx context.Context, hash string) ([]byte, error) {
	r, err := found(l.read.PublishedScript(ctx, hash))
	return r.Body, err
}

// UseToken records a signed token's id and reports whether it was the first use. The memory outlives erasure of the Shop.
func (l *Ledger) UseToken(ctx context.Context, id string, expires time.Time) (first bool, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.UseToken(ctx, queries.UseTokenParams{ExpiresAt: millis(expires), Jti: id})
		first = n == 1
		return err
	})
	return first, err
}
