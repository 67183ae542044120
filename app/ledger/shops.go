package ledger

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/app/receipt"
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
		SuspendedAt: instant(r.SuspendedAt), ProbeAt: instant(r.ProbeAt), UninstalledAt: instant(r.UninstalledAt), DigestTo: instant(r.DigestTo),
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

// Install is what a finished OAuth exchange, or an API account, grants.
type Install struct {
	StoreHash string
	Token     string
	Scopes    []string
	OwnerID   int64
}

// InstallShop records an installation, the first or a later one. A later one replaces the token and finds its history,
// unless the Shop's key has been destroyed meanwhile: then it begins anew. Orders whose hold or release the uninstallation cut off
// are held and released after all, and what was stuck is tried again: a missing permission may be there now.
func (l *Ledger) InstallShop(ctx context.Context, in Install, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		key, sealedKey, hookSecret, err := l.shopKeyFor(ctx, t, in.StoreHash)
		if err != nil {
			return err
		}
		token, err := key.Seal("token", in.StoreHash, []byte(in.Token))
		if err != nil {
			return err
		}
		if hookSecret == nil {
			if hookSecret, err = key.Seal("hook secret", in.StoreHash, []byte(newSecret(24))); err != nil {
				return err
			}
		}
		t.reload = append(t.reload, in.StoreHash)
		t.ring = append(t.ring, ShopBell, WritebackBell)
		err = t.InstallShop(ctx, queries.InstallShopParams{
			StoreHash: in.StoreHash, OwnerID: in.OwnerID, Scopes: strings.Join(in.Scopes, " "),
			DataKey: sealedKey, Token: token, HookSecret: hookSecret, Now: millis(now),
		})
		if err != nil {
			return err
		}
		if _, err = t.OweAgain(ctx, queries.OweAgainParams{StoreHash: in.StoreHash, Now: millis(now)}); err != nil {
			return err
		}
		if _, err = t.RetryShopWritebacks(ctx, queries.RetryShopWritebacksParams{StoreHash: in.StoreHash, Now: millis(now)}); err != nil {
			return err
		}
		t.actor = "BigCommerce"
		return t.act(ctx, in.StoreHash, ActInstalled, "", "", now)
	})
}

// shopKeyFor opens the Shop's key if it still has one, or makes one.
func (l *Ledger) shopKeyFor(ctx context.Context, t *tx, hash string) (ShopKey, []byte, []byte, error) {
	r, err := found(t.Shop(ctx, hash))
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return ShopKey{}, nil, nil, err
	case r.DataKey != nil:
		key, err := l.keyring.OpenKey(hash, r.DataKey)
		return key, r.DataKey, r.HookSecret, err
	default:
		if err := destroyLeft(ctx, t, hash); err != nil {
			return ShopKey{}, nil, nil, err
		}
	}
	key := NewShopKey(rand.Reader)
	sealed, err := l.keyring.SealKey(hash, key)
	return key, sealed, nil, err
}

// Description is what BigCommerce says of a Shop.
type Description struct {
	StoreID, Name, Currency, Timezone, ControlPanel string
	Channels                                        []Channel
	Country                                         string
}

// DescribeShop records what BigCommerce says of a Shop.
func (l *Ledger) DescribeShop(ctx context.Context, hash string, d Description) error {
	channels, err := json.Marshal(d.Channels)
	if err != nil {
		return err
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.reload = append(t.reload, hash)
		return t.DescribeShop(ctx, queries.DescribeShopParams{StoreHash: hash, StoreID: d.StoreID, Name: d.Name, Currency: d.Currency,
			Timezone: d.Timezone, ControlPanel: d.ControlPanel, Channels: string(channels), Country: d.Country})
	})
}

// RecordInstallation stores a reconciliation's report (JSON) and when to reconcile next.
func (l *Ledger) RecordInstallation(ctx context.Context, hash string, report json.RawMessage, now, next time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.reload = append(t.reload, hash)
		r, err := found(t.Shop(ctx, hash))
		if err != nil {
			return err
		}
		if err := t.alarmScopes(ctx, hash, r.Installation, report, now); err != nil {
			return err
		}
		return t.RecordInstallation(ctx, queries.RecordInstallationParams{StoreHash: hash, Installation: string(report), Now: millis(now), Next: millis(next)})
	})
}

// ReconcileSoon makes the Shop's installation due for reconciliation.
func (l *Ledger) ReconcileSoon(ctx context.Context, hash string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.reload = append(t.reload, hash)
		t.ring = append(t.ring, ShopBell)
		return t.ReconcileShopAt(ctx, queries.ReconcileShopAtParams{StoreHash: hash, At: millis(now)})
	})
}

// SuspendShop records that BigCommerce refuses our token. Loops leave the Shop alone until it is asked again at probe, or installed again.
func (l *Ledger) SuspendShop(ctx context.Context, hash string, now, probe time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.reload = append(t.reload, hash)
		n, err := t.SuspendShop(ctx, queries.SuspendShopParams{StoreHash: hash, Now: millis(now), ProbeAt: millis(probe)})
		if err != nil || n == 0 {
			return err
		}
		return t.alarm(ctx, hash, TroubleAlarm, fmt.Sprintf("token/%d", millis(now)), AlarmToken, 0, now)
	})
}

// ProbeShopAt says when to ask again whether a suspended Shop's token is good.
func (l *Ledger) ProbeShopAt(ctx context.Context, hash string, probe time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.reload = append(t.reload, hash)
		_, err := t.ProbeShopAt(ctx, queries.ProbeShopAtParams{StoreHash: hash, ProbeAt: millis(probe)})
		return err
	})
}

// ResumeShop records that BigCommerce accepts our token again.
func (l *Ledger) ResumeShop(ctx context.Context, hash string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.reload = append(t.reload, hash)
		t.ring = append(t.ring, NoticeBell, OrderBell, WritebackBell, ShopBell)
		_, err := t.ResumeShop(ctx, queries.ResumeShopParams{StoreHash: hash, Now: millis(now)})
		return err
	})
}

// SuspectShop makes the installation due for reconciliation because something we should have been told was not told. Once an hour at most.
func (l *Ledger) SuspectShop(ctx context.Context, hash string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.SuspectShop(ctx, queries.SuspectShopParams{StoreHash: hash, Now: millis(now), UnlessAfter: millis(now.Add(-time.Hour))})
		if n > 0 {
			t.reload = append(t.reload, hash)
			t.ring = append(t.ring, ShopBell)
		}
		return err
	})
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

// SaveSettings replaces the Shop's settings.
func (l *Ledger) SaveSettings(ctx context.Context, hash string, n Settings, now time.Time) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.reload = append(t.reload, hash)
		if err := t.SaveSettings(ctx, queries.SaveSettingsParams{StoreHash: hash, Settings: string(b)}); err != nil {
			return err
		}
		return t.act(ctx, hash, ActSettingsSaved, "", "", now)
	})
}

// UninstallShop destroys the token and the webhook secret at once and ends all Logins; the data stays sealed for a re-install.
func (l *Ledger) UninstallShop(ctx context.Context, hash string, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.UninstallShop(ctx, queries.UninstallShopParams{StoreHash: hash, Now: millis(now)})
		if err != nil || n == 0 {
			return err
		}
		t.reload = append(t.reload, hash)
		if _, err := t.EndShopLogins(ctx, hash); err != nil {
			return err
		}
		t.actor = "BigCommerce"
		if err := t.act(ctx, hash, ActUninstalled, "", "", now); err != nil {
			return err
		}
		for _, k := range AlarmKinds() {
			if _, err := t.DropStaffAlarms(ctx, queries.DropStaffAlarmsParams{StoreHash: hash, Kind: string(k)}); err != nil {
				return err
			}
		}
		if err := t.DropShopDeliveries(ctx, queries.DropShopDeliveriesParams{StoreHash: hash, Now: millis(now), Trouble: "the app was uninstalled"}); err != nil {
			return err
		}
		return t.DropShopWritebacks(ctx, queries.DropShopWritebacksParams{StoreHash: hash, Now: millis(now), Reason: "the app was uninstalled"})
	})
}

// SetKosmosTenant stores the Shop's own 1Kosmos tenant, whole (never parts of one with parts of another), or removes it when nil.
func (l *Ledger) SetKosmosTenant(ctx context.Context, hash string, tenant json.RawMessage, now time.Time) error {
	s, err := l.Shop(hash)
	if err != nil {
		return err
	}
	var sealed []byte
	if tenant != nil {
		if sealed, err = s.key.Seal("kosmos", hash, tenant); err != nil {
			return err
		}
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.reload = append(t.reload, hash)
		if err := t.SetKosmosTenant(ctx, queries.SetKosmosTenantParams{StoreHash: hash, Tenant: sealed}); err != nil {
			return err
		}
		return t.act(ctx, hash, ActTenantSaved, "", "", now)
	})
}

// AdvanceSweep moves the Shop's watermark: every order modified before sweptTo has been made due.
func (l *Ledger) AdvanceSweep(ctx context.Context, hash string, sweptTo, next time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.reload = append(t.reload, hash)
		return t.AdvanceSweep(ctx, queries.AdvanceSweepParams{StoreHash: hash, SweptTo: millis(sweptTo), Next: millis(next)})
	})
}

// reseal seals anew, under the operator's first key, what an older one of his sealed: the Shops' keys and the signing keys. All else is sealed
// under these. Once it has run the older key opens nothing any more but what is in replicas made before.
func (l *Ledger) reseal(ctx context.Context) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		resealed := 0
		shops, err := t.Shops(ctx)
		if err != nil {
			return err
		}
		for _, s := range shops {
			if s.DataKey == nil {
				continue
			}
			again, changed, err := l.keyring.ResealKey(s.StoreHash, s.DataKey)
			if err != nil {
				return fmt.Errorf("opening the key of shop %s (is this the right operator key?): %w", s.StoreHash, err)
			}
			if !changed {
				continue
			}
			resealed++
			if _, err := t.ResealShopKey(ctx, queries.ResealShopKeyParams{StoreHash: s.StoreHash, DataKey: again}); err != nil {
				return err
			}
		}
		keys, err := t.SigningKeys(ctx)
		if err != nil {
			return err
		}
		for _, k := range keys {
			again, changed, err := l.keyring.Reseal("signing key", k.Kid, k.Private)
			if err != nil {
				return fmt.Errorf("opening signing key %s (is this the right operator key?): %w", k.Kid, err)
			}
			if !changed {
				continue
			}
			resealed++
			if _, err := t.ResealSigningKey(ctx, queries.ResealSigningKeyParams{Kid: k.Kid, Private: again}); err != nil {
				return err
			}
		}
		if resealed > 0 {
			l.log.Info("sealed anew under the operator's newest key", "keys", resealed)
		}
		return nil
	})
}

// loadKeys opens the signing keys, making the first.
func (l *Ledger) loadKeys(ctx context.Context, now time.Time) error {
	rows, err := l.read.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("reading the signing keys: %w", err)
	}
	if len(rows) == 0 {
		k, err := receipt.NewKey(rand.Reader)
		if err != nil {
			return err
		}
		sealed, err := l.keyring.Seal("signing key", k.ID, k.Seed())
		if err != nil {
			return err
		}
		err = l.do(ctx, func(ctx context.Context, t *tx) error {
			return t.AddSigningKey(ctx, queries.AddSigningKeyParams{Kid: k.ID, Public: k.Public().Key, Private: sealed, Now: millis(now)})
		})
		if err != nil {
			return err
		}
		return l.loadKeys(ctx, now)
	}
	var s signing
	var public []receipt.PublicKey
	for _, r := range rows {
		seed, err := l.keyring.Open("signing key", r.Kid, r.Private)
		if err != nil {
			return fmt.Errorf("opening signing key %s (is this the right operator key?): %w", r.Kid, err)
		}
		k, err := receipt.KeyFromSeed(seed)
		if err != nil {
			return err
		}
		if !bytes.Equal(k.Public().Key, r.Public) {
			return fmt.Errorf("signing key %s does not match its public half", r.Kid)
		}
		public = append(public, k.Public())
		if s.signer.Key.ID == "" && r.RetiredAt == 0 {
			s.signer.Key = k
		}
	}
	if s.jwks, err = receipt.JWKS(public); err != nil {
		return err
	}
	l.keys.Store(&s)
	return nil
}

// JWKS is the published set of keys that verify our Receipts.
func (l *Ledger) JWKS() []byte { return l.keys.Load().jwks }

// Signer signs Receipts as issuer.
func (l *Ledger) Signer(issuer string) receipt.Signer {
	s := l.keys.Load().signer
	s.Issuer = issuer
	return s
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
