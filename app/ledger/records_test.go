package ledger

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"idgate/app/gate"
	"idgate/app/idv"
)

// many fills the first Shop with Sessions and orders of many kinds, several to a millisecond, and returns how a page's filters see them.
type manySession struct {
	key[string]
	order, customer int64
	cart, mailbox   string
	state           string
	late            bool
	ial             int
	source          string
	channel         int64
}

type manyOrder struct {
	key[int64]
	customer int64
	mailbox  string
	hold     HoldState
	answer   string
	source   string
	channel  int64
	fetched  bool
}

func (r *rig) many(n int) (sessions []manySession, orders []manyOrder) {
	r.Helper()
	pick := func(i int, of ...string) string { return of[i%len(of)] }
	for i := range n {
		s := manySession{key: key[string]{int64(1000 + i/3), fmt.Sprintf("%08d", (i*7919)%100000)}, order: int64(i % 5), customer: int64(i % 7), cart: fmt.Sprint("cart ", i%11),
			state: pick(i, "passed", "failed", "declined", "expired", "abandoned", "error", "created", "review"), ial: -1, channel: int64(i / 2 % 3)}
		if i%4 == 0 {
			s.mailbox = r.shop().MailboxHash(fmt.Sprint("buyer", i%9, "@example.com"))
		}
		poll := 0
		switch s.state {
		case "created", "review":
			poll = 9
		case "passed":
			if s.late = i%3 == 0; !s.late {
				s.ial, s.source = i/8%4, pick(i/8, levelSources...)
			}
		}
		r.exec(`INSERT INTO sessions (id, store_hash, provider, provider_ref, capture_url, state, capability, cart_id, order_id, customer_id, mailbox, requirement, policy_version, started_at,
			deadline, changed_at, poll_at, late, ial, source, channel) VALUES (?, ?, 'p', ?, x'', ?, x'00112233445566778899aabbccddeeff', ?, ?, ?, ?, '{}', 1, ?, 1, 1, ?, ?, ?, ?, ?)`,
			s.id, shopHash, s.id, s.state, s.cart, s.order, s.customer, unhex(s.mailbox), s.at, poll, bit(s.late), s.ial, s.source, s.channel)
		sessions = append(sessions, s)
		o := manyOrder{key: key[int64]{int64(1000 + i/3), int64(1 + (i*7919)%100000)}, customer: int64(i % 7), hold: HoldState(pick(i, "none", "held", "refused", "released", "leaked", "moved")),
			answer: pick(i, "allow", "hold", "exempt", "refuse", ""), source: pick(i/2, "www", "manual", "ebay"), channel: int64(i % 3), fetched: i%10 != 9}
		if i%4 == 0 {
			o.mailbox = r.shop().MailboxHash(fmt.Sprint("buyer", i%9, "@example.com"))
		}
		status := 11
		if !o.fetched {
			status = -1
		}
		r.exec(`INSERT INTO orders (store_hash, order_id, status_id, customer_id, cart_id, mailbox, placed_at, seen_at, hold, former_status, answer, source, channel)
			VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, 11, ?, ?, ?)`, shopHash, o.id, status, o.customer, fmt.Sprint("of ", i), unhex(o.mailbox), o.at, string(o.hold), o.answer, o.source, o.channel)
		orders = append(orders, o)
	}
	return sessions, orders
}

// between reports whether a moment is within a list's days.
func between(at int64, from, to time.Time) bool {
	return (from.IsZero() || at >= millis(from)) && (to.IsZero() || at < millis(to))
}

func (f SessionFilter) matches(s manySession, carts map[int64]string) bool {
	found := !f.searches() || f.OrderID != 0 && (s.order == f.OrderID || carts[f.OrderID] != "" && s.cart == carts[f.OrderID]) || f.CustomerID != 0 && s.customer == f.CustomerID ||
		f.Mailbox != "" && s.mailbox == f.Mailbox
	return found && (len(f.States) == 0 || slices.Contains(f.States, idv.State(s.state))) && (!f.Late || s.late) && (f.IAL < 0 || s.ial == f.IAL) &&
		(f.Source == "" || s.source == f.Source) && (f.Channel == 0 || s.channel == f.Channel) && between(s.at, f.From, f.To)
}

func (f OrderFilter) matches(o manyOrder) bool {
	found := f.CustomerID == 0 && f.Mailbox == "" || f.CustomerID != 0 && o.customer == f.CustomerID || f.Mailbox != "" && o.mailbox == f.Mailbox
	return found && o.fetched && (len(f.Holds) == 0 || slices.Contains(f.Holds, o.hold)) && (len(f.Answers) == 0 || slices.Contains(f.Answers, o.answer)) &&
		(f.Source == "" || o.source == f.Source) && (f.Channel == 0 || o.channel == f.Channel) && between(o.at, f.From, f.To)
}

// wantAll reads every page back to the end, and then forward again to the newest, and holds both to want, newest first.
func wantAll[T any](t *rapid.T, page func(Place) (Page[T], error), id func(T) string, want []string) {
	var all []string
	at := Place{}
	for pages := 0; ; pages++ {
		p, err := page(at)
		if err != nil || pages > 500 {
			t.Fatalf("page %d: %v", pages, err)
		}
		for _, row := range p.Rows {
			all = append(all, id(row))
		}
		if p.Older == (Cursor{}) {
			break
		}
		at = Place{Cursor: p.Older}
	}
	if !slices.Equal(all, want) {
		t.Fatalf("back: %d rows %v, want %d %v", len(all), all, len(want), want)
	}
	seen := map[string]bool{}
	for pages := 0; ; pages++ {
		p, err := page(at)
		if err != nil || pages > 500 {
			t.Fatalf("page %d forward: %v", pages, err)
		}
		for _, row := range p.Rows {
			seen[id(row)] = true
		}
		if p.Newer == (Cursor{}) {
			break
		}
		at = Place{Cursor: p.Newer, Newer: true}
	}
	for _, w := range want {
		if !seen[w] {
			t.Fatalf("forward: %s is on no page", w)
		}
	}
}

// TestRecords: whatever the filters and the pages' length, the pages together have every row that the filters want, once, newest first; and
// they can be read forward again.
func TestRecords(t *testing.T) {
	r := newRig(t)
	sessions, orders := r.many(240)
	r.exec("UPDATE orders SET cart_id = 'cart 3' WHERE order_id = 2")
	r.exec("INSERT INTO orders (store_hash, order_id, seen_at, cart_id) VALUES (?, 4, 1, 'cart 8') ON CONFLICT DO UPDATE SET cart_id = 'cart 8'", shopHash)
	carts := map[int64]string{4: "cart 8"}
	for _, o := range orders {
		if o.id == 2 {
			carts[2] = "cart 3"
		}
	}
	slices.SortFunc(sessions, func(a, b manySession) int { return compareKeys(b.key, a.key) })
	slices.SortFunc(orders, func(a, b manyOrder) int { return compareKeys(b.key, a.key) })
	moment := rapid.Custom(func(t *rapid.T) time.Time { return instant(rapid.Int64Range(990, 1090).Draw(t, "at")) })
	maybe := func(t *rapid.T, what string) bool { return rapid.IntRange(0, 3).Draw(t, what) == 0 }
	states := []idv.State{idv.StatePassed, idv.StateFailed, idv.StateReview, idv.StateExpired}
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 40).Draw(t, "count")
		f := SessionFilter{IAL: rapid.SampledFrom([]int{-1, -1, 0, 2, 3}).Draw(t, "ial"), Late: maybe(t, "late"), Source: rapid.SampledFrom([]string{"", "", "policy", "oidc"}).Draw(t, "source"),
			Channel: rapid.SampledFrom([]int64{0, 0, 1, 2}).Draw(t, "session channel")}
		g := OrderFilter{Source: rapid.SampledFrom([]string{"", "", "www", "ebay"}).Draw(t, "order source"), Channel: rapid.Int64Range(0, 2).Draw(t, "channel")}
		if maybe(t, "states") {
			f.States = rapid.SliceOfNDistinct(rapid.SampledFrom(states), 1, 3, rapid.ID).Draw(t, "which")
			g.Holds = rapid.SliceOfNDistinct(rapid.SampledFrom([]HoldState{Held, Refused, Leaked}), 1, 3, rapid.ID).Draw(t, "holds")
		}
		if maybe(t, "answers") {
			g.Answers = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"allow", "exempt", "refuse"}), 1, 2, rapid.ID).Draw(t, "answers")
		}
		if maybe(t, "search") {
			f.OrderID, f.CustomerID = rapid.Int64Range(0, 4).Draw(t, "order"), rapid.Int64Range(0, 6).Draw(t, "customer")
			g.CustomerID = f.CustomerID
		}
		if maybe(t, "mailbox") {
			f.Mailbox = r.shop().MailboxHash("buyer4@example.com")
			g.Mailbox = f.Mailbox
		}
		if maybe(t, "days") {
			f.From, f.To = moment.Draw(t, "from"), moment.Draw(t, "to")
			g.From, g.To = f.From, f.To
		}
		var want []string
		for _, s := range sessions {
			if f.matches(s, carts) {
				want = append(want, s.id)
			}
		}
		wantAll(t, func(at Place) (Page[SessionLine], error) {
			return r.l.SessionsBy(context.Background(), r.shop(), f, at, count)
		}, func(l SessionLine) string { return l.ID }, want)
		want = nil
		for _, o := range orders {
			if g.matches(o) {
				want = append(want, fmt.Sprint(o.id))
			}
		}
		wantAll(t, func(at Place) (Page[OrderLine], error) {
			return r.l.OrdersBy(context.Background(), r.shop(), g, at, count)
		}, func(l OrderLine) string { return fmt.Sprint(l.ID) }, want)
	})
}

// TestLookAtOnce: where no index knows what the filters want, a page looks at so many rows and no further, and the pages together have
// every row once.
func TestLookAtOnce(t *testing.T) {
	r := newRig(t)
	const n = 3*LookAtOnce + 7
	r.exec(`WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < ?)
		INSERT INTO orders (store_hash, order_id, status_id, placed_at, seen_at, source) SELECT ?, id, 11, id, 1, CASE WHEN id IN (1, 2, ?, ?) THEN 'ebay' ELSE 'www' END FROM n`,
		n, shopHash, LookAtOnce, 2*LookAtOnce+5)
	want := []int64{2*LookAtOnce + 5, LookAtOnce, 2, 1}
	var got []int64
	far, at := 0, Place{}
	for range 9 {
		p, err := r.l.OrdersBy(t.Context(), r.shop(), OrderFilter{Source: "ebay"}, at, 2)
		r.ok(err)
		for _, o := range p.Rows {
			got = append(got, o.ID)
		}
		if p.Far {
			far++
		}
		if at = (Place{Cursor: p.Older}); p.Older == (Cursor{}) {
			break
		}
	}
	if !slices.Equal(got, want) || far == 0 || far > 3 || at != (Place{}) {
		t.Errorf("%v with %d pages that looked no further, want %v; at %v", got, far, want, at)
	}
}

func TestSessionMoves(t *testing.T) {
	r := newRig(t)
	n := r.session(r.cart("c1", 7, ""))
	states := []idv.State{idv.StateStarted, idv.StateProcessing, idv.StateReview, idv.StatePassed}
	want := []StateChange{{idv.StateCreated, r.now}}
	for _, state := range states {
		r.wait(time.Minute)
		m := Move{State: state, Deadline: n.Deadline}
		if !state.Final() {
			m.PollAt = r.now
		}
		moved, err := r.l.MoveSession(t.Context(), r.shop(), r.polled(), m, r.now)
		if r.ok(err); !moved {
			t.Fatalf("not moved to %s", state)
		}
		want = append(want, StateChange{state, r.now})
	}
	got, err := r.l.SessionMoves(t.Context(), shopHash, n.ID)
	if r.ok(err); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	r.exec("UPDATE sessions SET moves = '[]'") // as it was before they were recorded
	got, err = r.l.SessionMoves(t.Context(), shopHash, n.ID)
	if r.ok(err); !slices.Equal(got, []StateChange{want[0], want[4]}) {
		t.Errorf("%v", got)
	}
	if _, err := r.l.SessionMoves(t.Context(), "other9", n.ID); err != ErrNotFound {
		t.Errorf("of another shop: %v", err)
	}
	if _, err := r.l.SessionLine(t.Context(), "other9", n.ID); err != ErrNotFound {
		t.Errorf("of another shop: %v", err)
	}
}

// TestReport: what happens is counted once, when it happens, in the quarter of an hour that it happens in.
func TestReport(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.wait(7 * time.Minute)
	first := r.now.Truncate(quarter)
	verify := func(cart string) {
		_, err := r.l.RecordCartDecision(ctx, r.shop(), r.cartDecision(cart, gate.Verify), nil, r.now)
		r.ok(err)
	}
	verify("c1")
	verify("c1") // once is enough
	verify("c2")
	shadow := r.cartDecision("c3", gate.Verify)
	shadow.Decision.Mode = gate.Shadow
	_, err := r.l.RecordCartDecision(ctx, r.shop(), shadow, nil, r.now)
	r.ok(err)
	end := func(state idv.State, after time.Duration) {
		r.session(r.cart(fmt.Sprint("cart of ", state), 0, ""))
		r.wait(after)
		n := r.polled()
		moved, err := r.l.MoveSession(ctx, r.shop(), n, Move{State: state, Deadline: n.Deadline}, r.now)
		if r.ok(err); !moved {
			t.Fatal("not moved")
		}
	}
	r.exec("DELETE FROM figures")
	verify("c1")
	verify("c4")
	r.wait(quarter)
	for i, state := range []idv.State{idv.StatePassed, idv.StateFailed, idv.StateDeclined, idv.StateError, idv.StateAbandoned, idv.StateExpired} {
		end(state, time.Duration(i+1)*time.Second)
	}
	end(idv.StatePassed, 9*time.Second)
	const shown = 6 // carts of those, each once
	rep, err := r.l.Report(ctx, r.shop(), []time.Time{first, first.Add(quarter), first.Add(3 * quarter)})
	r.ok(err)
	want := []Figures{{Shown: 1}, {Shown: shown, Started: 7, Passed: 2, Failed: 3, Abandoned: 2}}
	if !slices.Equal(rep.Spans, want) || rep.Total != (Figures{1 + shown, 7, 2, 3, 2}) {
		t.Errorf("%+v, want %+v", rep.Spans, want)
	}
	if rep.Times != (PassTimes{Passes: 2, Median: time.Second, P90: 9 * time.Second}) {
		t.Errorf("times %+v", rep.Times)
	}
	if rep, err = r.l.Report(ctx, r.shop(), []time.Time{r.now}); err != nil || len(rep.Spans) != 0 {
		t.Errorf("no span: %+v, %v", rep, err)
	}
}

// TestReportMoney: an order is counted when our hold begins and when it is let go, in the Shop's currency where its rate is known, and
// otherwise apart.
func TestReportMoney(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.ok(r.l.DescribeShop(ctx, shopHash, Description{StoreID: "1001", Name: "The Shop", Currency: "EUR", Timezone: "Europe/Berlin"}))
	settle := func(id int64, hold HoldState, change func(*Order)) {
		t.Helper()
		l := r.evaluated(id)
		o := r.order(id)
		o.StatusID, o.Hold, o.FormerStatus, o.HoldStatus = 11, hold, 11, 12
		change(&o)
		r.ok(r.l.SettleOrder(ctx, r.shop(), l, Settlement{Order: o}, r.now))
	}
	ours := r.shop().Currency
	in := func(minor int64, code string, shop int64) func(*Order) {
		return func(o *Order) {
			o.Value = gate.Money{Minor: minor, Currency: code}
			if shop != 0 {
				o.ShopValue = gate.Money{Minor: shop, Currency: ours}
			}
		}
	}
	settle(1, Holding, in(100, ours, 100))
	settle(1, Held, in(100, ours, 100)) // it was counted when it began
	settle(2, Held, in(7000, "JPY", 50))
	settle(3, Held, in(300, "CHF", 0))
	settle(4, Leaked, in(900, ours, 900))
	settle(5, NotHeld, in(900, ours, 900))
	settle(1, Releasing, in(100, ours, 100))
	r.ok(r.l.ConfirmHold(ctx, shopHash, 1, Releasing, Released, 11, r.now))
	r.ok(r.l.ConfirmHold(ctx, shopHash, 1, Releasing, Released, 11, r.now)) // no change
	settle(3, Released, in(300, "CHF", 0))
	settle(3, Released, in(300, "CHF", 0))
	settle(2, Moved, in(7000, "JPY", 50)) // not let go by us
	at := r.now.Truncate(quarter)
	rep, err := r.l.Report(ctx, r.shop(), []time.Time{at, at.Add(quarter)})
	r.ok(err)
	want := []MoneyReport{
		{ours, []MoneyFigures{{Held: 2, HeldMinor: 150, Released: 1, ReleasedMinor: 100}}, MoneyFigures{Held: 2, HeldMinor: 150, Released: 1, ReleasedMinor: 100}},
		{"CHF", []MoneyFigures{{Held: 1, HeldMinor: 300, Released: 1, ReleasedMinor: 300}}, MoneyFigures{Held: 1, HeldMinor: 300, Released: 1, ReleasedMinor: 300}},
	}
	if !reflect.DeepEqual(rep.Money, want) {
		t.Errorf("got  %+v\nwant %+v", rep.Money, want)
	}
	if rep.Total.Shown != 3 {
		t.Errorf("%d shown, want the three that were held", rep.Total.Shown)
	}
}

// TestFiguresOutlive: figures are kept when what they count is erased or forgotten, for 400 days, and go with the Shop. An erased Session
// that was under way is counted as given up.
func TestFiguresOutlive(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.session(r.cart("c1", 7, "ada@example.com"))
	r.session(r.cart("c2", 0, "bo@example.com"))
	r.ok(r.l.EraseCustomer(ctx, shopHash, 7, r.now))
	r.want("1 2 1", "SELECT shown || ' ' || started || ' ' || abandoned FROM (SELECT sum(shown > 0) AS shown, sum(started) AS started, sum(abandoned) AS abandoned FROM figures)")
	r.ok(r.l.EraseCustomer(ctx, shopHash, 7, r.now)) // nothing more
	r.want("1", "SELECT sum(abandoned) FROM figures")
	r.exec("INSERT INTO money_figures (store_hash, currency, quarter, held) VALUES (?, 'EUR', ?, 1)", shopHash, quarterOf(r.now))
	for _, tt := range []struct {
		days int
		want string
	}{{399, "1 1"}, {401, "0 0"}} {
		_, err := r.l.Forget(ctx, r.now.Add(time.Duration(tt.days)*day))
		r.ok(err)
		r.want(tt.want, "SELECT (SELECT count(*) FROM figures) || ' ' || (SELECT count(*) FROM money_figures)")
	}
}

func TestAnswerOf(t *testing.T) {
	for _, tt := range []struct {
		outcome gate.Outcome
		code    gate.Code
		want    string
	}{{gate.Allow, gate.ProofOK, "allow"}, {gate.Allow, gate.Exempt, "exempt"}, {gate.Allow, gate.GuestExempt, "exempt"}, {gate.Allow, gate.AllowListed, "exempt"},
		{gate.Hold, gate.Exempt, "hold"}, {gate.Verify, gate.NoProof, "verify"}, {gate.Refuse, gate.Blocked, "refuse"}, {gate.Review, gate.InReview, "review"}} {
		if got := AnswerOf(gate.Decision{Outcome: tt.outcome, Reasons: []gate.Reason{{Code: tt.code}}}); got != tt.want {
			t.Errorf("%s for %s: %q, want %q", tt.outcome, tt.code, got, tt.want)
		}
	}
}

func TestPercentile(t *testing.T) {
	for _, tt := range []struct {
		ms       []int64
		p50, p90 time.Duration
	}{{[]int64{7}, 7, 7}, {[]int64{1, 2}, 1, 2}, {[]int64{1, 2, 3}, 2, 3}, {[]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 5, 9}, {[]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 6, 10}} {
		if a, b := percentile(tt.ms, 50), percentile(tt.ms, 90); a != tt.p50*time.Millisecond || b != tt.p90*time.Millisecond {
			t.Errorf("%v: %v and %v", tt.ms, a, b)
		}
	}
}

func TestMerged(t *testing.T) {
	list := func(all ...int64) keys[int64] {
		return func(_ context.Context, newer bool, from key[int64], n int64) (out []key[int64], err error) {
			for _, at := range all {
				if k := (key[int64]{at, at}); newer && compareKeys(k, from) > 0 || !newer && compareKeys(k, from) < 0 {
					out = append(out, k)
				}
			}
			slices.SortFunc(out, func(a, b key[int64]) int {
				if newer {
					return compareKeys(a, b)
				}
				return compareKeys(b, a)
			})
			return out[:min(len(out), int(n))], nil
		}
	}
	lists := []keys[int64]{list(1, 3, 5, 9), list(2, 3, 8), list()}
	for _, tt := range []struct {
		newer bool
		from  int64
		n     int64
		want  string
	}{{false, math.MaxInt64, 9, "9 8 5 3 2 1"}, {false, 8, 3, "5 3 2"}, {true, 2, 3, "3 5 8"}, {true, 9, 3, ""}, {false, 1, 3, ""}} {
		got, err := merged(t.Context(), lists, tt.newer, key[int64]{tt.from, tt.from}, tt.n)
		var text []string
		for _, k := range got {
			text = append(text, fmt.Sprint(k.id))
		}
		if err != nil || strings.Join(text, " ") != tt.want {
			t.Errorf("%+v: %v, %v", tt, text, err)
		}
	}
}
