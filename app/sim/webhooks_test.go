package sim

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// deliver makes one step and returns the webhooks that the app got, as "scope data".
func (b *bench) deliver() []string {
	b.t.Helper()
	b.w.Deliver(context.Background())
	var out []string
	for _, r := range b.app.take() {
		var p struct {
			Scope string          `json:"scope"`
			Data  json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(r.body, &p); err != nil {
			b.t.Fatal(err)
		}
		out = append(out, p.Scope+" "+string(p.Data))
	}
	return out
}

func TestPayload(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/statusUpdated")
	b.app.take()
	o := b.buy("COF-250", PlaceOptions{})
	b.w.Deliver(context.Background())
	got := b.app.take()
	if len(got) != 1 {
		t.Fatalf("%d webhooks", len(got))
	}
	r := got[0]
	unhashed := fmt.Sprintf(`{"scope":"store/order/statusUpdated","store_id":"%d","data":{"id":%d,"status":{"new_status_id":11,"previous_status_id":0},"type":"order"},"created_at":%d,"producer":"stores/abc123"}`,
		b.s.StoreID, o.ID, b.clock.now().Unix())
	sum := sha1.Sum([]byte(unhashed))
	want := strings.Replace(unhashed, `,"created_at"`, `,"hash":"`+hex.EncodeToString(sum[:])+`","created_at"`, 1)
	if string(r.body) != want {
		t.Errorf("body\n%s, want\n%s", r.body, want)
	}
	if r.path != "/hooks" || r.method != "POST" || r.header.Get("Idgate-Hook-Secret") != "s3" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v", r.method, r.path, r.header)
	}
	// The official library takes base64 and decodes it: the key is the secret's raw bytes.
	wh, err := standardwebhooks.NewWebhook(base64.StdEncoding.EncodeToString([]byte(testSecret)))
	if err != nil {
		t.Fatal(err)
	}
	if err := wh.VerifyIgnoringTimestamp(r.body, r.header); err != nil {
		t.Errorf("signature: %v", err)
	}
	if got := r.header.Get("webhook-timestamp"); got != strconv.FormatInt(b.clock.now().Unix(), 10) {
		t.Errorf("timestamp %s", got)
	}
}

func TestEventsOfAnOrder(t *testing.T) {
	b := newBench(t, 1)
	for _, scope := range []string{"store/order/created", "store/order/statusUpdated", "store/cart/converted", "store/order/updated"} {
		b.hookUp(scope)
	}
	c := b.fill("COF-250")
	o := must[Order](t)(b.s.PlaceOrder(c.ID, PlaceOptions{}))
	order := fmt.Sprintf(`{"id":%d,"type":"order"}`, o.ID)
	moved := func(from, to int) string {
		return fmt.Sprintf(`store/order/statusUpdated {"id":%d,"status":{"new_status_id":%d,"previous_status_id":%d},"type":"order"}`, o.ID, to, from)
	}
	want := []string{"store/order/created " + order, fmt.Sprintf(`store/cart/converted {"id":"%s","orderId":%d,"type":"cart"}`, c.ID, o.ID), moved(0, 11), "store/order/updated " + order}
	if got := b.deliver(); !slices.Equal(got, want) {
		t.Errorf("buying: %q, want %q", got, want)
	}
	b.want(200, "PUT", fmt.Sprintf("/v2/orders/%d", o.ID), `{"status_id":12}`)
	if got := b.deliver(); !slices.Equal(got, []string{moved(11, 12), "store/order/updated " + order}) {
		t.Errorf("our own write: %q", got)
	}
	b.want(200, "PUT", fmt.Sprintf("/v2/orders/%d", o.ID), `{"status_id":12,"staff_notes":"n"}`)
	if got := b.deliver(); !slices.Equal(got, []string{"store/order/updated " + order}) {
		t.Errorf("the same status again: %q", got)
	}
	if err := b.s.SetOrderStatus(o.ID, 11, "Sam Staff"); err != nil {
		t.Fatal(err)
	}
	if err := b.s.SetStaffNotes(o.ID, "x"); err != nil {
		t.Fatal(err)
	}
	if got := b.deliver(); len(got) != 3 || got[0] != moved(12, 11) {
		t.Errorf("by hand: %q", got)
	}
	last := b.s.Orders()[len(b.s.Orders())-1].History
	if last[len(last)-1].Actor != "Sam Staff" {
		t.Errorf("history %+v", last)
	}
	if b.s.SetOrderStatus(o.ID, 77, "x") == nil || b.s.SetOrderStatus(4711, 11, "x") == nil || b.s.SetStaffNotes(4711, "") == nil {
		t.Error("nonsense is accepted")
	}
}

func TestEventsOfOthers(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/customer/*")
	b.hookUp("store/app/uninstalled")
	ada := b.s.Customers()[0].ID
	made := must[Customer](t)(b.s.CreateCustomer(Customer{Email: "n@example.com"}))
	_ = b.s.UpdateCustomer(ada, func(c *Customer) { c.Notes = "x" })
	b.want(200, "POST", "/v3/customers/attributes", `[{"name":"a","type":"string"}]`)
	b.want(200, "PUT", "/v3/customers/attribute-values", fmt.Sprintf(`[{"attribute_id":1,"customer_id":%d,"value":"2"}]`, ada)) // fires nothing
	_ = b.s.DeleteCustomer(made.ID)
	b.s.Emit("store/app/uninstalled", obj{"type": "store"})
	want := []string{
		fmt.Sprintf(`store/customer/created {"id":%d,"type":"customer"}`, made.ID), fmt.Sprintf(`store/customer/updated {"id":%d,"type":"customer"}`, ada),
		fmt.Sprintf(`store/customer/deleted {"id":%d,"type":"customer"}`, made.ID), `store/app/uninstalled {"type":"store"}`,
	}
	if got := b.deliver(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRetriesAndDeactivation(t *testing.T) {
	b := newBench(t, 1)
	id := b.hookUp("store/order/created")
	b.want(200, "POST", "/v3/hooks", `{"scope":"store/hook/deliveryException","destination":"`+b.app.srv.URL+`/exceptions"}`)
	b.buy("COF-250", PlaceOptions{})
	b.app.answers(500)
	webhookIDs := map[string]bool{}
	tries := func() (hooks, exceptions int) {
		b.w.Deliver(context.Background())
		for _, r := range b.app.take() {
			switch r.path {
			case "/hooks":
				hooks++
				webhookIDs[r.header.Get("webhook-id")] = true
			case "/exceptions":
				exceptions++
			}
		}
		return
	}
	if n, _ := tries(); n != 1 {
		t.Fatalf("first: %d tries", n)
	}
	b.app.answers(0) // the exceptions hook works; the order hook is failed by path below
	if _, n := tries(); n != 1 {
		t.Errorf("no deliveryException was sent")
	}
	for i, wait := range retryAfter {
		b.app.answers(500)
		b.clock.add(wait - time.Second)
		if n, _ := tries(); n != 0 {
			t.Fatalf("retry %d came before %s", i+1, wait)
		}
		b.clock.add(time.Second)
		if n, _ := tries(); n != 1 {
			t.Fatalf("retry %d did not come after %s", i+1, wait)
		}
	}
	h := find(b.s.hooks, func(h *Hook) bool { return h.ID == id })
	if h.Active || h.Status() != "deactivated" || len(webhookIDs) != 1 {
		t.Errorf("active %v, status %s, ids %v", h.Active, h.Status(), webhookIDs)
	}
	b.app.answers(0)
	if codes := b.exceptionCodes(); !slices.Contains(codes, 90002) {
		t.Errorf("exceptions %v, want a 90002", codes)
	}
	b.buy("COF-250", PlaceOptions{})
	if due, _ := b.w.Pending(); due != 0 {
		t.Errorf("%d are queued for an inactive hook", due)
	}
	if err := b.s.SetHookActive(id, true); err != nil {
		t.Fatal(err)
	}
	b.buy("COF-250", PlaceOptions{})
	if got := b.deliver(); len(got) != 1 {
		t.Errorf("after reactivation: %q", got)
	}
	if b.s.SetHookActive(4711, true) == nil {
		t.Error("an unknown hook is activated")
	}
}

// exceptionCodes makes one step and reads what came as deliveryException.
func (b *bench) exceptionCodes() []int {
	b.w.Deliver(context.Background())
	var codes []int
	for _, r := range b.app.take() {
		var p struct {
			Data struct{ Exception struct{ Code int } }
		}
		_ = json.Unmarshal(r.body, &p)
		codes = append(codes, p.Data.Exception.Code)
	}
	return codes
}

func TestIdleHookIsRetired(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/created")
	b.clock.add(89 * 24 * time.Hour)
	b.buy("COF-250", PlaceOptions{}) // an event keeps it alive
	b.deliver()
	b.clock.add(89 * 24 * time.Hour)
	b.deliver()
	if !b.s.Hooks()[0].Active {
		t.Fatal("retired too early")
	}
	b.clock.add(2 * 24 * time.Hour)
	b.deliver()
	if b.s.Hooks()[0].Active {
		t.Error("still active after 90 idle days")
	}
}

func TestBlockList(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/customer/updated")
	ada := b.s.Customers()[0].ID
	fire := func(n int) {
		for range n {
			_ = b.s.UpdateCustomer(ada, func(c *Customer) { c.Notes += "." })
		}
		b.w.Deliver(context.Background())
	}
	fire(89)
	b.app.answers(500)
	fire(11) // 11 of 100 fail
	b.app.take()
	b.app.answers(0)
	fire(1)
	if n := len(b.app.take()); n != 0 {
		t.Fatalf("%d were sent to a blocked host", n)
	}
	if got := b.want(200, "GET", "/v3/hooks/admin", "").at("data", "blocked_domains", 0, "time_left"); got != 180.0 {
		t.Errorf("time left %v", got)
	}
	b.clock.add(blockFor)
	b.w.Deliver(context.Background())
	if n := len(b.app.take()); n != 12 {
		t.Errorf("%d came after the block, want 1 and 11 retries", n)
	}
}

func TestBlockListForgets(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/customer/updated")
	ada := b.s.Customers()[0].ID
	for _, tc := range []struct {
		answer, blocked int
	}{{0, 0}, {500, 1}} { // a hundred good ones long ago do not outweigh a hundred bad ones now
		b.app.answers(tc.answer)
		for range 100 {
			_ = b.s.UpdateCustomer(ada, func(c *Customer) { c.Notes += "." })
		}
		b.w.Deliver(context.Background())
		if n := len(b.want(200, "GET", "/v3/hooks/admin", "").list("data", "blocked_domains")); n != tc.blocked {
			t.Errorf("after 100 answers %d: %d blocked, want %d", tc.answer, n, tc.blocked)
		}
		b.clock.add(blockWindow + time.Second)
	}
}

func TestWebhookFaults(t *testing.T) {
	b := newBench(t, 7)
	b.hookUp("store/order/created")
	b.hookUp("store/order/statusUpdated")
	scopes := func(got []string) string {
		var out []string
		for _, g := range got {
			name, _, _ := strings.Cut(g, " ")
			out = append(out, strings.TrimPrefix(name, "store/order/"))
		}
		return strings.Join(out, " ")
	}
	for _, tc := range []struct {
		name   string
		f      Faults
		now    string
		later  string
		failed bool
	}{
		{"well behaved", Faults{}, "created statusUpdated", "", false},
		{"dropped", Faults{Drop: 1}, "", "", false},
		{"duplicated", Faults{Duplicate: 1}, "created created statusUpdated statusUpdated", "", false},
		{"reordered", Faults{Reorder: 1}, "statusUpdated created", "", false},
		{"delayed", Faults{Delay: 1, DelayBy: time.Hour}, "", "created statusUpdated", false},
	} {
		b.s.SetFaults(tc.f)
		b.buy("COF-250", PlaceOptions{})
		if got := scopes(b.deliver()); got != tc.now {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.now)
		}
		b.clock.add(time.Hour)
		if got := scopes(b.deliver()); got != tc.later {
			t.Errorf("%s, an hour on: %q, want %q", tc.name, got, tc.later)
		}
	}
	b.s.SetFaults(Faults{Resign: 1})
	b.buy("COF-250", PlaceOptions{})
	b.w.Deliver(context.Background())
	for _, r := range b.app.take() {
		at, _ := strconv.ParseInt(r.header.Get("webhook-timestamp"), 10, 64)
		if age := b.clock.now().Sub(time.Unix(at, 0)); age != 49*time.Hour {
			t.Errorf("signed %s ago", age)
		}
		if want := SignWebhook(testSecret, r.header.Get("webhook-id"), r.header.Get("webhook-timestamp"), r.body); r.header.Get("webhook-signature") != want {
			t.Error("the old signature does not verify")
		}
	}
	b.s.ClearFaults()
	b.s.DropWebhooks(true)
	b.buy("COF-250", PlaceOptions{})
	if got := b.deliver(); len(got) != 0 {
		t.Errorf("lost webhooks came: %q", got)
	}
	if d := b.s.Deliveries()[0]; d.Outcome != "dropped" {
		t.Errorf("recorded as %s", d.Outcome)
	}
	b.s.DropWebhooks(false)
	if got := b.deliver(); len(got) != 0 {
		t.Errorf("lost webhooks came back: %q", got)
	}
}

func TestDuplicateKeepsItsID(t *testing.T) {
	b := newBench(t, 7)
	b.hookUp("store/order/created")
	b.s.SetFaults(Faults{Duplicate: 1})
	b.buy("COF-250", PlaceOptions{})
	b.w.Deliver(context.Background())
	got := b.app.take()
	if len(got) != 2 || got[0].header.Get("webhook-id") != got[1].header.Get("webhook-id") || string(got[0].body) != string(got[1].body) {
		t.Errorf("%d webhooks, ids differ or bodies differ", len(got))
	}
}

func TestSameSeedSameWorld(t *testing.T) {
	run := func(seed int64) string {
		b := newBench(t, seed)
		b.hookUp("store/order/created")
		b.hookUp("store/order/statusUpdated")
		b.s.SetFaults(Faults{Drop: .3, Duplicate: .3, Reorder: .3, Delay: .3})
		for range 8 {
			b.buy("COF-250", PlaceOptions{})
		}
		return strings.Join(b.deliver(), "|")
	}
	first, again, other := run(11), run(11), run(12)
	if first != again {
		t.Error("one seed, two worlds")
	}
	if first == other {
		t.Error("two seeds, one world")
	}
}

func TestDeliverStopsWithItsContext(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/created")
	b.buy("COF-250", PlaceOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if n := b.w.Deliver(ctx); n != 0 {
		t.Errorf("%d tries after the end", n)
	}
	if got := b.deliver(); len(got) != 1 {
		t.Errorf("what was not tried is lost: %q", got)
	}
	ended := make(chan struct{})
	go func() { b.w.Run(ctx); close(ended) }()
	<-ended
}

func TestDeletedHookGetsNothing(t *testing.T) {
	b := newBench(t, 1)
	id := b.hookUp("store/order/created")
	b.buy("COF-250", PlaceOptions{})
	b.want(200, "DELETE", fmt.Sprintf("/v3/hooks/%d", id), "")
	if got := b.deliver(); len(got) != 0 {
		t.Errorf("%q", got)
	}
}
