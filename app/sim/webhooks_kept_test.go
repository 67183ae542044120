package sim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// events are the scopes of what the app got, after store/, with the order's number.
func events(got []received) string {
	var out []string
	for _, r := range got {
		_, scope, _ := strings.Cut(string(r.body), `"scope":"store/`)
		scope, _, _ = strings.Cut(scope, `"`)
		out = append(out, scope)
	}
	return strings.Join(out, " ")
}

// keeping is a bench whose shop keeps the webhooks of two orders, one bought and one made by API.
func keeping(t *testing.T) (b *bench, bought, made Order) {
	b = newBench(t, 1)
	for _, scope := range []string{"store/order/created", "store/order/statusUpdated", "store/cart/converted", "store/order/metafield/created"} {
		b.hookUp(scope)
	}
	b.s.KeepWebhooks(true)
	bought = b.buy("COF-250", PlaceOptions{})
	made = must[Order](t)(b.s.PlaceOrderByAPI(APIOrder{Items: []APIItem{{ProductID: 81, Quantity: 1}}}))
	b.want(200, "POST", fmt.Sprintf("/v3/orders/%d/metafields", bought.ID), `{"permission_set":"read","namespace":"n","key":"k","value":"v"}`)
	if got := b.deliver(); len(got) != 0 {
		t.Fatalf("sent although kept: %q", got)
	}
	return b, bought, made
}

func TestKeptWebhooks(t *testing.T) {
	const all = "order/created cart/converted order/statusUpdated order/created order/metafield/created"
	for _, tc := range []struct {
		name string
		how  func(bought, made Order) Sending
		want string
		left int
	}{
		{"as queued", func(Order, Order) Sending { return Sending{} }, all, 0},
		{"reversed", func(Order, Order) Sending { return Sending{Reversed: true} }, "order/metafield/created order/created order/statusUpdated cart/converted order/created", 0},
		{"twice", func(_, made Order) Sending { return Sending{Times: 2, OrderID: made.ID} }, "order/created order/created", 4},
		{"one order's", func(bought, _ Order) Sending { return Sending{OrderID: bought.ID} }, "order/created cart/converted order/statusUpdated order/metafield/created", 1},
		{"nobody's", func(Order, Order) Sending { return Sending{OrderID: 4711} }, "", 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b, bought, made := keeping(t)
			kept := b.s.Kept()
			if len(kept) != 5 || kept[0].Outcome != "kept" || kept[0].Scope != "store/order/created" || !kept[0].At.Equal(b.clock.now()) || kept[0].Destination != b.app.srv.URL+"/hooks" {
				t.Fatalf("kept %+v", kept)
			}
			b.clock.add(5 * time.Hour)
			tries := b.s.SendKept(context.Background(), tc.how(bought, made))
			got := b.app.take()
			if events(got) != tc.want || len(tries) != len(got) {
				t.Errorf("%q in %d tries, want %q", events(got), len(tries), tc.want)
			}
			for i, r := range got {
				if tries[i].Outcome != "delivered" || tries[i].WebhookID != r.header.Get("webhook-id") || tries[i].Body != string(r.body) {
					t.Errorf("try %d: %+v", i, tries[i])
				}
				if !strings.Contains(string(r.body), fmt.Sprintf(`"created_at":%d`, b.clock.now().Add(-5*time.Hour).Unix())) {
					t.Errorf("the event is not as old as it is: %s", r.body)
				}
				if r.header.Get("webhook-timestamp") != strconv.FormatInt(b.clock.now().Unix(), 10) {
					t.Errorf("signed at %s", r.header.Get("webhook-timestamp"))
				}
			}
			if tc.how(bought, made).Times == 2 && got[0].header.Get("webhook-id") != got[1].header.Get("webhook-id") {
				t.Error("the second time is another webhook")
			}
			if n := len(b.s.Kept()); n != tc.left {
				t.Errorf("%d are kept still, want %d", n, tc.left)
			}
			if n := b.s.ForgetKept(); n != tc.left || len(b.s.Kept()) != 0 {
				t.Errorf("%d were forgotten", n)
			}
		})
	}
}

func TestKeptIsNotDrawnForButCanBeLost(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/created")
	b.s.KeepWebhooks(true)
	b.s.SetFaults(Faults{Duplicate: 1, Delay: 1, Reorder: 1})
	b.buy("COF-250", PlaceOptions{})
	if n := len(b.s.Kept()); n != 1 {
		t.Errorf("%d are kept", n)
	}
	b.s.DropWebhooks(true)
	b.buy("COF-250", PlaceOptions{})
	b.s.DropWebhooks(false)
	b.s.SetFaults(Faults{})
	b.s.KeepWebhooks(false)
	b.buy("COF-250", PlaceOptions{})
	if got := b.deliver(); len(got) != 1 {
		t.Errorf("after keeping: %q", got)
	}
	if n := len(b.s.Kept()); n != 1 {
		t.Errorf("%d are kept after one was lost and one was sent", n)
	}
	if err := b.s.DeleteHook(b.s.Hooks()[0].ID); err != nil {
		t.Fatal(err)
	}
	if tries := b.s.SendKept(context.Background(), Sending{}); len(tries) != 0 || len(b.app.take()) != 0 {
		t.Errorf("a deleted hook got %+v", tries)
	}
}

func TestKeptIsSignedAsAsked(t *testing.T) {
	b, bought, made := keeping(t)
	at := b.clock.now().Add(-3 * 24 * time.Hour)
	b.s.SendKept(context.Background(), Sending{OrderID: made.ID, SignedAt: at})
	b.s.SendKept(context.Background(), Sending{OrderID: bought.ID})
	for i, r := range b.app.take() {
		want := b.clock.now()
		if i == 0 {
			want = at
		}
		stamp := r.header.Get("webhook-timestamp")
		if stamp != strconv.FormatInt(want.Unix(), 10) || r.header.Get("webhook-signature") != SignWebhook(testSecret, r.header.Get("webhook-id"), stamp, r.body) {
			t.Errorf("webhook %d is signed at %s, want %d", i, stamp, want.Unix())
		}
	}
}

func TestKeptIsRetried(t *testing.T) {
	b, _, made := keeping(t)
	b.app.answers(503)
	tries := b.s.SendKept(context.Background(), Sending{OrderID: made.ID, Times: 2})
	if len(tries) != 2 || tries[0].Outcome != "will retry" || tries[1].Status != 503 {
		t.Fatalf("%+v", tries)
	}
	b.app.answers(0)
	b.app.take()
	b.clock.add(time.Minute)
	if got := b.deliver(); len(got) != 2 {
		t.Errorf("a minute on: %q", got)
	}
}

// TestTenAtOnce answers no webhook before all ten of an order have come.
func TestTenAtOnce(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/updated")
	b.s.KeepWebhooks(true)
	for _, id := range []int64{101, 102} {
		for range 10 {
			if err := b.s.SetStaffNotes(id, "n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	var missing sync.WaitGroup
	missing.Add(10)
	b.app.srv.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		missing.Done()
		missing.Wait()
		b.app.ServeHTTP(rw, r)
	})
	tries := b.s.SendKept(context.Background(), Sending{OrderID: 102, AtOnce: 10})
	if len(tries) != 10 || slices.ContainsFunc(tries, func(d Delivery) bool { return d.Outcome != "delivered" }) {
		t.Errorf("%+v", tries)
	}
	if n := len(b.s.Kept()); n != 10 {
		t.Errorf("%d of the other order are kept", n)
	}
}

func TestSendAgain(t *testing.T) {
	b := newBench(t, 1)
	id := b.hookUp("store/order/created")
	b.buy("COF-250", PlaceOptions{})
	b.deliver()
	sent := b.s.Deliveries()[0]
	old := b.clock.now().Add(-time.Hour)
	b.clock.add(6 * time.Hour)
	for _, at := range []time.Time{old, {}} {
		again := must[Delivery](t)(b.s.SendAgain(context.Background(), sent, at))
		if at.IsZero() {
			at = b.clock.now()
		}
		got := b.app.take()
		if len(got) != 1 || string(got[0].body) != sent.Body || again.Outcome != "delivered" || again.WebhookID != sent.WebhookID {
			t.Fatalf("%+v: %d came", again, len(got))
		}
		h := got[0].header
		if h.Get("webhook-id") != sent.WebhookID || h.Get("webhook-timestamp") != strconv.FormatInt(at.Unix(), 10) ||
			h.Get("webhook-signature") != SignWebhook(testSecret, sent.WebhookID, h.Get("webhook-timestamp"), got[0].body) {
			t.Errorf("%v, want it signed at %d", h, at.Unix())
		}
	}
	if err := b.s.DeactivateHook(id); err != nil {
		t.Fatal(err)
	}
	if _, err := b.s.SendAgain(context.Background(), sent, old); !errors.Is(err, ErrNotFound) {
		t.Errorf("to an inactive hook: %v", err)
	}
}

// TestSenders has one shop's receiver hang: with several senders the other shop's webhooks still come,
// and each shop's in their order.
func TestSenders(t *testing.T) {
	b := newBench(t, 1)
	b.w.opt.Senders = 2
	second := b.w.AddShop(ShopOptions{Hash: "zzz999", RequestsPerWindow: -1})
	if err := SeedDemo(second); err != nil {
		t.Fatal(err)
	}
	first := b.s
	b.hookUp("store/order/created")
	b.s = second
	b.token = b.install()
	b.hookUp("store/order/created")
	arrived, release := make(chan string, 100), make(chan struct{})
	b.app.srv.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		if strings.Contains(string(body), "stores/"+first.Hash) {
			<-release
			return
		}
		arrived <- string(body)
	})
	b.s = first
	b.buy("COF-250", PlaceOptions{})
	b.buy("COF-250", PlaceOptions{})
	b.s = second
	var want []int64
	for range perRound + 5 {
		want = append(want, b.buy("COF-250", PlaceOptions{}).ID)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { b.w.Run(ctx); close(ended) }()
	for i, id := range want {
		if i == perRound { // Run takes a few at a time: the next round waits for the first shop's answer
			close(release)
		}
		if body := <-arrived; !strings.Contains(body, fmt.Sprintf(`"id":%d`, id)) {
			t.Errorf("%s came instead of order %d", body, id)
		}
	}
	cancel()
	<-ended
}

func TestRounds(t *testing.T) {
	for _, tc := range []struct {
		name          string
		senders, most int
		want          string // lanes, each a shop's letter per delivery
		left          int
	}{
		{"one sender keeps the order over all shops", 1, 0, "aabaab", 0},
		{"one lane per shop", 3, 0, "aaaa bb", 0},
		{"a few of each", 3, 1, "a b", 4},
		{"a few of each, one shop has no more", 3, 3, "aaa bb", 1},
	} {
		w := New(Options{Senders: tc.senders})
		shops := map[rune]*Shop{'a': w.AddShop(ShopOptions{Hash: "a"}), 'b': w.AddShop(ShopOptions{Hash: "b"})}
		for _, letter := range "aabaab" {
			w.queue = append(w.queue, &delivery{shop: shops[letter]})
		}
		var lanes []string
		for _, lane := range w.takeDue(tc.most) {
			letters := ""
			for _, d := range lane {
				letters += d.shop.Hash
			}
			lanes = append(lanes, letters)
		}
		if got := strings.Join(lanes, " "); got != tc.want || len(w.queue) != tc.left {
			t.Errorf("%s: %q and %d left, want %q and %d", tc.name, got, len(w.queue), tc.want, tc.left)
		}
	}
}

func TestKeepDeliveries(t *testing.T) {
	for _, tc := range []struct{ keep, want int }{{0, keptDeliveries}, {5, 5}} {
		w := New(Options{KeepDeliveries: tc.keep})
		s := w.AddShop(ShopOptions{})
		for i := range 2000 {
			w.record(&delivery{shop: s, id: strconv.Itoa(i)}, nil, 200, "", "delivered")
		}
		got := s.Deliveries()
		if len(got) < tc.want || len(got) > 2*tc.want || got[0].WebhookID != "1999" {
			t.Errorf("%d are remembered, the newest is %s; want at least %d", len(got), got[0].WebhookID, tc.want)
		}
	}
}
