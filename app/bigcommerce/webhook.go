package bigcommerce

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// HookSecretHeader is the static header we register with each hook; BigCommerce repeats it with each delivery.
const HookSecretHeader = "Idgate-Hook-Secret"

// The events idgate subscribes to.
const (
	ScopeOrderCreated       = "store/order/created" // incomplete orders (status 0) too
	ScopeOrderStatusUpdated = "store/order/statusUpdated"
	ScopeCartConverted      = "store/cart/converted"
	ScopeCustomerCreated    = "store/customer/created"
	ScopeCustomerUpdated    = "store/customer/updated"
	ScopeCustomerDeleted    = "store/customer/deleted"
	ScopeAppUninstalled     = "store/app/uninstalled"
	ScopeDeliveryException  = "store/hook/deliveryException" // must have a destination of its own
)

// ErrBadSignature is a Standard Webhooks signature that is there and does not verify.
var ErrBadSignature = errors.New("webhook signature refused")

// VerifyWebhookSignature checks a delivery's Standard Webhooks signature (docs: integrations/webhooks, "Webhook
// signature"); the key is the raw client secret. present says whether there was one at all: it is not known that every
// store signs, so that must not be required. The timestamp is covered by the signature, but its age never refuses:
// BigCommerce retries for 48 hours and it is not known whether retries are stamped anew. Of several signatures,
// separated by spaces, one has to match; the comparison takes constant time.
func (a *App) VerifyWebhookSignature(h http.Header, body []byte) (present bool, err error) {
	for _, name := range []string{
		standardwebhooks.HeaderWebhookID, standardwebhooks.HeaderWebhookTimestamp, standardwebhooks.HeaderWebhookSignature,
	} {
		present = present || len(h.Values(name)) > 0
	}
	if !present {
		return false, nil
	}
	if err := a.credentials(); err != nil {
		return true, fmt.Errorf("%w: %s", ErrBadSignature, err)
	}
	hook, err := standardwebhooks.NewWebhookRaw([]byte(a.ClientSecret))
	if err == nil {
		err = hook.VerifyIgnoringTimestamp(body, h)
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, standardwebhooks.ErrRequiredHeaders):
		return true, fmt.Errorf("%w: incomplete headers", ErrBadSignature)
	case errors.Is(err, standardwebhooks.ErrInvalidHeaders):
		return true, fmt.Errorf("%w: malformed timestamp", ErrBadSignature)
	}
	return true, fmt.Errorf("%w: no signature matches", ErrBadSignature)
}

// MaxWebhook bounds a delivery's body; real ones are under 1 kB.
const MaxWebhook = 64 << 10

// Webhook is a delivery. It is a hint that something is worth fetching, never a fact.
type Webhook struct {
	Scope     string
	StoreID   string // numeric, as text
	StoreHash string // from producer
	Hash      string // SHA-1 of the payload: equal in repeated deliveries, no authentication; may be empty
	CreatedAt time.Time
	Data      WebhookData
}

// WebhookData is the union of what the events carry; 0 or "" where an event says nothing.
type WebhookData struct {
	Type       string // order, customer, cart, transaction, store, …
	ID         string // as sent: a number or, for carts, a UUID
	OrderID    int64
	CustomerID int64
	CartID     string
	Status     *StatusChange
}

// StatusChange comes with store/order/statusUpdated; some examples leave it out.
type StatusChange struct{ Previous, New int }

type webhookJSON struct {
	Scope     string  `json:"scope"`
	StoreID   text    `json:"store_id"`
	Hash      string  `json:"hash"`
	CreatedAt integer `json:"created_at"`
	Producer  string  `json:"producer"`
	Data      struct {
		Type       string  `json:"type"`
		ID         text    `json:"id"`
		OrderID    integer `json:"order_id"` // transactions
		OrderID2   integer `json:"orderId"`  // cart converted
		ResourceID integer `json:"resource_id"`
		CartID     string  `json:"cartId"`
		Address    struct {
			CustomerID integer `json:"customer_id"`
		} `json:"address"`
		Status *struct {
			Previous integer `json:"previous_status_id"`
			New      integer `json:"new_status_id"`
		} `json:"status"`
	} `json:"data"`
}

var (
	scopeForm = regexp.MustCompile(`^store/[A-Za-z0-9_/]{1,120}$`)
	hashForm  = regexp.MustCompile(`^[A-Za-z0-9+/=_-]{0,128}$`)
)

// ParseWebhook reads a delivery's body, lenient about numbers sent as text and strict about what keys and look-ups are
// made of. Its errors never repeat the body.
func ParseWebhook(body []byte) (Webhook, error) {
	if len(body) > MaxWebhook {
		return Webhook{}, fmt.Errorf("parsing webhook: larger than %d bytes", MaxWebhook)
	}
	var p webhookJSON
	if err := json.Unmarshal(body, &p); err != nil {
		return Webhook{}, fmt.Errorf("parsing webhook: %s", clean(err.Error(), maxErrorTitle))
	}
	producer := storeContext.FindStringSubmatch(p.Producer)
	switch {
	case !scopeForm.MatchString(p.Scope):
		return Webhook{}, errors.New("parsing webhook: scope is malformed")
	case producer == nil:
		return Webhook{}, errors.New("parsing webhook: producer is not stores/{hash}")
	case !hashForm.MatchString(p.Hash):
		return Webhook{}, errors.New("parsing webhook: hash is malformed")
	case !idForm.MatchString(string(p.StoreID)):
		return Webhook{}, errors.New("parsing webhook: store_id is malformed")
	case !idForm.MatchString(string(p.Data.ID)):
		return Webhook{}, errors.New("parsing webhook: data.id is malformed")
	case p.CreatedAt < 0 || p.CreatedAt > 1<<40:
		return Webhook{}, errors.New("parsing webhook: created_at is out of range")
	}
	w := Webhook{
		Scope:     p.Scope,
		StoreID:   string(p.StoreID),
		StoreHash: producer[1],
		Hash:      p.Hash,
		Data:      p.data(),
	}
	if p.CreatedAt > 0 {
		w.CreatedAt = time.Unix(int64(p.CreatedAt), 0).UTC()
	}
	return w, nil
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9-]{0,64}$`)

// data finds the order, customer and cart that an event is about, wherever the event keeps them.
func (p webhookJSON) data() WebhookData {
	d := WebhookData{Type: clean(p.Data.Type, 32), ID: string(p.Data.ID)}
	number, err := strconv.ParseInt(d.ID, 10, 64)
	if err != nil {
		number = 0
	}
	switch {
	case p.Data.OrderID != 0:
		d.OrderID = int64(p.Data.OrderID)
	case p.Data.OrderID2 != 0:
		d.OrderID = int64(p.Data.OrderID2)
	case strings.HasPrefix(p.Scope, "store/order/metafield/"):
		d.OrderID = int64(p.Data.ResourceID)
	case d.Type == "order":
		d.OrderID = number
	}
	switch {
	case p.Data.Address.CustomerID != 0:
		d.CustomerID = int64(p.Data.Address.CustomerID)
	case d.Type == "customer" && !strings.HasPrefix(p.Scope, "store/customer/address/"):
		d.CustomerID = number
	}
	switch {
	case d.Type == "cart" && uuidForm.MatchString(d.ID):
		d.CartID = strings.ToLower(d.ID)
	case uuidForm.MatchString(p.Data.CartID):
		d.CartID = strings.ToLower(p.Data.CartID)
	}
	d.OrderID, d.CustomerID = max(d.OrderID, 0), max(d.CustomerID, 0)
	if s := p.Data.Status; s != nil {
		d.Status = &StatusChange{Previous: int(s.Previous), New: int(s.New)}
	}
	return d
}
