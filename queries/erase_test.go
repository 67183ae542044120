package queries

import (
	"fmt"
	"testing"
)

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
	"SaveErasure": func(w *world) {
		save := func(erased string) error {
			return w.q.SaveErasure(w.Context(), SaveErasureParams{StoreHash: "abc", CustomerID: 5, Guest: []byte{}, Mailboxes: "[" + erased + "]", Erased: erased, Person: "p" + erased,
				Clear: 1, FieldsV2: 0, BeganAt: 7})
		}
		w.changes(func() error { return save("1") }, "+ erasures abc/5/: began_at=7 clear=1 customer_id=5 erased=1 fields_v2=0 guest= mailboxes=[1] person=p1 store_hash=abc")
		w.changes(func() error { return save("2") }, "erasures abc/5/ erased: 1 -> 2", "erasures abc/5/ mailboxes: [1] -> [2]", "erasures abc/5/ person: p1 -> p2")
		w.changes(func() error {
			return w.q.SaveErasure(w.Context(), SaveErasureParams{StoreHash: "abc", CustomerID: 0, Guest: []byte("g"), Mailboxes: "[]", Erased: "{}", Person: "p", Clear: 0, FieldsV2: 1, BeganAt: 7})
		}, "+ erasures abc/0/g: began_at=7 clear=0 customer_id=0 erased={} fields_v2=1 guest=g mailboxes=[] person=p store_hash=abc")
		w.changes(func() error {
			return w.q.SaveErasure(w.Context(), SaveErasureParams{StoreHash: "abc", CustomerID: 5, Guest: []byte{}, Mailboxes: "[2]", Erased: "2", Person: "p2", Clear: 0, FieldsV2: 1, BeganAt: 8})
		}, "erasures abc/5/ clear: 1 -> 0", "erasures abc/5/ fields_v2: 0 -> 1") // it began when it began
		w.exec("PRAGMA ignore_check_constraints = ON") // every column has a value of its own here
		w.changes(func() error {
			return w.q.SaveErasure(w.Context(), SaveErasureParams{StoreHash: "abc", CustomerID: 11, Guest: []byte("g"), Mailboxes: "m", Erased: "e", Person: "p", Clear: 12, FieldsV2: 13, BeganAt: 14})
		}, "+ erasures abc/11/g: began_at=14 clear=12 customer_id=11 erased=e fields_v2=13 guest=g mailboxes=m person=p store_hash=abc")
	},
	"Erasure": func(w *world) {
		customer := w.add("erasures", cols{"customer_id": 5})
		guest := w.add("erasures", cols{"customer_id": 0, "guest": []byte("g")})
		w.add("erasures", cols{"customer_id": 6})
		w.add("erasures", cols{"customer_id": 7, "store_hash": "xyz"})
		got, err := w.q.Erasure(w.Context(), ErasureParams{StoreHash: "abc", CustomerID: 5, Guest: []byte{}})
		one(w, got, err, customer)
		got, err = w.q.Erasure(w.Context(), ErasureParams{StoreHash: "abc", Guest: []byte("g")})
		one(w, got, err, guest)
		for _, p := range []ErasureParams{{StoreHash: "abc", CustomerID: 7, Guest: []byte{}}, {StoreHash: "abc", CustomerID: 5, Guest: []byte("g")}} {
			got, err = w.q.Erasure(w.Context(), p)
			none(w, got, err)
		}
	},
	"EndErasure": func(w *world) {
		for _, given := range []cols{{"customer_id": 5}, {"customer_id": 6}, {"customer_id": 0, "guest": []byte("g")}, {"customer_id": 5, "store_hash": "xyz"}} {
			w.add("erasures", given)
		}
		end := func(id int64, guest string) func() (int64, error) {
			return func() (int64, error) {
				return w.q.EndErasure(w.Context(), EndErasureParams{StoreHash: "abc", CustomerID: id, Guest: []byte(guest)})
			}
		}
		w.affects(1, end(5, ""), "- erasures abc/5/")
		w.affects(0, end(5, "g"))
		w.affects(1, end(0, "g"), "- erasures abc/0/g")
	},
	"ErasingShops": func(w *world) {
		got, err := w.q.ErasingShops(w.Context())
		equal(w, len(got), err, 0)
		for _, given := range []cols{{"customer_id": 5}, {"customer_id": 6}, {"customer_id": 5, "store_hash": "xyz"}} {
			w.add("erasures", given)
		}
		got, err = w.q.ErasingShops(w.Context())
		equal(w, got, err, []string{"abc", "xyz"})
	},
	"Erasures": func(w *world) {
		second := w.add("erasures", cols{"customer_id": 5, "began_at": 9})
		first := w.add("erasures", cols{"customer_id": 6, "began_at": 8})
		w.add("erasures", cols{"customer_id": 7, "began_at": 7, "store_hash": "xyz"})
		got, err := w.q.Erasures(w.Context(), "abc")
		are(w, got, err, first, second)
	},
	"DestroyErasures": func(w *world) {
		w.add("erasures", cols{"customer_id": 5})
		w.add("erasures", cols{"customer_id": 5, "store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.DestroyErasures(w.Context(), "abc") }, "- erasures abc/5/")
	},
}

// TestErasesSlices: each query that erases takes a slice, and the same ones after the other take all.
func TestErasesSlices(t *testing.T) {
	db := migrated(t)
	ids := func(kind string) func(i int) string { return func(i int) string { return fmt.Sprint(kind, " ", i) } }
	for name, tt := range map[string]struct {
		add   func(w *world, i int)
		erase func(w *world) (int64, error)
	}{
		"own proofs": {func(w *world, i int) { w.proof(ids("p")(i), cols{"customer_id": 5}) }, func(w *world) (int64, error) {
			return w.q.EraseCustomerProofs(w.Context(), EraseCustomerProofsParams{StoreHash: "abc", CustomerID: 5})
		}},
		"proofs under a mailbox": {func(w *world, i int) { w.proof(ids("p")(i), cols{"customer_id": 0, "mailbox": []byte("m")}) }, func(w *world) (int64, error) {
			return w.q.EraseMailboxProofs(w.Context(), EraseMailboxProofsParams{StoreHash: "abc", Mailbox: []byte("m")})
		}},
		"own sessions": {func(w *world, i int) { w.session(ids("s")(i), 0, cols{"customer_id": 5}) }, func(w *world) (int64, error) {
			return told(w, 0)(w.q.EraseCustomerSessions(w.Context(), EraseCustomerSessionsParams{StoreHash: "abc", CustomerID: 5, Now: 7}))
		}},
		"sessions in the cart of an order": {func(w *world, i int) {
			if i == 0 {
				w.order(118, cols{"customer_id": 5, "cart_id": "c1"})
			}
			w.session(ids("s")(i), 0, cols{"customer_id": 0, "cart_id": "c1"})
		}, func(w *world) (int64, error) {
			return told(w, 0)(w.q.EraseCustomerSessions(w.Context(), EraseCustomerSessionsParams{StoreHash: "abc", CustomerID: 5, Now: 7}))
		}},
		"sessions under a mailbox": {func(w *world, i int) { w.session(ids("s")(i), 0, cols{"customer_id": 0, "order_id": 0}) }, func(w *world) (int64, error) {
			return told(w, 0)(w.q.EraseMailboxSessions(w.Context(), EraseMailboxSessionsParams{StoreHash: "abc", Mailbox: []byte("m"), Now: 7}))
		}},
		"a guest's sessions": {func(w *world, i int) { w.session(ids("s")(i), 0, cols{"customer_id": 0, "order_id": 9}) }, func(w *world) (int64, error) {
			return told(w, 0)(w.q.EraseGuestSessions(w.Context(), EraseGuestSessionsParams{StoreHash: "abc", Mailbox: []byte("m"), Now: 7}))
		}},
		"own links": {func(w *world, i int) { w.capability(ids("c")(i), cols{"customer_id": 5}) }, func(w *world) (int64, error) {
			return w.q.EraseCustomerCapabilities(w.Context(), EraseCustomerCapabilitiesParams{StoreHash: "abc", CustomerID: 5})
		}},
		"links to an order": {func(w *world, i int) {
			if i == 0 {
				w.order(118, cols{"customer_id": 5})
			}
			w.capability(ids("c")(i), cols{"customer_id": 0, "order_id": 118})
		}, func(w *world) (int64, error) {
			return w.q.EraseCustomerCapabilities(w.Context(), EraseCustomerCapabilitiesParams{StoreHash: "abc", CustomerID: 5})
		}},
		"links to a guest's order": {func(w *world, i int) {
			if i == 0 {
				w.order(118, cols{"customer_id": 0, "mailbox": []byte("m")})
			}
			w.capability(ids("c")(i), cols{"customer_id": 0, "order_id": 118})
		}, func(w *world) (int64, error) {
			return w.q.EraseGuestCapabilities(w.Context(), EraseGuestCapabilitiesParams{StoreHash: "abc", Mailbox: []byte("m")})
		}},
		"links under a mailbox": {func(w *world, i int) {
			w.capability(ids("c")(i), cols{"customer_id": 0, "order_id": 0, "mailbox": []byte("m")})
		}, func(w *world) (int64, error) {
			return w.q.EraseMailboxCapabilities(w.Context(), EraseMailboxCapabilitiesParams{StoreHash: "abc", Mailbox: []byte("m")})
		}},
		"decisions": {func(w *world, i int) { w.add("decisions", cols{"id": ids("d")(i), "customer_id": 5}) }, func(w *world) (int64, error) {
			return w.q.EraseCustomerDecisions(w.Context(), EraseCustomerDecisionsParams{StoreHash: "abc", CustomerID: 5})
		}},
		"orders": {func(w *world, i int) { w.order(1+i, cols{"customer_id": 5}) }, func(w *world) (int64, error) {
			return w.q.EraseCustomerOrders(w.Context(), EraseCustomerOrdersParams{StoreHash: "abc", CustomerID: 5, Now: 7})
		}},
		"a guest's orders": {func(w *world, i int) { w.order(1+i, cols{"customer_id": 0, "mailbox": []byte("m")}) }, func(w *world) (int64, error) {
			return w.q.EraseGuestOrders(w.Context(), EraseGuestOrdersParams{StoreHash: "abc", Mailbox: []byte("m"), Now: 7})
		}},
		"notices": {func(w *world, i int) {
			w.add("notices", cols{"subject": "5", "scope": "store/customer/updated", "state": "done", "due_at": 0})
		}, func(w *world) (int64, error) {
			return w.q.EraseCustomerNotices(w.Context(), EraseCustomerNoticesParams{StoreHash: "abc", Subject: "5", Now: 7})
		}},
		"writebacks": {func(w *world, i int) { w.add("writebacks", cols{"kind": "customer_attributes", "subject": 5}) }, func(w *world) (int64, error) {
			return w.q.EraseCustomerWritebacks(w.Context(), EraseCustomerWritebacksParams{StoreHash: "abc", CustomerID: 5})
		}},
		"events": {func(w *world, i int) { w.add("events", cols{"customer_id": 5, "payload": "{}"}) }, func(w *world) (int64, error) {
			return w.q.EraseCustomerEvents(w.Context(), EraseCustomerEventsParams{StoreHash: "abc", CustomerID: 5})
		}},
		"mailboxes shown": {func(w *world, i int) {
			w.add("shown_mailboxes", cols{"mailbox": []byte("m"), "customer_id": 0, "order_id": 0, "cart_id": ids("c")(i)})
		}, func(w *world) (int64, error) {
			return w.q.EraseShownMailbox(w.Context(), EraseShownMailboxParams{StoreHash: "abc", Mailbox: []byte("m"), CustomerID: 5})
		}},
		"mails asked for": {func(w *world, i int) { w.add("asked_mails", cols{"mailbox": []byte("m"), "customer_id": 5}) }, func(w *world) (int64, error) {
			return w.q.EraseAskedMails(w.Context(), EraseAskedMailsParams{StoreHash: "abc", Mailbox: []byte("m"), CustomerID: 5})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldIn(t, db)
			w.slices(func() (int64, error) { return tt.erase(w) }, func(i int) { tt.add(w, i) })
		})
	}
}

// TestEraseFirstOrders: what was done for a customer's orders is looked for by the same orders that are erased next.
func TestEraseFirstOrders(t *testing.T) {
	w := newWorld(t)
	for i := range 103 {
		w.order(500-i, cols{"customer_id": 5, "placed_at": 1000 + i, "cart_id": fmt.Sprint("c", i)})
		w.proof(fmt.Sprint("p", i), cols{"customer_id": 0, "cart_id": fmt.Sprint("c", i), "order_id": 0})
	}
	proofs := func() (int64, error) {
		return w.q.EraseCustomerProofs(w.Context(), EraseCustomerProofsParams{StoreHash: "abc", CustomerID: 5})
	}
	orders := func() (int64, error) {
		return w.q.EraseCustomerOrders(w.Context(), EraseCustomerOrdersParams{StoreHash: "abc", CustomerID: 5, Now: 7})
	}
	for i, want := range []int64{100, 0, 100, 3, 3, 0, 0} {
		n, err := []func() (int64, error){proofs, proofs, orders, proofs, orders, proofs, orders}[i]()
		equal(w, n, err, want)
	}
}
