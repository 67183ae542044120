package queries

import (
	"fmt"
	"maps"
)

var workCases = cases{
	"AddNotice": func(w *world) {
		deliver := func(want int64) func() error {
			return func() error {
				got, err := w.q.AddNotice(w.Context(), AddNoticeParams{StoreHash: "abc", EventAt: 5, EventHash: "h", Scope: "s", Subject: "118", Detail: "{}", Now: 7, Urgency: 1})
				equal(w, got, err, want)
				return nil
			}
		}
		w.add("notices", cols{"event_at": 5, "event_hash": "h", "store_hash": "xyz", "id": 40})
		w.changes(deliver(1), "+ notices 41: attempt=0 deliveries=1 detail={} due_at=7 event_at=5 event_hash=h handled_at=0 id=41 received_at=7 remark= scope=s "+
			"state=pending store_hash=abc subject=118 urgency=1")
		w.exec("UPDATE notices SET state = 'done', due_at = 0 WHERE id = 41")
		w.changes(deliver(2), "notices 41 deliveries: 1 -> 2")
	},
	"LeaseNotices": func(w *world) {
		second := w.add("notices", cols{"id": 3, "due_at": 5, "attempt": 0, "urgency": 1})
		w.add("notices", cols{"id": 4, "due_at": 6, "urgency": 1})
		first := w.add("notices", cols{"id": 9, "due_at": 4, "attempt": 2, "urgency": 1})
		w.add("notices", cols{"id": 5, "due_at": 8, "urgency": 1})
		w.add("notices", cols{"id": 6, "due_at": 0, "state": "done", "urgency": 1})
		w.add("notices", cols{"id": 7, "due_at": 4, "store_hash": "xyz", "urgency": 1})
		w.add("notices", cols{"id": 8, "due_at": 4, "urgency": 0})
		w.changes(func() error {
			got, err := w.q.LeaseNotices(w.Context(), LeaseNoticesParams{StoreHash: "abc", Urgency: 1, Now: 7, LeaseUntil: 99, Count: 2})
			second["attempt"], first["attempt"], second["due_at"], first["due_at"] = 1, 3, 99, 99
			are(w, got, err, second, first)
			return nil
		}, "notices 3 attempt: 0 -> 1", "notices 3 due_at: 5 -> 99", "notices 9 attempt: 2 -> 3", "notices 9 due_at: 4 -> 99")
	},
	"ShopsWithDueNotices": func(w *world) {
		w.add("notices", cols{"due_at": 8})
		w.add("notices", cols{"due_at": 0, "state": "done"})
		w.add("notices", cols{"due_at": 7, "store_hash": "xyz"})
		w.add("notices", cols{"due_at": 6, "store_hash": "xyz"})
		got, err := w.q.ShopsWithDueNotices(w.Context(), 7)
		equal(w, got, err, []string{"xyz"})
	},
	"ResumeNotices": func(w *world) {
		w.add("notices", cols{"id": 1, "due_at": 8})
		w.add("notices", cols{"id": 2, "due_at": 6})
		w.add("notices", cols{"id": 3, "due_at": 0, "state": "done"})
		w.affects(1, func() (int64, error) { return w.q.ResumeNotices(w.Context(), 7) }, "notices 1 due_at: 8 -> 7")
	},
	"FinishNotice": func(w *world) {
		w.add("notices", cols{"id": 3, "due_at": 99, "attempt": 2, "remark": "", "handled_at": 0})
		w.add("notices", cols{"id": 4, "due_at": 99, "attempt": 2})
		finish := func(attempt, until int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.FinishNotice(w.Context(), FinishNoticeParams{ID: 3, Attempt: attempt, LeasedUntil: until, Remark: "done it", Now: 7})
			}
		}
		w.affects(0, finish(1, 99))
		w.affects(0, finish(2, 98))
		w.affects(1, finish(2, 99), "notices 3 state: pending -> done", "notices 3 due_at: 99 -> 0", "notices 3 handled_at: 0 -> 7", "notices 3 remark:  -> done it")
		w.affects(0, finish(2, 0))
	},
	"PostponeNotice": func(w *world) {
		w.add("notices", cols{"id": 3, "due_at": 99, "attempt": 2, "remark": ""})
		w.add("notices", cols{"id": 4, "due_at": 99, "attempt": 2})
		postpone := func(attempt, until int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.PostponeNotice(w.Context(), PostponeNoticeParams{ID: 3, Attempt: attempt, LeasedUntil: until, DueAt: 8, Remark: "busy"})
			}
		}
		w.affects(0, postpone(1, 99))
		w.affects(1, postpone(2, 99), "notices 3 due_at: 99 -> 8", "notices 3 remark:  -> busy")
		w.affects(0, postpone(2, 99))
		w.exec("UPDATE notices SET state = 'done', due_at = 0 WHERE id = 3")
		w.affects(0, postpone(2, 0))
	},
	"StickNotice": func(w *world) {
		w.add("notices", cols{"id": 3, "due_at": 99, "attempt": 2, "remark": "", "handled_at": 0})
		w.add("notices", cols{"id": 4, "due_at": 99, "attempt": 2})
		stick := func(attempt, until int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.StickNotice(w.Context(), StickNoticeParams{ID: 3, Attempt: attempt, LeasedUntil: until, Remark: "no order", Now: 7})
			}
		}
		w.affects(0, stick(1, 99))
		w.affects(0, stick(2, 98))
		w.affects(1, stick(2, 99), "notices 3 state: pending -> stuck", "notices 3 due_at: 99 -> 0", "notices 3 handled_at: 0 -> 7", "notices 3 remark:  -> no order")
		w.affects(0, stick(2, 0))
	},
	"ReplayNotice": func(w *world) {
		w.add("notices", cols{"id": 3, "due_at": 0, "state": "stuck", "attempt": 2})
		w.add("notices", cols{"id": 4, "due_at": 0, "state": "stuck"})
		replay := func(hash string) func() (int64, error) {
			return func() (int64, error) {
				return w.q.ReplayNotice(w.Context(), ReplayNoticeParams{ID: 3, StoreHash: hash, Now: 7})
			}
		}
		w.affects(0, replay("xyz"))
		w.affects(1, replay("abc"), "notices 3 state: stuck -> pending", "notices 3 due_at: 0 -> 7", "notices 3 attempt: 2 -> 3")
		w.affects(0, replay("abc"))
	},
	"ReplayNotices": func(w *world) {
		for i, state := range []string{"stuck", "done", "done"} {
			w.add("notices", cols{"id": 3 + i, "due_at": 0, "state": state, "attempt": 2, "received_at": 5 + i})
		}
		w.add("notices", cols{"id": 6, "due_at": 99, "attempt": 2, "received_at": 8}) // waits, or is being handled
		w.add("notices", cols{"id": 7, "due_at": 0, "state": "done", "received_at": 8, "store_hash": "xyz"})
		replay := func() (int64, error) {
			return w.q.ReplayNotices(w.Context(), ReplayNoticesParams{StoreHash: "abc", Since: 6, Now: 9})
		}
		w.affects(2, replay, "notices 4 state: done -> pending", "notices 4 due_at: 0 -> 9", "notices 4 attempt: 2 -> 3",
			"notices 5 state: done -> pending", "notices 5 due_at: 0 -> 9", "notices 5 attempt: 2 -> 3")
		w.affects(0, replay)
		w.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10010)
			INSERT INTO notices (store_hash, event_at, event_hash, scope, subject, received_at, state, due_at) SELECT 'abc', i, i, 's', i, 100, 'done', 0 FROM n`)
		n, err := replay()
		equal(w, n, err, 10000)
	},
	"StuckNotices": func(w *world) {
		first := w.add("notices", cols{"state": "stuck", "due_at": 0})
		w.add("notices", nil)
		w.add("notices", cols{"state": "done", "due_at": 0})
		w.add("notices", cols{"state": "stuck", "due_at": 0, "store_hash": "xyz"})
		last := w.add("notices", cols{"state": "stuck", "due_at": 0})
		got, err := w.q.StuckNotices(w.Context(), "abc")
		are(w, got, err, last, first)
		for range 60 {
			w.add("notices", cols{"state": "stuck", "due_at": 0})
		}
		got, err = w.q.StuckNotices(w.Context(), "abc")
		equal(w, len(got), err, 50)
	},
	"OrderNotices": func(w *world) {
		first := w.add("notices", cols{"subject": "118"})
		w.add("notices", cols{"subject": "119"})
		w.add("notices", cols{"subject": "118", "store_hash": "xyz"})
		last := w.add("notices", cols{"subject": "118"})
		got, err := w.q.OrderNotices(w.Context(), OrderNoticesParams{StoreHash: "abc", Subject: "118"})
		are(w, got, err, last, first)
	},
	"Owe": func(w *world) {
		owe := func() error {
			return w.q.Owe(w.Context(), OweParams{StoreHash: "abc", Key: "hold/118/d", Kind: "hold", Subject: 118, Ref: "d", Urgency: 1, Now: 7})
		}
		w.add("writebacks", cols{"id": 1, "key": "hold/118/d", "store_hash": "xyz"})
		w.changes(owe, "+ writebacks 2: attempt=0 done_at=0 due_at=7 handed_at=0 id=2 key=hold/118/d kind=hold made_at=7 reason= ref=d state=pending store_hash=abc subject=118 urgency=1")
		// Still waiting, or being tried until 99: that try may have looked too early, and may not end it.
		w.exec("UPDATE writebacks SET attempt = 3, due_at = 99, made_at = 5, reason = 'busy' WHERE id = 2")
		w.changes(owe, "writebacks 2 attempt: 3 -> 4", "writebacks 2 due_at: 99 -> 7", "writebacks 2 reason: busy -> ")
		for _, state := range []string{"done", "dropped", "stuck"} {
			w.exec("UPDATE writebacks SET state = ?, due_at = 0, done_at = 6, attempt = 4, made_at = 5 WHERE id = 2", state)
			w.changes(owe, "writebacks 2 state: "+state+" -> pending", "writebacks 2 attempt: 4 -> 5", "writebacks 2 due_at: 0 -> 7", "writebacks 2 done_at: 6 -> 0",
				"writebacks 2 made_at: 5 -> 7")
		}
	},
	"OweOnce": func(w *world) {
		owe := func() error {
			return w.q.OweOnce(w.Context(), OweOnceParams{StoreHash: "abc", Key: "mail/118/link#1", Kind: "mail", Subject: 118, Ref: "link#1", Urgency: 2, Now: 7})
		}
		w.add("writebacks", cols{"id": 1, "key": "mail/118/link#1", "store_hash": "xyz"})
		w.changes(owe, "+ writebacks 2: attempt=0 done_at=0 due_at=7 handed_at=0 id=2 key=mail/118/link#1 kind=mail made_at=7 reason= ref=link#1 state=pending store_hash=abc "+
			"subject=118 urgency=2")
		w.changes(owe)
		for _, state := range []string{"done", "dropped", "stuck"} {
			w.exec("UPDATE writebacks SET state = ?, due_at = 0 WHERE id = 2", state)
			w.changes(owe)
		}
	},
	"HandOverWriteback": func(w *world) {
		w.add("writebacks", cols{"id": 3, "due_at": 99, "attempt": 2, "handed_at": 0})
		w.add("writebacks", cols{"id": 4, "due_at": 99, "attempt": 2, "handed_at": 0})
		hand := func(attempt, until int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.HandOverWriteback(w.Context(), HandOverWritebackParams{ID: 3, Attempt: attempt, LeasedUntil: until, Now: 7})
			}
		}
		w.affects(0, hand(1, 99))
		w.affects(0, hand(2, 98))
		w.affects(1, hand(2, 99), "writebacks 3 handed_at: 0 -> 7")
		w.affects(0, hand(2, 99)) // once
		w.exec("UPDATE writebacks SET state = 'dropped', due_at = 0, handed_at = 0 WHERE id = 3")
		w.affects(0, hand(2, 0))
	},
	"TakeBackWriteback": func(w *world) {
		w.add("writebacks", cols{"id": 3, "due_at": 99, "attempt": 2, "handed_at": 7})
		w.add("writebacks", cols{"id": 4, "due_at": 99, "attempt": 2, "handed_at": 7})
		back := func(attempt, until int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.TakeBackWriteback(w.Context(), TakeBackWritebackParams{ID: 3, Attempt: attempt, LeasedUntil: until})
			}
		}
		w.affects(0, back(1, 99))
		w.affects(0, back(2, 98))
		w.affects(1, back(2, 99), "writebacks 3 handed_at: 7 -> 0")
		w.exec("UPDATE writebacks SET state = 'done', due_at = 0, handed_at = 7 WHERE id = 3")
		w.affects(0, back(2, 0))
	},
	"RetryShopWritebacks": func(w *world) {
		w.add("writebacks", cols{"id": 1, "due_at": 0, "state": "stuck", "attempt": 2, "done_at": 6})
		w.add("writebacks", cols{"id": 2, "due_at": 0, "state": "stuck", "kind": "mail"}) // it may have been sent
		w.add("writebacks", cols{"id": 3, "due_at": 0, "state": "done"})
		w.add("writebacks", cols{"id": 4, "due_at": 0, "state": "dropped"})
		w.add("writebacks", cols{"id": 5, "due_at": 99})
		w.add("writebacks", cols{"id": 6, "due_at": 0, "state": "stuck", "store_hash": "xyz"})
		retry := func() (int64, error) {
			return w.q.RetryShopWritebacks(w.Context(), RetryShopWritebacksParams{StoreHash: "abc", Now: 7})
		}
		w.affects(1, retry, "writebacks 1 state: stuck -> pending", "writebacks 1 due_at: 0 -> 7", "writebacks 1 attempt: 2 -> 3", "writebacks 1 done_at: 6 -> 0")
		for range 1001 {
			w.add("writebacks", cols{"due_at": 0, "state": "stuck"})
		}
		n, err := retry()
		equal(w, n, err, 1000)
	},
	"LeaseWritebacks": func(w *world) {
		second := w.add("writebacks", cols{"id": 3, "due_at": 5, "attempt": 0})
		third := w.add("writebacks", cols{"id": 4, "due_at": 6, "attempt": 0})
		first := w.add("writebacks", cols{"id": 9, "due_at": 4, "attempt": 2})
		w.add("writebacks", cols{"id": 10, "due_at": 7})
		w.add("writebacks", cols{"id": 5, "due_at": 8})
		w.add("writebacks", cols{"id": 6, "due_at": 0, "state": "stuck"})
		w.add("writebacks", cols{"id": 7, "due_at": 4, "store_hash": "xyz"})
		w.add("writebacks", cols{"id": 8, "due_at": 4, "urgency": 1})
		w.changes(func() error {
			got, err := w.q.LeaseWritebacks(w.Context(), LeaseWritebacksParams{StoreHash: "abc", Urgency: 2, Now: 7, LeaseUntil: 99, Count: 3})
			first["attempt"], second["attempt"], third["attempt"] = 3, 1, 1
			first["due_at"], second["due_at"], third["due_at"] = 99, 99, 99
			are(w, got, err, second, third, first)
			return nil
		}, "writebacks 3 attempt: 0 -> 1", "writebacks 3 due_at: 5 -> 99", "writebacks 4 attempt: 0 -> 1", "writebacks 4 due_at: 6 -> 99",
			"writebacks 9 attempt: 2 -> 3", "writebacks 9 due_at: 4 -> 99")
	},
	"ShopsWithDueWritebacks": func(w *world) {
		w.add("writebacks", cols{"due_at": 8})
		w.add("writebacks", cols{"due_at": 0, "state": "done"})
		w.add("writebacks", cols{"due_at": 7, "store_hash": "xyz"})
		w.add("writebacks", cols{"due_at": 6, "store_hash": "xyz"})
		got, err := w.q.ShopsWithDueWritebacks(w.Context(), 7)
		equal(w, got, err, []string{"xyz"})
	},
	"ResumeWritebacks": func(w *world) {
		w.add("writebacks", cols{"id": 1, "due_at": 8})
		w.add("writebacks", cols{"id": 2, "due_at": 6})
		w.add("writebacks", cols{"id": 3, "due_at": 0, "state": "done"})
		w.affects(1, func() (int64, error) { return w.q.ResumeWritebacks(w.Context(), 7) }, "writebacks 1 due_at: 8 -> 7")
	},
	"ReturnMail": func(w *world) {
		ended := cols{"kind": "mail", "due_at": 0, "reason": "sent", "done_at": 5, "handed_at": 4, "attempt": 2}
		add := func(id int, state string, change cols) {
			given := maps.Clone(ended)
			maps.Copy(given, cols{"id": id, "state": state, "key": fmt.Sprint("mail/", id, "/link#1")})
			maps.Copy(given, change)
			w.add("writebacks", given)
		}
		add(1, "done", nil)
		add(2, "stuck", nil) // what came of it was not known
		add(3, "stuck", cols{"handed_at": 0})
		add(4, "pending", cols{"due_at": 9})
		add(5, "dropped", nil)
		add(6, "done", cols{"kind": "note"})
		back := func(hash string, id int, want ...ReturnMailRow) func() error {
			return func() error {
				got, err := w.q.ReturnMail(w.Context(), ReturnMailParams{StoreHash: hash, Key: fmt.Sprint("mail/", id, "/link#1"), Reason: "came back", Now: 7})
				equal(w, got, err, want)
				return err
			}
		}
		w.changes(back("xyz", 1))
		w.changes(back("abc", 1, ReturnMailRow{1, 2}), "writebacks 1 state: done -> stuck", "writebacks 1 handed_at: 4 -> 0", "writebacks 1 done_at: 5 -> 7", "writebacks 1 reason: sent -> came back")
		w.changes(back("abc", 1)) // once
		w.changes(back("abc", 2, ReturnMailRow{2, 2}), "writebacks 2 handed_at: 4 -> 0", "writebacks 2 done_at: 5 -> 7", "writebacks 2 reason: sent -> came back")
		for id := 3; id <= 7; id++ {
			w.changes(back("abc", id))
		}
	},
	"FinishWriteback": func(w *world) {
		w.add("writebacks", cols{"id": 3, "due_at": 99, "attempt": 2, "reason": "", "done_at": 0})
		w.add("writebacks", cols{"id": 4, "due_at": 99, "attempt": 2})
		finish := func(attempt, until int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.FinishWriteback(w.Context(), FinishWritebackParams{ID: 3, Attempt: attempt, LeasedUntil: until, State: "stuck", Reason: "scope", Now: 7})
			}
		}
		w.affects(0, finish(1, 99))
		w.affects(0, finish(2, 98))
		w.affects(1, finish(2, 99), "writebacks 3 state: pending -> stuck", "writebacks 3 due_at: 99 -> 0", "writebacks 3 done_at: 0 -> 7", "writebacks 3 reason:  -> scope")
		w.affects(0, finish(2, 0))
	},
	"PostponeWriteback": func(w *world) {
		w.add("writebacks", cols{"id": 3, "due_at": 99, "attempt": 2, "reason": ""})
		w.add("writebacks", cols{"id": 4, "due_at": 99, "attempt": 2})
		postpone := func(attempt, until int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.PostponeWriteback(w.Context(), PostponeWritebackParams{ID: 3, Attempt: attempt, LeasedUntil: until, DueAt: 8, Reason: "busy"})
			}
		}
		w.affects(0, postpone(1, 99))
		w.affects(1, postpone(2, 99), "writebacks 3 due_at: 99 -> 8", "writebacks 3 reason:  -> busy")
		w.affects(0, postpone(2, 99))
		w.exec("UPDATE writebacks SET state = 'done', due_at = 0 WHERE id = 3")
		w.affects(0, postpone(2, 0))
	},
	"RetryWriteback": func(w *world) {
		w.add("writebacks", cols{"id": 3, "due_at": 0, "state": "stuck", "attempt": 2, "done_at": 6, "handed_at": 5})
		w.add("writebacks", cols{"id": 4, "due_at": 0, "state": "stuck"})
		retry := func(hash string) func() (int64, error) {
			return func() (int64, error) {
				return w.q.RetryWriteback(w.Context(), RetryWritebackParams{ID: 3, StoreHash: hash, Now: 7})
			}
		}
		w.affects(0, retry("xyz"))
		w.affects(1, retry("abc"), "writebacks 3 state: stuck -> pending", "writebacks 3 due_at: 0 -> 7", "writebacks 3 attempt: 2 -> 3", "writebacks 3 done_at: 6 -> 0",
			"writebacks 3 handed_at: 5 -> 0")
		w.affects(0, retry("abc"))
	},
	"DropWritebacks": func(w *world) {
		drop := func() error {
			return w.q.DropWritebacks(w.Context(), DropWritebacksParams{StoreHash: "abc", Subject: 118, Kind: "hold", Now: 7, Reason: "no"})
		}
		for i, state := range []string{"pending", "stuck", "done", "dropped"} {
			due := 0
			if state == "pending" {
				due = 99
			}
			w.add("writebacks", cols{"id": 1 + i, "subject": 118, "kind": "hold", "state": state, "due_at": due, "done_at": 6, "reason": ""})
		}
		w.add("writebacks", cols{"subject": 118, "kind": "release"})
		w.add("writebacks", cols{"subject": 119, "kind": "hold"})
		w.add("writebacks", cols{"subject": 118, "kind": "hold", "store_hash": "xyz"})
		w.changes(drop, "writebacks 1 state: pending -> dropped", "writebacks 1 due_at: 99 -> 0", "writebacks 1 done_at: 6 -> 7", "writebacks 1 reason:  -> no",
			"writebacks 2 state: stuck -> dropped", "writebacks 2 done_at: 6 -> 7", "writebacks 2 reason:  -> no")
	},
	"DropShopWritebacks": func(w *world) {
		w.add("writebacks", cols{"id": 1, "due_at": 99, "done_at": 0, "reason": ""})
		w.add("writebacks", cols{"id": 2, "state": "stuck", "due_at": 0})
		w.add("writebacks", cols{"id": 3, "state": "done", "due_at": 0})
		w.add("writebacks", cols{"id": 4, "store_hash": "xyz"})
		w.changes(func() error {
			return w.q.DropShopWritebacks(w.Context(), DropShopWritebacksParams{StoreHash: "abc", Now: 7, Reason: "gone"})
		}, "writebacks 1 state: pending -> dropped", "writebacks 1 due_at: 99 -> 0", "writebacks 1 done_at: 0 -> 7", "writebacks 1 reason:  -> gone")
	},
	"OweAgain": func(w *world) {
		w.exec("UPDATE shops SET state = 'uninstalled', token = NULL, uninstalled_at = 5")
		for i, x := range []cols{{"done_at": 5}, {"done_at": 6, "kind": "mail"}, {"done_at": 4}, {"state": "done"}, {"state": "stuck"}, {"store_hash": "xyz"}} {
			row := cols{"id": 1 + i, "state": "dropped", "due_at": 0, "done_at": 6, "reason": "gone", "attempt": 2}
			maps.Copy(row, x)
			w.add("writebacks", row)
		}
		again := func() (int64, error) {
			return w.q.OweAgain(w.Context(), OweAgainParams{StoreHash: "abc", Now: 7})
		}
		w.affects(2, again, "writebacks 1 state: dropped -> pending", "writebacks 1 attempt: 2 -> 3", "writebacks 1 due_at: 0 -> 7", "writebacks 1 done_at: 5 -> 0", "writebacks 1 reason: gone -> ",
			"writebacks 2 state: dropped -> pending", "writebacks 2 attempt: 2 -> 3", "writebacks 2 due_at: 0 -> 7", "writebacks 2 done_at: 6 -> 0", "writebacks 2 reason: gone -> ")
		w.exec("UPDATE shops SET state = 'installed', token = x'74' WHERE store_hash = 'abc'")
		w.add("writebacks", cols{"id": 9, "state": "dropped", "due_at": 0, "done_at": 6})
		w.affects(0, again) // it was not uninstalled
	},
	"SubjectWritebacks": func(w *world) {
		first := w.add("writebacks", cols{"subject": 118, "kind": "note"})
		w.add("writebacks", cols{"subject": 119, "kind": "note"})
		w.add("writebacks", cols{"subject": 118, "kind": "note", "store_hash": "xyz"})
		mail := w.add("writebacks", cols{"subject": 118, "kind": "mail", "state": "done", "due_at": 0})
		stuck := w.add("writebacks", cols{"subject": 118, "kind": "note", "state": "stuck", "due_at": 0})
		old := w.add("writebacks", cols{"subject": 118, "kind": "decision_metafield", "state": "done", "due_at": 0})
		attributes := w.add("writebacks", cols{"subject": 118, "kind": "customer_attributes"})
		metafield := w.add("writebacks", cols{"subject": 118, "kind": "proof_metafield"})
		of := func(customer int64) ([]SubjectWritebacksRow, error) {
			return w.q.SubjectWritebacks(w.Context(), SubjectWritebacksParams{StoreHash: "abc", Subject: 118, OfCustomer: customer})
		}
		got, err := of(0)
		are(w, got, err, old, stuck, mail, first)
		got, err = of(1)
		are(w, got, err, metafield, attributes)
		for range 50 {
			w.add("writebacks", cols{"subject": 118, "kind": "decision_metafield", "state": "done", "due_at": 0})
		}
		got, err = of(0)
		are(w, got[len(got)-3:], err, stuck, mail, first)
		if len(got) != 50 || got[0].ID <= got[46].ID || got[46].Kind != "decision_metafield" {
			w.Errorf("%d rows, the first %+v", len(got), got[0])
		}
	},
	"StuckWritebacks": func(w *world) {
		first := w.add("writebacks", cols{"state": "stuck", "due_at": 0})
		w.add("writebacks", nil)
		w.add("writebacks", cols{"state": "stuck", "due_at": 0, "store_hash": "xyz"})
		last := w.add("writebacks", cols{"state": "stuck", "due_at": 0})
		got, err := w.q.StuckWritebacks(w.Context(), "abc")
		are(w, got, err, first, last)
	},
	"PendingWork": func(w *world) {
		for i := range 4 {
			if i < 1 {
				w.add("notices", cols{"due_at": 5})
			}
			if i < 2 {
				w.order(10+i, cols{"due_at": 5})
			}
			if i < 3 {
				w.add("writebacks", cols{"due_at": 5})
			}
			w.add("sessions", cols{"poll_at": 5})
		}
		w.told()
		for i := range 5 {
			w.event(20+i, nil)
			w.delivery(30+i, cols{"event_id": 20 + i})
		}
		w.event(25, nil)
		w.delivery(35, cols{"event_id": 25, "state": "done", "due_at": 0, "leased_until": 0})
		w.add("notices", cols{"due_at": 0, "state": "done"})
		w.order(1, cols{"due_at": 0})
		w.add("writebacks", cols{"due_at": 0, "state": "done"})
		w.add("sessions", cols{"poll_at": 0, "state": "failed"})
		got, err := w.q.PendingWork(w.Context())
		equal(w, got, err, PendingWorkRow{Notices: 1, Orders: 2, Writebacks: 3, Sessions: 4, Deliveries: 5})
	},
}
