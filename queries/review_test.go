package queries

import "fmt"

func (w *world) waiting(kind, subject string, given cols) cols {
	w.Helper()
	all := cols{"kind": kind, "subject": subject, "order_id": 118, "cart_id": ""}
	for k, v := range given {
		all[k] = v
	}
	return w.add("reviews", all)
}

func (w *world) demanded(id int, given cols) cols {
	w.Helper()
	all := cols{"order_id": id}
	for k, v := range given {
		all[k] = v
	}
	return w.add("requests", all)
}

var reviewCases = cases{
	"AddReview": func(w *world) {
		add := func(since int64) func() error {
			return func() error {
				return w.q.AddReview(w.Context(), AddReviewParams{StoreHash: "abc", Kind: "late", Subject: "s", OrderID: 118, Since: since})
			}
		}
		w.changes(add(7), "+ reviews abc/late/s: cart_id= kind=late order_id=118 since=7 store_hash=abc subject=s")
		w.changes(add(8))
		w.exec("PRAGMA ignore_check_constraints = ON") // every column has a value of its own here
		w.changes(func() error {
			return w.q.AddReview(w.Context(), AddReviewParams{StoreHash: "abc", Kind: "moved", Subject: "s", OrderID: 118, CartID: "c", Since: 9})
		}, "+ reviews abc/moved/s: cart_id=c kind=moved order_id=118 since=9 store_hash=abc subject=s")
	},
	"AddReviewIfSpent": func(w *world) {
		w.order(118, cols{"hold": "held", "person_says": ""})
		w.order(119, cols{"hold": "held", "person_says": ""})
		w.order(118, cols{"hold": "held", "person_says": "", "store_hash": "xyz"})
		tried := func(id string, given cols) {
			all := cols{"order_id": 118, "started_at": 6}
			for k, v := range given {
				all[k] = v
			}
			w.session(id, 0, all)
		}
		add := func() (int64, error) {
			return w.q.AddReviewIfSpent(w.Context(), AddReviewIfSpentParams{StoreHash: "abc", OrderID: 118, Since: 5, Tries: 2, Now: 9})
		}
		tried("s1", nil)
		tried("old", cols{"started_at": 5})
		tried("other's", cols{"order_id": 119})
		tried("other shop's", cols{"store_hash": "xyz"})
		w.affects(0, add)
		tried("s2", nil)
		w.affects(1, add, "+ reviews abc/tries_spent/118: cart_id= kind=tries_spent order_id=118 since=9 store_hash=abc subject=118")
		w.affects(0, add)
		w.exec("DELETE FROM reviews")
		for _, hold := range holds {
			w.exec("UPDATE orders SET hold = ? WHERE store_hash = 'abc' AND order_id = 118", hold)
			n, err := add()
			want := int64(0)
			if hold == "holding" || hold == "held" || hold == "cancelling" {
				want = 1
			}
			equal(w, n, err, want)
			w.exec("DELETE FROM reviews")
		}
		w.exec("UPDATE orders SET hold = 'held', person_says = 'refuse' WHERE store_hash = 'abc' AND order_id = 118")
		w.affects(0, add)
	},
	"EndReview": func(w *world) {
		w.waiting("late", "s", nil)
		w.waiting("in_review", "s", nil)
		w.waiting("late", "t", nil)
		w.waiting("late", "s", cols{"store_hash": "xyz"})
		w.affects(1, func() (int64, error) {
			return w.q.EndReview(w.Context(), EndReviewParams{StoreHash: "abc", Kind: "late", Subject: "s"})
		}, "- reviews abc/late/s")
	},
	"EndReviewsOfOrder": func(w *world) {
		w.waiting("late", "s", nil)
		w.waiting("tries_spent", "118", nil)
		w.waiting("moved", "118", nil)
		w.waiting("moved", "119", cols{"order_id": 119})
		w.waiting("late", "c", cols{"order_id": 0, "cart_id": "c1"})
		w.waiting("late", "s", cols{"store_hash": "xyz"})
		w.affects(2, func() (int64, error) {
			return w.q.EndReviewsOfOrder(w.Context(), EndReviewsOfOrderParams{StoreHash: "abc", OrderID: 118, Keep: `["moved","leaked"]`})
		}, "- reviews abc/late/s", "- reviews abc/tries_spent/118")
		w.affects(1, func() (int64, error) {
			return w.q.EndReviewsOfOrder(w.Context(), EndReviewsOfOrderParams{StoreHash: "abc", OrderID: 118, Keep: `[]`})
		}, "- reviews abc/moved/118")
		w.affects(0, func() (int64, error) {
			return w.q.EndReviewsOfOrder(w.Context(), EndReviewsOfOrderParams{StoreHash: "abc", Keep: `[]`})
		})
	},
	"EndReviewsOfCart": func(w *world) {
		cart := cols{"order_id": 0, "cart_id": "c1"}
		w.waiting("late", "s", cart)
		w.waiting("in_review", "t", cart)
		w.waiting("late", "u", cols{"order_id": 0, "cart_id": "c2"})
		w.waiting("late", "v", nil)
		w.waiting("late", "s", cols{"order_id": 0, "cart_id": "c1", "store_hash": "xyz"})
		w.affects(1, func() (int64, error) {
			return w.q.EndReviewsOfCart(w.Context(), EndReviewsOfCartParams{StoreHash: "abc", CartID: "c1", Keep: `["in_review"]`})
		}, "- reviews abc/late/s")
		w.affects(0, func() (int64, error) {
			return w.q.EndReviewsOfCart(w.Context(), EndReviewsOfCartParams{StoreHash: "abc", Keep: `[]`})
		})
	},
	"EndLostReviews": func(w *world) {
		w.session("still", 50, cols{"state": "review"})
		w.session("lost", 0, cols{"state": "abandoned"})
		w.session("late", 0, cols{"state": "passed"})
		w.waiting("in_review", "still", nil)
		w.waiting("in_review", "lost", nil)
		w.waiting("late", "late", nil)
		w.waiting("in_review", "lost", cols{"store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.EndLostReviews(w.Context(), "abc") }, "- reviews abc/in_review/lost")
	},
	"Review": func(w *world) {
		row := w.waiting("late", "s", nil)
		w.waiting("late", "t", nil)
		w.waiting("moved", "s", nil)
		w.waiting("late", "s", cols{"store_hash": "xyz"})
		got, err := w.q.Review(w.Context(), ReviewParams{StoreHash: "abc", Kind: "late", Subject: "s"})
		one(w, got, err, row)
		got, err = w.q.Review(w.Context(), ReviewParams{StoreHash: "abc", Kind: "leaked", Subject: "s"})
		none(w, got, err)
	},
	"ReviewsPage": func(w *world) {
		w.waiting("late", "a", cols{"since": 4})
		w.waiting("late", "b", cols{"since": 5})
		second := w.waiting("moved", "b", cols{"since": 5})
		first := w.waiting("late", "c", cols{"since": 5})
		third := w.waiting("in_review", "a", cols{"since": 6})
		w.waiting("in_review", "z", cols{"since": 7})
		w.waiting("late", "c", cols{"since": 5, "store_hash": "xyz"})
		got, err := w.q.ReviewsPage(w.Context(), ReviewsPageParams{StoreHash: "abc", Since: 5, AfterKind: "late", After: "b", Count: 3})
		are(w, got, err, first, second, third)
		got, err = w.q.ReviewsPage(w.Context(), ReviewsPageParams{StoreHash: "abc", Since: 7, AfterKind: "in_review", After: "z", Count: 3})
		are(w, got, err)
	},
	"ReviewsPageByKind": func(w *world) {
		w.waiting("late", "a", cols{"since": 4})
		w.waiting("late", "b", cols{"since": 5})
		first := w.waiting("late", "c", cols{"since": 5})
		second := w.waiting("late", "0", cols{"since": 6})
		w.waiting("late", "1", cols{"since": 6})
		w.waiting("moved", "c", cols{"since": 5})
		w.waiting("late", "c", cols{"since": 5, "store_hash": "xyz"})
		got, err := w.q.ReviewsPageByKind(w.Context(), ReviewsPageByKindParams{StoreHash: "abc", Kind: "late", Since: 5, After: "b", Count: 2})
		are(w, got, err, first, second)
	},
	"CountReviews": func(w *world) {
		w.waiting("late", "other shop's", cols{"store_hash": "xyz"})
		for i := range 103 {
			n, err := w.q.CountReviews(w.Context(), "abc")
			equal(w, n, err, int64(min(i, 100)))
			w.waiting("late", fmt.Sprint(i), nil)
		}
	},
	"ForgetReviews": func(w *world) {
		w.waiting("late", "a", cols{"since": 6})
		w.waiting("late", "b", cols{"since": 7})
		w.waiting("late", "c", cols{"since": 6, "store_hash": "xyz"})
		forget := func() (int64, error) {
			return w.q.ForgetReviews(w.Context(), ForgetReviewsParams{StoreHash: "abc", Before: 7})
		}
		w.affects(1, forget, "- reviews abc/late/a")
		w.slices(forget, func(i int) { w.waiting("late", fmt.Sprint("x", i), cols{"since": 6}) })
	},
	"DestroyReviews": func(w *world) {
		w.waiting("late", "s", cols{"store_hash": "xyz"})
		w.slices(func() (int64, error) { return w.q.DestroyReviews(w.Context(), "abc") }, func(i int) { w.waiting("late", fmt.Sprint(i), nil) })
	},
	"AddRequest": func(w *world) {
		add := func(by string, now int64) func() error {
			return func() error {
				return w.q.AddRequest(w.Context(), AddRequestParams{StoreHash: "abc", OrderID: 118, Require: "r", Hold: 1, Person: by, Note: "n", Now: now})
			}
		}
		w.changes(add("p", 7), "+ requests abc/118: hold=1 made_at=7 note=n order_id=118 person=p require=r store_hash=abc withdrawn_by= withdrawn_why=")
		w.exec("UPDATE requests SET withdrawn_by = 'w', withdrawn_why = 'y', hold = 0, note = 'o', require = 's'")
		w.changes(add("q", 8), "requests abc/118 person: p -> q", "requests abc/118 made_at: 7 -> 8", "requests abc/118 withdrawn_by: w -> ", "requests abc/118 withdrawn_why: y -> ",
			"requests abc/118 hold: 0 -> 1", "requests abc/118 note: o -> n", "requests abc/118 require: s -> r")
	},
	"Request": func(w *world) {
		row := w.demanded(118, nil)
		w.demanded(119, nil)
		w.demanded(118, cols{"store_hash": "xyz"})
		got, err := w.q.Request(w.Context(), RequestParams{StoreHash: "abc", OrderID: 118})
		one(w, got, err, row)
		got, err = w.q.Request(w.Context(), RequestParams{StoreHash: "abc", OrderID: 120})
		none(w, got, err)
	},
	"WithdrawRequest": func(w *world) {
		w.demanded(118, cols{"withdrawn_by": "", "withdrawn_why": ""})
		w.demanded(119, cols{"withdrawn_by": ""})
		w.demanded(118, cols{"withdrawn_by": "", "store_hash": "xyz"})
		withdraw := func() (int64, error) {
			return w.q.WithdrawRequest(w.Context(), WithdrawRequestParams{StoreHash: "abc", OrderID: 118, Person: "p", Note: "n"})
		}
		w.affects(1, withdraw, "requests abc/118 withdrawn_by:  -> p", "requests abc/118 withdrawn_why:  -> n")
		w.affects(0, withdraw)
	},
	"EndRequest": func(w *world) {
		w.demanded(118, cols{"withdrawn_by": ""})
		w.demanded(119, nil)
		w.demanded(118, cols{"store_hash": "xyz"})
		end := func() (int64, error) {
			return w.q.EndRequest(w.Context(), EndRequestParams{StoreHash: "abc", OrderID: 118})
		}
		w.affects(0, end)
		w.exec("UPDATE requests SET withdrawn_by = 'p'")
		w.affects(1, end, "- requests abc/118")
	},
	"ForgetRequests": func(w *world) {
		w.demanded(1, cols{"made_at": 6})
		w.demanded(2, cols{"made_at": 7})
		w.demanded(3, cols{"made_at": 6, "store_hash": "xyz"})
		want := []string{"- requests abc/1"}
		for i, hold := range holds {
			w.order(100+i, cols{"hold": hold})
			w.demanded(100+i, cols{"made_at": 6})
			switch hold {
			case "none", "released", "moved", "leaked", "cancelled":
				want = append(want, fmt.Sprintf("- requests abc/%d", 100+i))
			}
		}
		forget := func() (int64, error) {
			return w.q.ForgetRequests(w.Context(), ForgetRequestsParams{StoreHash: "abc", Before: 7})
		}
		w.affects(int64(len(want)), forget, want...)
		w.slices(forget, func(i int) { w.demanded(1000+i, cols{"made_at": 6}) })
	},
	"DestroyRequests": func(w *world) {
		w.demanded(118, cols{"store_hash": "xyz"})
		w.slices(func() (int64, error) { return w.q.DestroyRequests(w.Context(), "abc") }, func(i int) { w.demanded(1+i, nil) })
	},
	"DemandCheck": func(w *world) {
		w.order(999, nil)
		w.order(118, cols{"store_hash": "xyz", "hold": "none"})
		for i, hold := range holds {
			w.order(100+i, cols{"hold": hold, "person_says": "release", "due_at": 99, "attempt": 3, "urgency": 1, "lease": 5})
			key := fmt.Sprintf("orders abc/%d ", 100+i)
			want, n := []string{key + "person_says: release -> ", key + "due_at: 99 -> 8", key + "attempt: 3 -> 0", key + "urgency: 1 -> 0", key + "lease: 5 -> 6"}, int64(1)
			switch hold {
			case "moved":
				want = append(want, key+"hold: moved -> none")
			case "none", "holding", "held", "released":
			default:
				want, n = nil, 0
			}
			w.affects(n, func() (int64, error) {
				return w.q.DemandCheck(w.Context(), DemandCheckParams{StoreHash: "abc", OrderID: int64(100 + i), Now: 8})
			}, want...)
		}
	},
	"UnsayOrder": func(w *world) {
		given := cols{"hold": "released", "person_says": "release", "former_status": 11, "holds": 1, "held_at": 4, "decision_id": "", "touched": 1, "due_at": 99, "attempt": 3, "urgency": 1, "lease": 5}
		w.order(118, given)
		w.order(119, given)
		given["store_hash"] = "xyz"
		w.order(118, given)
		unsay := func(says, was string, former int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.UnsayOrder(w.Context(), UnsayOrderParams{StoreHash: "abc", OrderID: 118, Says: says, Was: was, Former: former, Hold: "holding", Holds: 2, HeldAt: 6,
					DecisionID: "d", DueAt: 8})
			}
		}
		w.affects(0, unsay("refuse", "released", 11))
		w.affects(0, unsay("release", "releasing", 11))
		w.affects(0, unsay("release", "released", 9))
		o := "orders abc/118 "
		w.affects(1, unsay("release", "released", 11), o+"hold: released -> holding", o+"person_says: release -> ", o+"holds: 1 -> 2", o+"held_at: 4 -> 6", o+"decision_id:  -> d",
			o+"touched: 1 -> 0", o+"due_at: 99 -> 8", o+"attempt: 3 -> 0", o+"urgency: 1 -> 0", o+"lease: 5 -> 6")
		w.exec("UPDATE orders SET hold = 'refused', person_says = 'refuse', touched = 1 WHERE store_hash = 'abc' AND order_id = 118")
		w.affects(1, unsay("refuse", "refused", 11), o+"hold: refused -> holding", o+"person_says: refuse -> ", o+"lease: 6 -> 7") // that somebody moved it stays known
	},
	"AskedAgain": func(w *world) {
		mail := func(id int, given cols) {
			all := cols{"id": id, "kind": "mail", "subject": 118, "ref": fmt.Sprintf("link-ask-%d#1", id)}
			for k, v := range given {
				all[k] = v
			}
			w.add("writebacks", all)
		}
		got, err := w.q.AskedAgain(w.Context(), AskedAgainParams{StoreHash: "abc", OrderID: 118})
		equal(w, got, err, AskedAgainRow{})
		mail(1, cols{"made_at": 7})
		mail(2, cols{"made_at": 6})
		mail(3, cols{"made_at": 9, "ref": "link#1"})
		mail(4, cols{"made_at": 9, "kind": "note"})
		mail(5, cols{"made_at": 9, "subject": 119})
		mail(6, cols{"made_at": 9, "store_hash": "xyz"})
		got, err = w.q.AskedAgain(w.Context(), AskedAgainParams{StoreHash: "abc", OrderID: 118})
		equal(w, got, err, AskedAgainRow{Times: 2, Latest: 7})
	},
	"CartWord": func(w *world) {
		cart := func(id string, given cols) cols {
			all := cols{"id": id, "stage": "checkout", "order_id": 0, "cart_id": "c1"}
			for k, v := range given {
				all[k] = v
			}
			return w.add("decisions", all)
		}
		cart("d1", nil)
		row := cart("d2", nil)
		cart("d3", cols{"made_by": "rule", "person": ""})
		cart("d4", cols{"stage": "order", "order_id": 118})
		cart("d5", cols{"cart_id": "c2"})
		cart("d6", cols{"store_hash": "xyz"})
		got, err := w.q.CartWord(w.Context(), CartWordParams{StoreHash: "abc", CartID: "c1"})
		one(w, got, err, row)
		got, err = w.q.CartWord(w.Context(), CartWordParams{StoreHash: "abc"})
		none(w, got, err)
	},
	"PersonsDecisions": func(w *world) {
		w.add("decisions", cols{"id": "d1", "made_at": 5})
		second := w.add("decisions", cols{"id": "d2", "made_at": 6})
		first := w.add("decisions", cols{"id": "d3", "made_at": 6})
		w.add("decisions", cols{"id": "d4", "made_at": 7, "made_by": "rule", "person": ""})
		w.add("decisions", cols{"id": "d5", "made_at": 7, "store_hash": "xyz"})
		got, err := w.q.PersonsDecisions(w.Context(), PersonsDecisionsParams{StoreHash: "abc", Since: 5, Count: 9})
		are(w, got, err, first, second)
		got, err = w.q.PersonsDecisions(w.Context(), PersonsDecisionsParams{StoreHash: "abc", Since: 4, Count: 1})
		are(w, got, err, first)
	},
	"EraseGuestSessions": func(w *world) {
		w.underMailbox(func(id string, given cols) { w.session(id, 50, given) })
		w.session("final", 0, cols{"customer_id": 0, "order_id": 0})
		erase := func(m string) func() (int64, error) {
			return func() (int64, error) {
				return told(w, int64(2*len(m)))(w.q.EraseGuestSessions(w.Context(), EraseGuestSessionsParams{StoreHash: "abc", Mailbox: []byte(m), Now: 7}))
			}
		}
		w.affects(3, erase("m"), append(append(ended("guest"), ended("guest's order")...), "sessions final mailbox: m -> ", "sessions final capture_url: u -> ", "sessions final trouble: t -> ",
			"sessions final over_at: 9 -> 3")...)
		w.affects(0, erase(""))
	},
	"EraseGuestCapabilities": func(w *world) {
		w.order(118, cols{"customer_id": 0, "mailbox": []byte("m")})
		w.order(119, cols{"customer_id": 5, "mailbox": []byte("m")})
		w.order(120, cols{"customer_id": 0, "mailbox": []byte("n")})
		w.order(121, cols{"customer_id": 0, "mailbox": []byte("m"), "store_hash": "xyz"})
		w.order(122, cols{"customer_id": 0, "mailbox": []byte{}})
		for id := 118; id < 123; id++ {
			w.capability(fmt.Sprint("of ", id), cols{"order_id": id})
		}
		w.capability("cart", cols{"mailbox": []byte("m"), "customer_id": 0, "order_id": 0})
		erase := func(m string) func() (int64, error) {
			return func() (int64, error) {
				return w.q.EraseGuestCapabilities(w.Context(), EraseGuestCapabilitiesParams{StoreHash: "abc", Mailbox: []byte(m)})
			}
		}
		w.affects(1, erase("m"), "- capabilities of 118          ")
		w.affects(0, erase(""))
	},
	"EraseGuestOrders": func(w *world) {
		given := cols{"customer_id": 0, "mailbox": []byte("m"), "buyer": []byte("b"), "link": []byte("l"), "cart_id": "c", "lease": 5, "attempt": 3, "due_at": 99}
		w.order(118, given)
		given["due_at"] = 0
		w.order(119, given)
		w.order(120, cols{"customer_id": 5, "mailbox": []byte("m")})
		w.order(121, cols{"customer_id": 0, "mailbox": []byte("n")})
		w.order(122, cols{"customer_id": 0, "mailbox": []byte{}})
		given["store_hash"] = "xyz"
		w.order(118, given)
		erase := func(m string) func() (int64, error) {
			return func() (int64, error) {
				return w.q.EraseGuestOrders(w.Context(), EraseGuestOrdersParams{StoreHash: "abc", Mailbox: []byte(m), Now: 7})
			}
		}
		want := []string{"orders abc/118 due_at: 99 -> 7"}
		for _, id := range []string{"118", "119"} {
			for _, c := range []string{"mailbox: m -> ", "buyer: b -> ", "link: l -> ", "cart_id: c -> ", "lease: 5 -> 6", "attempt: 3 -> 0", "erased_at: 0 -> 7"} {
				want = append(want, "orders abc/"+id+" "+c)
			}
		}
		w.affects(2, erase("m"), want...)
		w.affects(0, erase(""))
	},
	"CustomersUnderMailbox": func(w *world) {
		for i, given := range []cols{{"customer_id": 5}, {"customer_id": 5}, {"customer_id": 6}, {"customer_id": 0}, {"customer_id": 7, "mailbox": []byte("n")}, {"customer_id": 8, "store_hash": "xyz"}} {
			if given["mailbox"] == nil {
				given["mailbox"] = []byte("m")
			}
			w.proof(fmt.Sprint("p", i), given)
		}
		n, err := w.q.CustomersUnderMailbox(w.Context(), CustomersUnderMailboxParams{StoreHash: "abc", Mailbox: []byte("m")})
		equal(w, n, err, int64(2))
	},
	"EraseAllowedMailbox": func(w *world) {
		w.onList(cols{"mailbox": mailbox32(1)})
		w.onList(cols{"mailbox": mailbox32(2)})
		w.onList(cols{"mailbox": mailbox32(3), "list": "block"})
		w.onList(cols{"mailbox": mailbox32(1), "store_hash": "xyz"})
		erase := func(m []byte) func() (int64, error) {
			return func() (int64, error) {
				return w.q.EraseAllowedMailbox(w.Context(), EraseAllowedMailboxParams{StoreHash: "abc", Mailbox: m})
			}
		}
		w.affects(1, erase(mailbox32(1)), "- listed abc/0/"+string(mailbox32(1)))
		w.affects(0, erase(mailbox32(3)))
	},
	"EraseBlockedMailbox": func(w *world) {
		blocked := cols{"mailbox": mailbox32(1), "list": "block", "shown": []byte("s"), "note": "n"}
		w.onList(blocked)
		w.onList(cols{"mailbox": mailbox32(2), "list": "block"})
		w.onList(cols{"mailbox": mailbox32(3)})
		w.onList(cols{"mailbox": mailbox32(1), "list": "block", "store_hash": "xyz"})
		erase := func(m []byte) func() (int64, error) {
			return func() (int64, error) {
				return w.q.EraseBlockedMailbox(w.Context(), EraseBlockedMailboxParams{StoreHash: "abc", Mailbox: m})
			}
		}
		key := "listed abc/0/" + string(mailbox32(1)) + " "
		w.affects(1, erase(mailbox32(1)), key+"shown: s -> ", key+"note: n -> ")
		w.affects(0, erase(mailbox32(1)))
		w.affects(0, erase(mailbox32(3)))
	},
	"RemoveWriteback": func(w *world) {
		w.add("writebacks", cols{"id": 1, "attempt": 2, "due_at": 99})
		w.add("writebacks", cols{"id": 2, "attempt": 2, "due_at": 99})
		remove := func(attempt, until int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.RemoveWriteback(w.Context(), RemoveWritebackParams{ID: 1, Attempt: attempt, LeasedUntil: until})
			}
		}
		w.affects(0, remove(3, 99))
		w.affects(0, remove(2, 98))
		w.affects(1, remove(2, 99), "- writebacks 1")
	},
	"ExportSessions": func(w *world) {
		w.session("a", 0, cols{"started_at": 5})
		second := w.add("sessions", cols{"id": "b", "started_at": 6})
		first := w.add("sessions", cols{"id": "c", "started_at": 5})
		w.session("d", 0, cols{"started_at": 7})
		w.session("e", 0, cols{"started_at": 6, "store_hash": "xyz"})
		got, err := w.q.ExportSessions(w.Context(), ExportSessionsParams{StoreHash: "abc", After: 5, AfterID: "a", Count: 2})
		are(w, got, err, first, second)
	},
	"ExportProofs": func(w *world) {
		first, second := w.proof("p1", nil), w.proof("p2", nil)
		w.proof("p3", nil)
		w.proof("p4", cols{"store_hash": "xyz"})
		got, err := w.q.ExportProofs(w.Context(), ExportProofsParams{StoreHash: "abc", Sessions: `["of p2","of p1","of p4","none"]`})
		are(w, got, err, first, second)
	},
	"ExportDecisions": func(w *world) {
		w.add("decisions", cols{"id": "a", "made_at": 5})
		first := w.add("decisions", cols{"id": "b", "made_at": 5})
		second := w.add("decisions", cols{"id": "0", "made_at": 6})
		w.add("decisions", cols{"id": "z", "made_at": 7})
		w.add("decisions", cols{"id": "x", "made_at": 6, "store_hash": "xyz"})
		got, err := w.q.ExportDecisions(w.Context(), ExportDecisionsParams{StoreHash: "abc", After: 5, AfterID: "a", Count: 2})
		are(w, got, err, first, second)
	},
	"ExportOrders": func(w *world) {
		w.order(117, nil)
		first, second := w.order(118, nil), w.order(119, nil)
		w.order(120, nil)
		w.order(118, cols{"store_hash": "xyz"})
		got, err := w.q.ExportOrders(w.Context(), ExportOrdersParams{StoreHash: "abc", After: 117, Count: 2})
		are(w, got, err, first, second)
	},
	"ExportRequests": func(w *world) {
		w.demanded(117, nil)
		first, second := w.demanded(118, nil), w.demanded(119, nil)
		w.demanded(120, nil)
		w.demanded(118, cols{"store_hash": "xyz"})
		got, err := w.q.ExportRequests(w.Context(), ExportRequestsParams{StoreHash: "abc", After: 117, Count: 2})
		are(w, got, err, first, second)
	},
}
