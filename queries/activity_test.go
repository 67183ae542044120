package queries

import "fmt"

// line adds a line of activity.
func (w *world) line(seq int, given cols) cols {
	w.Helper()
	all := cols{"seq": seq}
	for k, v := range given {
		all[k] = v
	}
	return w.add("activity", all)
}

// onList adds a mailbox of 32 bytes to a list, or the customer given.
func (w *world) onList(given cols) cols {
	w.Helper()
	all := cols{"customer_id": 0, "mailbox": mailbox32(0)}
	for k, v := range given {
		all[k] = v
	}
	return w.add("listed", all)
}

func mailbox32(n int) []byte { return fmt.Appendf(nil, "%-32d", n) }

var activityCases = cases{
	"LastActivity": func(w *world) {
		_, err := w.q.LastActivity(w.Context(), "abc")
		none(w, "", err)
		w.line(1, nil)
		last := w.line(2, nil)
		w.line(3, cols{"store_hash": "xyz"})
		got, err := w.q.LastActivity(w.Context(), "abc")
		one(w, got, err, last)
	},
	"AddActivity": func(w *world) {
		hash := []byte("a hash of exactly 32 bytes......")
		w.changes(func() error {
			return w.q.AddActivity(w.Context(), AddActivityParams{StoreHash: "abc", Seq: 3, At: 7, Actor: "ada", Action: "policy.saved", Subject: "118", Detail: "why", Hash: hash})
		}, "+ activity abc/3: action=policy.saved actor=ada at=7 detail=why hash=a hash of exactly 32 bytes...... seq=3 store_hash=abc subject=118")
	},
	"ActivityPage": func(w *world) {
		w.line(1, nil)
		second, third := w.line(2, nil), w.line(3, nil)
		w.line(4, nil)
		w.line(3, cols{"store_hash": "xyz"})
		got, err := w.q.ActivityPage(w.Context(), ActivityPageParams{StoreHash: "abc", Below: 4, Count: 2})
		are(w, got, err, third, second)
	},
	"ActivityFrom": func(w *world) {
		w.line(1, nil)
		second, third := w.line(2, nil), w.line(3, nil)
		w.line(4, nil)
		w.line(2, cols{"store_hash": "xyz"})
		got, err := w.q.ActivityFrom(w.Context(), ActivityFromParams{StoreHash: "abc", Above: 1, Count: 2})
		are(w, got, err, second, third)
	},
	"DestroyActivity": func(w *world) {
		w.line(1, nil)
		w.line(1, cols{"store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.DestroyActivity(w.Context(), "abc") }, "- activity abc/1")
	},
	"SetUserRole": func(w *world) {
		w.add("users", cols{"user_id": 5, "role": "manager"})
		w.add("users", cols{"user_id": 6, "role": "owner"})
		w.add("users", cols{"user_id": 7, "removed_at": 3})
		w.add("users", cols{"user_id": 5, "role": "manager", "store_hash": "xyz"})
		set := func(id int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.SetUserRole(w.Context(), SetUserRoleParams{StoreHash: "abc", UserID: id, Role: "viewer"})
			}
		}
		w.affects(1, set(5), "users abc/5 role: manager -> viewer")
		for _, id := range []int64{6, 7, 8} {
			w.affects(0, set(id))
		}
	},
	"AddListed": func(w *world) {
		w.exec("PRAGMA ignore_check_constraints = ON") // nobody is listed both as a customer and by mailbox
		add := func(list, note string, now int64) func() error {
			return func() error {
				return w.q.AddListed(w.Context(), AddListedParams{StoreHash: "abc", CustomerID: 5, Mailbox: []byte("m"), List: list, Shown: []byte("sealed"), Note: note, AddedBy: "ada", Now: now})
			}
		}
		w.changes(add("allow", "why", 7), "+ listed abc/5/m: added_at=7 added_by=ada customer_id=5 list=allow mailbox=m note=why shown=sealed store_hash=abc")
		w.exec("UPDATE listed SET shown = x'', added_by = 'bob'")
		w.changes(add("block", "fraud", 8), "listed abc/5/m added_at: 7 -> 8", "listed abc/5/m added_by: bob -> ada", "listed abc/5/m list: allow -> block",
			"listed abc/5/m note: why -> fraud", "listed abc/5/m shown:  -> sealed")
	},
	"RemoveListed": func(w *world) {
		w.exec("PRAGMA ignore_check_constraints = ON")
		for _, given := range []cols{{"customer_id": 5, "mailbox": []byte("m")}, {"customer_id": 6, "mailbox": []byte("m")}, {"customer_id": 5, "mailbox": []byte("n")},
			{"customer_id": 5, "mailbox": []byte("m"), "store_hash": "xyz"}} {
			w.onList(given)
		}
		w.affects(0, func() (int64, error) {
			return w.q.RemoveListed(w.Context(), RemoveListedParams{StoreHash: "abc", CustomerID: 5, Mailbox: []byte("m"), List: "block"})
		})
		w.affects(1, func() (int64, error) {
			return w.q.RemoveListed(w.Context(), RemoveListedParams{StoreHash: "abc", CustomerID: 5, Mailbox: []byte("m"), List: "allow"})
		}, "- listed abc/5/m")
	},
	"ListedCustomer": func(w *world) {
		w.onList(cols{"customer_id": 5, "mailbox": []byte{}, "list": "block"})
		w.onList(cols{"customer_id": 6, "mailbox": []byte{}, "store_hash": "xyz"})
		w.onList(nil) // a mailbox
		got, err := w.q.ListedCustomer(w.Context(), ListedCustomerParams{StoreHash: "abc", CustomerID: 5})
		equal(w, got, err, "block")
		for _, id := range []int64{0, 6, 7} {
			_, err = w.q.ListedCustomer(w.Context(), ListedCustomerParams{StoreHash: "abc", CustomerID: id})
			none(w, "", err)
		}
	},
	"ListedMailbox": func(w *world) {
		w.onList(cols{"mailbox": mailbox32(1), "list": "block"})
		w.onList(cols{"mailbox": mailbox32(2), "store_hash": "xyz"})
		w.onList(cols{"customer_id": 5, "mailbox": []byte{}})
		got, err := w.q.ListedMailbox(w.Context(), ListedMailboxParams{StoreHash: "abc", Mailbox: mailbox32(1)})
		equal(w, got, err, "block")
		for _, m := range [][]byte{mailbox32(2), mailbox32(3), {}} {
			_, err = w.q.ListedMailbox(w.Context(), ListedMailboxParams{StoreHash: "abc", Mailbox: m})
			none(w, "", err)
		}
	},
	"ListedPage": func(w *world) {
		second := w.onList(cols{"mailbox": mailbox32(1), "list": "block", "added_at": 6})
		first := w.onList(cols{"customer_id": 5, "mailbox": []byte{}, "list": "block", "added_at": 7})
		w.onList(cols{"mailbox": mailbox32(2), "list": "block", "added_at": 5})
		w.onList(cols{"mailbox": mailbox32(3), "list": "block", "added_at": 9})
		w.onList(cols{"customer_id": 4, "mailbox": []byte{}, "list": "block", "added_at": 8}) // not below the place
		w.onList(cols{"mailbox": mailbox32(4), "list": "allow", "added_at": 7})
		w.onList(cols{"mailbox": mailbox32(5), "list": "block", "added_at": 7, "store_hash": "xyz"})
		got, err := w.q.ListedPage(w.Context(), ListedPageParams{StoreHash: "abc", List: "block", Before: 8, CustomerID: 3, Mailbox: mailbox32(9), Count: 2})
		are(w, got, err, first, second)
		got, err = w.q.ListedPage(w.Context(), ListedPageParams{StoreHash: "abc", List: "block", Before: 6, Mailbox: mailbox32(6), Count: 1})
		are(w, got, err, second)
	},
	"EraseListedCustomer": func(w *world) {
		w.onList(cols{"customer_id": 5, "mailbox": []byte{}})
		w.onList(cols{"customer_id": 6, "mailbox": []byte{}})
		w.onList(cols{"customer_id": 5, "mailbox": []byte{}, "store_hash": "xyz"})
		w.onList(nil)
		w.affects(1, func() (int64, error) {
			return w.q.EraseListedCustomer(w.Context(), EraseListedCustomerParams{StoreHash: "abc", CustomerID: 5})
		}, "- listed abc/5/")
		w.affects(0, func() (int64, error) {
			return w.q.EraseListedCustomer(w.Context(), EraseListedCustomerParams{StoreHash: "abc"})
		})
	},
	"DestroyListed": func(w *world) {
		w.onList(nil)
		w.onList(cols{"store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.DestroyListed(w.Context(), "abc") }, "- listed abc/0/"+string(mailbox32(0)))
	},
	"DueOrdersOfMailbox": func(w *world) {
		for status := range 15 {
			w.order(100+status, cols{"status_id": status, "mailbox": []byte("m"), "due_at": 0, "attempt": 3, "urgency": 1})
		}
		w.order(1, cols{"status_id": 11, "mailbox": []byte("n")})
		w.order(2, cols{"status_id": 11, "mailbox": []byte("m"), "store_hash": "xyz"})
		w.changes(func() error {
			return w.q.DueOrdersOfMailbox(w.Context(), DueOrdersOfMailboxParams{StoreHash: "abc", Mailbox: []byte("m"), DueAt: 8})
		}, dueAgain(107, 108, 109, 111, 112)...)
	},
	"DueWaitingOrdersOfCustomer": func(w *world) {
		for status := range 15 {
			w.order(100+status, cols{"status_id": status, "customer_id": 5, "due_at": 0, "attempt": 3, "urgency": 1})
		}
		w.order(1, cols{"status_id": 11, "customer_id": 6})
		w.order(2, cols{"status_id": 11, "customer_id": 5, "store_hash": "xyz"})
		w.order(3, cols{"status_id": 11, "customer_id": 0})
		due := func(customer int64) func() error {
			return func() error {
				return w.q.DueWaitingOrdersOfCustomer(w.Context(), DueWaitingOrdersOfCustomerParams{StoreHash: "abc", CustomerID: customer, DueAt: 8})
			}
		}
		w.changes(due(5), dueAgain(107, 108, 109, 111, 112)...)
		w.changes(due(0))
	},
}
