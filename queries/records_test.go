package queries

import (
	"fmt"
	"slices"
)

// walk asks for places older than one and newer, among rows that add makes of some kind, and among others that differ in one thing.
type walk struct {
	add    func(id string, at int, given cols)
	wanted []cols // what a row must have, one way or another
	others []cols // rows that the query leaves out
	older  func(since, before int64, id string, count int64) ([]string, error)
	newer  func(until, after int64, id string, count int64) ([]string, error)
}

func (k walk) test(w *world) {
	w.Helper()
	for i, at := range []int{10, 9, 8, 7, 7, 7, 6, 5, 4} { // ids go up with time, and within a moment
		given := cols{}
		for k, v := range k.wanted[i%len(k.wanted)] {
			given[k] = v
		}
		k.add(fmt.Sprint(19-i), at, given)
	}
	for i, given := range k.others {
		k.add(fmt.Sprint(50+i), 6, given)
	}
	for name, tt := range map[string]struct {
		got  func() ([]string, error)
		want []string
	}{
		"older": {func() ([]string, error) { return k.older(5, 7, "16", 99) }, []string{"15", "14", "13", "12"}},
		"two":   {func() ([]string, error) { return k.older(5, 7, "16", 2) }, []string{"15", "14"}},
		"newer": {func() ([]string, error) { return k.newer(9, 7, "14", 99) }, []string{"15", "16", "17"}},
		"next":  {func() ([]string, error) { return k.newer(9, 7, "14", 2) }, []string{"15", "16"}},
	} {
		got, err := tt.got()
		if err != nil || !slices.Equal(got, tt.want) {
			w.Errorf("%s: %v, %v, want %v", name, got, err, tt.want)
		}
	}
}

func texts[R any](rows []R, err error, id func(R) any) ([]string, error) {
	var out []string
	for _, r := range rows {
		out = append(out, fmt.Sprint(id(r)))
	}
	return out, err
}

func (w *world) sessionAt(id string, at int, given cols) {
	w.Helper()
	all := cols{"id": id, "started_at": at}
	for k, v := range given {
		all[k] = v
	}
	w.add("sessions", all)
}

func (w *world) orderAt(id string, at int, given cols) {
	w.Helper()
	all := cols{"order_id": number(id), "placed_at": at, "status_id": 11}
	for k, v := range given {
		all[k] = v
	}
	w.add("orders", all)
}

func number(text string) (n int64) {
	_, _ = fmt.Sscan(text, &n)
	return n
}

var abc = []cols{{"store_hash": "abc"}}

func sessionKeys(w *world) {
	walk{w.sessionAt, abc, []cols{{"store_hash": "xyz"}},
		func(since, before int64, id string, count int64) ([]string, error) {
			rows, err := w.q.SessionKeysOlder(w.Context(), SessionKeysOlderParams{StoreHash: "abc", Since: since, Before: before, BeforeID: id, Count: count})
			return texts(rows, err, func(r SessionKeysOlderRow) any { return r.ID })
		},
		func(until, after int64, id string, count int64) ([]string, error) {
			rows, err := w.q.SessionKeysNewer(w.Context(), SessionKeysNewerParams{StoreHash: "abc", Until: until, After: after, AfterID: id, Count: count})
			return texts(rows, err, func(r SessionKeysNewerRow) any { return r.ID })
		}}.test(w)
}

func sessionKeysByState(w *world) {
	walk{w.sessionAt, []cols{{"state": "review"}}, []cols{{"store_hash": "xyz", "state": "review"}, {"state": "started"}},
		func(since, before int64, id string, count int64) ([]string, error) {
			rows, err := w.q.SessionKeysByStateOlder(w.Context(), SessionKeysByStateOlderParams{StoreHash: "abc", State: "review", Since: since, Before: before, BeforeID: id, Count: count})
			return texts(rows, err, func(r SessionKeysByStateOlderRow) any { return r.ID })
		},
		func(until, after int64, id string, count int64) ([]string, error) {
			rows, err := w.q.SessionKeysByStateNewer(w.Context(), SessionKeysByStateNewerParams{StoreHash: "abc", State: "review", Until: until, After: after, AfterID: id, Count: count})
			return texts(rows, err, func(r SessionKeysByStateNewerRow) any { return r.ID })
		}}.test(w)
}

func sessionKeysByLevel(w *world) {
	level := func(source string, ial int, more cols) cols {
		out := cols{"source": source, "ial": ial}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	walk{w.sessionAt, []cols{level("oidc", 3, nil)}, []cols{level("oidc", 3, cols{"store_hash": "xyz"}), level("oidc", 2, nil), level("policy", 3, nil), level("", -1, nil)},
		func(since, before int64, id string, count int64) ([]string, error) {
			rows, err := w.q.SessionKeysByLevelOlder(w.Context(), SessionKeysByLevelOlderParams{StoreHash: "abc", Source: "oidc", Ial: 3, Since: since, Before: before, BeforeID: id, Count: count})
			return texts(rows, err, func(r SessionKeysByLevelOlderRow) any { return r.ID })
		},
		func(until, after int64, id string, count int64) ([]string, error) {
			rows, err := w.q.SessionKeysByLevelNewer(w.Context(), SessionKeysByLevelNewerParams{StoreHash: "abc", Source: "oidc", Ial: 3, Until: until, After: after, AfterID: id, Count: count})
			return texts(rows, err, func(r SessionKeysByLevelNewerRow) any { return r.ID })
		}}.test(w)
}

func sessionKeysByChannel(w *world) {
	walk{w.sessionAt, []cols{{"channel": 3}}, []cols{{"store_hash": "xyz", "channel": 3}, {"channel": 2}, {"channel": 0}},
		func(since, before int64, id string, count int64) ([]string, error) {
			rows, err := w.q.SessionKeysByChannelOlder(w.Context(), SessionKeysByChannelOlderParams{StoreHash: "abc", Channel: 3, Since: since, Before: before, BeforeID: id, Count: count})
			return texts(rows, err, func(r SessionKeysByChannelOlderRow) any { return r.ID })
		},
		func(until, after int64, id string, count int64) ([]string, error) {
			rows, err := w.q.SessionKeysByChannelNewer(w.Context(), SessionKeysByChannelNewerParams{StoreHash: "abc", Channel: 3, Until: until, After: after, AfterID: id, Count: count})
			return texts(rows, err, func(r SessionKeysByChannelNewerRow) any { return r.ID })
		}}.test(w)
}

func sessionKeysLate(w *world) {
	walk{w.sessionAt, []cols{{"late": 1}}, []cols{{"store_hash": "xyz", "late": 1}, {"late": 0}},
		func(since, before int64, id string, count int64) ([]string, error) {
			rows, err := w.q.SessionKeysLateOlder(w.Context(), SessionKeysLateOlderParams{StoreHash: "abc", Since: since, Before: before, BeforeID: id, Count: count})
			return texts(rows, err, func(r SessionKeysLateOlderRow) any { return r.ID })
		},
		func(until, after int64, id string, count int64) ([]string, error) {
			rows, err := w.q.SessionKeysLateNewer(w.Context(), SessionKeysLateNewerParams{StoreHash: "abc", Until: until, After: after, AfterID: id, Count: count})
			return texts(rows, err, func(r SessionKeysLateNewerRow) any { return r.ID })
		}}.test(w)
}

func foundSessionKeys(w *world) {
	none := cols{"order_id": 0, "cart_id": "", "customer_id": 0, "mailbox": []byte{}}
	with := func(more cols) cols {
		out := cols{}
		for k, v := range none {
			out[k] = v
		}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	walk{w.sessionAt,
		[]cols{with(cols{"order_id": 118}), with(cols{"cart_id": "c1"}), with(cols{"customer_id": 40}), with(cols{"mailbox": []byte("m")}),
			with(cols{"order_id": 118, "cart_id": "c1", "customer_id": 40, "mailbox": []byte("m")})},
		[]cols{none, with(cols{"order_id": 118, "store_hash": "xyz"}), with(cols{"cart_id": "c1", "store_hash": "xyz"}), with(cols{"customer_id": 40, "store_hash": "xyz"}),
			with(cols{"mailbox": []byte("m"), "store_hash": "xyz"}), with(cols{"order_id": 40}), with(cols{"customer_id": 118}), with(cols{"cart_id": "m"}), with(cols{"mailbox": []byte("c1")})},
		func(since, before int64, id string, count int64) ([]string, error) {
			rows, err := w.q.FoundSessionKeysOlder(w.Context(), FoundSessionKeysOlderParams{StoreHash: "abc", OrderID: 118, CartID: "c1", CustomerID: 40, Mailbox: []byte("m"),
				Since: since, Before: before, BeforeID: id, Count: count})
			return texts(rows, err, func(r FoundSessionKeysOlderRow) any { return r.ID })
		},
		func(until, after int64, id string, count int64) ([]string, error) {
			rows, err := w.q.FoundSessionKeysNewer(w.Context(), FoundSessionKeysNewerParams{StoreHash: "abc", OrderID: 118, CartID: "c1", CustomerID: 40, Mailbox: []byte("m"),
				Until: until, After: after, AfterID: id, Count: count})
			return texts(rows, err, func(r FoundSessionKeysNewerRow) any { return r.ID })
		}}.test(w)
	got, err := w.q.FoundSessionKeysOlder(w.Context(), FoundSessionKeysOlderParams{StoreHash: "abc", Mailbox: []byte{}, Before: 99, Count: 99})
	equal(w, len(got), err, 0) // what is not given finds nothing
}

func orderKeys(w *world) {
	walk{w.orderAt, abc, []cols{{"store_hash": "xyz"}, {"status_id": -1}},
		func(since, before int64, id string, count int64) ([]string, error) {
			rows, err := w.q.OrderKeysOlder(w.Context(), OrderKeysOlderParams{StoreHash: "abc", Since: since, Before: before, BeforeID: number(id), Count: count})
			return texts(rows, err, func(r OrderKeysOlderRow) any { return r.ID })
		},
		func(until, after int64, id string, count int64) ([]string, error) {
			rows, err := w.q.OrderKeysNewer(w.Context(), OrderKeysNewerParams{StoreHash: "abc", Until: until, After: after, AfterID: number(id), Count: count})
			return texts(rows, err, func(r OrderKeysNewerRow) any { return r.ID })
		}}.test(w)
}

func orderKeysByHold(w *world) {
	walk{w.orderAt, []cols{{"hold": "refused"}}, []cols{{"store_hash": "xyz", "hold": "refused"}, {"hold": "held"}, {"status_id": -1, "hold": "refused"}},
		func(since, before int64, id string, count int64) ([]string, error) {
			rows, err := w.q.OrderKeysByHoldOlder(w.Context(), OrderKeysByHoldOlderParams{StoreHash: "abc", Hold: "refused", Since: since, Before: before, BeforeID: number(id), Count: count})
			return texts(rows, err, func(r OrderKeysByHoldOlderRow) any { return r.ID })
		},
		func(until, after int64, id string, count int64) ([]string, error) {
			rows, err := w.q.OrderKeysByHoldNewer(w.Context(), OrderKeysByHoldNewerParams{StoreHash: "abc", Hold: "refused", Until: until, After: after, AfterID: number(id), Count: count})
			return texts(rows, err, func(r OrderKeysByHoldNewerRow) any { return r.ID })
		}}.test(w)
}

func orderKeysByAnswer(w *world) {
	walk{w.orderAt, []cols{{"answer": "exempt"}}, []cols{{"store_hash": "xyz", "answer": "exempt"}, {"answer": "allow"}, {"status_id": -1, "answer": "exempt"}},
		func(since, before int64, id string, count int64) ([]string, error) {
			rows, err := w.q.OrderKeysByAnswerOlder(w.Context(), OrderKeysByAnswerOlderParams{StoreHash: "abc", Answer: "exempt", Since: since, Before: before, BeforeID: number(id), Count: count})
			return texts(rows, err, func(r OrderKeysByAnswerOlderRow) any { return r.ID })
		},
		func(until, after int64, id string, count int64) ([]string, error) {
			rows, err := w.q.OrderKeysByAnswerNewer(w.Context(), OrderKeysByAnswerNewerParams{StoreHash: "abc", Answer: "exempt", Until: until, After: after, AfterID: number(id), Count: count})
			return texts(rows, err, func(r OrderKeysByAnswerNewerRow) any { return r.ID })
		}}.test(w)
}

func foundOrderKeys(w *world) {
	of := func(customer int, mailbox string, more cols) cols {
		out := cols{"customer_id": customer, "mailbox": []byte(mailbox)}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	walk{w.orderAt, []cols{of(40, "", nil), of(0, "m", nil), of(40, "m", nil)},
		[]cols{of(0, "", nil), of(41, "n", nil), of(40, "m", cols{"store_hash": "xyz"}), of(40, "", cols{"status_id": -1}), of(0, "m", cols{"status_id": -1})},
		func(since, before int64, id string, count int64) ([]string, error) {
			rows, err := w.q.FoundOrderKeysOlder(w.Context(), FoundOrderKeysOlderParams{StoreHash: "abc", CustomerID: 40, Mailbox: []byte("m"), Since: since, Before: before, BeforeID: number(id), Count: count})
			return texts(rows, err, func(r FoundOrderKeysOlderRow) any { return r.ID })
		},
		func(until, after int64, id string, count int64) ([]string, error) {
			rows, err := w.q.FoundOrderKeysNewer(w.Context(), FoundOrderKeysNewerParams{StoreHash: "abc", CustomerID: 40, Mailbox: []byte("m"), Until: until, After: after, AfterID: number(id), Count: count})
			return texts(rows, err, func(r FoundOrderKeysNewerRow) any { return r.ID })
		}}.test(w)
	got, err := w.q.FoundOrderKeysOlder(w.Context(), FoundOrderKeysOlderParams{StoreHash: "abc", Mailbox: []byte{}, Before: 99, Count: 99})
	equal(w, len(got), err, 0)
}

var recordsCases = cases{
	"SessionKeysOlder": sessionKeys, "SessionKeysNewer": sessionKeys,
	"SessionKeysByStateOlder": sessionKeysByState, "SessionKeysByStateNewer": sessionKeysByState,
	"SessionKeysByLevelOlder": sessionKeysByLevel, "SessionKeysByLevelNewer": sessionKeysByLevel,
	"SessionKeysByChannelOlder": sessionKeysByChannel, "SessionKeysByChannelNewer": sessionKeysByChannel,
	"SessionKeysLateOlder": sessionKeysLate, "SessionKeysLateNewer": sessionKeysLate,
	"FoundSessionKeysOlder": foundSessionKeys, "FoundSessionKeysNewer": foundSessionKeys,
	"OrderKeysOlder": orderKeys, "OrderKeysNewer": orderKeys,
	"OrderKeysByHoldOlder": orderKeysByHold, "OrderKeysByHoldNewer": orderKeysByHold,
	"OrderKeysByAnswerOlder": orderKeysByAnswer, "OrderKeysByAnswerNewer": orderKeysByAnswer,
	"FoundOrderKeysOlder": foundOrderKeys, "FoundOrderKeysNewer": foundOrderKeys,
	"SessionTraits": func(w *world) {
		row := w.add("sessions", cols{"id": "s1"})
		w.add("sessions", cols{"id": "s2"})
		w.add("sessions", cols{"id": "s3", "store_hash": "xyz"})
		got, err := w.q.SessionTraits(w.Context(), SessionTraitsParams{StoreHash: "abc", Ids: `["s1","s3","s9"]`})
		are(w, got, err, row)
	},
	"SessionLines": func(w *world) {
		own := w.add("sessions", cols{"id": "s1", "order_id": 118})
		carts := w.add("sessions", cols{"id": "s2", "order_id": 0, "cart_id": "c1", "state": "passed", "poll_at": 0})
		none := w.add("sessions", cols{"id": "s3", "order_id": 0, "cart_id": ""})
		proof := w.add("proofs", cols{"session_id": "s2", "proved_at": 1})
		w.add("sessions", cols{"id": "s4", "store_hash": "xyz"})
		w.order(119, cols{"cart_id": "c1"})
		w.order(117, cols{"cart_id": "c1"})
		w.order(120, cols{"cart_id": "c1", "store_hash": "xyz"})
		w.order(121, cols{"cart_id": ""})
		got, err := w.q.SessionLines(w.Context(), SessionLinesParams{StoreHash: "abc", Ids: `["s3","s1","s2","s4"]`})
		no := cols{"good_until": 0, "revoked_at": 0}
		are2(w, got, err, [][]cols{{{"order_id": 0}, none, no}, {{"order_id": 118}, own, no}, {{"order_id": 119}, carts, proof}})
	},
	"SessionMoves": func(w *world) {
		row := w.add("sessions", cols{"id": "s1"})
		got, err := w.q.SessionMoves(w.Context(), SessionMovesParams{ID: "s1", StoreHash: "abc"})
		one(w, got, err, row)
		got, err = w.q.SessionMoves(w.Context(), SessionMovesParams{ID: "s1", StoreHash: "xyz"})
		none(w, got, err)
	},
	"OrdersOfProof": func(w *world) {
		for i, given := range []cols{{"order_id": 117}, {"order_id": 118}, {"order_id": 118}, {"order_id": 0, "stage": "checkout"}, {"order_id": 119, "proof_id": "p2"}, {"order_id": 120, "store_hash": "xyz"}} {
			all := cols{"id": fmt.Sprint("d", i), "proof_id": "p1"}
			for k, v := range given {
				all[k] = v
			}
			w.add("decisions", all)
		}
		got, err := w.q.OrdersOfProof(w.Context(), OrdersOfProofParams{StoreHash: "abc", ProofID: "p1"})
		equal(w, got, err, []int64{118, 117})
	},
	"OrderTraits": func(w *world) {
		row := w.order(4, nil)
		w.order(5, nil)
		w.order(6, cols{"store_hash": "xyz"})
		got, err := w.q.OrderTraits(w.Context(), OrderTraitsParams{StoreHash: "abc", Ids: "[4,6,9]"})
		are(w, got, err, row)
	},
	"OrderLines": func(w *world) {
		decision := w.add("decisions", cols{"id": "d1", "order_id": 5})
		plain, decided := w.order(4, cols{"decision_id": ""}), w.order(5, cols{"decision_id": "d1"})
		w.order(6, nil)
		w.order(7, cols{"store_hash": "xyz"})
		got, err := w.q.OrderLines(w.Context(), OrderLinesParams{StoreHash: "abc", Ids: "[5,7,4]"})
		are2(w, got, err, [][]cols{{decided, decision}, {plain, {"explanation": nil, "made_by": nil}}})
	},
}

func (w *world) figures(given cols) cols {
	w.Helper()
	return w.add("figures", given)
}

const q1, q2, q3 = 900_000, 1_800_000, 2_700_000

var figuresCases = cases{
	"CountUp": func(w *world) {
		count := func() error {
			return w.q.CountUp(w.Context(), CountUpParams{StoreHash: "abc", Quarter: q1, Shown: 1, Started: 2, Passed: 3, Failed: 4, Abandoned: 5})
		}
		w.changes(count, "+ figures abc/900000: abandoned=5 failed=4 passed=3 quarter=900000 shown=1 started=2 store_hash=abc")
		w.figures(cols{"quarter": q2})
		w.figures(cols{"quarter": q1, "store_hash": "xyz"})
		w.changes(count, "figures abc/900000 abandoned: 5 -> 10", "figures abc/900000 failed: 4 -> 8", "figures abc/900000 passed: 3 -> 6", "figures abc/900000 shown: 1 -> 2",
			"figures abc/900000 started: 2 -> 4")
	},
	"CountMoney": func(w *world) {
		count := func() error {
			return w.q.CountMoney(w.Context(), CountMoneyParams{StoreHash: "abc", Currency: "EUR", Quarter: q1, Held: 1, HeldMinor: 20, Released: 3, ReleasedMinor: 40})
		}
		w.changes(count, "+ money_figures abc/EUR/900000: currency=EUR held=1 held_minor=20 quarter=900000 released=3 released_minor=40 store_hash=abc")
		w.add("money_figures", cols{"quarter": q1, "currency": "USD"})
		w.changes(count, "money_figures abc/EUR/900000 held: 1 -> 2", "money_figures abc/EUR/900000 held_minor: 20 -> 40", "money_figures abc/EUR/900000 released: 3 -> 6",
			"money_figures abc/EUR/900000 released_minor: 40 -> 80")
	},
	"CartShown": func(w *world) {
		for i, given := range []cols{{"stage": "order", "order_id": 5}, {"outcome": "allow"}, {"mode": "shadow"}, {"store_hash": "xyz"}, {"cart_id": "c2"}, {"cart_id": ""}} {
			all := cols{"id": fmt.Sprint("d", i), "stage": "checkout", "order_id": 0, "outcome": "verify", "mode": "enforce", "cart_id": "c1"}
			for k, v := range given {
				all[k] = v
			}
			w.add("decisions", all)
		}
		for cart, want := range map[string]bool{"c1": false, "c2": true, "": false} {
			got, err := w.q.CartShown(w.Context(), CartShownParams{StoreHash: "abc", CartID: cart})
			equal(w, got, err, want)
		}
	},
	"Figures": func(w *world) {
		w.figures(cols{"quarter": q1, "shown": 1, "started": 2, "passed": 3, "failed": 4, "abandoned": 5})
		w.figures(cols{"quarter": q2, "shown": 10, "started": 20, "passed": 30, "failed": 40, "abandoned": 50})
		w.figures(cols{"quarter": q3})
		w.figures(cols{"quarter": q1, "store_hash": "xyz"})
		got, err := w.q.Figures(w.Context(), FiguresParams{StoreHash: "abc", Spans: "[[0,900000],[900000,2700000],[900000,1800000]]"})
		equal(w, got, err, []string{"[0,0,0,0,0]", "[11,22,33,44,55]", "[1,2,3,4,5]"})
	},
	"MoneyFigures": func(w *world) {
		w.add("money_figures", cols{"currency": "EUR", "quarter": q1, "held": 1, "held_minor": 20, "released": 3, "released_minor": 40})
		w.add("money_figures", cols{"currency": "EUR", "quarter": q2, "held": 10, "held_minor": 200, "released": 30, "released_minor": 400})
		w.add("money_figures", cols{"currency": "EUR", "quarter": q3})
		w.add("money_figures", cols{"currency": "USD", "quarter": q1})
		w.add("money_figures", cols{"currency": "EUR", "quarter": q1, "store_hash": "xyz"})
		got, err := w.q.MoneyFigures(w.Context(), MoneyFiguresParams{StoreHash: "abc", Currency: "EUR", Spans: "[[900000,2700000],[0,900000]]"})
		equal(w, got, err, []string{"[11,220,33,440]", "[0,0,0,0]"})
	},
	"NextCurrency": func(w *world) {
		for _, code := range []string{"EUR", "GBP", "USD"} {
			w.add("money_figures", cols{"currency": code, "quarter": q1})
			w.add("money_figures", cols{"currency": code, "quarter": q2})
		}
		w.add("money_figures", cols{"currency": "FJD", "quarter": q1, "store_hash": "xyz"})
		for above, want := range map[string]string{"": "EUR", "EUR": "GBP", "USD": ""} {
			got, err := w.q.NextCurrency(w.Context(), NextCurrencyParams{StoreHash: "abc", Above: above})
			if err != nil || len(got) != min(1, len(want)) || want != "" && got[0] != want {
				w.Errorf("above %q: %v, %v", above, got, err)
			}
		}
	},
	"PassTimes": func(w *world) {
		pass := func(changed int, given cols) {
			all := cols{"state": "passed", "poll_at": 0, "changed_at": changed, "started_at": changed - changed/10}
			for k, v := range given {
				all[k] = v
			}
			w.add("sessions", all)
		}
		for _, at := range []int{50, 60, 70, 80} {
			pass(at, nil)
		}
		pass(60, cols{"store_hash": "xyz"})
		pass(60, cols{"state": "failed"})
		got, err := w.q.PassTimes(w.Context(), PassTimesParams{StoreHash: "abc", Since: 60, Until: 80, Count: 9})
		equal(w, got, err, []int64{7, 6})
		got, err = w.q.PassTimes(w.Context(), PassTimesParams{StoreHash: "abc", Since: 50, Until: 80, Count: 2})
		equal(w, got, err, []int64{7, 6})
	},
	"ForgetFigures": func(w *world) {
		for _, q := range []int{q1, q2} {
			w.figures(cols{"quarter": q})
		}
		w.figures(cols{"quarter": q1, "store_hash": "xyz"})
		forget := func() (int64, error) {
			return w.q.ForgetFigures(w.Context(), ForgetFiguresParams{StoreHash: "abc", Before: q2})
		}
		w.affects(1, forget, "- figures abc/900000")
		w.slices(forget, func(i int) { w.figures(cols{"quarter": -i * q1}) })
	},
	"ForgetMoneyFigures": func(w *world) {
		for _, q := range []int{q1, q2} {
			w.add("money_figures", cols{"currency": "EUR", "quarter": q})
		}
		w.add("money_figures", cols{"currency": "EUR", "quarter": q1, "store_hash": "xyz"})
		forget := func() (int64, error) {
			return w.q.ForgetMoneyFigures(w.Context(), ForgetMoneyFiguresParams{StoreHash: "abc", Before: q2})
		}
		w.affects(1, forget, "- money_figures abc/EUR/900000")
		w.slices(forget, func(i int) { w.add("money_figures", cols{"currency": "EUR", "quarter": -i * q1}) })
	},
	"DestroyFigures": func(w *world) {
		for i := range 3 {
			w.figures(cols{"quarter": i * q1})
		}
		w.figures(cols{"quarter": q1, "store_hash": "xyz"})
		destroy := func() (int64, error) { return w.q.DestroyFigures(w.Context(), "abc") }
		w.affects(3, destroy, "- figures abc/0", "- figures abc/900000", "- figures abc/1800000")
		w.slices(destroy, func(i int) { w.figures(cols{"quarter": i * q1}) })
	},
	"DestroyMoneyFigures": func(w *world) {
		w.add("money_figures", cols{"currency": "EUR", "quarter": q1})
		w.add("money_figures", cols{"currency": "USD", "quarter": q1})
		w.add("money_figures", cols{"currency": "EUR", "quarter": q1, "store_hash": "xyz"})
		destroy := func() (int64, error) { return w.q.DestroyMoneyFigures(w.Context(), "abc") }
		w.affects(2, destroy, "- money_figures abc/EUR/900000", "- money_figures abc/USD/900000")
		w.slices(destroy, func(i int) { w.add("money_figures", cols{"currency": "EUR", "quarter": i * q1}) })
	},
}
