package queries

var pagesCases = cases{
	"DecisionsPage": func(w *world) {
		second := w.add("decisions", cols{"id": "d2", "made_at": 7})
		first := w.add("decisions", cols{"id": "d1", "made_at": 7})
		oldest := w.add("decisions", cols{"id": "d9", "made_at": 6})
		w.add("decisions", cols{"id": "d3", "made_at": 7})
		w.add("decisions", cols{"id": "d0", "made_at": 8})
		w.add("decisions", cols{"id": "dx", "made_at": 6, "store_hash": "xyz"})
		got, err := w.q.DecisionsPage(w.Context(), DecisionsPageParams{StoreHash: "abc", Before: 7, BeforeID: "d3", Count: 9})
		are(w, got, err, second, first, oldest)
		got, err = w.q.DecisionsPage(w.Context(), DecisionsPageParams{StoreHash: "abc", Before: 7, BeforeID: "d3", Count: 2})
		are(w, got, err, second, first)
	},
	"DecisionsPageByStage": func(w *world) {
		second := w.add("decisions", cols{"id": "d2", "made_at": 7})
		w.add("decisions", cols{"id": "d1", "made_at": 7, "stage": "checkout", "order_id": 0})
		oldest := w.add("decisions", cols{"id": "d9", "made_at": 6})
		w.add("decisions", cols{"id": "d3", "made_at": 7})
		w.add("decisions", cols{"id": "dx", "made_at": 6, "store_hash": "xyz"})
		got, err := w.q.DecisionsPageByStage(w.Context(), DecisionsPageByStageParams{StoreHash: "abc", Stage: "order", Before: 7, BeforeID: "d3", Count: 9})
		are(w, got, err, second, oldest)
		got, err = w.q.DecisionsPageByStage(w.Context(), DecisionsPageByStageParams{StoreHash: "abc", Stage: "order", Before: 7, BeforeID: "d3", Count: 1})
		are(w, got, err, second)
	},
	"SessionsPage": func(w *world) {
		second := w.add("sessions", cols{"id": "s2", "started_at": 7})
		first := w.add("sessions", cols{"id": "s1", "started_at": 7})
		oldest := w.add("sessions", cols{"id": "s9", "started_at": 6})
		w.add("sessions", cols{"id": "s3", "started_at": 7})
		w.add("sessions", cols{"id": "sx", "started_at": 6, "store_hash": "xyz"})
		got, err := w.q.SessionsPage(w.Context(), SessionsPageParams{StoreHash: "abc", Before: 7, BeforeID: "s3", Count: 9})
		are(w, got, err, second, first, oldest)
		got, err = w.q.SessionsPage(w.Context(), SessionsPageParams{StoreHash: "abc", Before: 7, BeforeID: "s3", Count: 2})
		are(w, got, err, second, first)
	},
	"CountInReview": func(w *world) {
		w.add("sessions", cols{"state": "review"})
		w.add("sessions", cols{"state": "review"})
		w.add("sessions", cols{"state": "started"})
		w.add("sessions", cols{"state": "review", "store_hash": "xyz"})
		got, err := w.q.CountInReview(w.Context(), "abc")
		equal(w, got, err, 2)
	},
	"CountLatePasses": func(w *world) {
		late := func(given cols) {
			all := cols{"state": "passed", "poll_at": 0, "started_at": 7, "late": 1, "order_id": 0, "cart_id": ""}
			for k, v := range given {
				all[k] = v
			}
			w.add("sessions", all)
		}
		w.order(1, cols{"hold": "held", "cart_id": "c1"})
		w.order(2, cols{"hold": "released", "cart_id": "c2"})
		late(cols{"order_id": 1})
		late(cols{"cart_id": "c1"})
		late(cols{"order_id": 2})
		late(cols{"cart_id": "c2"})
		late(nil)
		late(cols{"order_id": 1, "late": 0})
		late(cols{"order_id": 1, "started_at": 6})
		late(cols{"order_id": 1, "store_hash": "xyz"})
		got, err := w.q.CountLatePasses(w.Context(), CountLatePassesParams{StoreHash: "abc", Since: 7})
		equal(w, got, err, 2)
	},
	"CountHolds": func(w *world) {
		for i, hold := range []string{"none", "holding", "held", "held", "releasing", "released", "refused", "moved", "leaked", "cancelling", "cancelled"} {
			w.order(1+i, cols{"hold": hold})
		}
		w.order(1, cols{"hold": "held", "store_hash": "xyz"})
		got, err := w.q.CountHolds(w.Context(), "abc")
		equal(w, got, err, []CountHoldsRow{{"cancelling", 1}, {"held", 2}, {"holding", 1}, {"refused", 1}, {"releasing", 1}})
	},
	"CountAlarms": func(w *world) {
		for i, at := range []int{7, 6, 5, 0} {
			w.order(1+i, cols{"hold": "leaked", "alarmed_at": at})
			w.order(11+i, cols{"hold": "moved", "alarmed_at": at})
		}
		w.order(21, cols{"hold": "held", "alarmed_at": 9})
		w.order(1, cols{"hold": "leaked", "alarmed_at": 9, "store_hash": "xyz"})
		got, err := w.q.CountAlarms(w.Context(), CountAlarmsParams{StoreHash: "abc", Hold: "leaked", Since: 6})
		equal(w, got, err, 2)
		got, err = w.q.CountAlarms(w.Context(), CountAlarmsParams{StoreHash: "abc", Hold: "moved", Since: 5})
		equal(w, got, err, 3)
	},
	"CountStuck": func(w *world) {
		for i, state := range []string{"stuck", "stuck", "stuck", "done", "pending"} {
			due := 0
			if state == "pending" {
				due = 7
			}
			w.add("writebacks", cols{"state": state, "due_at": due})
			if i != 1 {
				w.add("notices", cols{"state": state, "due_at": due})
			}
			w.add("notices", cols{"state": state, "due_at": due, "store_hash": "xyz"})
		}
		got, err := w.q.CountStuck(w.Context(), "abc")
		equal(w, got, err, CountStuckRow{Notices: 2, Writebacks: 3})
	},
	"Alarms": func(w *world) {
		w.add("shops", cols{"store_hash": "gone", "state": "uninstalled", "token": nil})
		for i, hash := range []string{"abc", "xyz", "gone"} {
			w.order(1, cols{"hold": "leaked", "store_hash": hash})
			w.order(2, cols{"hold": "moved", "store_hash": hash})
			w.order(3, cols{"hold": "held", "store_hash": hash})
			if i == 0 {
				w.order(4, cols{"hold": "leaked", "store_hash": hash})
				w.add("writebacks", cols{"state": "stuck", "due_at": 0})
				w.add("writebacks", cols{"state": "done", "due_at": 0})
			}
			w.add("notices", cols{"state": "stuck", "due_at": 0, "store_hash": hash})
		}
		w.add("writebacks", cols{"state": "stuck", "due_at": 0, "store_hash": "gone"}) // nobody can do anything about it
		got, err := w.q.Alarms(w.Context())
		equal(w, got, err, AlarmsRow{StuckNotices: 3, StuckWritebacks: 1, Leaked: 3, Moved: 2})
	},
	"ShopPendingWork": func(w *world) {
		for i, at := range []int{8, 7, 9} {
			w.add("notices", cols{"received_at": at})
			w.add("writebacks", cols{"made_at": at + 10})
			if i > 0 {
				w.add("writebacks", cols{"made_at": at + 20})
				w.order(i, nil)
			}
		}
		w.add("notices", cols{"received_at": 1, "due_at": 0, "state": "done"})
		w.add("notices", cols{"received_at": 1, "store_hash": "xyz"})
		w.order(8, cols{"due_at": 0})
		w.order(9, cols{"store_hash": "xyz"})
		w.add("writebacks", cols{"made_at": 1, "due_at": 0, "state": "done"})
		w.add("writebacks", cols{"made_at": 1, "store_hash": "xyz"})
		got, err := w.q.ShopPendingWork(w.Context(), "abc")
		equal(w, got, err, ShopPendingWorkRow{Notices: 3, Orders: 2, Writebacks: 5, OldestNotice: 7, OldestWriteback: 17})
		w.exec("DELETE FROM notices")
		w.exec("DELETE FROM writebacks")
		got, err = w.q.ShopPendingWork(w.Context(), "abc")
		equal(w, got, err, ShopPendingWorkRow{Orders: 2})
	},
	"NoticesSeen": func(w *world) {
		w.add("notices", cols{"scope": "a", "received_at": 7})
		w.add("notices", cols{"scope": "a", "received_at": 9})
		w.add("notices", cols{"scope": "a", "received_at": 8})
		w.add("notices", cols{"scope": "b", "received_at": 6})
		w.add("notices", cols{"scope": "c", "store_hash": "xyz"})
		got, err := w.q.NoticesSeen(w.Context(), "abc")
		equal(w, got, err, []NoticesSeenRow{{"a", 9}, {"b", 6}})
	},
}

// are2 is are for rows joined from two tables.
func are2[T any](w *world, got []T, err error, rows [][]cols) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	if len(got) != len(rows) {
		w.Fatalf("%d rows, want %d: %+v", len(got), len(rows), got)
	}
	for i := range got {
		w.is(got[i], rows[i]...)
	}
}
