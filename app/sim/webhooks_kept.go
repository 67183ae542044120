package sim

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// KeepWebhooks makes the shop keep its webhooks instead of sending them, until SendKept or
// ForgetKept. No fault but a loss is drawn for what is kept, and DropWebhooks still loses it.
// Switching it off leaves what was kept; retries of what was sent before are not kept.
func (s *Shop) KeepWebhooks(on bool) { s.set(func() { s.keepWebhooks = on }) }

// Kept lists what KeepWebhooks has kept, the oldest first, with the time it was queued.
func (s *Shop) Kept() []Delivery {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	out := make([]Delivery, len(s.kept))
	for i, d := range s.kept {
		out[i] = d.describe(s.hook(d.hookID))
		out[i].Outcome = "kept"
	}
	return out
}

// ForgetKept loses what was kept and returns how many that were.
func (s *Shop) ForgetKept() int {
	return locked(s, func() int {
		n := len(s.kept)
		s.kept = nil
		return n
	})
}

// Sending says how SendKept sends. The zero value sends everything once, as it was queued.
type Sending struct {
	OrderID  int64     // only what tells of this order; 0: everything
	Reversed bool      // the last one kept goes first
	Times    int       // each one so often in a row, under one webhook-id; 0 is once
	AtOnce   int       // so many requests at a time; 0 is one after the other
	SignedAt time.Time // the timestamp to sign with; zero: the time of the try
}

// SendKept sends what was kept and matches, now, and keeps the rest. It returns what came of every
// try, in the order in which they were begun. What is not answered with 2xx is retried by Deliver as
// ever. What a gone or inactive hook was to get is lost.
func (s *Shop) SendKept(ctx context.Context, how Sending) []Delivery {
	due := s.takeKept(how)
	tries := make([]*Delivery, len(due))
	slots := make(chan struct{}, max(how.AtOnce, 1))
	var wg sync.WaitGroup
	for i, d := range due {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			tries[i] = s.w.try(ctx, d)
		})
	}
	wg.Wait()
	return derefAll(slices.DeleteFunc(tries, func(d *Delivery) bool { return d == nil }))
}

func (s *Shop) takeKept(how Sending) []*delivery {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	var due []*delivery
	s.kept = slices.DeleteFunc(s.kept, func(d *delivery) bool {
		if how.OrderID != 0 && d.order != how.OrderID {
			return false
		}
		for range max(how.Times, 1) {
			twin := *d
			twin.signed = how.SignedAt
			due = append(due, &twin)
		}
		return true
	})
	if how.Reversed {
		slices.Reverse(due)
	}
	return due
}

// SendAgain sends a webhook that was sent before, such as one of Deliveries, once more: the same body
// under the same webhook-id, signed with the given timestamp (the zero time: now). The error wraps
// ErrNotFound when its hook is gone or inactive.
func (s *Shop) SendAgain(ctx context.Context, sent Delivery, signedAt time.Time) (Delivery, error) {
	d := &delivery{id: sent.WebhookID, shop: s, hookID: sent.HookID, scope: sent.Scope, body: []byte(sent.Body), queued: s.w.now(), signed: signedAt}
	if r := s.w.try(ctx, d); r != nil {
		return *r, nil
	}
	return Delivery{}, fmt.Errorf("sending webhook %s again: hook %d: %w", sent.WebhookID, sent.HookID, ErrNotFound)
}

// orderOf is the number of the order that an event tells of; 0 when it tells of none.
func orderOf(data any) int64 {
	m, ok := data.(map[string]any)
	if !ok {
		return 0
	}
	for _, key := range []string{"orderId", "order_id", "resource_id", "id"} {
		if key == "id" && m["type"] != "order" {
			continue
		}
		switch n := m[key].(type) {
		case int64:
			return n
		case int:
			return int64(n)
		case string:
			if v, err := strconv.ParseInt(n, 10, 64); err == nil {
				return v
			}
		}
	}
	return 0
}
