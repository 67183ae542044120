package relay

import (
	"context"
	"errors"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/ledger"
)

// clearCustomer takes what idgate wrote to a customer's record away again: they were erased here, and are a customer there still. What is
// gone already is done.
func (r *Relay) clearCustomer(ctx context.Context, s *ledger.Shop, w ledger.Writeback) (ending, error) {
	store := r.store(s)
	if w.Kind == ledger.CustomerFieldsV2 {
		return r.writeFieldsV2(ctx, s, w.Subject, []bigcommerce.CustomField{{Name: AttributeIAL}, {Name: AttributeToken}, {Name: AttributeLiveID}})
	}
	if w.Kind == ledger.ProofMetafield {
		return done("cleared"), store.DeleteCustomerMetafield(ctx, w.Subject, bigcommerce.Metafield{Namespace: metafieldNamespace, Key: proofKey})
	}
	report, err := ReadInstallation(s)
	if err != nil {
		return ending{}, err
	}
	have, err := store.AttributeValues(ctx, w.Subject)
	if err != nil {
		return ending{}, err
	}
	ours := map[int64]bool{}
	for _, id := range report.Attributes {
		ours[id] = true
	}
	var ids []int64
	for _, v := range have {
		if v.ID > 0 && v.CustomerID == w.Subject && ours[v.AttributeID] {
			ids = append(ids, v.ID)
		}
	}
	return done("cleared"), store.DeleteAttributeValues(ctx, ids)
}

// someErasure erases a slice of a person of a Shop, whatever has become of the Shop. Afterwards the writer is others' for as long.
func (r *Relay) someErasure(ctx context.Context, hash string) (int, error) {
	began := time.Now()
	was, err := r.Ledger.EraseSlice(ctx, hash, r.Now())
	if err != nil || !was {
		return 0, err
	}
	rest(ctx, time.Since(began))
	return 1, nil
}

// HasCustomer reports whether BigCommerce has a customer.
func (r *Relay) HasCustomer(ctx context.Context, s *ledger.Shop, id int64) (bool, error) {
	_, err := r.store(s).Customer(ctx, id)
	if errors.Is(err, bigcommerce.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
