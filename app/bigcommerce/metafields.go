package bigcommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"unicode/utf8"
)

// Permission sets that idgate uses; never one of the write kinds.
const (
	PermissionAppOnly = "app_only" // other apps and the storefront cannot see it
	PermissionRead    = "read"     // other apps can
)

// MaxMetafieldValue is the most characters a metafield holds (S: customers.v3, orders.v3).
const MaxMetafieldValue = 65535

// Metafield belongs to an order or a customer. Namespace and key are unique per resource and app: another app's
// metafield of the same name is not ours.
type Metafield struct {
	ID            int64  `json:"id,omitempty"`
	Namespace     string `json:"namespace"`
	Key           string `json:"key"`
	Value         string `json:"value"`
	PermissionSet string `json:"permission_set"`
	Description   string `json:"description,omitempty"`
	OwnerClientID string `json:"owner_client_id,omitempty"` // read-only
}

// OrderMetafields lists an order's metafields that we may see, of one namespace or, with "", of all.
func (s *Store) OrderMetafields(ctx context.Context, orderID int64, namespace string) ([]Metafield, error) {
	return s.metafields(ctx, "/v3/orders/", orderID, namespace, "")
}

// CustomerMetafields lists a customer's metafields that we may see, of one namespace or, with "", of all.
func (s *Store) CustomerMetafields(ctx context.Context, customerID int64, namespace string) ([]Metafield, error) {
	return s.metafields(ctx, "/v3/customers/", customerID, namespace, "")
}

// UpsertOrderMetafield brings our metafield of m's namespace and key to m's content. It looks first: when nothing
// differs, nothing is written.
func (s *Store) UpsertOrderMetafield(ctx context.Context, orderID int64, m Metafield) (Metafield, error) {
	return s.upsertMetafield(ctx, "/v3/orders/", orderID, m)
}

// UpsertCustomerMetafield does the same for a customer.
func (s *Store) UpsertCustomerMetafield(ctx context.Context, customerID int64, m Metafield) (Metafield, error) {
	return s.upsertMetafield(ctx, "/v3/customers/", customerID, m)
}

// DeleteCustomerMetafield deletes our metafield of m's namespace and key, if there is one.
func (s *Store) DeleteCustomerMetafield(ctx context.Context, customerID int64, m Metafield) error {
	const resource = "/v3/customers/"
	present, err := s.ownMetafield(ctx, resource, customerID, m)
	if err != nil || present == nil {
		return err
	}
	path, err := numericPath(resource, customerID, "/metafields/"+strconv.FormatInt(present.ID, 10))
	if err != nil {
		return err
	}
	if _, err = s.call(ctx, request{method: http.MethodDelete, path: path}, nil); errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (s *Store) metafields(ctx context.Context, resource string, id int64, namespace, key string) ([]Metafield, error) {
	path, err := numericPath(resource, id, "/metafields")
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	if namespace != "" {
		query.Set("namespace", namespace)
	}
	if key != "" {
		query.Set("key", key)
	}
	return listV3[Metafield](ctx, s, request{path: path, query: query})
}

func (s *Store) upsertMetafield(ctx context.Context, resource string, id int64, m Metafield) (Metafield, error) {
	if n := utf8.RuneCountInString(m.Value); n == 0 || n > MaxMetafieldValue {
		return Metafield{}, fmt.Errorf("metafield %s/%s: %d characters, 1 to %d fit", m.Namespace, m.Key, n, MaxMetafieldValue)
	}
	present, err := s.ownMetafield(ctx, resource, id, m)
	if err != nil {
		return Metafield{}, err
	}
	if present == nil {
		made, err := s.writeMetafield(ctx, http.MethodPost, resource, id, 0, m)
		var refused *Error
		if !errors.As(err, &refused) || refused.Status != http.StatusConflict {
			return made, err
		}
		// Made between our look and our write: by us on another connection, since names are unique per app.
		present, err = s.ownMetafield(ctx, resource, id, m)
		if err != nil {
			return Metafield{}, err
		}
		if present == nil {
			return Metafield{}, refused
		}
	}
	if present.Value == m.Value && present.PermissionSet == m.PermissionSet && present.Description == m.Description {
		return *present, nil
	}
	return s.writeMetafield(ctx, http.MethodPut, resource, id, present.ID, m)
}

// ownMetafield finds our metafield of m's name; nil when there is none.
func (s *Store) ownMetafield(ctx context.Context, resource string, id int64, m Metafield) (*Metafield, error) {
	all, err := s.metafields(ctx, resource, id, m.Namespace, m.Key)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.Namespace == m.Namespace && p.Key == m.Key && (p.OwnerClientID == "" || p.OwnerClientID == s.app.ClientID) {
			return &p, nil
		}
	}
	return nil, nil
}

func (s *Store) writeMetafield(ctx context.Context, method, resource string, id, metafieldID int64, m Metafield) (Metafield, error) {
	after := "/metafields"
	if metafieldID > 0 {
		after += "/" + strconv.FormatInt(metafieldID, 10)
	}
	path, err := numericPath(resource, id, after)
	if err != nil {
		return Metafield{}, err
	}
	m.OwnerClientID = ""
	m.ID = 0
	if resource == "/v3/customers/" {
		m.ID = metafieldID // required in the body too, for customers only
	}
	r := request{method: method, path: path, body: m}
	var e envelope[oneMetafield]
	if err := s.object(ctx, r, &e); err != nil {
		return Metafield{}, err
	}
	if e.Data.ID <= 0 {
		return Metafield{}, r.trouble(http.StatusOK, "the answer holds no metafield", nil)
	}
	return Metafield(e.Data), nil
}

// oneMetafield is the answer to a write: an object for orders, a list of one for customers (S: customers.v3,
// createCustomerMetafields and updateCustomerMetafield).
type oneMetafield Metafield

// UnmarshalJSON reads either form.
func (m *oneMetafield) UnmarshalJSON(b []byte) error {
	if len(b) == 0 || b[0] != '[' {
		return json.Unmarshal(b, (*Metafield)(m))
	}
	var list []Metafield
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	if len(list) != 1 {
		return mismatch[Metafield](fmt.Sprintf("a list of %d metafields", len(list)))
	}
	*m = oneMetafield(list[0])
	return nil
}
