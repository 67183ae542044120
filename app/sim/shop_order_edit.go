package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// What the merchant's staff can do to an order. Each sets date_modified to now and fires
// store/order/updated and never store/order/statusUpdated; actor is who OrderWrites names, such as
// the Username of one of Users.

// SetOrderBilling changes the billing address, e-mail included.
func (s *Shop) SetOrderBilling(id int64, a Address, actor string) error {
	return s.editOrder(id, func(o *Order) error {
		s.wrote(o, OrderWrite{Actor: actor, Field: FieldBilling, From: o.Billing.line(), To: a.line()})
		o.Billing = a
		s.orderUpdated(o)
		return nil
	})
}

// SetOrderShipping sends the whole order to one address. An order of downloads has none.
func (s *Shop) SetOrderShipping(id int64, a Address, actor string) error {
	return s.editOrder(id, func(o *Order) error {
		if len(o.Shipping) == 0 {
			return fmt.Errorf("order %d: nothing in it is shipped", id)
		}
		s.wrote(o, OrderWrite{Actor: actor, Field: FieldShipping, From: o.Shipping[0].line(), To: a.line()})
		a.ID = o.Shipping[0].ID
		o.Shipping = []Address{a}
		s.orderUpdated(o)
		return nil
	})
}

// SetOrderItems replaces the lines, and with them the amount; shipping costs what it did.
func (s *Shop) SetOrderItems(id int64, items []APIItem, actor string) error {
	return s.editOrder(id, func(o *Order) error {
		lines, err := s.orderItems(items)
		if err != nil {
			return err
		}
		s.wrote(o, OrderWrite{Actor: actor, Field: FieldItems, From: itemsLine(o.Items), To: itemsLine(lines)})
		o.Items = lines
		s.numberItems(o)
		s.orderUpdated(o)
		return nil
	})
}

// SetOrderCustomer makes the order another account's, or with 0 a guest's. Its billing address and
// e-mail stay what they are.
func (s *Shop) SetOrderCustomer(id, customerID int64, actor string) error {
	return s.editOrder(id, func(o *Order) error {
		if customerID != 0 && s.customer(customerID) == nil {
			return fmt.Errorf("customer %d: %w", customerID, ErrNotFound)
		}
		s.wrote(o, OrderWrite{Actor: actor, Field: FieldCustomer, From: number(o.CustomerID), To: number(customerID)})
		o.CustomerID = customerID
		s.orderUpdated(o)
		return nil
	})
}

// CapturePayment takes the money that an order of AuthorizeOnly reserved. An order that still
// awaits payment then goes where a paid one goes, 11, or 10 when digital, which fires
// store/order/statusUpdated; in any other status it stays.
func (s *Shop) CapturePayment(id int64, actor string) error {
	return s.editOrder(id, func(o *Order) error {
		if o.PaymentStatus != "authorized" {
			return fmt.Errorf("capturing the payment of order %d: it is %q, not authorized", id, o.PaymentStatus)
		}
		s.wrote(o, OrderWrite{Actor: actor, Field: FieldPayment, From: o.PaymentStatus, To: "captured"})
		o.PaymentStatus = "captured"
		to := o.StatusID
		if to == StatusAwaitingPayment {
			to = finalStatus(o, nil)
		}
		s.moveOrder(o, to, actor)
		return nil
	})
}

// ArchiveOrder puts an order among the deleted ones, as DELETE /v2/orders/{id} does: lists leave it
// out unless they ask for is_deleted=true, its own address still shows it. It fires
// store/order/archived alone.
func (s *Shop) ArchiveOrder(id int64, actor string) error {
	return s.setDeleted(id, true, actor, "store/order/archived")
}

// RestoreOrder takes an archived order back into the lists and fires store/order/updated.
func (s *Shop) RestoreOrder(id int64, actor string) error {
	return s.setDeleted(id, false, actor, "store/order/updated")
}

func (s *Shop) setDeleted(id int64, deleted bool, actor, scope string) error {
	return s.editOrder(id, func(o *Order) error {
		if o.Deleted == deleted {
			return fmt.Errorf("order %d: is_deleted is %t already", id, deleted)
		}
		s.wrote(o, OrderWrite{Actor: actor, Field: FieldDeleted, From: strconv.FormatBool(o.Deleted), To: strconv.FormatBool(deleted)})
		o.Deleted = deleted
		s.orders.touch(o, s.w.now())
		s.emit(scope, map[string]any{"type": "order", "id": o.ID})
		return nil
	})
}

// DeleteOrder deletes an order for good, with its metafields: the API answers 404 for it. No event
// says so. OrderWrites still tells its story.
func (s *Shop) DeleteOrder(id int64, actor string) error {
	return s.editOrder(id, func(o *Order) error {
		s.wrote(o, OrderWrite{Actor: actor, Field: FieldDeleted, From: strconv.FormatBool(o.Deleted), To: "gone"})
		s.orders.remove(o)
		delete(s.metafields, resource{"order", id})
		return nil
	})
}

// line is an address in one line, for OrderWrite.
func (a Address) line() string {
	parts := []string{strings.TrimSpace(a.FirstName + " " + a.LastName), a.Street1, a.City, a.CountryCode, a.Email}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
}

func itemsLine(items []OrderItem) string {
	var parts []string
	for _, it := range items {
		parts = append(parts, fmt.Sprintf("%d %s at %s", it.Quantity, it.SKU, it.Price))
	}
	return strings.Join(parts, ", ")
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
