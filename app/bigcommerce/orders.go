package bigcommerce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

// Order fetches one order, whatever its origin or status.
func (s *Store) Order(ctx context.Context, id int64) (Order, error) {
	path, err := numericPath("/v2/orders/", id, "")
	if err != nil {
		return Order{}, err
	}
	// Fees are asked for because Value needs the sum of an order's parts.
	return s.order(ctx, id, request{method: http.MethodGet, path: path, query: url.Values{"include": {"fees"}}})
}

// OrderUpdate changes what is not nil and nothing else. It cannot carry products or fees: the platform replaces those
// whole, and touching a line item clears the order's discounts.
type OrderUpdate struct {
	StatusID *int `json:"status_id,omitempty"`
	// StaffNotes replaces the merchant's notes: read, append, write.
	StaffNotes *string `json:"staff_notes,omitempty"`
}

// UpdateOrder writes u. The write comes back as store/order/statusUpdated and store/order/updated webhooks. A status of
// the watch class is refused here: it would turn an order back into an unpaid cart.
func (s *Store) UpdateOrder(ctx context.Context, id int64, u OrderUpdate) (Order, error) {
	path, err := numericPath("/v2/orders/", id, "")
	switch {
	case err != nil:
		return Order{}, err
	case u == OrderUpdate{}:
		return Order{}, fmt.Errorf("updating order %d: nothing to update", id)
	case u.StatusID != nil && (ClassOf(*u.StatusID) == ClassWatch || ClassOf(*u.StatusID) == ClassUnknown):
		return Order{}, fmt.Errorf("updating order %d: status %d is never written", id, *u.StatusID)
	}
	return s.order(ctx, id, request{method: http.MethodPut, path: path, body: u})
}

func (s *Store) order(ctx context.Context, id int64, r request) (Order, error) {
	var o Order
	if err := s.object(ctx, r, &o); err != nil {
		return Order{}, err
	}
	if o.ID != id {
		return Order{}, r.trouble(http.StatusOK, fmt.Sprintf("the answer holds order %d", o.ID), nil)
	}
	return o, nil
}

// Sorts for OrderFilter. Ties in date_modified are in no stated order.
const (
	SortDateModified = "date_modified:asc"
	SortNewest       = "id:desc"
	SortID           = "id:asc"
)

// OrderFilter narrows Orders; zero fields do not filter.
type OrderFilter struct {
	MinDateModified time.Time // inclusive, whole seconds
	MaxDateModified time.Time // whole seconds; the documents do not say whether it is inclusive
	MinDateCreated  time.Time // inclusive, whole seconds
	MinID, MaxID    int64     // inclusive
	StatusID        *int
	CartID          string
	CustomerID      *int64 // 0: guests
	Sort            string
	Page            int // from 1
	Limit           int // the platform's default is 50
}

var sortForm = regexp.MustCompile(`^[a-z_]{1,32}(:(asc|desc))?$`)

// Orders fetches one page of orders. A page shorter than Limit is the last one; a sweep by MinDateModified overlaps its
// window instead of trusting page borders, since orders move while it reads.
func (s *Store) Orders(ctx context.Context, f OrderFilter) ([]Order, error) {
	query := url.Values{"include": {"fees"}}
	if !f.MinDateModified.IsZero() {
		query.Set("min_date_modified", f.MinDateModified.UTC().Format("2006-01-02T15:04:05-07:00"))
	}
	if !f.MaxDateModified.IsZero() {
		query.Set("max_date_modified", f.MaxDateModified.UTC().Format("2006-01-02T15:04:05-07:00"))
	}
	if !f.MinDateCreated.IsZero() {
		query.Set("min_date_created", f.MinDateCreated.UTC().Format("2006-01-02T15:04:05-07:00"))
	}
	if f.MaxID > 0 {
		query.Set("max_id", strconv.FormatInt(f.MaxID, 10))
	}
	if f.MinID > 0 {
		query.Set("min_id", strconv.FormatInt(f.MinID, 10))
	}
	if f.StatusID != nil {
		query.Set("status_id", strconv.Itoa(*f.StatusID))
	}
	if f.CartID != "" {
		if !uuidForm.MatchString(f.CartID) {
			return nil, errors.New("listing orders: the cart id is not a UUID")
		}
		query.Set("cart_id", f.CartID)
	}
	if f.CustomerID != nil {
		query.Set("customer_id", strconv.FormatInt(*f.CustomerID, 10))
	}
	if f.Sort != "" {
		if !sortForm.MatchString(f.Sort) {
			return nil, errors.New("listing orders: the sort is malformed")
		}
		query.Set("sort", f.Sort)
	}
	query.Set("page", strconv.Itoa(cmp.Or(max(f.Page, 0), 1)))
	query.Set("limit", strconv.Itoa(cmp.Or(max(f.Limit, 0), perPage)))
	var page []Order
	_, err := s.call(ctx, request{method: http.MethodGet, path: "/v2/orders", query: query}, &page)
	return page, err
}

// OrderProducts lists all lines of an order.
func (s *Store) OrderProducts(ctx context.Context, id int64) ([]OrderProduct, error) {
	path, err := numericPath("/v2/orders/", id, "/products")
	if err != nil {
		return nil, err
	}
	return listV2[OrderProduct](ctx, s, request{path: path})
}

// OrderShippingAddresses lists all destinations of an order.
func (s *Store) OrderShippingAddresses(ctx context.Context, id int64) ([]OrderShippingAddress, error) {
	path, err := numericPath("/v2/orders/", id, "/shipping_addresses")
	if err != nil {
		return nil, err
	}
	return listV2[OrderShippingAddress](ctx, s, request{path: path})
}
