package relay

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"idgate/app/bigcommerce"
	"idgate/app/ledger"
)

// someNotices handles a few of a Shop's Notices, those about orders and carts first. It calls nobody, but about a customer who was deleted and
// an uninstallation.
func (r *Relay) someNotices(ctx context.Context, hash string) (int, error) {
	now := r.Now()
	due, err := r.Ledger.LeaseNotices(ctx, hash, now, now.Add(lease), 4*noticesAt)
	each(ctx, r.piece, due, noticesAt, func(n ledger.Notice) int64 { return n.ID }, r.handle, func(n ledger.Notice, err error) {
		r.Log.Error("handling a notice", "shop", n.Shop, "notice", n.ID, "error", err)
	})
	return len(due), err
}

// handle acts on one Notice. What it carries is a hint to look: the thing itself is fetched when the work it causes is done.
func (r *Relay) handle(ctx context.Context, n ledger.Notice) error {
	s, err := r.Ledger.Shop(n.Shop)
	if errors.Is(err, ledger.ErrUnknownShop) {
		return r.Ledger.FinishNotice(ctx, n, "the shop is not installed any more", nil, r.Now())
	}
	if err != nil {
		return err
	}
	order := func(id int64) error {
		if id <= 0 {
			return r.Ledger.StickNotice(ctx, n, "it names no order", r.Now())
		}
		return r.Ledger.FinishNotice(ctx, n, "order "+strconv.FormatInt(id, 10)+" is looked at", []int64{id}, r.Now())
	}
	switch n.Scope {
	case bigcommerce.ScopeOrderCreated, bigcommerce.ScopeOrderStatusUpdated:
		id, _ := strconv.ParseInt(n.Subject, 10, 64)
		if d := n.Detail; id > 0 && d.NewStatus != d.OldStatus {
			if err := r.Ledger.TouchOrder(ctx, n.Shop, id, d.OldStatus, d.NewStatus, n.EventAt); err != nil {
				return err
			}
		}
		return order(id)
	case bigcommerce.ScopeCartConverted:
		return order(n.Detail.OrderID)
	case bigcommerce.ScopeAppUninstalled:
		return r.uninstalled(ctx, s, n)
	case bigcommerce.ScopeDeliveryException:
		if err := r.Ledger.ReconcileSoon(ctx, s.Hash, r.Now()); err != nil {
			return err
		}
		return r.Ledger.FinishNotice(ctx, n, "the installation is checked", nil, r.Now())
	case bigcommerce.ScopeCustomerDeleted:
		return r.customerDeleted(ctx, s, n)
	case bigcommerce.ScopeCustomerCreated:
		return r.customerCreated(ctx, n)
	case bigcommerce.ScopeCustomerUpdated:
		return r.Ledger.FinishNotice(ctx, n, "noted", nil, r.Now())
	}
	return r.Ledger.FinishNotice(ctx, n, "not a scope that anything is done about", nil, r.Now())
}

// customerCreated asks nobody: BigCommerce lets anybody open an account with anybody's mailbox, so that nothing follows from that. What a
// guest proved under it counts for the account once the account shows that the mailbox is its own, in the ledger's ShowMailbox.
func (r *Relay) customerCreated(ctx context.Context, n ledger.Notice) error {
	if _, ok := customerOf(n); !ok {
		return r.Ledger.StickNotice(ctx, n, "it names no customer", r.Now())
	}
	return r.Ledger.FinishNotice(ctx, n, "noted: what a guest proved counts for the account once the account shows that the mailbox is its own", nil, r.Now())
}

// customerOf is the customer that a Notice is about.
func customerOf(n ledger.Notice) (id int64, ok bool) {
	id, err := strconv.ParseInt(n.Subject, 10, 64)
	return id, err == nil && id > 0
}

// again puts a Notice off that BigCommerce could not be asked about, or leaves it to a person.
func (r *Relay) again(ctx context.Context, s *ledger.Shop, n ledger.Notice, err error) error {
	e := r.judge(ctx, s, err, n.Attempt)
	if e.kind == isStuck {
		return r.Ledger.StickNotice(ctx, n, e.remark, r.Now())
	}
	return r.Ledger.PostponeNotice(ctx, n, e.at, e.remark)
}

// customerDeleted erases a person once BigCommerce says that it has them no more: a webhook is believed in nothing.
func (r *Relay) customerDeleted(ctx context.Context, s *ledger.Shop, n ledger.Notice) error {
	id, ok := customerOf(n)
	if !ok {
		return r.Ledger.StickNotice(ctx, n, "it names no customer", r.Now())
	}
	wait, release := r.pacers.of(s.Hash).reserve(r.Now(), useful, 1)
	if release == nil {
		return r.Ledger.PostponeNotice(ctx, n, r.Now().Add(wait), "the shop's API quota has no room for it now")
	}
	defer release()
	_, err := r.store(s).Customer(ctx, id)
	switch {
	case err == nil:
		return r.Ledger.FinishNotice(ctx, n, "BigCommerce still has the customer: nothing was erased", nil, r.Now())
	case !errors.Is(err, bigcommerce.ErrNotFound):
		return r.again(ctx, s, n, err)
	}
	if err := r.Ledger.EraseCustomer(ctx, s.Hash, id, r.Now()); err != nil {
		return err
	}
	return r.Ledger.FinishNotice(ctx, n, "the customer was erased", nil, r.Now())
}

// uninstalled believes a notice of uninstallation only once BigCommerce refuses our token.
func (r *Relay) uninstalled(ctx context.Context, s *ledger.Shop, n ledger.Notice) error {
	gone, err := r.TokenRefused(ctx, s)
	switch {
	case err != nil:
		return r.Ledger.PostponeNotice(ctx, n, r.retry(n.Attempt), err.Error())
	case !gone:
		return r.Ledger.FinishNotice(ctx, n, "BigCommerce still accepts our token: nothing was done", nil, r.Now())
	}
	switch err := r.Ledger.UninstallShop(ctx, s, r.Now()); {
	case errors.Is(err, ledger.ErrReplaced):
		return r.Ledger.FinishNotice(ctx, n, "the app was installed again meanwhile: nothing was done", nil, r.Now())
	case err != nil:
		return err
	}
	return r.Ledger.FinishNotice(ctx, n, "uninstalled", nil, r.Now())
}

// TokenRefused asks BigCommerce whether our token for the Shop is dead. An error means that it could not be asked.
func (r *Relay) TokenRefused(ctx context.Context, s *ledger.Shop) (bool, error) {
	_, err := r.store(s).Info(ctx)
	var be *bigcommerce.Error
	switch {
	case err == nil:
		return false, nil
	case errors.As(err, &be) && be.Status == 401:
		return true, nil
	}
	return false, fmt.Errorf("asking BigCommerce whether the token is still good: %w", err)
}
