package sim

import (
	"slices"
	"time"
)

// The fields of an OrderWrite.
const (
	FieldStatus     = "status"
	FieldStaffNotes = "staff_notes"
	FieldMessage    = "customer_message"
	FieldMetafield  = "metafield"
	FieldBilling    = "billing_address"
	FieldShipping   = "shipping_address"
	FieldItems      = "products"
	FieldCustomer   = "customer_id"
	FieldPayment    = "payment_status"
	FieldDeleted    = "is_deleted"
)

// OrderWrite is one field of an order as somebody wrote it. A write that changed nothing is kept
// too, From and To being alike: it was made. A request that was refused, or failed with nothing
// done, is not; one that was done and answered with an error is.
type OrderWrite struct {
	At           time.Time
	Actor        string // AppName, another API client, a staff user's name, "checkout"
	Field        string // one of the Field constants
	Key          string // namespace/key of a metafield
	StatusBefore int    // the order's status when the write came
	// From and To are a status or a customer as its number, an address as name, street, town, country
	// and e-mail, items as "2 SKU at 12.0000"; is_deleted is false, true or gone. Empty: not there.
	From, To string
}

// OrderWrites lists who wrote what to an order since it was made, the oldest first. Its making is
// no write, and neither is what the platform derives from another field.
func (s *Shop) OrderWrites(id int64) []OrderWrite {
	return locked(s, func() []OrderWrite { return slices.Clone(s.writes[id]) })
}

// wrote keeps a write that is about to be done.
func (s *Shop) wrote(o *Order, w OrderWrite) {
	w.At, w.StatusBefore = s.w.now(), o.StatusID
	s.writes[o.ID] = append(s.writes[o.ID], w)
}
