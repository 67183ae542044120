package bigcommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Customer is a shopper's account. An address is unique per channel, not per shop: never find a person by Email alone.
type Customer struct {
	ID              int64   `json:"id"`
	Email           string  `json:"email"`
	FirstName       string  `json:"first_name"`
	LastName        string  `json:"last_name"`
	CustomerGroupID int64   `json:"customer_group_id"` // 0: none
	OriginChannelID int64   `json:"origin_channel_id"`
	ChannelIDs      []int64 `json:"channel_ids"` // null: all
}

// Customer fetches one account; ErrNotFound when the platform's list comes back without it.
func (s *Store) Customer(ctx context.Context, id int64) (Customer, error) {
	if id <= 0 {
		return Customer{}, fmt.Errorf("customer %d: the id must be positive", id)
	}
	var e envelope[[]Customer]
	_, err := s.call(ctx, request{
		method: http.MethodGet,
		path:   "/v3/customers",
		query:  url.Values{"id:in": {strconv.FormatInt(id, 10)}},
	}, &e)
	if err != nil {
		return Customer{}, err
	}
	for _, c := range e.Data {
		if c.ID == id {
			return c, nil
		}
	}
	return Customer{}, fmt.Errorf("customer %d: %w", id, ErrNotFound)
}

// Limits of customer attributes (S: customers.v3). Attribute calls also allow only 3 at a time per shop.
const (
	MaxAttributeValue = 255 // characters
	maxBatch          = 10  // items per call; more is a 413
)

// CustomerAttribute is a definition; its type cannot be changed later, and a shop has at most 50.
type CustomerAttribute struct {
	ID   int64  `json:"id,omitempty"`
	Name string `json:"name"`
	Type string `json:"type"` // string, number or date
}

// CustomerAttributes lists the shop's definitions, other apps' included.
func (s *Store) CustomerAttributes(ctx context.Context) ([]CustomerAttribute, error) {
	return listV3[CustomerAttribute](ctx, s, request{path: "/v3/customers/attributes"})
}

// CreateCustomerAttributes defines attributes, ten per call; list first, since names that exist are refused. On an error
// the definitions made so far are returned with it.
func (s *Store) CreateCustomerAttributes(ctx context.Context, attributes []CustomerAttribute) ([]CustomerAttribute, error) {
	var made []CustomerAttribute
	for batch := range slices.Chunk(attributes, maxBatch) {
		wanted := slices.Clone(batch)
		for i := range wanted {
			wanted[i].ID = 0 // read-only; omitted when 0
		}
		var e envelope[[]CustomerAttribute]
		r := request{method: http.MethodPost, path: "/v3/customers/attributes", body: wanted}
		if err := s.object(ctx, r, &e); err != nil {
			return made, err
		}
		made = append(made, e.Data...)
	}
	return made, nil
}

// AttributeValue is one customer's value of one attribute; a string whatever the attribute's type.
type AttributeValue struct {
	ID          int64 // the platform's, when read
	AttributeID int64
	CustomerID  int64
	Value       string
}

// The platform names the value "value" when it is written and "attribute_value" when it is read.

// MarshalJSON writes the form of PUT /v3/customers/attribute-values.
func (v AttributeValue) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		AttributeID int64  `json:"attribute_id"`
		CustomerID  int64  `json:"customer_id"`
		Value       string `json:"value"`
	}{v.AttributeID, v.CustomerID, v.Value})
}

// UnmarshalJSON reads the form of its answers.
func (v *AttributeValue) UnmarshalJSON(b []byte) error {
	var read struct {
		ID          int64 `json:"id"`
		AttributeID int64 `json:"attribute_id"`
		CustomerID  int64 `json:"customer_id"`
		Value       text  `json:"attribute_value"`
	}
	err := json.Unmarshal(b, &read)
	*v = AttributeValue{ID: read.ID, AttributeID: read.AttributeID, CustomerID: read.CustomerID, Value: string(read.Value)}
	return err
}

// AttributeValues lists one customer's values.
func (s *Store) AttributeValues(ctx context.Context, customerID int64) ([]AttributeValue, error) {
	if customerID <= 0 {
		return nil, fmt.Errorf("attribute values of customer %d: the id must be positive", customerID)
	}
	return listV3[AttributeValue](ctx, s, request{
		path:  "/v3/customers/attribute-values",
		query: url.Values{"customer_id:in": {strconv.FormatInt(customerID, 10)}},
	})
}

// UpsertAttributeValues sets values, ten per call. Repeating it changes nothing, and it causes no webhook.
func (s *Store) UpsertAttributeValues(ctx context.Context, values []AttributeValue) error {
	for _, v := range values {
		if n := utf8.RuneCountInString(v.Value); n > MaxAttributeValue {
			return fmt.Errorf("attribute %d of customer %d: %d characters, at most %d fit", v.AttributeID, v.CustomerID, n, MaxAttributeValue)
		}
	}
	for batch := range slices.Chunk(values, maxBatch) {
		r := request{method: http.MethodPut, path: "/v3/customers/attribute-values", body: batch}
		if _, err := s.call(ctx, r, nil); err != nil {
			return err
		}
	}
	return nil
}

// DeleteAttributeValues deletes values by the platform's own ids, as AttributeValues lists them. What is gone already changes nothing.
func (s *Store) DeleteAttributeValues(ctx context.Context, ids []int64) error {
	for batch := range slices.Chunk(ids, maxBatch) {
		texts := make([]string, len(batch))
		for i, id := range batch {
			texts[i] = strconv.FormatInt(id, 10)
		}
		_, err := s.call(ctx, request{method: http.MethodDelete, path: "/v3/customers/attribute-values", query: url.Values{"id:in": {strings.Join(texts, ",")}}}, nil)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// CustomField is an entry of the body that 1Kosmos's integration card prints.
type CustomField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// PutCustomerCustomFieldsV2 sends the card's body, to the letter, to the deprecated PUT /v2/customers/{id}:
//
//	{"custom_fields": [{"name":"blockid_ial","value":"2"}, …]}
//
// The published schema of that call has no custom_fields, so expect a 400 or 422 from the live platform; customer
// attributes are what works.
func (s *Store) PutCustomerCustomFieldsV2(ctx context.Context, customerID int64, fields []CustomField) error {
	path, err := numericPath("/v2/customers/", customerID, "")
	if err != nil {
		return err
	}
	body := struct {
		CustomFields []CustomField `json:"custom_fields"`
	}{fields}
	_, err = s.call(ctx, request{method: http.MethodPut, path: path, body: body}, nil)
	return err
}
