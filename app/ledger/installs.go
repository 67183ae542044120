package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"idgate/queries"
)

// Install is what a finished OAuth exchange, or an API account, grants.
type Install struct {
	StoreHash string
	Token     string
	Scopes    []string
	OwnerID   int64
}

// InstallShop records an installation, the first or a later one. A later one replaces the token and finds its history,
// unless the Shop's key has been destroyed meanwhile: then it begins anew. What the uninstallation dropped is owed again: whoever pays it
// looks first whether it is still to be done. What is stuck is tried again, but for mails: a missing permission may be there now.
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
		if _, err = t.OweAgain(ctx, queries.OweAgainParams{StoreHash: in.StoreHash, Now: millis(now)}); err != nil {
			return err
		}
		err = t.InstallShop(ctx, queries.InstallShopParams{
			StoreHash: in.StoreHash, OwnerID: in.OwnerID, Scopes: strings.Join(in.Scopes, " "),
			DataKey: sealedKey, Token: token, HookSecret: hookSecret, Now: millis(now),
		})
		if err != nil {
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

// ErrReplaced: the Shop has a newer token than the one that was asked with. What BigCommerce said of that one says nothing of the Shop.
var ErrReplaced = errors.New("the shop has a newer token by now")

// saidOfToken does what follows from an answer to the token of s, as long as it is the Shop's: change says how many rows it changed. ErrReplaced
// when there is a newer one by now.
func (t *tx) saidOfToken(ctx context.Context, s *Shop, change func() (int64, error)) (changed bool, err error) {
	n, err := change()
	if err != nil {
		return false, err
	}
	if n > 0 {
		t.reload = append(t.reload, s.Hash)
		return true, nil
	}
	r, err := found(t.Shop(ctx, s.Hash))
	if err == nil && r.Grants != s.Grants {
		err = ErrReplaced
	}
	return false, err
}

// SuspendShop records that BigCommerce refuses the token of s. Loops leave the Shop alone until it is asked again at probe, or installed
// again. ErrReplaced when it has been already.
func (l *Ledger) SuspendShop(ctx context.Context, s *Shop, now, probe time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		changed, err := t.saidOfToken(ctx, s, func() (int64, error) {
			return t.SuspendShop(ctx, queries.SuspendShopParams{StoreHash: s.Hash, Grants: s.Grants, Now: millis(now), ProbeAt: millis(probe)})
		})
		if err != nil || !changed {
			return err
		}
		return t.alarm(ctx, s.Hash, TroubleAlarm, fmt.Sprintf("token/%d", millis(now)), AlarmToken, 0, now)
	})
}

// ProbeShopAt says when to ask again whether the token of a suspended Shop is good. ErrReplaced when it has a newer one.
func (l *Ledger) ProbeShopAt(ctx context.Context, s *Shop, probe time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.saidOfToken(ctx, s, func() (int64, error) {
			return t.ProbeShopAt(ctx, queries.ProbeShopAtParams{StoreHash: s.Hash, Grants: s.Grants, ProbeAt: millis(probe)})
		})
		return err
	})
}

// ResumeShop records that BigCommerce accepts the token of s again. ErrReplaced when the Shop has a newer one.
func (l *Ledger) ResumeShop(ctx context.Context, s *Shop, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		t.ring = append(t.ring, NoticeBell, OrderBell, WritebackBell, ShopBell)
		_, err := t.saidOfToken(ctx, s, func() (int64, error) {
			return t.ResumeShop(ctx, queries.ResumeShopParams{StoreHash: s.Hash, Grants: s.Grants, Now: millis(now)})
		})
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

// UninstallShop destroys the token of s and the webhook secret at once and ends all Logins; the data stays sealed for a re-install, and what was owed is dropped until then.
// ErrReplaced when there has been one already.
func (l *Ledger) UninstallShop(ctx context.Context, s *Shop, now time.Time) error {
	hash := s.Hash
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		changed, err := t.saidOfToken(ctx, s, func() (int64, error) {
			return t.UninstallShop(ctx, queries.UninstallShopParams{StoreHash: hash, Grants: s.Grants, Now: millis(now)})
		})
		if err != nil || !changed {
			return err
		}
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
