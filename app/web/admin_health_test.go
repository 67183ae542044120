package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/app/sim"
	"idgate/views"
)

func TestQuotaRow(t *testing.T) {
	p := present(&ledger.Shop{Timezone: "UTC"})
	at := time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC)
	for _, tc := range []struct {
		pace relay.Pace
		want views.QuotaData
	}{
		{relay.Pace{Limit: 150, Left: 131, Used: 12, Window: 30 * time.Second},
			views.QuotaData{Window: "30 seconds", Limit: "150", Share: "75", Used: "12", Left: "131", Waited: "not at all"}},
		{relay.Pace{Limit: 20_001, Left: -1, Used: 10_000, Window: time.Minute * 2, BlockedUntil: at, WaitingSince: at, Waited: 90 * time.Second},
			views.QuotaData{Window: "2 minutes", Limit: "20,001", Share: "10,000", Used: "10,000", Left: "0", Waited: "90 seconds", Blocked: p.when(at), Waiting: p.when(at)}},
	} {
		if got := p.quota(tc.pace); got != tc.want {
			t.Errorf("%+v:\n got %+v\nwant %+v", tc.pace, got, tc.want)
		}
	}
}

func TestClock(t *testing.T) {
	for skew, want := range map[time.Duration]views.ClockData{
		0:                               {Status: "ok"},
		10 * time.Second:                {Status: "ok"},
		-10 * time.Second:               {Status: "ok"},
		11 * time.Second:                {Status: "ok", Differ: "11 seconds ahead of BigCommerce's"},
		-4 * time.Minute:                {Status: "ok", Differ: "4 minutes behind BigCommerce's"},
		5 * time.Minute:                 {Status: "ok", Differ: "5 minutes ahead of BigCommerce's"},
		5*time.Minute + time.Second:     {Status: "error", Differ: "5 minutes ahead of BigCommerce's"},
		-(26*time.Hour + 1*time.Minute): {Status: "error", Differ: "26 hours behind BigCommerce's"},
	} {
		if got := clock(skew); got != want {
			t.Errorf("%v: %+v, want %+v", skew, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "", -time.Second: "", time.Millisecond: "less than a second", time.Second: "1 second", 119 * time.Second: "119 seconds",
		2 * time.Minute: "2 minutes", 119 * time.Minute: "119 minutes", 2 * time.Hour: "2 hours", 47 * time.Hour: "47 hours", 48 * time.Hour: "2 days", 400 * 24 * time.Hour: "400 days"} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestReplicaRow(t *testing.T) {
	now := time.Date(2026, 3, 10, 15, 12, 0, 0, time.UTC)
	p := present(&ledger.Shop{Timezone: "UTC"})
	for _, tc := range []struct {
		name     string
		st       ledger.ReplicaStatus
		operator bool
		want     views.ReplicaData
	}{
		{"none", ledger.ReplicaStatus{}, true, views.ReplicaData{Status: "off"}},
		{"not reached yet", ledger.ReplicaStatus{Configured: true, Target: "s3://x"}, true, views.ReplicaData{Status: "pending", Target: "s3://x"}},
		{"in step", ledger.ReplicaStatus{Configured: true, Replicating: true, Target: "s3://x", LastSync: now.Add(-59 * time.Second)}, false,
			views.ReplicaData{Status: "ok", Synced: p.when(now.Add(-59 * time.Second))}},
		{"behind", ledger.ReplicaStatus{Configured: true, Replicating: true, Target: "s3://x", LastSync: now.Add(-3 * time.Hour), LastError: "denied"}, false,
			views.ReplicaData{Status: "error", Synced: p.when(now.Add(-3 * time.Hour)), Behind: "3 hours"}},
		{"behind, for the operator", ledger.ReplicaStatus{Configured: true, Target: "s3://x", LastSync: now.Add(-3 * time.Hour), LastError: "denied"}, true,
			views.ReplicaData{Status: "error", Synced: p.when(now.Add(-3 * time.Hour)), Behind: "3 hours", Target: "s3://x", Said: "denied"}},
	} {
		if got := p.replica(tc.st, now, tc.operator); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

// spend uses up the quota of the first Shop, as another app would, until orders wait for it.
func (b *bench) spend() int64 {
	b.Helper()
	b.world.Shop(shopHash).SetQuota(2)
	id := b.buy(shopHash)
	for range 5 {
		b.ok(b.s.Ledger.DueOrder(b.Context(), shopHash, id, b.clock()))
		_, err := b.s.Relay.Step(b.Context(), ledger.OrderBell)
		b.ok(err)
	}
	if b.s.Relay.Pace(shopHash).WaitingSince.IsZero() {
		b.Fatalf("nothing waits: %+v", b.s.Relay.Pace(shopHash))
	}
	return id
}

// TestHealthShows: what stands in the way is told on Health and on the overview, and on the operator's listener without naming a Shop.
func TestHealthShows(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	calm := b.as(ledger.Viewer, shopBase+"/health", nil)
	b.want(200, calm, "BigCommerce API quota", "75", "none seen", "No order is on hold, so nothing stays behind")
	b.lacks(calm, "Handle webhooks again", "Repair now</button>")
	b.hold(shopHash)
	b.want(200, b.as(ledger.Viewer, shopBase+"/health", nil), "1 order is on hold", "can export the list")
	b.want(200, b.as(ledger.Reviewer, shopBase+"/health", nil), `href="/s/abc123/orders.csv?filter=held"`)
	b.notice(shopHash, "store/order/created", "none")
	b.settle(ledger.NoticeBell)
	b.spend()
	b.wait(61 * time.Second)
	b.want(200, b.as(ledger.Viewer, shopBase+"/health", nil), "Orders wait for it", "since <time", "Waited in all", "61 seconds")
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "Orders wait for BigCommerce&#39;s API quota", `href="/s/abc123/health#quota"`)
	b.s.Replica = func() ledger.ReplicaStatus {
		return ledger.ReplicaStatus{Configured: true, Target: "s3://backups", LastSync: b.clock().Add(-2 * time.Hour), LastError: "denied", WALBytes: 4096}
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/health", nil), "Behind by", "2 hours", "The gate goes on meanwhile")
	b.ok(b.s.Ledger.SuspendShop(b.Context(), b.shop(otherHash), b.clock(), b.clock().Add(time.Hour)))

	w := httptest.NewRecorder()
	b.s.Ops().ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
	var got struct {
		OK bool `json:"ok"`
		totals
	}
	b.ok(json.Unmarshal(w.Body.Bytes(), &got))
	if !got.OK || w.Code != 200 || got.Alarms != (ledger.Alarms{StuckNotices: 1}) || got.Shops.Installed != 1 || got.Shops.Suspended != 1 || got.Quota.Shops != 1 ||
		got.Quota.Longest != 61 || got.Quota.Waited != 61 || got.Skew != 0 || got.Replica.Status != "error" || got.Replica.Behind != 7200 || got.Replica.WALBytes != 4096 || got.Waiting.Orders != 1 {
		t.Errorf("healthz: %s", w.Body)
	}
	w = httptest.NewRecorder()
	b.s.Ops().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	metrics := w.Body.String()
	for _, line := range []string{`idgate_stuck{queue="notices"} 1`, `idgate_stuck{queue="writebacks"} 0`, `idgate_orders{found="leaked"} 0`, `idgate_orders{found="moved"} 0`,
		`idgate_shops{state="installed"} 1`, `idgate_shops{state="suspended"} 1`, `idgate_quota_waiting_shops 1`, `idgate_quota_waiting_seconds 61`, `idgate_quota_waited_seconds_total 61`,
		`idgate_clock_skew_seconds 0`, `idgate_replica_behind_seconds 7200`, `idgate_replica_failing 1`, `idgate_wal_bytes 4096`, `idgate_waiting{queue="orders"} 1`} {
		if !strings.Contains(metrics, "\n"+line+"\n") {
			t.Errorf("metrics lack %s", line)
		}
	}
	for _, text := range []string{shopHash, otherHash, "Larkspur"} {
		if strings.Contains(metrics, text) {
			t.Errorf("metrics name %s", text)
		}
	}
	b.s.Replica = nil
	w = httptest.NewRecorder()
	b.s.Ops().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if strings.Contains(w.Body.String(), "idgate_replica") || !strings.Contains(w.Body.String(), "idgate_wal_bytes 0") {
		t.Error("metrics of a replica that is not configured")
	}
	b.ok(b.s.Ledger.Close())
	w = httptest.NewRecorder()
	if b.s.Ops().ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil)); w.Code != 503 {
		t.Errorf("healthz of a closed ledger: %d, want 503", w.Code)
	}
}

// TestWrongClock: a clock that differs from BigCommerce's by more than five minutes is an alarm with its remedy.
func TestWrongClock(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	b.skew(7 * time.Minute)
	b.buy(shopHash)
	b.want(200, b.as(ledger.Viewer, shopBase+"/health", nil), "7 minutes ahead of BigCommerce&#39;s", "Failing", "timedatectl set-ntp true", "Orders are still held by BigCommerce's own clock")
	b.want(200, b.as(ledger.Viewer, shopBase+"/overview", nil), "The clock of this idgate is wrong", "7 minutes ahead", `href="/s/abc123/health#clock"`)
	if got, err := b.s.totals(t.Context()); err != nil || got.Skew < 419 || got.Skew > 421 {
		t.Errorf("skew %v, %v", got.Skew, err)
	}
}

// TestHealthPages: the Health page names what a content security policy has to allow, and what this shop's own pages reported, by channel.
func TestHealthPages(t *testing.T) {
	b := newBench(t)
	health := shopBase + "/health"
	b.want(200, b.as(ledger.Viewer, health, nil), "script-src", "connect-src", "img-src", "<code>"+origin(b.s.AppURL)+"</code>", "no checkout page has reported")
	b.lacks(b.as(ledger.Viewer, health, nil), "form-action")
	channel := ledger.Channel{ID: 7, Name: "Larkspur EU"}
	for _, hash := range []string{shopHash, otherHash} {
		b.ok(b.s.Ledger.DescribeShop(t.Context(), hash, ledger.Description{Currency: "USD", Timezone: "UTC", Channels: []ledger.Channel{channel}}))
	}
	sing := func(shop string, channel int64, missing ...string) {
		t.Helper()
		body, err := json.Marshal(map[string]any{"shop": shop, "channel": channel, "missing": missing})
		b.ok(err)
		r, err := http.NewRequest("POST", "/storefront/v1/canary", bytes.NewReader(body))
		b.ok(err)
		if w := b.do(r); w.Code != http.StatusNoContent {
			t.Fatalf("the canary: %d %s", w.Code, w.Body)
		}
	}
	sing(shopHash, 99, "order_call")                                    // none of the shop's
	sing(shopHash, channel.ID, "nonsense", "<script>alert(1)</script>") // nothing that is told
	sing(otherHash, channel.ID, "order_call")
	b.want(200, b.as(ledger.Viewer, health, nil), "no checkout page has reported")
	for range 9 {
		sing(shopHash, channel.ID, "submit_button")
	}
	reports, err := b.s.Ledger.PageReports(t.Context(), shopHash, b.clock())
	b.ok(err)
	if len(reports) != 1 || reports[0] != (ledger.PageReport{Channel: channel.ID, Missing: "submit_button", Count: 5, At: b.clock().Truncate(time.Millisecond)}) {
		t.Errorf("%+v", reports)
	}
	b.want(200, b.as(ledger.Viewer, health, nil), channel.Name+": the button that places the order was not found.", "5 times or more", "no longer looks as idgate expects")
	n := b.shop(shopHash).Settings
	n.SignBack = true
	b.settings(n)
	b.want(200, b.as(ledger.Viewer, health, nil), "form-action")
}

// TestSignBackSetting: only the owner changes it, and it starts switched off.
func TestSignBackSetting(t *testing.T) {
	b := newBench(t)
	path := shopBase + "/settings/sign-back"
	b.want(200, b.as(ledger.Manager, shopBase+"/settings", nil), "not offered")
	b.want(403, b.as(ledger.Manager, path, url.Values{views.SignBackField: {"on"}}))
	b.wantGo(b.as(ledger.Owner, path, url.Values{views.SignBackField: {"on"}}), shopBase+"/settings?back_on=1")
	if !b.shop(shopHash).Settings.SignBack || b.shop(otherHash).Settings.SignBack {
		t.Error("it was not switched on for this shop alone")
	}
	b.want(200, b.as(ledger.Owner, shopBase+"/settings?back_on=1", nil), "can go on in their account", `name="sign_back" value="on" checked`)
	b.wantGo(b.as(ledger.Owner, path, url.Values{}), shopBase+"/settings?back_off=1")
	if b.shop(shopHash).Settings.SignBack {
		t.Error("it was not switched off")
	}
}

func TestAlarmMailbox(t *testing.T) {
	b := newBench(t)
	b.want(200, b.as(ledger.Manager, shopBase+"/settings", nil), "Who is told", "IDGATE_SMTP", `name="alarm_to" value=""`)
	viewed := b.as(ledger.Viewer, shopBase+"/settings", nil)
	b.want(200, viewed, "nobody is told by mail")
	b.lacks(viewed, `name="alarm_to"`)
	bad := b.as(ledger.Manager, shopBase+"/settings/alarms", url.Values{views.AlarmField: {`Ada <ada@example.com>`}})
	b.want(422, bad, "Enter one mailbox, such as orders@example.com.", `value="Ada &lt;ada@example.com&gt;"`, "Nothing was saved.")
	form := b.forms(b.as(ledger.Manager, shopBase+"/settings", nil), "/settings/alarms")[0]
	form.Set(views.AlarmField, " orders@example.com ")
	b.wantGo(b.as(ledger.Manager, shopBase+"/settings/alarms", form), shopBase+"/settings?alarms=1")
	form.Set(views.AlarmField, "others@example.com")
	b.want(409, b.as(ledger.Owner, shopBase+"/settings/alarms", form), "Nothing was saved yet: manager@abc123.example has changed this meanwhile.", "staff who are told: nobody → “orders@example.com”", `value="others@example.com"`)
	if to := b.shop(shopHash).Settings.AlarmTo; to != "orders@example.com" {
		t.Errorf("alarms go to %q", to)
	}
	b.want(200, b.as(ledger.Viewer, shopBase+"/settings?alarms=1", nil), "Your staff are told by mail from now on.", "orders@example.com")
	b.want(200, b.as(ledger.Owner, shopBase+"/settings", nil), `value="orders@example.com"`)
	if to := b.shop(otherHash).Settings.AlarmTo; to != "" {
		t.Errorf("another shop's alarms go to %q", to)
	}
	form = b.forms(b.as(ledger.Manager, shopBase+"/settings", nil), "/settings/alarms")[0]
	form.Set(views.AlarmField, "")
	b.wantGo(b.as(ledger.Manager, shopBase+"/settings/alarms", form), shopBase+"/settings?no_alarms=1")
	if to := b.shop(shopHash).Settings.AlarmTo; to != "" {
		t.Errorf("alarms still go to %q", to)
	}
}

// TestOrderFilters: each list has its orders and no others, and the rare ones are found however many others there are.
func TestOrderFilters(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	shop := b.world.Shop(shopHash)
	c := shop.Customers()[0]
	lists := map[string][]int64{"held": {b.hold(shopHash)}}
	refused := b.hold(shopHash)
	path := fmt.Sprintf("%s/orders/%d", shopBase, refused)
	b.wantGo(b.as(ledger.Reviewer, path+"/refuse", url.Values{"reason": {"Stolen card"}}), fmt.Sprintf("%s?refused=%d", path, refused))
	lists["held"] = append(lists["held"], refused)
	shipped := 2
	o, err := shop.PlaceOrderByAPI(sim.APIOrder{CustomerID: c.ID, Billing: sim.BillingOf(c), Items: []sim.APIItem{{ProductID: shop.Products()[0].ID, Quantity: 1}}, StatusID: &shipped})
	b.ok(err)
	b.look(shopHash, o.ID)
	lists["leaks"] = []int64{o.ID}
	moved := b.hold(shopHash)
	b.wait(time.Minute)
	b.ok(shop.SetOrderStatus(moved, 2, "somebody"))
	b.look(shopHash, moved)
	lists["moved"] = []int64{moved}
	released := b.hold(shopHash)
	path = fmt.Sprintf("%s/orders/%d", shopBase, released)
	b.wantGo(b.as(ledger.Reviewer, path+"/release", url.Values{"reason": {"It is fine"}}), fmt.Sprintf("%s?released=%d", path, released))
	lists["allowed"] = []int64{released}
	b.settle(ledger.OrderBell, ledger.WritebackBell)
	lists["refused"], lists["released"] = []int64{refused}, []int64{released}
	for _, filter := range views.OrderFilters() {
		want := slices.Clone(lists[filter])
		if filter == "all" {
			delete(lists, "refused") // among those on hold
			delete(lists, "released")
			for _, ids := range lists {
				want = append(want, ids...)
			}
			lists["refused"], lists["released"] = []int64{refused}, []int64{released}
		}
		var got []int64
		for _, row := range b.exported(b.as(ledger.Reviewer, shopBase+"/orders.csv?filter="+filter, nil)) {
			got = append(got, mustID(t, row[0]))
		}
		page := b.follow(shopBase+"/orders?filter="+filter, orderHref)
		slices.Sort(want)
		slices.Reverse(want)
		if !slices.Equal(got, want) || fmt.Sprint(page[0]) != fmt.Sprint(want) {
			t.Errorf("%s: exported %v, shown %v, want %v", filter, got, page, want)
		}
	}
}
