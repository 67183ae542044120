package queries

import (
	"fmt"
	"slices"
)

var forgetCases = cases{
	"ForgetPersons": func(w *world) {
		w.proof("p1", cols{"proved_at": 1, "good_until": 6})
		w.proof("p2", cols{"proved_at": 1, "good_until": 7})
		w.proof("p3", cols{"proved_at": 1, "good_until": 6, "person": []byte{}})
		forget := func() (int64, error) { return w.q.ForgetPersons(w.Context(), 7) }
		person := w.value("SELECT person FROM proofs WHERE id = 'p1'")
		w.affects(1, forget, "proofs p1 person: "+person+" -> ")
		w.affects(0, forget)
		w.slices(forget, func(i int) { w.proof(fmt.Sprint("q", i), cols{"proved_at": 1, "good_until": 6}) })
	},
	"ForgetCapabilities": func(w *world) {
		w.capability("c1", cols{"expires_at": 6})
		w.capability("c2", cols{"expires_at": 7})
		w.capability("c3", cols{"expires_at": 6, "store_hash": "xyz"})
		forget := func() (int64, error) {
			return w.q.ForgetCapabilities(w.Context(), ForgetCapabilitiesParams{StoreHash: "abc", Before: 7})
		}
		w.affects(1, forget, "- capabilities c1              ")
		w.slices(forget, func(i int) { w.capability(fmt.Sprint("d", i), cols{"expires_at": 6}) })
	},
	"ForgetNotices": func(w *world) {
		w.add("notices", cols{"id": 1, "state": "done", "due_at": 0, "handled_at": 6})
		w.add("notices", cols{"id": 2, "state": "done", "due_at": 0, "handled_at": 7})
		w.add("notices", cols{"id": 3, "state": "stuck", "due_at": 0, "handled_at": 6, "received_at": 1})
		w.add("notices", cols{"id": 4, "handled_at": 0, "received_at": 1})
		w.add("notices", cols{"id": 5, "handled_at": 6}) // replayed
		forget := func() (int64, error) { return w.q.ForgetNotices(w.Context(), 7) }
		w.affects(1, forget, "- notices 1")
		w.slices(forget, func(int) { w.add("notices", cols{"state": "done", "due_at": 0, "handled_at": 6}) })
	},
	"ForgetWritebacks": func(w *world) {
		for i, state := range []string{"done", "dropped", "stuck"} {
			w.add("writebacks", cols{"id": 1 + i, "state": state, "due_at": 0, "done_at": 6})
			w.add("writebacks", cols{"id": 11 + i, "state": state, "due_at": 0, "done_at": 7, "made_at": 1})
		}
		w.add("writebacks", cols{"id": 4, "made_at": 1, "done_at": 0})
		w.add("writebacks", cols{"id": 5, "state": "done", "due_at": 0, "done_at": 6, "kind": "mail", "subject": 99}) // of an order that there is not
		want := []string{"- writebacks 1", "- writebacks 2", "- writebacks 5"}
		for i, hold := range holds {
			w.order(100+i, cols{"hold": hold})
			w.add("writebacks", cols{"id": 100 + i, "state": "done", "due_at": 0, "done_at": 6, "kind": "mail", "subject": 100 + i})
			w.add("writebacks", cols{"id": 200 + i, "state": "done", "due_at": 0, "done_at": 6, "kind": "note", "subject": 100 + i})
			want = append(want, fmt.Sprintf("- writebacks %d", 200+i))
			switch hold {
			case "none", "released", "moved", "leaked", "cancelled":
				want = append(want, fmt.Sprintf("- writebacks %d", 100+i))
			}
		}
		forget := func() (int64, error) { return w.q.ForgetWritebacks(w.Context(), 7) }
		w.affects(int64(len(want)), forget, want...)
		w.slices(forget, func(int) { w.add("writebacks", cols{"state": "done", "due_at": 0, "done_at": 6}) })
	},
	"ForgetDecisions": func(w *world) {
		w.add("decisions", cols{"id": "d1", "made_at": 6, "stands": 0})
		w.add("decisions", cols{"id": "d2", "made_at": 6, "stands": 1})
		w.add("decisions", cols{"id": "d3", "made_at": 7, "stands": 0})
		w.add("decisions", cols{"id": "d4", "made_at": 6, "stands": 0, "store_hash": "xyz"})
		forget := func() (int64, error) {
			return w.q.ForgetDecisions(w.Context(), ForgetDecisionsParams{StoreHash: "abc", Before: 7})
		}
		w.affects(1, forget, "- decisions d1")
		w.slices(forget, func(i int) { w.add("decisions", cols{"made_at": 6, "stands": 0}) })
	},
	"ForgetProofs": func(w *world) {
		w.over()
		w.affects(1, func() (int64, error) {
			return w.q.ForgetProofs(w.Context(), ForgetProofsParams{StoreHash: "abc", Before: 7})
		}, "- proofs p1")
	},
	"ForgetSessions": func(w *world) {
		w.over()
		w.exec("DELETE FROM proofs WHERE id = 'p1'")
		forget := func() (int64, error) {
			return w.q.ForgetSessions(w.Context(), ForgetSessionsParams{StoreHash: "abc", Before: 7})
		}
		w.affects(2, forget, "- sessions of p1", "- sessions s1")
		w.slices(forget, func(i int) { w.session(fmt.Sprint("t", i), 0, cols{"over_at": 6}) })
	},
	"ForgetBuyers": func(w *world) {
		sold := func(id int, given cols) {
			all := cols{"customer_id": 5, "mailbox": []byte("m"), "buyer": []byte("b"), "link": []byte("l"), "cart_id": "c", "seen_at": 6, "hold": "none", "due_at": 0}
			for k, v := range given {
				all[k] = v
			}
			w.order(id, all)
		}
		var want []string
		for i, hold := range holds {
			sold(1+i, cols{"hold": hold})
			switch hold {
			case "none", "released", "moved", "leaked", "cancelled":
				o := fmt.Sprintf("orders abc/%d ", 1+i)
				want = append(want, o+"customer_id: 5 -> 0", o+"mailbox: m -> ", o+"buyer: b -> ", o+"link: l -> ", o+"cart_id: c -> ", o+"erased_at: 0 -> 8")
			}
		}
		sold(20, cols{"seen_at": 7})
		sold(21, cols{"due_at": 5})
		sold(22, cols{"store_hash": "xyz"})
		sold(23, cols{"erased_at": 4, "buyer": []byte{}})
		forget := func() (int64, error) {
			return w.q.ForgetBuyers(w.Context(), ForgetBuyersParams{StoreHash: "abc", Before: 7, Now: 8})
		}
		w.affects(5, forget, want...)
		w.affects(0, forget)
		w.slices(forget, func(i int) { sold(1000+i, nil) })
	},
	"ShopsToDestroy": func(w *world) {
		gone := func(hash string, given cols) {
			all := cols{"store_hash": hash, "state": "uninstalled", "token": nil, "uninstalled_at": 7}
			for k, v := range given {
				all[k] = v
			}
			w.add("shops", all)
		}
		gone("s1", nil)
		gone("s2", cols{"uninstalled_at": 8})
		gone("s3", cols{"data_key": nil})
		gone("s4", cols{"state": "installed", "token": []byte("t")})
		got, err := w.q.ShopsToDestroy(w.Context(), 7)
		equal(w, got, err, []string{"s1"})
	},
	"DestroyShopKey": func(w *world) {
		old := cols{"store_hash": "s1", "state": "uninstalled", "token": nil}
		written := []string{"shops s1 timezone: old -> UTC"}
		for name, to := range map[string]string{"data_key": "NULL", "kosmos": "NULL", "hook_secret": "NULL"} {
			old[name] = []byte("old")
			written = append(written, "shops s1 "+name+": old -> "+to)
		}
		for name, to := range map[string]string{"store_id": "", "name": "", "currency": "", "timezone": "UTC", "control_panel": "", "country": "", "channels": "[]", "scopes": "",
			"installation": "{}", "settings": "{}"} {
			old[name] = "old"
			if name != "timezone" {
				written = append(written, "shops s1 "+name+": old -> "+to)
			}
		}
		for _, name := range []string{"policy", "enforced_since", "owner_id", "reconciled_at", "suspended_at", "probe_at", "suspected_at", "digest_to"} {
			old[name] = 1
			written = append(written, "shops s1 "+name+": 1 -> 0")
		}
		w.add("shops", old)
		destroy := func(hash string) func() (int64, error) {
			return func() (int64, error) { return w.q.DestroyShopKey(w.Context(), hash) }
		}
		w.affects(0, destroy("abc")) // it is installed
		w.affects(1, destroy("s1"), written...)
		w.affects(0, destroy("s1"))
	},
	"ShopsWithoutKey": func(w *world) {
		got, err := w.q.ShopsWithoutKey(w.Context())
		equal(w, len(got), err, 0)
		w.exec("UPDATE shops SET data_key = NULL")
		for _, table := range tables(w.T, w.db) { // a Proof has its Session, a replayed order its draft, a delivery its event
			if !slices.ContainsFunc(w.columns(table), func(c column) bool { return c.name == "store_hash" }) || slices.Contains([]string{"shops", "proofs", "whatif_orders", "deliveries"}, table) {
				continue
			}
			got, err = w.q.ShopsWithoutKey(w.Context())
			equal(w, len(got), err, 0)
			w.one(table, "xyz")
			got, err = w.q.ShopsWithoutKey(w.Context())
			equal(w, got, err, []string{"xyz"})
			w.one(table, "abc")
			got, err = w.q.ShopsWithoutKey(w.Context())
			equal(w, len(got), err, 1)
			w.exec("UPDATE shops SET data_key = x'6b' WHERE store_hash = 'xyz'")
			got, err = w.q.ShopsWithoutKey(w.Context())
			equal(w, got, err, []string{"abc"})
			w.exec("UPDATE shops SET data_key = NULL")
			w.exec("DELETE FROM " + table)
		}
	},
	"DestroyWritebacks": func(w *world) {
		w.destroys("writebacks", func(w *world, hash string) (int64, error) { return w.q.DestroyWritebacks(w.Context(), hash) })
	},
	"DestroyNotices": func(w *world) {
		w.destroys("notices", func(w *world, hash string) (int64, error) { return w.q.DestroyNotices(w.Context(), hash) })
	},
	"DestroyOrders": func(w *world) {
		w.destroys("orders", func(w *world, hash string) (int64, error) { return w.q.DestroyOrders(w.Context(), hash) })
	},
	"DestroyDecisions": func(w *world) {
		w.destroys("decisions", func(w *world, hash string) (int64, error) { return w.q.DestroyDecisions(w.Context(), hash) })
	},
	"DestroyProofs": func(w *world) {
		w.proof("p1", nil)
		w.proof("p2", nil)
		w.add("sessions", cols{"id": "s3", "store_hash": "xyz"})
		w.add("proofs", cols{"id": "p3", "session_id": "s3", "store_hash": "xyz"})
		w.affects(2, func() (int64, error) { return w.q.DestroyProofs(w.Context(), "abc") }, "- proofs p1", "- proofs p2")
	},
	"DestroySessions": func(w *world) {
		w.destroys("sessions", func(w *world, hash string) (int64, error) { return w.q.DestroySessions(w.Context(), hash) })
	},
	"DestroyCapabilities": func(w *world) {
		w.destroys("capabilities", func(w *world, hash string) (int64, error) { return w.q.DestroyCapabilities(w.Context(), hash) })
	},
	"DestroyPolicies": func(w *world) {
		w.add("policies", cols{"version": 1})
		w.add("policies", cols{"version": 1, "store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.DestroyPolicies(w.Context(), "abc") }, "- policies abc/1")
	},
	"DestroyLogos": func(w *world) {
		w.add("logos", cols{"hash": "h1"})
		w.add("logos", cols{"hash": "h1", "store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.DestroyLogos(w.Context(), "abc") }, "- logos abc/h1")
	},
	"DestroyLogins": func(w *world) {
		w.add("logins", cols{"id": "l1"})
		w.add("logins", cols{"id": "l2", "store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.DestroyLogins(w.Context(), "abc") }, "- logins l1")
	},
	"DestroyUsers": func(w *world) {
		w.add("users", cols{"user_id": 1})
		w.add("users", cols{"user_id": 1, "store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.DestroyUsers(w.Context(), "abc") }, "- users abc/1")
	},
}

// over adds Sessions that are over before 7, later and not yet, with Proofs and without.
func (w *world) over() {
	for id, at := range map[string]int{"p1": 6, "p2": 7} {
		w.proof(id, nil)
		w.exec("UPDATE sessions SET state = 'passed', poll_at = 0, over_at = ?, started_at = 1 WHERE id = ?", at, "of "+id)
	}
	w.session("s1", 0, cols{"over_at": 6})
	w.session("s2", 0, cols{"over_at": 7, "started_at": 1})
	w.session("s3", 50, cols{"started_at": 1})
	w.session("s4", 0, cols{"over_at": 6, "store_hash": "xyz"})
}

// slices shows that a query takes 100 rows at most, and the rest when it is called again.
func (w *world) slices(query func() (int64, error), add func(i int)) {
	w.Helper()
	for i := range 103 {
		add(i)
	}
	for _, want := range []int64{100, 3, 0} {
		n, err := query()
		equal(w, n, err, want)
	}
}

// destroys shows that a query deletes slices of what is Shop abc's in a table, and nothing else.
func (w *world) destroys(table string, query func(*world, string) (int64, error)) {
	w.Helper()
	w.one(table, "xyz")
	before := w.snapshot()
	w.slices(func() (int64, error) { return query(w, "abc") }, func(int) { w.one(table, "abc") })
	after := w.snapshot()
	equal(w, after, nil, before)
}

// one adds a Shop's row to a table, whatever its key.
func (w *world) one(table, hash string) {
	w.Helper()
	given := cols{"store_hash": hash}
	if table == "capabilities" {
		w.next++
		given["id"] = fmt.Appendf(nil, "%-16d", w.next)
	}
	w.add(table, given)
}

// value reads one value of the database.
func (w *world) value(query string) string {
	w.Helper()
	var v any
	if err := w.db.QueryRowContext(w.Context(), query).Scan(&v); err != nil {
		w.Fatal(err)
	}
	return show(v)
}
