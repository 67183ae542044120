package queries

// draft adds a draft that is replayed.
func (w *world) draft(id int, given cols) cols {
	w.Helper()
	all := cols{"id": id}
	for k, v := range given {
		all[k] = v
	}
	return w.add("whatifs", all)
}

// replayed adds an order that a draft was replayed over.
func (w *world) replayed(order int, given cols) cols {
	w.Helper()
	all := cols{"whatif_id": 3, "order_id": order}
	for k, v := range given {
		all[k] = v
	}
	return w.add("whatif_orders", all)
}

var whatifCases = cases{
	"AddWhatIf": func(w *world) {
		add := func(want int64) func() error {
			return func() error {
				got, err := w.q.AddWhatIf(w.Context(), AddWhatIfParams{StoreHash: "abc", Draft: "{}", Base: 3, Wanted: 4, Since: 5, Now: 7, MadeBy: "ada"})
				equal(w, got, err, want)
				return err
			}
		}
		w.draft(9, cols{"store_hash": "xyz"})
		w.changes(add(1), "+ whatifs abc/1: base=3 below=0 done_at=0 draft={} due_at=7 id=1 made_at=7 made_by=ada seen=0 since=5 state=running store_hash=abc tally={} trouble= wanted=4")
		w.exec("UPDATE whatifs SET id = 5 WHERE store_hash = 'abc'")
		w.changes(add(6), "+ whatifs abc/6: base=3 below=0 done_at=0 draft={} due_at=7 id=6 made_at=7 made_by=ada seen=0 since=5 state=running store_hash=abc tally={} trouble= wanted=4")
	},
	"WhatIf": func(w *world) {
		row := w.draft(3, nil)
		w.draft(4, cols{"store_hash": "xyz"})
		got, err := w.q.WhatIf(w.Context(), WhatIfParams{StoreHash: "abc", ID: 3})
		one(w, got, err, row)
		got, err = w.q.WhatIf(w.Context(), WhatIfParams{StoreHash: "abc", ID: 4})
		none(w, got, err)
	},
	"WhatIfs": func(w *world) {
		w.draft(1, nil)
		second, third := w.draft(2, nil), w.draft(3, nil)
		w.draft(4, cols{"store_hash": "xyz"})
		got, err := w.q.WhatIfs(w.Context(), WhatIfsParams{StoreHash: "abc", Count: 2})
		are(w, got, err, third, second)
	},
	"DueWhatIfs": func(w *world) {
		w.draft(1, cols{"due_at": 8})
		w.draft(2, cols{"due_at": 0, "state": "done"})
		second := w.draft(3, cols{"due_at": 7})
		first := w.draft(3, cols{"due_at": 6, "store_hash": "xyz"})
		got, err := w.q.DueWhatIfs(w.Context(), 7)
		are(w, got, err, first, second)
	},
	"AdvanceWhatIf": func(w *world) {
		running := cols{"below": 50, "seen": 1, "tally": "", "trouble": "t", "due_at": 5, "done_at": 0}
		w.draft(3, running)
		w.draft(4, running)
		running["store_hash"] = "xyz"
		w.draft(3, running)
		advance := func(was int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.AdvanceWhatIf(w.Context(), AdvanceWhatIfParams{StoreHash: "abc", ID: 3, WasBelow: was, Below: 40, Seen: 11, Tally: "{...}", DueAt: 8, State: "running", DoneAt: 9})
			}
		}
		w.affects(0, advance(51))
		w.affects(1, advance(50), "whatifs abc/3 below: 50 -> 40", "whatifs abc/3 seen: 1 -> 11", "whatifs abc/3 tally:  -> {...}", "whatifs abc/3 trouble: t -> ",
			"whatifs abc/3 due_at: 5 -> 8", "whatifs abc/3 done_at: 0 -> 9")
		w.affects(0, advance(50)) // the same step once more
		w.affects(1, func() (int64, error) {
			return w.q.AdvanceWhatIf(w.Context(), AdvanceWhatIfParams{StoreHash: "abc", ID: 3, WasBelow: 40, Below: 1, Seen: 12, Tally: "{...}", State: "done", DoneAt: 9})
		}, "whatifs abc/3 below: 40 -> 1", "whatifs abc/3 seen: 11 -> 12", "whatifs abc/3 due_at: 8 -> 0", "whatifs abc/3 state: running -> done")
		w.affects(0, advance(1))
	},
	"PostponeWhatIf": func(w *world) {
		w.draft(3, cols{"due_at": 5, "trouble": ""})
		w.draft(4, nil)
		w.draft(3, cols{"store_hash": "xyz"})
		postpone := func() (int64, error) {
			return w.q.PostponeWhatIf(w.Context(), PostponeWhatIfParams{StoreHash: "abc", ID: 3, DueAt: 8, Trouble: "down"})
		}
		w.affects(1, postpone, "whatifs abc/3 due_at: 5 -> 8", "whatifs abc/3 trouble:  -> down")
		w.exec("UPDATE whatifs SET state = 'cancelled', due_at = 0")
		w.affects(0, postpone)
	},
	"CancelWhatIf": func(w *world) {
		w.draft(3, cols{"due_at": 5, "done_at": 0})
		w.draft(4, nil)
		w.draft(3, cols{"store_hash": "xyz"})
		cancel := func() (int64, error) {
			return w.q.CancelWhatIf(w.Context(), CancelWhatIfParams{StoreHash: "abc", ID: 3, Now: 7})
		}
		w.affects(1, cancel, "whatifs abc/3 state: running -> cancelled", "whatifs abc/3 due_at: 5 -> 0", "whatifs abc/3 done_at: 0 -> 7")
		w.affects(0, cancel)
	},
	"AddWhatIfOrder": func(w *world) {
		w.draft(3, nil)
		add := func(reasons string) func() error {
			return func() error {
				return w.q.AddWhatIfOrder(w.Context(), AddWhatIfOrderParams{StoreHash: "abc", WhatifID: 3, OrderID: 118, PlacedAt: 4, ValueMinor: 5, Currency: "EUR", Shift: "newly_held",
					Before: "allow", After: "hold", Reasons: reasons, Rules: "[]"})
			}
		}
		w.changes(add("{}"), "+ whatif_orders abc/3/118: after=hold before=allow currency=EUR order_id=118 placed_at=4 reasons={} rules=[] shift=newly_held store_hash=abc value_minor=5 whatif_id=3")
		w.changes(add("other")) // the same step once more
	},
	"WhatIfOrders": func(w *world) {
		w.draft(3, nil)
		w.draft(4, nil)
		w.draft(3, cols{"store_hash": "xyz"})
		w.replayed(116, nil)
		second, first := w.replayed(117, nil), w.replayed(118, nil)
		w.replayed(119, nil)
		w.replayed(118, cols{"whatif_id": 4})
		w.replayed(118, cols{"store_hash": "xyz"})
		got, err := w.q.WhatIfOrders(w.Context(), WhatIfOrdersParams{StoreHash: "abc", WhatifID: 3, Below: 119, Count: 2})
		are(w, got, err, first, second)
	},
	"WhatIfOrdersByShift": func(w *world) {
		w.draft(3, nil)
		w.draft(4, nil)
		w.draft(3, cols{"store_hash": "xyz"})
		held := cols{"shift": "newly_held"}
		w.replayed(115, held)
		second := w.replayed(116, held)
		w.replayed(117, nil)
		first := w.replayed(118, held)
		w.replayed(119, held)
		w.replayed(118, cols{"shift": "newly_held", "whatif_id": 4})
		w.replayed(118, cols{"shift": "newly_held", "store_hash": "xyz"})
		got, err := w.q.WhatIfOrdersByShift(w.Context(), WhatIfOrdersByShiftParams{StoreHash: "abc", WhatifID: 3, Shift: "newly_held", Below: 119, Count: 2})
		are(w, got, err, first, second)
	},
	"ForgetWhatIfs": func(w *world) {
		for i := range 12 {
			w.draft(1+i, cols{"state": "done", "due_at": 0})
		}
		w.draft(1, cols{"store_hash": "xyz", "state": "done", "due_at": 0})
		w.replayed(118, cols{"whatif_id": 1})
		w.exec("UPDATE whatifs SET state = 'running', due_at = 5 WHERE id = 2")
		forget := func() (int64, error) { return w.q.ForgetWhatIfs(w.Context(), "abc") }
		w.affects(1, forget, "- whatifs abc/1", "- whatif_orders abc/1/118")
		w.affects(0, forget)
	},
	"DestroyWhatIfs": func(w *world) {
		for i, hash := range []string{"abc", "abc", "xyz"} {
			w.draft(1+i, cols{"store_hash": hash})
			w.replayed(118, cols{"whatif_id": 1 + i, "store_hash": hash})
		}
		w.affects(2, func() (int64, error) { return w.q.DestroyWhatIfs(w.Context(), "abc") }, "- whatifs abc/1", "- whatifs abc/2",
			"- whatif_orders abc/1/118", "- whatif_orders abc/2/118")
	},
}
