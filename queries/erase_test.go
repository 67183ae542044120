package queries

import "fmt"

// mine adds rows of customer 5 with mailbox m to a table whose rows have ids: one that names the customer, one of a guest in the cart that
// became an order of theirs, one of a guest for that order, and those that are nobody's business here.
func (w *world) mine(add func(id string, given cols)) {
	w.order(118, cols{"customer_id": 5, "cart_id": "c1"})
	w.order(119, cols{"customer_id": 6, "cart_id": "c2"})
	w.order(120, cols{"customer_id": 0, "cart_id": "c3"})
	w.order(121, cols{"customer_id": 5, "cart_id": "c4", "store_hash": "xyz"})
	add("names", cols{"customer_id": 5, "cart_id": "", "order_id": 0})
	add("cart", cols{"customer_id": 0, "cart_id": "c1", "order_id": 0})
	add("order", cols{"customer_id": 0, "cart_id": "", "order_id": 118})
	add("other in the cart", cols{"customer_id": 6, "cart_id": "c1", "order_id": 0})
	add("other for the order", cols{"customer_id": 6, "cart_id": "", "order_id": 118})
	add("other's cart", cols{"customer_id": 0, "cart_id": "c2", "order_id": 0})
	add("other's order", cols{"customer_id": 0, "cart_id": "", "order_id": 119})
	add("guest", cols{"customer_id": 0, "cart_id": "c3", "order_id": 0})
	add("guest's order", cols{"customer_id": 0, "cart_id": "", "order_id": 120})
	add("other shop's", cols{"customer_id": 5, "cart_id": "c1", "order_id": 0, "store_hash": "xyz"})
	add("other shop's order", cols{"customer_id": 0, "cart_id": "", "order_id": 121, "store_hash": "xyz"})
	add("other shop's cart", cols{"customer_id": 0, "cart_id": "c4", "order_id": 0, "store_hash": "xyz"})
}

// underMailbox adds rows under mailbox m: a guest's cart, a guest's order, a customer's, one of another mailbox and another Shop's.
func (w *world) underMailbox(add func(id string, given cols)) {
	add("guest", cols{"mailbox": []byte("m"), "customer_id": 0, "order_id": 0})
	add("guest's order", cols{"mailbox": []byte("m"), "customer_id": 0, "order_id": 118, "cart_id": ""})
	add("customer's", cols{"mailbox": []byte("m"), "customer_id": 6, "order_id": 0})
	add("another", cols{"mailbox": []byte("n"), "customer_id": 0, "order_id": 0})
	add("none", cols{"mailbox": []byte{}, "customer_id": 0, "order_id": 0})
	add("other shop's", cols{"mailbox": []byte("m"), "customer_id": 0, "order_id": 0, "store_hash": "xyz"})
}

// session is a row of sessions that is under way, or final when poll is 0.
func (w *world) session(id string, poll int, given cols) {
	w.Helper()
	all := cols{"id": id, "state": "processing", "poll_at": poll, "leased_until": poll, "mailbox": []byte("m"), "capture_url": []byte("u"), "trouble": "t", "reason": "",
		"changed_at": 3, "over_at": 0}
	if poll == 0 {
		all["state"], all["over_at"], all["reason"] = "passed", 9, "r"
	}
	for k, v := range given {
		all[k] = v
	}
	w.add("sessions", all)
}

// told holds what is told of erased Sessions to how many of them were under way, and counts them.
func told(w *world, want int64) func([]int64, error) (int64, error) {
	return func(ended []int64, err error) (int64, error) {
		n := int64(0)
		for _, is := range ended {
			n += is
		}
		if n != want {
			w.Errorf("%d ended, want %d", n, want)
		}
		return int64(len(ended)), err
	}
}

func (w *world) capability(id string, given cols) {
	w.Helper()
	all := cols{"id": fmt.Appendf(nil, "%-16.16s", id), "purpose": "cart"}
	for k, v := range given {
		all[k] = v
	}
	if o, ok := all["order_id"]; ok && o != 0 {
		all["purpose"], all["cart_id"] = "mail", ""
	} else if all["cart_id"] == "" {
		all["purpose"] = "confirm"
	}
	w.add("capabilities", all)
}

// ended is how a Session under way changes that ends because its person is erased at 7.
func ended(id string) []string {
	s := "sessions " + id + " "
	return []string{s + "mailbox: m -> ", s + "capture_url: u -> ", s + "trouble: t -> ", s + "leased_until: 50 -> 0", s + "poll_at: 50 -> 0", s + "changed_at: 3 -> 7",
		s + "over_at: 0 -> 7", s + "state: processing -> abandoned", s + "reason:  -> erased"}
}

var eraseCases = cases{
	"EraseCustomerProofs": func(w *world) {
		w.mine(func(id string, given cols) { w.proof(id, given) })
		w.affects(3, func() (int64, error) {
			return w.q.EraseCustomerProofs(w.Context(), EraseCustomerProofsParams{StoreHash: "abc", CustomerID: 5})
		}, "- proofs names", "- proofs cart", "- proofs order")
		w.exec("UPDATE orders SET customer_id = 0")
		w.affects(0, func() (int64, error) {
			return w.q.EraseCustomerProofs(w.Context(), EraseCustomerProofsParams{StoreHash: "abc"})
		})
	},
	"EraseMailboxProofs": func(w *world) {
		w.underMailbox(func(id string, given cols) { w.proof(id, given) })
		erase := func(m string) func() (int64, error) {
			return func() (int64, error) {
				return w.q.EraseMailboxProofs(w.Context(), EraseMailboxProofsParams{StoreHash: "abc", Mailbox: []byte(m)})
			}
		}
		w.affects(2, erase("m"), "- proofs guest", "- proofs guest's order")
		w.affects(0, erase(""))
	},
	"EraseCustomerSessions": func(w *world) {
		w.mine(func(id string, given cols) { w.session(id, 50, given) })
		w.session("final", 0, cols{"customer_id": 5})
		want := append(append(append(ended("names"), ended("cart")...), ended("order")...), "sessions names customer_id: 5 -> 0", "sessions final customer_id: 5 -> 0",
			"sessions final mailbox: m -> ", "sessions final capture_url: u -> ", "sessions final trouble: t -> ", "sessions final over_at: 9 -> 3")
		w.affects(4, func() (int64, error) {
			return told(w, 3)(w.q.EraseCustomerSessions(w.Context(), EraseCustomerSessionsParams{StoreHash: "abc", CustomerID: 5, Now: 7}))
		}, want...)
		w.exec("UPDATE orders SET customer_id = 0")
		w.affects(0, func() (int64, error) {
			return told(w, 0)(w.q.EraseCustomerSessions(w.Context(), EraseCustomerSessionsParams{StoreHash: "abc", Now: 8}))
		})
	},
	"EraseMailboxSessions": func(w *world) {
		w.underMailbox(func(id string, given cols) { w.session(id, 50, given) })
		w.session("final", 0, cols{"customer_id": 0, "order_id": 0})
		erase := func(m string) func() (int64, error) {
			return func() (int64, error) {
				return told(w, int64(len(m)))(w.q.EraseMailboxSessions(w.Context(), EraseMailboxSessionsParams{StoreHash: "abc", Mailbox: []byte(m), Now: 7}))
			}
		}
		w.affects(2, erase("m"), append(ended("guest"), "sessions final mailbox: m -> ", "sessions final capture_url: u -> ", "sessions final trouble: t -> ",
			"sessions final over_at: 9 -> 3")...)
		w.affects(0, erase(""))
	},
	"EraseCustomerCapabilities": func(w *world) {
		w.mine(w.capability)
		w.affects(3, func() (int64, error) { // every link to the order is the customer's, whoever it was mailed to
			return w.q.EraseCustomerCapabilities(w.Context(), EraseCustomerCapabilitiesParams{StoreHash: "abc", CustomerID: 5})
		}, "- capabilities names           ", "- capabilities order           ", "- capabilities other for the or")
		w.exec("UPDATE orders SET customer_id = 0")
		w.affects(0, func() (int64, error) {
			return w.q.EraseCustomerCapabilities(w.Context(), EraseCustomerCapabilitiesParams{StoreHash: "abc"})
		})
	},
	"EraseMailboxCapabilities": func(w *world) {
		w.underMailbox(w.capability)
		erase := func(m string) func() (int64, error) {
			return func() (int64, error) {
				return w.q.EraseMailboxCapabilities(w.Context(), EraseMailboxCapabilitiesParams{StoreHash: "abc", Mailbox: []byte(m)})
			}
		}
		w.affects(1, erase("m"), "- capabilities guest           ")
		w.affects(0, erase(""))
	},
	"EraseCustomerDecisions": func(w *world) {
		w.add("decisions", cols{"id": "d1", "customer_id": 5})
		w.add("decisions", cols{"id": "d2", "customer_id": 6})
		w.add("decisions", cols{"id": "d3", "customer_id": 5, "store_hash": "xyz"})
		w.affects(1, func() (int64, error) {
			return w.q.EraseCustomerDecisions(w.Context(), EraseCustomerDecisionsParams{StoreHash: "abc", CustomerID: 5})
		}, "decisions d1 customer_id: 5 -> 0")
		w.affects(0, func() (int64, error) {
			return w.q.EraseCustomerDecisions(w.Context(), EraseCustomerDecisionsParams{StoreHash: "abc"})
		})
	},
	"EraseCustomerOrders": func(w *world) {
		named := func(id int, given cols) {
			all := cols{"customer_id": 5, "mailbox": []byte("m"), "buyer": []byte("b"), "link": []byte("l"), "cart_id": "c", "lease": 4, "attempt": 2, "due_at": 99}
			for k, v := range given {
				all[k] = v
			}
			w.order(id, all)
		}
		named(1, nil)
		named(2, cols{"due_at": 0})
		named(3, cols{"customer_id": 6})
		named(4, cols{"store_hash": "xyz"})
		var want []string
		for _, o := range []string{"orders abc/1 ", "orders abc/2 "} {
			want = append(want, o+"customer_id: 5 -> 0", o+"mailbox: m -> ", o+"buyer: b -> ", o+"link: l -> ", o+"cart_id: c -> ", o+"erased_at: 0 -> 7", o+"lease: 4 -> 5",
				o+"attempt: 2 -> 0")
		}
		w.affects(2, func() (int64, error) {
			return w.q.EraseCustomerOrders(w.Context(), EraseCustomerOrdersParams{StoreHash: "abc", CustomerID: 5, Now: 7})
		}, append(want, "orders abc/1 due_at: 99 -> 7")...)
		w.exec("UPDATE orders SET customer_id = 0")
		w.affects(0, func() (int64, error) {
			return w.q.EraseCustomerOrders(w.Context(), EraseCustomerOrdersParams{StoreHash: "abc", Now: 8})
		})
	},
	"EraseCustomerNotices": func(w *world) {
		about := func(id int, given cols) {
			all := cols{"id": id, "subject": "5", "scope": "store/customer/updated", "due_at": 99, "handled_at": 0, "remark": ""}
			for k, v := range given {
				all[k] = v
			}
			w.add("notices", all)
		}
		about(1, nil)
		about(2, cols{"state": "stuck", "due_at": 0, "handled_at": 3, "remark": "r"})
		about(3, cols{"scope": "store/order/created"}) // order 5
		about(4, cols{"subject": "6"})
		about(5, cols{"store_hash": "xyz"})
		w.affects(2, func() (int64, error) {
			return w.q.EraseCustomerNotices(w.Context(), EraseCustomerNoticesParams{StoreHash: "abc", Subject: "5", Now: 7})
		}, "notices 1 subject: 5 -> ", "notices 1 state: pending -> done", "notices 1 due_at: 99 -> 0", "notices 1 handled_at: 0 -> 7", "notices 1 remark:  -> the customer was erased",
			"notices 2 subject: 5 -> ", "notices 2 state: stuck -> done", "notices 2 handled_at: 3 -> 7", "notices 2 remark: r -> the customer was erased")
	},
	"EraseCustomerWritebacks": func(w *world) {
		for i, kind := range []string{"customer_attributes", "customer_fields_v2", "proof_metafield", "hold", "release", "cancel", "note", "cancel_note", "decision_metafield", "mail"} {
			w.add("writebacks", cols{"id": 1 + i, "kind": kind, "subject": 5})
		}
		w.add("writebacks", cols{"kind": "customer_attributes", "subject": 6})
		w.add("writebacks", cols{"kind": "customer_attributes", "subject": 5, "store_hash": "xyz"})
		w.affects(3, func() (int64, error) {
			return w.q.EraseCustomerWritebacks(w.Context(), EraseCustomerWritebacksParams{StoreHash: "abc", CustomerID: 5})
		}, "- writebacks 1", "- writebacks 2", "- writebacks 3")
	},
	"CustomerMailboxes": func(w *world) {
		for i, hash := range []string{"abc", "xyz"} {
			for j, customer := range []int{5, 6} {
				n := func(s string) []byte { return fmt.Appendf(nil, "%s%d%d", s, i, j) }
				given := func(s string) cols {
					return cols{"store_hash": hash, "customer_id": customer, "mailbox": n(s)}
				}
				w.add("sessions", given("a"))
				c := given("b")
				c["id"] = fmt.Appendf(nil, "%-16s", n("b"))
				w.add("capabilities", c)
				w.proof(string(n("p")), given("c"))
				w.order(10*i+j, given("d"))
				w.add("sessions", given("d"))
				w.add("sessions", cols{"store_hash": hash, "customer_id": customer, "mailbox": []byte{}})
			}
		}
		w.add("sessions", cols{"customer_id": 0, "mailbox": []byte("guest's")})
		got, err := w.q.CustomerMailboxes(w.Context(), CustomerMailboxesParams{StoreHash: "abc", CustomerID: 5})
		equal(w, got, err, [][]byte{[]byte("a00"), []byte("b00"), []byte("c00"), []byte("d00")})
		got, err = w.q.CustomerMailboxes(w.Context(), CustomerMailboxesParams{StoreHash: "abc"})
		equal(w, len(got), err, 0)
	},
}
