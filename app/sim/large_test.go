package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const manyOrders = 10_000

// many places so many paid guest orders, ten a second of the World's clock.
func (b *bench) many(t testing.TB, n int) {
	t.Helper()
	product := b.s.Products()[0].ID
	a := Address{FirstName: "Nikola", LastName: "Guest", Email: "nikola@example.net", Street1: "5 Tower Road", City: "Denver", Zip: "80202", CountryCode: "US"}
	for i := range n {
		if i%10 == 0 {
			b.clock.add(time.Second)
		}
		if _, err := b.s.PlaceOrderByAPI(APIOrder{Billing: a, Items: []APIItem{{ProductID: product, Quantity: 1}}}); err != nil {
			t.Fatal(err)
		}
	}
}

// listing reads every page of a list of orders and returns their numbers.
func (b *bench) listing(query string) []int64 {
	b.t.Helper()
	var all []int64
	for page := 1; ; page++ {
		a := b.api("GET", fmt.Sprintf("/v2/orders?%s&limit=250&page=%d", query, page), "")
		switch a.status {
		case http.StatusNoContent:
			return all
		case http.StatusOK:
			all = append(all, ids(a)...)
		default:
			b.t.Fatalf("page %d: %d %s", page, a.status, a.raw)
		}
	}
}

// TestLargeShop places ten thousand orders with webhooks queued for each, writes to some, and lists
// them all: every order once, in order, within seconds.
func TestLargeShop(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/*")
	began := time.Now()
	first := b.s.Orders()[len(b.s.Orders())-1].ID + 1
	start := b.clock.now()
	b.many(t, manyOrders)
	placed := time.Since(began)
	b.clock.add(time.Second)
	var touched []int64
	for id := first; id < first+manyOrders; id += 100 {
		if err := b.s.SetStaffNotes(id, "n"); err != nil {
			t.Fatal(err)
		}
		touched = append(touched, id)
	}
	began = time.Now()
	got := b.listing("sort=date_modified:asc&min_date_modified=" + url.QueryEscape(start.Format(time.RFC3339)))
	listed := time.Since(began)
	if len(got) != manyOrders || !slices.Equal(got[manyOrders-len(touched):], touched) {
		t.Fatalf("%d orders, the last ones %v, want those that were touched last", len(got), got[max(0, len(got)-3):])
	}
	rest := slices.DeleteFunc(slices.Clone(got), func(id int64) bool { return (id-first)%100 == 0 })
	if !slices.IsSorted(rest) || len(slices.Compact(slices.Sorted(slices.Values(got)))) != manyOrders {
		t.Error("an order is out of place or listed twice")
	}
	due, _ := b.w.Pending()
	if want := manyOrders + len(touched); due != want {
		t.Errorf("%d webhooks are queued, want %d", due, want)
	}
	t.Logf("placed in %s, listed in %s", placed, listed)
	if limit := 30 * time.Second; placed > limit || listed > limit {
		t.Errorf("placed in %s, listed in %s: want under %s each", placed, listed, limit)
	}
}

// TestOrderBook compares the book's lists with a plain sort, whatever was done to the orders.
func TestOrderBook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		book := orderBook{byID: map[int64]*Order{}}
		base := time.Date(2026, 9, 25, 10, 0, 0, 0, time.UTC)
		at := rapid.Custom(func(t *rapid.T) time.Time {
			return base.Add(time.Duration(rapid.IntRange(-4000, 4000).Draw(t, "ms")) * time.Millisecond)
		})
		next := int64(100)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0, 1:
				next++
				book.add(&Order{ID: next, Modified: at.Draw(t, "modified")})
			case 2:
				if len(book.all) > 0 {
					book.touch(rapid.SampledFrom(book.all).Draw(t, "touched"), at.Draw(t, "at"))
				}
			case 3:
				if len(book.all) > 0 {
					book.remove(rapid.SampledFrom(book.all).Draw(t, "removed"))
				}
			}
		}
		since := at.Draw(t, "since")
		want := slices.Clone(book.all)
		slices.SortStableFunc(want, func(a, b *Order) int {
			return a.Modified.Truncate(time.Second).Compare(b.Modified.Truncate(time.Second))
		})
		if !slices.Equal(book.byModified, want) {
			t.Fatal("the book is not by date_modified")
		}
		want = slices.DeleteFunc(want, func(o *Order) bool { return o.Modified.Truncate(time.Second).Before(since) })
		if !slices.Equal(book.modifiedSince(since), want) {
			t.Fatalf("since %s: %d orders, want %d", since, len(book.modifiedSince(since)), len(want))
		}
		if len(book.byID) != len(book.all) {
			t.Fatalf("%d by number, %d in all", len(book.byID), len(book.all))
		}
	})
}

// TestFiftyShops installs the app in fifty shops of one World by the code exchange; each has a token
// of its own, and one shop's outage, quota and webhooks are not another's.
func TestFiftyShops(t *testing.T) {
	b := newBench(t, 1)
	shops, tokens := []*Shop{b.s}, map[string]bool{b.token.Value: true}
	for i := range 49 {
		b.s = b.w.AddShop(ShopOptions{Hash: fmt.Sprintf("shop%02d", i), RequestsPerWindow: 10})
		shops = append(shops, b.s)
		tokens[b.install().Value] = true
	}
	if len(tokens) != 50 {
		t.Fatalf("%d tokens for 50 shops", len(tokens))
	}
	flooder := shops[7]
	flooder.Outage(TooMany, b.clock.now().Add(time.Hour))
	for _, s := range shops {
		b.s = s
		want := 200
		if s == flooder {
			want = 429
		}
		if a := b.apiAs(s.Installation().Token, "GET", "/v2/store", ""); a.status != want || (want == 200 && a.at("id") != s.Hash) {
			t.Errorf("%s: %d %s, want %d", s.Hash, a.status, a.raw, want)
		}
	}
	b.s = shops[9]
	if a := b.apiAs(shops[8].Installation().Token, "GET", "/v2/store", ""); a.status != 401 {
		t.Errorf("one shop's token in another: %d, want 401", a.status)
	}
	b.clock.add(rateWindow)
	for _, s := range shops[1:] {
		if u := s.QuotaUse(); len(u) != 1 || u[0].Ours != 1 {
			t.Errorf("%s: %+v, want one request in one window", s.Hash, u)
		}
	}
}

// BenchmarkListOrders is one page of a sweep through ten thousand orders, over the handler alone.
func BenchmarkListOrders(b *testing.B) {
	w := New(Options{ClientID: testClientID, ClientSecret: testSecret, AppURL: "http://app.localhost:1", StoreURL: "http://store.localhost:2", Seed: 3})
	bn := &bench{w: w, s: w.AddShop(ShopOptions{Hash: "abc123", RequestsPerWindow: -1}), clock: &handClock{at: time.Date(2026, 9, 25, 10, 0, 0, 0, time.UTC)}}
	w.opt.Now = bn.clock.now
	if err := SeedDemo(bn.s); err != nil {
		b.Fatal(err)
	}
	bn.many(b, manyOrders)
	account := bn.s.AddAPIAccount("store_v2_orders")
	h := w.apiHandler()
	for _, query := range []string{"sort=date_modified:asc&limit=50&page=100", "limit=250&page=3", "status_id=11&sort=date_created:desc"} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				req := httptest.NewRequest("GET", "/stores/abc123/v2/orders?"+query, nil)
				req.Header.Set("X-Auth-Token", account.Value)
				rw := httptest.NewRecorder()
				h.ServeHTTP(rw, req)
				if rw.Code != 200 || !json.Valid(rw.Body.Bytes()) {
					b.Fatal(rw.Code)
				}
			}
		})
	}
}
