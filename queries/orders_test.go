package queries

import "fmt"

// order adds an order by its id.
func (w *world) order(id int, given cols) cols {
	w.Helper()
	all := cols{"order_id": id}
	for k, v := range given {
		all[k] = v
	}
	return w.add("orders", all)
}

var ordersCases = cases{
	"DueOrder": func(w *world) {
		due := func(id int64) func() error {
			return func() error {
				return w.q.DueOrder(w.Context(), DueOrderParams{StoreHash: "abc", OrderID: id, Now: 7, DueAt: 8})
			}
		}
		w.changes(due(118), "+ orders abc/118: alarmed_at=0 answer= attempt=0 buyer= called_at=0 cancel_at=0 cart_id= channel=0 currency= customer_id=0 decision_id= digital=0 due_at=8 "+
			"erased_at=0 facts_digest= former_status=-1 held_at=0 hold=none hold_status=-1 holds=0 kept=0 lease=0 link= mailbox= modified_at=0 order_id=118 person_says= "+
			"placed_at=0 reheld=0 seen_at=7 shop_currency= shop_minor=0 source= status_id=-1 store_hash=abc touched=0 trouble= urgency=0 value_minor=0 wake_at=0")
		w.order(1, cols{"due_at": 0, "attempt": 0, "lease": 4})
		w.changes(due(1), "orders abc/1 due_at: 0 -> 8")
		w.order(2, cols{"due_at": 0, "attempt": 3, "lease": 4})
		w.changes(due(2), "orders abc/2 due_at: 0 -> 8", "orders abc/2 attempt: 3 -> 0")
		w.order(3, cols{"due_at": 99, "attempt": 3, "lease": 5}) // leased until 99, or to be tried again then
		w.changes(due(3), "orders abc/3 due_at: 99 -> 8", "orders abc/3 attempt: 3 -> 0")
		w.order(4, cols{"due_at": 5, "attempt": 0})
		w.changes(due(4))
		w.order(5, cols{"due_at": 5, "attempt": 1}) // its lease ran out at 5: whoever held it must not end it for us
		w.changes(due(5), "orders abc/5 attempt: 1 -> 0")
		w.order(6, cols{"due_at": 5, "attempt": 0, "urgency": 1}) // it was to be decided again; now something happened to it
		w.changes(due(6), "orders abc/6 urgency: 1 -> 0")
		w.order(7, cols{"due_at": 99, "attempt": 2, "urgency": 1})
		w.changes(due(7), "orders abc/7 due_at: 99 -> 8", "orders abc/7 attempt: 2 -> 0", "orders abc/7 urgency: 1 -> 0")
	},
	"DueOrderTold": func(w *world) {
		due := func(id int64) func() error {
			return func() error {
				return w.q.DueOrderTold(w.Context(), DueOrderToldParams{StoreHash: "abc", OrderID: id, Now: 7, DueAt: 8})
			}
		}
		w.changes(due(118), "+ orders abc/118: alarmed_at=0 answer= attempt=0 buyer= called_at=0 cancel_at=0 cart_id= channel=0 currency= customer_id=0 decision_id= digital=0 due_at=8 "+
			"erased_at=0 facts_digest= former_status=-1 held_at=0 hold=none hold_status=-1 holds=0 kept=0 lease=0 link= mailbox= modified_at=0 order_id=118 person_says= "+
			"placed_at=0 reheld=0 seen_at=7 shop_currency= shop_minor=0 source= status_id=-1 store_hash=abc touched=0 trouble= urgency=0 value_minor=0 wake_at=0")
		id := int64(0)
		for _, answer := range []string{"", "allow", "exempt", "verify", "review", "hold", "refuse"} {
			for _, hold := range holds {
				id++
				w.order(int(id), cols{"answer": answer, "hold": hold, "due_at": 0, "attempt": 3, "urgency": 0})
				key := fmt.Sprintf("orders abc/%d ", id)
				want := []string{key + "due_at: 0 -> 8", key + "attempt: 3 -> 0"}
				settled := (answer == "allow" || answer == "exempt") && (hold == "none" || hold == "released")
				if settled {
					want = append(want, key+"urgency: 0 -> 1")
				}
				w.changes(due(id), want...)
				w.changes(due(id)) // once is enough
				w.exec("UPDATE orders SET urgency = 1, due_at = 5 WHERE order_id = ?", id)
				if want = []string{key + "urgency: 1 -> 0"}; settled {
					want = nil
				}
				w.changes(due(id), want...)
			}
		}
		allowed := func(id int, given cols) {
			given["answer"], given["hold"] = "allow", "none"
			w.order(id, given)
		}
		allowed(201, cols{"due_at": 99, "attempt": 3, "urgency": 0}) // being evaluated, or to be tried again, before others
		w.changes(due(201), "orders abc/201 due_at: 99 -> 8", "orders abc/201 attempt: 3 -> 0")
		allowed(202, cols{"due_at": 99, "attempt": 3, "urgency": 1})
		w.changes(due(202), "orders abc/202 due_at: 99 -> 8", "orders abc/202 attempt: 3 -> 0")
		allowed(203, cols{"due_at": 5, "attempt": 1, "urgency": 1})
		w.changes(due(203), "orders abc/203 attempt: 1 -> 0")
		allowed(204, cols{"due_at": 5, "attempt": 0, "urgency": 0})
		w.changes(due(204))
	},
	"DueOrderIfChanged": func(w *world) {
		due := func(id, status, modified int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.DueOrderIfChanged(w.Context(), DueOrderIfChangedParams{StoreHash: "abc", OrderID: id, StatusID: status, ModifiedAt: modified, Now: 7, DueAt: 8})
			}
		}
		w.affects(1, due(118, 11, 6), "+ orders abc/118: alarmed_at=0 answer= attempt=0 buyer= called_at=0 cancel_at=0 cart_id= channel=0 currency= customer_id=0 decision_id= digital=0 due_at=8 "+
			"erased_at=0 facts_digest= former_status=-1 held_at=0 hold=none hold_status=-1 holds=0 kept=0 lease=0 link= mailbox= modified_at=6 order_id=118 person_says= "+
			"placed_at=0 reheld=0 seen_at=7 shop_currency= shop_minor=0 source= status_id=11 store_hash=abc touched=0 trouble= urgency=0 value_minor=0 wake_at=0")
		w.order(1, cols{"status_id": 11, "modified_at": 6, "due_at": 0, "attempt": 3})
		w.affects(0, due(1, 11, 6))
		w.affects(1, due(1, 11, 5), "orders abc/1 due_at: 0 -> 8", "orders abc/1 attempt: 3 -> 0")
		w.order(2, cols{"status_id": 11, "modified_at": 6, "due_at": 0, "attempt": 3})
		w.affects(1, due(2, 9, 6), "orders abc/2 due_at: 0 -> 8", "orders abc/2 attempt: 3 -> 0")
		w.order(3, cols{"status_id": 11, "modified_at": 6, "due_at": 99, "attempt": 3}) // being evaluated, perhaps on an older state
		w.affects(1, due(3, 11, 5), "orders abc/3 due_at: 99 -> 8", "orders abc/3 attempt: 3 -> 0")
		w.order(4, cols{"status_id": 11, "modified_at": 6, "due_at": 5, "attempt": 0})
		w.affects(0, due(4, 9, 5))
		w.order(5, cols{"status_id": 11, "modified_at": 6, "due_at": 5, "attempt": 0, "urgency": 1})
		w.affects(1, due(5, 9, 6), "orders abc/5 urgency: 1 -> 0")
		w.affects(0, due(5, 9, 6)) // it waits as news now, and once is enough
		w.order(6, cols{"status_id": 11, "modified_at": 6, "due_at": 5, "attempt": 0, "urgency": 1})
		w.affects(0, due(6, 11, 6))
		allowed := func(id int, given cols) {
			given["answer"], given["hold"], given["status_id"], given["modified_at"] = "exempt", "released", 11, 6
			w.order(id, given)
		}
		allowed(7, cols{"due_at": 0, "attempt": 3, "urgency": 0})
		w.affects(0, due(7, 11, 6))
		w.affects(1, due(7, 2, 6), "orders abc/7 due_at: 0 -> 8", "orders abc/7 attempt: 3 -> 0", "orders abc/7 urgency: 0 -> 1")
		w.affects(0, due(7, 2, 6))
		allowed(8, cols{"due_at": 99, "attempt": 3, "urgency": 1})
		w.affects(1, due(8, 2, 6), "orders abc/8 due_at: 99 -> 8", "orders abc/8 attempt: 3 -> 0")
		allowed(9, cols{"due_at": 99, "attempt": 3, "urgency": 0})
		w.affects(1, due(9, 2, 6), "orders abc/9 due_at: 99 -> 8", "orders abc/9 attempt: 3 -> 0")
		for i, is := range []cols{{"answer": "exempt", "hold": "moved"}, {"answer": "hold", "hold": "none"}} {
			is["status_id"], is["modified_at"], is["due_at"], is["attempt"], is["urgency"] = 11, 6, 0, 0, 0
			w.order(10+i, is)
			w.affects(1, due(int64(10+i), 2, 6), fmt.Sprintf("orders abc/%d due_at: 0 -> 8", 10+i))
		}
	},
	"DueOrdersOfCart": func(w *world) {
		w.order(1, cols{"cart_id": "c1", "due_at": 0, "attempt": 3, "urgency": 1})
		w.order(2, cols{"cart_id": "c2"})
		w.order(3, cols{"cart_id": "c1", "store_hash": "xyz"})
		w.changes(func() error {
			return w.q.DueOrdersOfCart(w.Context(), DueOrdersOfCartParams{StoreHash: "abc", CartID: "c1", DueAt: 8})
		}, "orders abc/1 due_at: 0 -> 8", "orders abc/1 attempt: 3 -> 0", "orders abc/1 urgency: 1 -> 0")
		w.exec("UPDATE orders SET cart_id = ''")
		w.changes(func() error {
			return w.q.DueOrdersOfCart(w.Context(), DueOrdersOfCartParams{StoreHash: "abc", CartID: "", DueAt: 9})
		})
	},
	"DueOrdersOfCustomer": func(w *world) {
		for i, hold := range holds {
			w.order(1+i, cols{"customer_id": 5, "hold": hold, "due_at": 0, "attempt": 3, "urgency": 1})
		}
		w.order(20, cols{"customer_id": 6})
		w.order(21, cols{"customer_id": 5, "store_hash": "xyz"})
		w.changes(func() error {
			return w.q.DueOrdersOfCustomer(w.Context(), DueOrdersOfCustomerParams{StoreHash: "abc", CustomerID: 5, DueAt: 8})
		}, dueAgain(2, 3, 8)...) // holding, held, leaked
		w.exec("UPDATE orders SET customer_id = 0")
		w.changes(func() error {
			return w.q.DueOrdersOfCustomer(w.Context(), DueOrdersOfCustomerParams{StoreHash: "abc", CustomerID: 0, DueAt: 9})
		})
	},
	"DueWaitingOrders": func(w *world) {
		for status := range 15 {
			w.order(100+status, cols{"status_id": status, "due_at": 0, "attempt": 3, "urgency": 0})
		}
		w.order(1, cols{"status_id": 11, "store_hash": "xyz", "due_at": 0})
		w.order(2, cols{"status_id": 11, "due_at": 5, "attempt": 0})                // news, and due
		w.order(3, cols{"status_id": 11, "due_at": 5, "attempt": 0, "urgency": 1})  // to be decided again anyway
		w.order(4, cols{"status_id": 11, "due_at": 99, "attempt": 2, "lease": 7})   // being evaluated, perhaps by the former Policy
		w.order(5, cols{"status_id": -1, "due_at": 99, "attempt": 1, "urgency": 1}) // likewise, for the first time
		w.order(6, cols{"status_id": 99, "due_at": 0, "attempt": 1})
		var want []string
		for _, id := range []int{107, 108, 109, 111, 112} {
			want = append(want, fmt.Sprintf("orders abc/%d due_at: 0 -> 8", id), fmt.Sprintf("orders abc/%d attempt: 3 -> 0", id), fmt.Sprintf("orders abc/%d urgency: 0 -> 1", id))
		}
		w.changes(func() error {
			return w.q.DueWaitingOrders(w.Context(), DueWaitingOrdersParams{StoreHash: "abc", DueAt: 8})
		}, append(want, "orders abc/4 attempt: 2 -> 0", "orders abc/5 attempt: 1 -> 0")...)
	},
	"DueOrdersOfProof": func(w *world) {
		rests := func(id, status int, proof string) {
			w.order(id, cols{"status_id": status, "due_at": 0, "attempt": 3, "urgency": 1})
			w.add("decisions", cols{"order_id": id, "proof_id": proof})
			w.add("decisions", cols{"order_id": id, "proof_id": ""})
		}
		for status := range 15 {
			rests(100+status, status, "p1")
		}
		rests(2, -1, "p1") // never fetched
		rests(3, 11, "p2")
		w.order(4, cols{"status_id": 11, "store_hash": "xyz"})
		w.add("decisions", cols{"order_id": 4, "proof_id": "p1", "store_hash": "xyz"})
		w.order(0, cols{"status_id": 11}) // a cart's Decision is no order's
		w.add("decisions", cols{"order_id": 0, "proof_id": "p1", "stage": "checkout"})
		w.affects(8, func() (int64, error) {
			return w.q.DueOrdersOfProof(w.Context(), DueOrdersOfProofParams{StoreHash: "abc", ProofID: "p1", DueAt: 8})
		}, dueAgain(2, 100, 101, 107, 108, 109, 111, 112)...)
		w.affects(0, func() (int64, error) {
			return w.q.DueOrdersOfProof(w.Context(), DueOrdersOfProofParams{StoreHash: "abc", ProofID: "", DueAt: 9})
		})
	},
	"DueWokenOrders": func(w *world) {
		w.order(1, cols{"wake_at": 7, "due_at": 0, "attempt": 3, "urgency": 1})
		w.order(2, cols{"wake_at": 8})
		w.order(3, cols{"wake_at": 0})
		w.order(4, cols{"wake_at": 6, "store_hash": "xyz"})
		w.order(5, cols{"wake_at": 6, "due_at": 99, "attempt": 2, "urgency": 0}) // being evaluated: what it looked at did not know the time
		woken := func() (int64, error) {
			return w.q.DueWokenOrders(w.Context(), DueWokenOrdersParams{StoreHash: "abc", Now: 7})
		}
		w.affects(2, woken, "orders abc/1 wake_at: 7 -> 0", "orders abc/1 due_at: 0 -> 7", "orders abc/1 attempt: 3 -> 0", "orders abc/1 urgency: 1 -> 0",
			"orders abc/5 wake_at: 6 -> 0", "orders abc/5 due_at: 99 -> 7", "orders abc/5 attempt: 2 -> 0")
		w.affects(0, woken)
		for i := range 501 {
			w.order(1000+i, cols{"wake_at": 7})
		}
		n, err := woken()
		equal(w, n, err, 500)
	},
	"LeaseOrders": func(w *world) {
		third := w.order(3, cols{"due_at": 5, "attempt": 0, "lease": 4, "urgency": 1})
		w.order(4, cols{"due_at": 6, "urgency": 1})
		first := w.order(9, cols{"due_at": 4, "attempt": 2, "lease": 7, "urgency": 1})
		w.order(5, cols{"due_at": 8, "urgency": 1})
		w.order(6, cols{"due_at": 0, "urgency": 1})
		w.order(7, cols{"due_at": 4, "urgency": 1, "store_hash": "xyz"})
		w.order(8, cols{"due_at": 1, "urgency": 0})
		w.changes(func() error {
			got, err := w.q.LeaseOrders(w.Context(), LeaseOrdersParams{StoreHash: "abc", Urgency: 1, Now: 7, LeaseUntil: 99, Count: 2})
			are(w, got, err, cols{"store_hash": "abc", "order_id": third["order_id"], "attempt": 1, "lease": 5},
				cols{"store_hash": "abc", "order_id": first["order_id"], "attempt": 3, "lease": 8})
			return nil
		}, "orders abc/3 due_at: 5 -> 99", "orders abc/3 attempt: 0 -> 1", "orders abc/3 lease: 4 -> 5",
			"orders abc/9 due_at: 4 -> 99", "orders abc/9 attempt: 2 -> 3", "orders abc/9 lease: 7 -> 8")
	},
	"ShopsWithDueOrders": func(w *world) {
		w.order(1, cols{"due_at": 8})
		w.order(2, cols{"due_at": 0})
		w.order(1, cols{"due_at": 7, "store_hash": "xyz"})
		w.order(2, cols{"due_at": 6, "store_hash": "xyz"})
		got, err := w.q.ShopsWithDueOrders(w.Context(), 7)
		equal(w, got, err, []string{"xyz"})
	},
	"ResumeOrders": func(w *world) {
		w.order(1, cols{"due_at": 8})
		w.order(2, cols{"due_at": 6})
		w.order(3, cols{"due_at": 0})
		w.affects(1, func() (int64, error) { return w.q.ResumeOrders(w.Context(), 7) }, "orders abc/1 due_at: 8 -> 7")
	},
	"FinishOrder": func(w *world) {
		w.exec("PRAGMA ignore_check_constraints = ON") // every bit has a value of its own here
		settled := FinishOrderParams{StoreHash: "abc", OrderID: 118, Lease: 5, StatusID: 11, CustomerID: 12, CartID: "c", Mailbox: []byte("m"), Buyer: []byte("b"),
			ValueMinor: 13, Currency: "EUR", Source: "www", Digital: 14, PlacedAt: 15, ModifiedAt: 16, Hold: "releasing", FormerStatus: 17, HoldStatus: 18, HeldAt: 19,
			Holds: 20, Reheld: 21, Touched: 22, AlarmedAt: 23, CancelAt: 24, CalledAt: 25, Kept: 26, WakeAt: 27,
			DecisionID: "d", FactsDigest: []byte("f"), Link: []byte("l"), PersonSays: "refuse",
			Answer: "verify", Channel: 28, ShopMinor: 29, ShopCurrency: "USD"}
		finish := func(lease int64) func() (int64, error) {
			return func() (int64, error) {
				p := settled
				p.Lease = lease
				return w.q.FinishOrder(w.Context(), p)
			}
		}
		zero := cols{"trouble": "t", "due_at": 99, "attempt": 1, "lease": 5, "seen_at": 3, "erased_at": 0, "urgency": 1}
		written := []string{"orders abc/118 trouble: t -> ", "orders abc/118 due_at: 99 -> 0", "orders abc/118 lease: 5 -> 6", "orders abc/118 urgency: 1 -> 0"}
		for name, now := range map[string]any{"status_id": 11, "customer_id": 12, "value_minor": 13, "digital": 14, "placed_at": 15, "modified_at": 16, "former_status": 17,
			"hold_status": 18, "held_at": 19, "holds": 20, "reheld": 21, "touched": 22, "alarmed_at": 23, "cancel_at": 24, "called_at": 25, "kept": 26, "wake_at": 27, "channel": 28, "shop_minor": 29} {
			zero[name] = 1
			written = append(written, fmt.Sprintf("orders abc/118 %s: 1 -> %d", name, now))
		}
		for name, now := range map[string]string{"cart_id": "c", "currency": "EUR", "source": "www", "hold": "releasing", "decision_id": "d", "person_says": "refuse",
			"answer": "verify", "shop_currency": "USD"} {
			zero[name] = "old"
			written = append(written, fmt.Sprintf("orders abc/118 %s: old -> %s", name, now))
		}
		for name, now := range map[string]string{"mailbox": "m", "buyer": "b", "facts_digest": "f", "link": "l"} {
			zero[name] = []byte("old")
			written = append(written, fmt.Sprintf("orders abc/118 %s: old -> %s", name, now))
		}
		w.order(118, zero)
		w.order(119, zero)
		zero["store_hash"] = "xyz"
		w.order(118, zero)
		w.affects(0, finish(4))
		w.affects(1, finish(5), written...)
		w.affects(0, finish(5))
		w.exec("UPDATE orders SET due_at = 8, attempt = 0, lease = 5, urgency = 1 WHERE store_hash = 'abc' AND order_id = 118") // due again under the lease
		w.affects(1, finish(5), "orders abc/118 lease: 5 -> 6")
	},
	"PostponeOrder": func(w *world) {
		w.order(118, cols{"due_at": 99, "attempt": 2, "lease": 5, "trouble": ""})
		w.order(119, cols{"lease": 5})
		w.order(118, cols{"lease": 5, "store_hash": "xyz"})
		postpone := func() (int64, error) {
			return w.q.PostponeOrder(w.Context(), PostponeOrderParams{StoreHash: "abc", OrderID: 118, Lease: 5, DueAt: 8, Trouble: "down"})
		}
		w.affects(1, postpone, "orders abc/118 due_at: 99 -> 8", "orders abc/118 trouble:  -> down", "orders abc/118 lease: 5 -> 6")
		w.affects(0, postpone)
		w.exec("UPDATE orders SET due_at = 3, attempt = 0, lease = 5 WHERE store_hash = 'abc' AND order_id = 118")
		w.affects(1, postpone, "orders abc/118 lease: 5 -> 6")
	},
	"ForgetOrder": func(w *world) {
		w.order(118, cols{"due_at": 99, "attempt": 2, "lease": 5, "trouble": "", "urgency": 1})
		w.order(119, cols{"lease": 5})
		w.order(118, cols{"lease": 5, "store_hash": "xyz"})
		forget := func() (int64, error) {
			return w.q.ForgetOrder(w.Context(), ForgetOrderParams{StoreHash: "abc", OrderID: 118, Lease: 5, Trouble: "gone"})
		}
		w.affects(1, forget, "orders abc/118 due_at: 99 -> 0", "orders abc/118 trouble:  -> gone", "orders abc/118 lease: 5 -> 6",
			"orders abc/118 urgency: 1 -> 0")
		w.affects(0, forget)
		w.exec("UPDATE orders SET due_at = 3, attempt = 0, lease = 5, urgency = 1 WHERE store_hash = 'abc' AND order_id = 118")
		w.affects(1, forget, "orders abc/118 lease: 5 -> 6")
	},
	"SetOrderHold": func(w *world) {
		w.order(118, cols{"hold": "holding", "status_id": 1, "held_at": 0, "due_at": 99, "attempt": 3, "lease": 5})
		w.order(119, cols{"hold": "holding"})
		w.order(118, cols{"hold": "holding", "store_hash": "xyz"})
		set := func() (int64, error) {
			return w.q.SetOrderHold(w.Context(), SetOrderHoldParams{StoreHash: "abc", OrderID: 118, Was: "holding", Hold: "held", StatusID: 12, HeldAt: 7, Now: 8})
		}
		w.affects(1, set, "orders abc/118 hold: holding -> held", "orders abc/118 status_id: 1 -> 12", "orders abc/118 held_at: 0 -> 7",
			"orders abc/118 due_at: 99 -> 8", "orders abc/118 attempt: 3 -> 0", "orders abc/118 lease: 5 -> 6")
		w.affects(0, set)
		w.exec("UPDATE orders SET hold = 'holding', due_at = 0, held_at = 2 WHERE store_hash = 'abc' AND order_id = 118") // not waiting: it stays so; held before
		w.affects(1, set, "orders abc/118 hold: holding -> held", "orders abc/118 lease: 6 -> 7")
	},
	"PersonSays": func(w *world) {
		w.order(118, cols{"hold": "held", "person_says": "", "decision_id": "", "due_at": 99, "attempt": 3, "lease": 5})
		w.order(119, cols{"hold": "held"})
		w.order(118, cols{"hold": "held", "store_hash": "xyz"})
		say := func() (int64, error) {
			return w.q.PersonSays(w.Context(), PersonSaysParams{StoreHash: "abc", OrderID: 118, Was: "held", Says: "release", Hold: "releasing", DecisionID: "d", Answer: "allow", Now: 8})
		}
		w.affects(1, say, "orders abc/118 person_says:  -> release", "orders abc/118 hold: held -> releasing", "orders abc/118 decision_id:  -> d",
			"orders abc/118 answer: hold -> allow", "orders abc/118 due_at: 99 -> 8", "orders abc/118 attempt: 3 -> 0", "orders abc/118 lease: 5 -> 6")
		w.affects(0, say)
		w.exec("UPDATE orders SET hold = 'held', due_at = 0 WHERE store_hash = 'abc' AND order_id = 118") // not waiting: it stays so
		w.affects(1, say, "orders abc/118 hold: held -> releasing", "orders abc/118 lease: 6 -> 7")
	},
	"Order": func(w *world) {
		row := w.order(118, nil)
		w.order(119, nil)
		w.order(118, cols{"store_hash": "xyz"})
		got, err := w.q.Order(w.Context(), OrderParams{StoreHash: "abc", OrderID: 118})
		one(w, got, err, row)
		got, err = w.q.Order(w.Context(), OrderParams{StoreHash: "xyz", OrderID: 119})
		none(w, got, err)
	},
	"TouchOrder": func(w *world) {
		touch := func(id int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.TouchOrder(w.Context(), TouchOrderParams{StoreHash: "abc", OrderID: id, OldStatus: 12, NewStatus: 11, EventAt: 7})
			}
		}
		onHold := func(id int, given cols) {
			all := cols{"hold": "held", "hold_status": 12, "held_at": 6, "touched": 0, "lease": 5, "attempt": 1, "due_at": 99}
			for k, v := range given {
				all[k] = v
			}
			w.order(id, all)
		}
		onHold(1, nil)
		w.affects(1, touch(1), "orders abc/1 touched: 0 -> 1", "orders abc/1 lease: 5 -> 6", "orders abc/1 attempt: 1 -> 0")
		onHold(2, cols{"hold": "refused"})
		w.affects(1, touch(2), "orders abc/2 touched: 0 -> 1", "orders abc/2 lease: 5 -> 6", "orders abc/2 attempt: 1 -> 0")
		onHold(3, cols{"hold_status": 7})    // it was moved off another status than our hold's
		onHold(4, cols{"held_at": 7})        // the webhook of our own write, or an older one
		onHold(5, cols{"store_hash": "xyz"}) // another Shop's
		for i, hold := range holds {
			if hold != "held" && hold != "refused" {
				onHold(10+i, cols{"hold": hold})
			}
		}
		for id := int64(3); id < 30; id++ {
			w.affects(0, touch(id))
		}
		w.affects(0, func() (int64, error) { // moved to where our hold had put it
			return w.q.TouchOrder(w.Context(), TouchOrderParams{StoreHash: "abc", OrderID: 1, OldStatus: 12, NewStatus: 12, EventAt: 8})
		})
	},
	"KeepOrder": func(w *world) {
		keep := func(id int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.KeepOrder(w.Context(), KeepOrderParams{StoreHash: "abc", OrderID: id, Kept: 1, Now: 7})
			}
		}
		waiting := cols{"hold": "held", "kept": 0, "cancel_at": 50, "called_at": 40, "due_at": 0, "attempt": 3, "lease": 5}
		w.order(1, waiting)
		waiting["store_hash"] = "xyz"
		w.order(1, waiting)
		w.affects(1, keep(1), "orders abc/1 kept: 0 -> 1", "orders abc/1 cancel_at: 50 -> 0", "orders abc/1 called_at: 40 -> 0", "orders abc/1 due_at: 0 -> 7",
			"orders abc/1 attempt: 3 -> 0", "orders abc/1 lease: 5 -> 6")
		w.order(2, cols{"hold": "cancelling", "kept": 0, "cancel_at": 50, "called_at": 40, "due_at": 99, "attempt": 3, "lease": 5, "urgency": 1})
		w.affects(1, keep(2), "orders abc/2 hold: cancelling -> held", "orders abc/2 urgency: 1 -> 0", "orders abc/2 kept: 0 -> 1", "orders abc/2 cancel_at: 50 -> 0", "orders abc/2 called_at: 40 -> 0",
			"orders abc/2 attempt: 3 -> 0", "orders abc/2 lease: 5 -> 6")
		for i, hold := range holds {
			if hold != "held" && hold != "cancelling" {
				w.order(10+i, cols{"hold": hold})
			}
		}
		for id := int64(3); id < 30; id++ {
			w.affects(0, keep(id))
		}
	},
}

// holds are the states that an order's hold may be in.
var holds = []string{"none", "holding", "held", "releasing", "released", "refused", "moved", "leaked", "cancelling", "cancelled"}

// dueAgain is how orders of Shop abc change that were decided again for the third time, and become due at 8 as news.
func dueAgain(ids ...int) (out []string) {
	for _, id := range ids {
		out = append(out, fmt.Sprintf("orders abc/%d due_at: 0 -> 8", id), fmt.Sprintf("orders abc/%d attempt: 3 -> 0", id), fmt.Sprintf("orders abc/%d urgency: 1 -> 0", id))
	}
	return out
}
