package sim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// retryAfter are the waits between the tries of one delivery; after the last the hook is deactivated.
var retryAfter = []time.Duration{
	60 * time.Second, 180 * time.Second, 300 * time.Second, 600 * time.Second, 900 * time.Second, 1800 * time.Second,
	3600 * time.Second, 7200 * time.Second, 21600 * time.Second, 50400 * time.Second, 86400 * time.Second,
}

const (
	deliveryTimeout = 10 * time.Second
	keptDeliveries  = 500 // default of Options.KeepDeliveries
	idleHook        = 90 * 24 * time.Hour
)

// delivery is one payload on its way to one hook.
type delivery struct {
	id      string // webhook-id: the same on every try
	shop    *Shop
	hookID  int64
	scope   string
	body    []byte
	order   int64 // the order that it tells of; 0: of none
	attempt int   // tries made
	queued  time.Time
	due     time.Time
	signed  time.Time // the timestamp to sign with; zero: the time of the try
}

// Delivery is a try that was made, for inspection.
type Delivery struct {
	At          time.Time
	Shop        string // store hash
	HookID      int64
	Scope       string
	Destination string
	WebhookID   string
	Body        string
	Attempt     int
	Status      int // 0: no answer
	Err         string
	Outcome     string // delivered | will retry | hook deactivated | dropped | kept
}

// payload is a webhook's body, fields in the platform's order.
type payload struct {
	Scope     string `json:"scope"`
	StoreID   string `json:"store_id"`
	Data      any    `json:"data"`
	Hash      string `json:"hash,omitempty"`
	CreatedAt int64  `json:"created_at"`
	Producer  string `json:"producer"`
}

// Emit fires any event, as a platform may at any time.
func (s *Shop) Emit(scope string, data map[string]any) { s.set(func() { s.emit(scope, data) }) }

// emit queues an event for every active hook that listens to it.
func (s *Shop) emit(scope string, data any) {
	for _, h := range s.hooks {
		if h.Active && scopeMatches(h.Scope, scope) {
			s.queue(h, scope, data)
		}
	}
}

// scopeMatches knows the platform's trailing wildcard: store/order/*.
func scopeMatches(want, scope string) bool {
	if prefix, ok := strings.CutSuffix(want, "*"); ok {
		return strings.HasPrefix(scope, prefix)
	}
	return want == scope
}

func (s *Shop) queue(h *Hook, scope string, data any) {
	now := s.w.now()
	p := payload{Scope: scope, StoreID: strconv.FormatInt(s.StoreID, 10), Data: data, CreatedAt: now.Unix(), Producer: "stores/" + s.Hash}
	unhashed, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("webhook %s: %v", scope, err)) // data is always our own maps
	}
	sum := sha1.Sum(unhashed)
	p.Hash = hex.EncodeToString(sum[:])
	body, _ := json.Marshal(p)
	h.lastEvent = now
	d := &delivery{id: s.w.uuid(), shop: s, hookID: h.ID, scope: scope, body: body, order: orderOf(data), queued: now, due: now}
	if s.dropWebhooks || s.chance(s.faults.Drop) {
		s.w.record(d, h, 0, "", "dropped")
		return
	}
	if s.keepWebhooks {
		s.kept = append(s.kept, d)
		return
	}
	if s.chance(s.faults.Delay) {
		by := s.faults.DelayBy
		if by == 0 {
			by = time.Minute
		}
		d.due = d.due.Add(by)
	}
	if s.chance(s.faults.Resign) {
		d.signed = now.Add(-49 * time.Hour)
	}
	at := len(s.w.queue)
	if at > 0 && s.chance(s.faults.Reorder) {
		at--
	}
	s.w.queue = slices.Insert(s.w.queue, at, d)
	if s.chance(s.faults.Duplicate) {
		twin := *d
		s.w.queue = append(s.w.queue, &twin)
	}
	s.w.wakeUp()
}

func (w *World) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// record keeps what happened to a delivery, newest last, and returns it.
func (w *World) record(d *delivery, h *Hook, status int, failure, outcome string) Delivery {
	r := d.describe(h)
	r.At, r.Status, r.Err, r.Outcome = w.now(), status, failure, outcome
	w.sent = append(w.sent, r)
	if len(w.sent) >= 2*w.opt.KeepDeliveries {
		w.sent = slices.Delete(w.sent, 0, len(w.sent)-w.opt.KeepDeliveries)
	}
	return r
}

// describe is a delivery without what happened to it; h is its hook, if that is still there.
func (d *delivery) describe(h *Hook) Delivery {
	r := Delivery{At: d.queued, Shop: d.shop.Hash, HookID: d.hookID, Scope: d.scope, WebhookID: d.id, Body: string(d.body), Attempt: d.attempt}
	if h != nil {
		r.Destination = h.Destination
	}
	return r
}

// Deliveries lists the tries made for a shop, newest first, among at least the last
// Options.KeepDeliveries of the World.
func (s *Shop) Deliveries() []Delivery {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	var out []Delivery
	for _, d := range slices.Backward(s.w.sent) {
		if d.Shop == s.Hash {
			out = append(out, d)
		}
	}
	return out
}

// Pending counts queued deliveries: those due now, and those that wait for their time. What
// KeepWebhooks keeps is not among them.
func (w *World) Pending() (due, later int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	for _, d := range w.queue {
		if d.due.After(now) {
			later++
		} else {
			due++
		}
	}
	return due, later
}

// try sends one delivery and returns what came of it; nil means that its hook is gone or inactive
// and nothing was sent. It takes the lock itself.
func (w *World) try(ctx context.Context, d *delivery) *Delivery {
	w.mu.Lock()
	h := d.shop.hook(d.hookID)
	if h == nil || !h.Active || d.shop.dropWebhooks {
		w.record(d, h, 0, "", "dropped")
		w.mu.Unlock()
		return nil
	}
	d.attempt++
	req, err := w.webhookRequest(ctx, d, h)
	w.mu.Unlock()
	status := 0
	if err == nil {
		status, err = w.post(req)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.settle(d, status, err)
	return &r
}

func (w *World) webhookRequest(ctx context.Context, d *delivery, h *Hook) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.Destination, bytes.NewReader(d.body))
	if err != nil {
		return nil, err
	}
	for k, v := range h.Headers {
		req.Header.Set(k, v)
	}
	at := d.signed
	if at.IsZero() {
		at = w.now()
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("User-Agent", "BigCommerce-Webhooks (simulated)")
	req.Header.Set("webhook-id", d.id)
	req.Header.Set("webhook-timestamp", stamp)
	req.Header.Set("webhook-signature", SignWebhook(h.secret, d.id, stamp, d.body))
	return req, nil
}

// SignWebhook is the Standard Webhooks signature as BigCommerce makes it: the key is the raw
// bytes of the client secret, with no whsec_ prefix and no base64.
func SignWebhook(clientSecret, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(clientSecret))
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// post sends without the lock.
func (w *World) post(req *http.Request) (int, error) {
	ctx, cancel := context.WithTimeout(req.Context(), deliveryTimeout)
	defer cancel()
	resp, err := w.opt.HTTP.Do(req.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, nil
}

// settle decides what follows a try and records it.
func (w *World) settle(d *delivery, status int, err error) Delivery {
	h, failure := d.shop.hook(d.hookID), ""
	if err != nil {
		failure = err.Error()
	}
	ok := status >= 200 && status < 300
	w.judge(d, h, ok)
	switch {
	case ok:
		return w.record(d, h, status, "", "delivered")
	case h == nil:
		return w.record(d, h, status, failure, "dropped")
	case d.attempt > len(retryAfter):
		w.deactivate(h)
		r := w.record(d, h, status, failure, "hook deactivated")
		d.shop.deliveryException(h, 90002, "Webhook callback delivery failed after multiple attempts; the hook was disabled")
		w.opt.Log.Warn("webhook deactivated", "shop", d.shop.Hash, "hook", h.ID, "scope", h.Scope, "seed", w.opt.Seed)
		return r
	default:
		d.due = w.now().Add(retryAfter[d.attempt-1])
		w.queue = append(w.queue, d)
		r := w.record(d, h, status, failure, "will retry")
		d.shop.deliveryException(h, 90001, "Webhook callback delivery failure; will retry")
		return r
	}
}

// deactivate switches a hook off and forgets what was queued for it.
func (w *World) deactivate(h *Hook) {
	h.Active, h.Deactivated, h.Updated = false, true, w.now()
	w.queue = slices.DeleteFunc(w.queue, func(d *delivery) bool { return d.hookID == h.ID })
}

// deliveryException tells the client that made h, if it listens, that a delivery failed. Failures
// of that very hook are not reported: that would never end.
func (s *Shop) deliveryException(h *Hook, code int, message string) {
	const scope = "store/hook/deliveryException"
	if h.Scope == scope {
		return
	}
	for _, to := range s.hooks {
		if to.Active && to.Scope == scope && to.ClientID == h.ClientID && to.Destination != h.Destination {
			s.queue(to, scope, map[string]any{
				"type": "hook_delivery_exception", "webhook_scope": h.Scope,
				"exception": map[string]any{"code": code, "message": message},
			})
		}
	}
}

func (w *World) retireIdleHooks() {
	now := w.now()
	for _, s := range w.shops {
		for _, h := range s.hooks {
			last := h.Updated
			if h.lastEvent.After(last) {
				last = h.lastEvent
			}
			if h.Active && now.Sub(last) >= idleHook {
				w.deactivate(h)
			}
		}
	}
}
