package queries

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
		w.changes(due(118), "+ orders abc/118: attempt=0 buyer= cart_id= currency= customer_id=0 decision_id= due_at=8 facts_digest= former_status=-1 held_at=0 "+
			"hold=none hold_status=-1 lease=0 link= mailbox= modified_at=0 order_id=118 person_says= placed_at=0 seen_at=7 source= status_id=-1 store_hash=abc trouble= value_minor=0")
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
	},
	"DueOrderIfChanged": func(w *world) {
		due := func(id, status, modified int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.DueOrderIfChanged(w.Context(), DueOrderIfChangedParams{StoreHash: "abc", OrderID: id, StatusID: status, ModifiedAt: modified, Now: 7, DueAt: 8})
			}
		}
		w.affects(1, due(118, 11, 6), "+ orders abc/118: attempt=0 buyer= cart_id= currency= customer_id=0 decision_id= due_at=8 facts_digest= former_status=-1 held_at=0 "+
			"hold=none hold_status=-1 lease=0 link= mailbox= modified_at=6 order_id=118 person_says= placed_at=0 seen_at=7 source= status_id=11 store_hash=abc trouble= value_minor=0")
		w.order(1, cols{"status_id": 11, "modified_at": 6, "due_at": 0, "attempt": 3})
		w.affects(0, due(1, 11, 6))
		w.affects(1, due(1, 11, 5), "orders abc/1 due_at: 0 -> 8", "orders abc/1 attempt: 3 -> 0")
		w.order(2, cols{"status_id": 11, "modified_at": 6, "due_at": 0, "attempt": 3})
		w.affects(1, due(2, 9, 6), "orders abc/2 due_at: 0 -> 8", "orders abc/2 attempt: 3 -> 0")
		w.order(3, cols{"status_id": 11, "modified_at": 6, "due_at": 99, "attempt": 3}) // being evaluated, perhaps on an older state
		w.affects(1, due(3, 11, 5), "orders abc/3 due_at: 99 -> 8", "orders abc/3 attempt: 3 -> 0")
		w.order(4, cols{"status_id": 11, "modified_at": 6, "due_at": 5, "attempt": 0})
		w.affects(0, due(4, 9, 5))
	},
	"DueOrdersOfCart": func(w *world) {
		w.order(1, cols{"cart_id": "c1", "due_at": 0, "attempt": 3})
		w.order(2, cols{"cart_id": "c2"})
		w.order(3, cols{"cart_id": "c1", "store_hash": "xyz"})
		w.changes(func() error {
			return w.q.DueOrdersOfCart(w.Context(), DueOrdersOfCartParams{StoreHash: "abc", CartID: "c1", DueAt: 8})
		}, "orders abc/1 due_at: 0 -> 8", "orders abc/1 attempt: 3 -> 0")
		w.exec("UPDATE orders SET cart_id = ''")
		w.changes(func() error {
			return w.q.DueOrdersOfCart(w.Context(), DueOrdersOfCartParams{StoreHash: "abc", CartID: "", DueAt: 9})
		})
	},
	"DueOrdersOfCustomer": func(w *world) {
		for i, hold := range []string{"none", "holding", "held", "releasing", "released", "refused", "moved", "leaked"} {
			w.order(1+i, cols{"customer_id": 5, "hold": hold, "due_at": 0, "attempt": 3})
		}
		w.order(20, cols{"customer_id": 6})
		w.order(21, cols{"customer_id": 5, "store_hash": "xyz"})
		w.changes(func() error {
			return w.q.DueOrdersOfCustomer(w.Context(), DueOrdersOfCustomerParams{StoreHash: "abc", CustomerID: 5, DueAt: 8})
		}, "orders abc/2 due_at: 0 -> 8", "orders abc/2 attempt: 3 -> 0", "orders abc/3 due_at: 0 -> 8", "orders abc/3 attempt: 3 -> 0",
			"orders abc/8 due_at: 0 -> 8", "orders abc/8 attempt: 3 -> 0")
		w.exec("UPDATE orders SET customer_id = 0")
		w.changes(func() error {
			return w.q.DueOrdersOfCustomer(w.Context(), DueOrdersOfCustomerParams{StoreHash: "abc", CustomerID: 0, DueAt: 9})
		})
	},
	"DueOrdersOnHold": func(w *world) {
		for i, hold := range []string{"none", "holding", "held", "releasing", "released", "refused", "moved", "leaked"} {
			w.order(1+i, cols{"hold": hold, "due_at": 0, "attempt": 3})
		}
		w.order(20, cols{"hold": "held", "store_hash": "xyz"})
		w.changes(func() error {
			return w.q.DueOrdersOnHold(w.Context(), DueOrdersOnHoldParams{StoreHash: "abc", DueAt: 8})
		}, "orders abc/2 due_at: 0 -> 8", "orders abc/2 attempt: 3 -> 0", "orders abc/3 due_at: 0 -> 8", "orders abc/3 attempt: 3 -> 0")
	},
	"LeaseOrders": func(w *world) {
		third := w.order(3, cols{"due_at": 5, "attempt": 0, "lease": 4})
		w.order(4, cols{"due_at": 6})
		first := w.order(9, cols{"due_at": 4, "attempt": 2, "lease": 7})
		w.order(5, cols{"due_at": 8})
		w.order(6, cols{"due_at": 0})
		w.order(7, cols{"due_at": 4, "store_hash": "xyz"})
		w.changes(func() error {
			got, err := w.q.LeaseOrders(w.Context(), LeaseOrdersParams{StoreHash: "abc", Now: 7, LeaseUntil: 99, Count: 2})
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
		settled := FinishOrderParams{StoreHash: "abc", OrderID: 118, Lease: 5, StatusID: 11, CustomerID: 12, CartID: "c", Mailbox: []byte("m"), Buyer: []byte("b"),
			ValueMinor: 13, Currency: "EUR", Source: "www", PlacedAt: 14, ModifiedAt: 15, Hold: "releasing", FormerStatus: 16, HoldStatus: 17, HeldAt: 18,
			DecisionID: "d", FactsDigest: []byte("f"), Link: []byte("l"), PersonSays: "refuse"}
		finish := func(lease int64) func() (int64, error) {
			return func() (int64, error) {
				p := settled
				p.Lease = lease
				return w.q.FinishOrder(w.Context(), p)
			}
		}
		zero := cols{"status_id": 1, "customer_id": 2, "cart_id": "", "mailbox": []byte{}, "buyer": []byte{}, "value_minor": 3, "currency": "", "source": "", "placed_at": 4,
			"modified_at": 5, "hold": "holding", "former_status": 6, "hold_status": 7, "held_at": 8, "decision_id": "", "facts_digest": []byte{}, "link": []byte{},
			"person_says": "", "trouble": "t", "due_at": 99, "attempt": 1, "lease": 5}
		w.order(118, zero)
		w.order(119, zero)
		zero["store_hash"] = "xyz"
		w.order(118, zero)
		w.affects(0, finish(4))
		written := []string{
			"orders abc/118 status_id: 1 -> 11", "orders abc/118 customer_id: 2 -> 12", "orders abc/118 cart_id:  -> c", "orders abc/118 mailbox:  -> m",
			"orders abc/118 buyer:  -> b", "orders abc/118 value_minor: 3 -> 13", "orders abc/118 currency:  -> EUR", "orders abc/118 source:  -> www",
			"orders abc/118 placed_at: 4 -> 14", "orders abc/118 modified_at: 5 -> 15", "orders abc/118 hold: holding -> releasing",
			"orders abc/118 former_status: 6 -> 16", "orders abc/118 hold_status: 7 -> 17", "orders abc/118 held_at: 8 -> 18", "orders abc/118 decision_id:  -> d",
			"orders abc/118 facts_digest:  -> f", "orders abc/118 link:  -> l", "orders abc/118 person_says:  -> refuse", "orders abc/118 trouble: t -> ",
			"orders abc/118 due_at: 99 -> 0", "orders abc/118 lease: 5 -> 6",
		}
		w.affects(1, finish(5), written...)
		w.affects(0, finish(5))
		w.exec("UPDATE orders SET due_at = 8, attempt = 0, lease = 5 WHERE store_hash = 'abc' AND order_id = 118") // due again under the lease
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
		w.order(118, cols{"due_at": 99, "attempt": 2, "lease": 5, "trouble": ""})
		w.order(119, cols{"lease": 5})
		w.order(118, cols{"lease": 5, "store_hash": "xyz"})
		forget := func() (int64, error) {
			return w.q.ForgetOrder(w.Context(), ForgetOrderParams{StoreHash: "abc", OrderID: 118, Lease: 5, Trouble: "gone"})
		}
		w.affects(1, forget, "orders abc/118 due_at: 99 -> 0", "orders abc/118 trouble:  -> gone", "orders abc/118 lease: 5 -> 6")
		w.affects(0, forget)
		w.exec("UPDATE orders SET due_at = 3, attempt = 0, lease = 5 WHERE store_hash = 'abc' AND order_id = 118")
		w.affects(1, forget, "orders abc/118 lease: 5 -> 6")
	},
	"SetOrderHold": func(w *world) {
		w.order(118, cols{"hold": "holding", "status_id": 1, "held_at": 2, "due_at": 99, "attempt": 3, "lease": 5})
		w.order(119, cols{"hold": "holding"})
		w.order(118, cols{"hold": "holding", "store_hash": "xyz"})
		set := func() (int64, error) {
			return w.q.SetOrderHold(w.Context(), SetOrderHoldParams{StoreHash: "abc", OrderID: 118, Was: "holding", Hold: "held", StatusID: 12, HeldAt: 7, Now: 8})
		}
		w.affects(1, set, "orders abc/118 hold: holding -> held", "orders abc/118 status_id: 1 -> 12", "orders abc/118 held_at: 2 -> 7",
			"orders abc/118 due_at: 99 -> 8", "orders abc/118 attempt: 3 -> 0", "orders abc/118 lease: 5 -> 6")
		w.affects(0, set)
		w.exec("UPDATE orders SET hold = 'holding', due_at = 0 WHERE store_hash = 'abc' AND order_id = 118") // not waiting: it stays so
		w.affects(1, set, "orders abc/118 hold: holding -> held", "orders abc/118 lease: 6 -> 7")
	},
	"PersonSays": func(w *world) {
		w.order(118, cols{"hold": "held", "person_says": "", "decision_id": "", "due_at": 99, "attempt": 3, "lease": 5})
		w.order(119, cols{"hold": "held"})
		w.order(118, cols{"hold": "held", "store_hash": "xyz"})
		say := func() (int64, error) {
			return w.q.PersonSays(w.Context(), PersonSaysParams{StoreHash: "abc", OrderID: 118, Was: "held", Says: "release", Hold: "releasing", DecisionID: "d", Now: 8})
		}
		w.affects(1, say, "orders abc/118 person_says:  -> release", "orders abc/118 hold: held -> releasing", "orders abc/118 decision_id:  -> d",
			"orders abc/118 due_at: 99 -> 8", "orders abc/118 attempt: 3 -> 0", "orders abc/118 lease: 5 -> 6")
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
}
