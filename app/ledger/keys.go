package ledger

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"idgate/app/receipt"
	"idgate/queries"
)

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
