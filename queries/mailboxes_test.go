package queries

import "fmt"

// shown is a row of shown_mailboxes under mailbox m, for one thing.
func (w *world) shown(given cols) cols {
	w.Helper()
	all := cols{"mailbox": []byte("m"), "cart_id": "", "order_id": 0, "customer_id": 0}
	for k, v := range given {
		all[k] = v
	}
	return w.add("shown_mailboxes", all)
}

// asked is a row of asked_mails: a code.
func (w *world) asked(given cols) cols {
	w.Helper()
	all := cols{"kind": "code", "mailbox": []byte("m"), "cart_id": "c1", "tries": 0}
	for k, v := range given {
		all[k] = v
	}
	return w.add("asked_mails", all)
}

var mine = []byte("sixteen bytes...")

var mailboxesCases = cases{
	"ShowMailbox": func(w *world) {
		w.exec("PRAGMA ignore_check_constraints = ON") // it is for one of the three
		w.changes(func() error {
			return w.q.ShowMailbox(w.Context(), ShowMailboxParams{StoreHash: "abc", Mailbox: []byte("m"), CartID: "c", OrderID: 118, CustomerID: 5, Way: "code", Now: 7})
		}, "+ shown_mailboxes abc/m/c/118/5: cart_id=c customer_id=5 mailbox=m order_id=118 shown_at=7 store_hash=abc way=code")
		w.changes(func() error {
			return w.q.ShowMailbox(w.Context(), ShowMailboxParams{StoreHash: "abc", Mailbox: []byte("m"), CartID: "c", OrderID: 118, CustomerID: 5, Way: "link", Now: 8})
		}, "shown_mailboxes abc/m/c/118/5 shown_at: 7 -> 8", "shown_mailboxes abc/m/c/118/5 way: code -> link")
	},
	"MailboxShown": func(w *world) {
		w.shown(cols{"cart_id": "c1"})
		w.shown(cols{"order_id": 118})
		w.shown(cols{"customer_id": 5})
		w.shown(cols{"cart_id": "c2", "mailbox": []byte("n")})
		w.shown(cols{"cart_id": "c3", "store_hash": "xyz"})
		for _, c := range []struct {
			p    MailboxShownParams
			want bool
		}{
			{MailboxShownParams{StoreHash: "abc", Mailbox: []byte("m"), CartID: "c1", OrderID: 9, CustomerID: 8}, true},
			{MailboxShownParams{StoreHash: "abc", Mailbox: []byte("m"), CartID: "c9", OrderID: 118, CustomerID: 8}, true},
			{MailboxShownParams{StoreHash: "abc", Mailbox: []byte("m"), CartID: "c9", OrderID: 9, CustomerID: 5}, true},
			{MailboxShownParams{StoreHash: "abc", Mailbox: []byte("m"), CartID: "c9", OrderID: 9, CustomerID: 8}, false},
			{MailboxShownParams{StoreHash: "abc", Mailbox: []byte("m")}, false}, // a guest's cart is not every guest's
			{MailboxShownParams{StoreHash: "abc", Mailbox: []byte("n"), CartID: "c1", OrderID: 118, CustomerID: 5}, false},
			{MailboxShownParams{StoreHash: "abc", Mailbox: []byte("m"), CartID: "c2"}, false},
			{MailboxShownParams{StoreHash: "abc", Mailbox: []byte("m"), CartID: "c3"}, false},
			{MailboxShownParams{StoreHash: "xyz", Mailbox: []byte("m"), CartID: "c3"}, true},
			{MailboxShownParams{StoreHash: "xyz", Mailbox: []byte("m"), CartID: "c1", OrderID: 118, CustomerID: 5}, false},
		} {
			got, err := w.q.MailboxShown(w.Context(), c.p)
			if got != c.want || err != nil {
				w.Errorf("%+v: %t, %v", c.p, got, err)
			}
		}
	},
	"AskMail": func(w *world) {
		w.changes(func() error {
			id, err := w.q.AskMail(w.Context(), AskMailParams{StoreHash: "abc", Kind: "code", Capability: mine, CartID: "c", CustomerID: 5, Mailbox: []byte("m"), Code: []byte("h"),
				Now: 7, ExpiresAt: 8})
			if id != 1 {
				w.Errorf("id %d", id)
			}
			return err
		}, "+ asked_mails 1: asked_at=7 capability=sixteen bytes... cart_id=c code=h customer_id=5 expires_at=8 id=1 kind=code mailbox=m returned_at=0 store_hash=abc tries=0")
	},
	"ReturnAskedMail": func(w *world) {
		w.asked(cols{"id": 1, "returned_at": 0})
		w.asked(cols{"id": 2, "returned_at": 0})
		back := func(id int64, hash string) func() (int64, error) {
			return func() (int64, error) {
				return w.q.ReturnAskedMail(w.Context(), ReturnAskedMailParams{ID: id, StoreHash: hash, Now: 7})
			}
		}
		w.affects(0, back(1, "xyz"))
		w.affects(1, back(1, "abc"), "asked_mails 1 returned_at: 0 -> 7")
		w.affects(0, back(1, "abc")) // once
		w.affects(0, back(3, "abc"))
	},
	"CountReturnedMails": func(w *world) {
		for _, at := range []int{0, 5, 6, 7} {
			w.asked(cols{"returned_at": at})
		}
		w.asked(cols{"returned_at": 8, "store_hash": "xyz"})
		for since, want := range map[int64]int64{0: 3, 6: 2, 8: 0} {
			got, err := w.q.CountReturnedMails(w.Context(), CountReturnedMailsParams{StoreHash: "abc", Since: since})
			equal(w, got, err, want)
		}
	},
	"CartAskedMails": func(w *world) {
		for _, at := range []int{5, 6, 7, 9, 8} {
			w.asked(cols{"asked_at": at})
		}
		w.asked(cols{"asked_at": 8, "cart_id": "c2"})
		w.asked(cols{"asked_at": 8, "kind": "link", "code": []byte{}})
		w.asked(cols{"asked_at": 8, "store_hash": "xyz"})
		got, err := w.q.CartAskedMails(w.Context(), CartAskedMailsParams{StoreHash: "abc", CartID: "c1", Kind: "code", Since: 6})
		equal(w, got, err, []int64{9, 8, 7})
		for range 30 {
			w.asked(cols{"asked_at": 10})
		}
		got, err = w.q.CartAskedMails(w.Context(), CartAskedMailsParams{StoreHash: "abc", CartID: "c1", Kind: "code", Since: 6})
		equal(w, len(got), err, 20)
	},
	"MailboxAskedMails": func(w *world) {
		for i, at := range []int{5, 6, 7, 9, 8} {
			w.asked(cols{"asked_at": at, "cart_id": fmt.Sprint("c", i)})
		}
		w.asked(cols{"asked_at": 8, "mailbox": []byte("n")})
		w.asked(cols{"asked_at": 8, "kind": "link", "code": []byte{}})
		w.asked(cols{"asked_at": 8, "store_hash": "xyz"})
		got, err := w.q.MailboxAskedMails(w.Context(), MailboxAskedMailsParams{StoreHash: "abc", Mailbox: []byte("m"), Kind: "code", Since: 6})
		equal(w, got, err, []int64{9, 8, 7})
		for range 30 {
			w.asked(cols{"asked_at": 10})
		}
		got, err = w.q.MailboxAskedMails(w.Context(), MailboxAskedMailsParams{StoreHash: "abc", Mailbox: []byte("m"), Kind: "code", Since: 6})
		equal(w, len(got), err, 20)
	},
	"NewestCode": func(w *world) {
		w.asked(cols{"id": 1, "capability": mine})
		last := w.asked(cols{"id": 2, "capability": mine, "code": []byte("h"), "tries": 3})
		w.asked(cols{"id": 3, "capability": mine, "kind": "link", "code": []byte{}})
		w.asked(cols{"id": 4})
		w.asked(cols{"id": 5, "capability": mine, "store_hash": "xyz"})
		got, err := w.q.NewestCode(w.Context(), NewestCodeParams{Capability: mine, StoreHash: "abc"})
		are(w, got, err, last)
		got, err = w.q.NewestCode(w.Context(), NewestCodeParams{Capability: []byte("nobody's sixteen"), StoreHash: "abc"})
		are(w, got, err)
	},
	"WrongCode": func(w *world) {
		w.asked(cols{"id": 1, "tries": 3, "code": []byte("h")})
		w.asked(cols{"id": 2, "code": []byte("h")})
		w.asked(cols{"id": 3, "code": []byte{}})
		w.affects(1, func() (int64, error) { return w.q.WrongCode(w.Context(), 1) }, "asked_mails 1 tries: 3 -> 4")
		w.affects(1, func() (int64, error) { return w.q.WrongCode(w.Context(), 1) }, "asked_mails 1 tries: 4 -> 5", "asked_mails 1 code: h -> ")
		w.affects(0, func() (int64, error) { return w.q.WrongCode(w.Context(), 1) })
		w.affects(0, func() (int64, error) { return w.q.WrongCode(w.Context(), 3) })
	},
	"UseCode": func(w *world) {
		w.asked(cols{"id": 1, "code": []byte("h")})
		w.asked(cols{"id": 2, "code": []byte("h")})
		w.affects(1, func() (int64, error) { return w.q.UseCode(w.Context(), 1) }, "asked_mails 1 code: h -> ")
		w.affects(0, func() (int64, error) { return w.q.UseCode(w.Context(), 1) })
	},
	"CountCustomerSessions": func(w *world) {
		for i, at := range []int{5, 6, 7, 8} {
			w.add("sessions", cols{"customer_id": 5, "started_at": at, "mailbox": []byte{byte(i)}})
		}
		w.add("sessions", cols{"customer_id": 6, "started_at": 8})
		w.add("sessions", cols{"customer_id": 0, "started_at": 8})
		w.add("sessions", cols{"customer_id": 5, "started_at": 8, "store_hash": "xyz"})
		for customer, want := range map[int64]int64{5: 2, 6: 1, 0: 0} {
			got, err := w.q.CountCustomerSessions(w.Context(), CountCustomerSessionsParams{StoreHash: "abc", CustomerID: customer, Since: 6})
			equal(w, got, err, want)
		}
		for range 120 {
			w.add("sessions", cols{"customer_id": 5, "started_at": 9})
		}
		got, err := w.q.CountCustomerSessions(w.Context(), CountCustomerSessionsParams{StoreHash: "abc", CustomerID: 5, Since: 6})
		equal(w, got, err, 100)
	},
	"CountMailboxSessions": func(w *world) {
		for i, at := range []int{5, 6, 7, 8} {
			w.add("sessions", cols{"mailbox": []byte("m"), "started_at": at, "cart_id": fmt.Sprint("c", i), "customer_id": i})
		}
		w.add("sessions", cols{"mailbox": []byte("n"), "started_at": 8})
		w.add("sessions", cols{"mailbox": []byte("m"), "started_at": 8, "store_hash": "xyz"})
		got, err := w.q.CountMailboxSessions(w.Context(), CountMailboxSessionsParams{StoreHash: "abc", Mailbox: []byte("m"), Since: 6})
		equal(w, got, err, 2)
		for range 120 {
			w.add("sessions", cols{"mailbox": []byte("m"), "started_at": 9})
		}
		got, err = w.q.CountMailboxSessions(w.Context(), CountMailboxSessionsParams{StoreHash: "abc", Mailbox: []byte("m"), Since: 6})
		equal(w, got, err, 100)
	},
	"OrderOfCart": func(w *world) {
		w.order(118, cols{"cart_id": "c1"})
		w.order(120, cols{"cart_id": "c1"})
		w.order(121, cols{"cart_id": "c2"})
		w.order(122, cols{"cart_id": "c1", "store_hash": "xyz"})
		w.order(123, cols{"cart_id": ""})
		got, err := w.q.OrderOfCart(w.Context(), OrderOfCartParams{StoreHash: "abc", CartID: "c1"})
		equal(w, got, err, 120)
		got, err = w.q.OrderOfCart(w.Context(), OrderOfCartParams{StoreHash: "abc", CartID: "c3"})
		none(w, got, err)
		got, err = w.q.OrderOfCart(w.Context(), OrderOfCartParams{StoreHash: "abc"})
		none(w, got, err)
	},
	"NewestOrderOfCustomer": func(w *world) {
		w.order(118, cols{"customer_id": 5, "placed_at": 9})
		w.order(119, cols{"customer_id": 5, "placed_at": 8})
		w.order(120, cols{"customer_id": 6, "placed_at": 10})
		w.order(121, cols{"customer_id": 5, "placed_at": 11, "store_hash": "xyz"})
		w.order(122, cols{"customer_id": 0, "placed_at": 12})
		got, err := w.q.NewestOrderOfCustomer(w.Context(), NewestOrderOfCustomerParams{StoreHash: "abc", CustomerID: 5, Since: 7})
		equal(w, got, err, 118)
		got, err = w.q.NewestOrderOfCustomer(w.Context(), NewestOrderOfCustomerParams{StoreHash: "abc", CustomerID: 5, Since: 9})
		none(w, got, err)
		got, err = w.q.NewestOrderOfCustomer(w.Context(), NewestOrderOfCustomerParams{StoreHash: "abc"})
		none(w, got, err)
	},
	"EraseShownMailbox": func(w *world) {
		w.shown(cols{"cart_id": "c1"})
		w.shown(cols{"order_id": 118})
		w.shown(cols{"customer_id": 5})
		w.shown(cols{"customer_id": 6})
		w.shown(cols{"customer_id": 5, "mailbox": []byte("n")})
		w.shown(cols{"customer_id": 5, "store_hash": "xyz"})
		w.affects(3, func() (int64, error) {
			return w.q.EraseShownMailbox(w.Context(), EraseShownMailboxParams{StoreHash: "abc", Mailbox: []byte("m"), CustomerID: 5})
		}, "- shown_mailboxes abc/m/c1/0/0", "- shown_mailboxes abc/m//118/0", "- shown_mailboxes abc/m//0/5")
	},
	"EraseAskedMails": func(w *world) {
		w.asked(cols{"id": 1, "customer_id": 0})
		w.asked(cols{"id": 2, "customer_id": 5})
		w.asked(cols{"id": 3, "customer_id": 6})
		w.asked(cols{"id": 4, "customer_id": 5, "mailbox": []byte("n")})
		w.asked(cols{"id": 5, "customer_id": 5, "store_hash": "xyz"})
		w.affects(2, func() (int64, error) {
			return w.q.EraseAskedMails(w.Context(), EraseAskedMailsParams{StoreHash: "abc", Mailbox: []byte("m"), CustomerID: 5})
		}, "- asked_mails 1", "- asked_mails 2")
	},
	"ForgetShownMailboxes": func(w *world) {
		w.shown(cols{"cart_id": "c1", "shown_at": 5})
		w.shown(cols{"cart_id": "c2", "shown_at": 6})
		w.shown(cols{"cart_id": "c3", "shown_at": 5, "store_hash": "xyz"})
		w.affects(1, func() (int64, error) {
			return w.q.ForgetShownMailboxes(w.Context(), ForgetShownMailboxesParams{StoreHash: "abc", Before: 6})
		}, "- shown_mailboxes abc/m/c1/0/0")
		for i := range 600 {
			w.shown(cols{"order_id": i + 1, "shown_at": 4})
		}
		if n, err := w.q.ForgetShownMailboxes(w.Context(), ForgetShownMailboxesParams{StoreHash: "abc", Before: 6}); n != 100 || err != nil {
			w.Errorf("%d, %v", n, err)
		}
	},
	"ForgetAskedMails": func(w *world) {
		w.asked(cols{"id": 1, "asked_at": 5})
		w.asked(cols{"id": 2, "asked_at": 6})
		w.asked(cols{"id": 3, "asked_at": 5, "store_hash": "xyz"})
		w.affects(1, func() (int64, error) {
			return w.q.ForgetAskedMails(w.Context(), ForgetAskedMailsParams{StoreHash: "abc", Before: 6})
		}, "- asked_mails 1")
		for range 600 {
			w.asked(cols{"asked_at": 4})
		}
		if n, err := w.q.ForgetAskedMails(w.Context(), ForgetAskedMailsParams{StoreHash: "abc", Before: 6}); n != 100 || err != nil {
			w.Errorf("%d, %v", n, err)
		}
	},
	"DestroyShownMailboxes": func(w *world) {
		w.shown(cols{"cart_id": "c1"})
		w.shown(cols{"cart_id": "c1", "store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.DestroyShownMailboxes(w.Context(), "abc") }, "- shown_mailboxes abc/m/c1/0/0")
	},
	"DestroyAskedMails": func(w *world) {
		w.asked(cols{"id": 1})
		w.asked(cols{"id": 2, "store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.DestroyAskedMails(w.Context(), "abc") }, "- asked_mails 1")
	},
}
