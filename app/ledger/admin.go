package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"idgate/app/gate"
	"idgate/queries"
)

// Role is what a user may do in a Shop.
type Role string

// The roles, most powerful first.
const (
	Owner    Role = "owner"
	Manager  Role = "manager"
	Reviewer Role = "reviewer"
	Viewer   Role = "viewer"
)

// User is one of a Shop's staff.
type User struct {
	ID     int64
	Email  string
	Role   Role
	SeenAt time.Time
}

// StartLogin records that BigCommerce vouched for the user just now, and returns a fresh Login's id.
func (l *Ledger) StartLogin(ctx context.Context, hash string, u User, now, expires time.Time) (string, error) {
	id := newSecret(16)
	return id, l.do(ctx, func(ctx context.Context, t *tx) error {
		err := t.SeeUser(ctx, queries.SeeUserParams{StoreHash: hash, UserID: u.ID, Email: u.Email, Role: string(u.Role), Now: millis(now)})
		if err != nil {
			return err
		}
		return t.AddLogin(ctx, queries.AddLoginParams{ID: id, StoreHash: hash, UserID: u.ID, Now: millis(now), ExpiresAt: millis(expires)})
	})
}

// Login returns the user whose Login this is, in this Shop and no other.
func (l *Ledger) Login(ctx context.Context, hash, id string, now time.Time) (User, error) {
	r, err := found(l.read.Login(ctx, queries.LoginParams{ID: id, StoreHash: hash, Now: millis(now)}))
	return User{ID: r.UserID, Email: r.Email, Role: Role(r.Role)}, err
}

// EndLogin ends one Login; repeating it changes nothing.
func (l *Ledger) EndLogin(ctx context.Context, id string) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error { return t.EndLogin(ctx, id) })
}

// RemoveUser takes a user off the Shop and ends their Logins. A later load by BigCommerce brings them back.
func (l *Ledger) RemoveUser(ctx context.Context, hash string, userID int64, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		if _, err := t.RemoveUser(ctx, queries.RemoveUserParams{StoreHash: hash, UserID: userID, Now: millis(now)}); err != nil {
			return err
		}
		if _, err := t.EndUserLogins(ctx, queries.EndUserLoginsParams{StoreHash: hash, UserID: userID}); err != nil {
			return err
		}
		t.actor = "BigCommerce"
		return t.act(ctx, hash, ActUserRemoved, strconv.FormatInt(userID, 10), "", now)
	})
}

// Users lists the Shop's users.
func (l *Ledger) Users(ctx context.Context, hash string) ([]User, error) {
	rows, err := l.read.Users(ctx, hash)
	out := make([]User, len(rows))
	for i, r := range rows {
		out[i] = User{r.UserID, r.Email, Role(r.Role), instant(r.SeenAt)}
	}
	return out, err
}

// PolicyVersion is one saved Policy.
type PolicyVersion struct {
	Policy  gate.Policy
	Author  string
	Note    string
	SavedAt time.Time
}

// PolicyChange is a version to save.
type PolicyChange struct {
	Base   int64 // the version it was made from
	Policy gate.Policy
	Author string
	Note   string
	// Since is the enforcement epoch should this version begin one: now by BigCommerce's clock, which dates the orders.
	Since time.Time
}

// SavePolicy stores a Policy as the next version if Base is still the current one; otherwise ErrPolicyMoved.
// The enforcement epoch begins when a Policy first enforces and ends when one does not; saving never moves it otherwise.
// Orders that could still be shipped are made due, behind what is new.
func (l *Ledger) SavePolicy(ctx context.Context, hash string, c PolicyChange, now time.Time) (gate.Policy, error) {
	p, base := c.Policy, c.Base
	err := l.do(ctx, func(ctx context.Context, t *tx) error {
		shop, err := found(t.Shop(ctx, hash))
		if err != nil {
			return err
		}
		if shop.Policy != base {
			return ErrPolicyMoved
		}
		p.Version = base + 1
		body, err := json.Marshal(p)
		if err != nil {
			return err
		}
		err = t.AddPolicy(ctx, queries.AddPolicyParams{StoreHash: hash, Version: p.Version, Body: string(body), Author: c.Author, Note: c.Note, Now: millis(now)})
		if err != nil {
			return err
		}
		since := shop.EnforcedSince
		switch {
		case p.Mode != gate.Enforce:
			since = 0
		case since == 0:
			since = millis(c.Since)
		}
		if err := t.SetCurrentPolicy(ctx, queries.SetCurrentPolicyParams{StoreHash: hash, Version: p.Version, EnforcedSince: since}); err != nil {
			return err
		}
		// The script's URL says what it does when we cannot be reached.
		if err := t.ReconcileShopAt(ctx, queries.ReconcileShopAtParams{StoreHash: hash, At: millis(now)}); err != nil {
			return err
		}
		t.reload = append(t.reload, hash)
		t.ring = append(t.ring, OrderBell, ShopBell)
		t.actor = c.Author
		if err := t.act(ctx, hash, ActPolicySaved, strconv.FormatInt(p.Version, 10), c.Note, now); err != nil {
			return err
		}
		return t.DueWaitingOrders(ctx, queries.DueWaitingOrdersParams{StoreHash: hash, DueAt: millis(now)})
	})
	if err != nil {
		return gate.Policy{}, fmt.Errorf("saving the policy: %w", err)
	}
	return p, nil
}

// PolicyVersions lists saved versions below the given one, newest first; below 0 means from the top.
func (l *Ledger) PolicyVersions(ctx context.Context, hash string, below int64, count int) ([]PolicyVersion, error) {
	if below <= 0 {
		below = 1 << 62
	}
	rows, err := l.read.PolicyVersions(ctx, queries.PolicyVersionsParams{StoreHash: hash, Below: below, Count: int64(count)})
	if err != nil {
		return nil, err
	}
	out := make([]PolicyVersion, len(rows))
	for i, r := range rows {
		out[i] = PolicyVersion{Author: r.Author, Note: r.Note, SavedAt: instant(r.SavedAt)}
		if err := json.Unmarshal([]byte(r.Body), &out[i].Policy); err != nil {
			return nil, fmt.Errorf("reading policy version %s: %w", strconv.FormatInt(r.Version, 10), err)
		}
	}
	return out, nil
}
