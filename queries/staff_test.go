package queries

// alarm adds an alarm of Shop abc that waits.
func (w *world) alarm(given cols) cols {
	w.Helper()
	all := cols{"kind": "orders", "mail": "", "mailed_at": 0}
	for k, v := range given {
		all[k] = v
	}
	return w.add("staff_alarms", all)
}

// mailedIn is what makes an alarm one that a mail has told.
func mailedIn(mail string, at int64, more cols) cols {
	all := cols{"mail": mail, "mailed_at": at}
	for k, v := range more {
		all[k] = v
	}
	return all
}

// staffMail adds a mail to staff.
func (w *world) staffMail(given cols) cols {
	w.Helper()
	all := cols{"kind": "mail", "subject": 0}
	for k, v := range given {
		all[k] = v
	}
	return w.add("writebacks", all)
}

var staffCases = cases{
	"AddStaffAlarm": func(w *world) {
		add := func(what string, now int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.AddStaffAlarm(w.Context(), AddStaffAlarmParams{StoreHash: "abc", Kind: "orders", Cause: "leaked/118/1", What: what, OrderID: 118, Now: now})
			}
		}
		w.alarm(cols{"id": 1, "store_hash": "xyz", "cause": "leaked/118/1"})
		w.alarm(cols{"id": 2, "kind": "review", "cause": "leaked/118/1"})
		w.affects(1, add("leaked", 7), "+ staff_alarms 3: at=7 cause=leaked/118/1 id=3 kind=orders mail= mailed_at=0 order_id=118 store_hash=abc what=leaked")
		w.affects(0, add("moved", 8))
	},
	"StaffAlarmsSince": func(w *world) {
		since := func(since, now int64) bool {
			is, err := w.q.StaffAlarmsSince(w.Context(), StaffAlarmsSinceParams{StoreHash: "abc", Kind: "budget", Since: since, Now: now})
			if err != nil {
				w.Fatal(err)
			}
			return is
		}
		w.alarm(cols{"kind": "budget", "at": 6, "store_hash": "xyz"})
		w.alarm(cols{"at": 6})
		w.alarm(cols{"kind": "budget", "at": 9})
		if since(5, 8) || !since(5, 9) || since(9, 10) || !since(8, 10) {
			w.Error("after since, and not after now")
		}
	},
	"WaitingStaffAlarms": func(w *world) {
		w.alarm(cols{"at": 7})
		w.alarm(cols{"at": 5})
		w.alarm(mailedIn("m", 8, cols{"at": 3}))
		w.alarm(cols{"kind": "review", "at": 9})
		w.alarm(cols{"at": 4, "store_hash": "xyz"})
		got, err := w.q.WaitingStaffAlarms(w.Context())
		equal(w, got, err, []WaitingStaffAlarmsRow{{"abc", "orders", 5}, {"abc", "review", 9}, {"xyz", "orders", 4}})
	},
	"OldestStaffAlarm": func(w *world) {
		oldest := func() ([]int64, error) {
			return w.q.OldestStaffAlarm(w.Context(), OldestStaffAlarmParams{StoreHash: "abc", Kind: "orders"})
		}
		w.alarm(mailedIn("m", 8, cols{"at": 3}))
		w.alarm(cols{"kind": "review", "at": 2})
		w.alarm(cols{"at": 1, "store_hash": "xyz"})
		got, err := oldest()
		equal(w, len(got), err, 0)
		w.alarm(cols{"at": 7})
		w.alarm(cols{"at": 5})
		got, err = oldest()
		equal(w, got, err, []int64{5})
	},
	"LastStaffMail": func(w *world) {
		last := func(now int64) (int64, error) {
			return w.q.LastStaffMail(w.Context(), LastStaffMailParams{StoreHash: "abc", Kind: "orders", Now: now})
		}
		w.alarm(cols{"at": 3})
		got, err := last(9)
		equal(w, got, err, 0)
		w.alarm(mailedIn("m", 5, nil))
		w.alarm(mailedIn("n", 7, nil))
		w.alarm(mailedIn("o", 6, cols{"store_hash": "xyz"}))
		w.alarm(mailedIn("p", 6, cols{"kind": "review"}))
		got, err = last(7)
		equal(w, got, err, 7)
		got, err = last(6)
		equal(w, got, err, 5)
	},
	"NextStaffAlarms": func(w *world) {
		w.alarm(cols{"id": 1, "at": 5, "cause": "second"})
		w.alarm(cols{"id": 2, "at": 5, "cause": "third"})
		w.alarm(cols{"id": 3, "at": 4, "cause": "first"})
		w.alarm(cols{"id": 4, "at": 3, "kind": "review"})
		w.alarm(cols{"id": 5, "at": 3, "store_hash": "xyz"})
		w.alarm(mailedIn("m", 8, cols{"id": 6, "at": 3}))
		w.alarm(cols{"id": 7, "at": 6})
		got, err := w.q.NextStaffAlarms(w.Context(), NextStaffAlarmsParams{StoreHash: "abc", Kind: "orders", Count: 3})
		equal(w, got, err, []string{"first", "second", "third"})
	},
	"MailStaffAlarms": func(w *world) {
		w.alarm(cols{"id": 1})
		w.alarm(mailedIn("m", 8, cols{"id": 2}))
		w.alarm(cols{"id": 3, "kind": "review"})
		w.alarm(cols{"id": 4, "store_hash": "xyz"})
		w.alarm(cols{"id": 5})
		w.affects(2, func() (int64, error) {
			return w.q.MailStaffAlarms(w.Context(), MailStaffAlarmsParams{StoreHash: "abc", Kind: "orders", Mail: "n", Now: 9})
		}, "staff_alarms 1 mail:  -> n", "staff_alarms 1 mailed_at: 0 -> 9", "staff_alarms 5 mail:  -> n", "staff_alarms 5 mailed_at: 0 -> 9")
	},
	"DropStaffAlarms": func(w *world) {
		w.alarm(cols{"id": 1})
		w.alarm(mailedIn("m", 8, cols{"id": 2}))
		w.alarm(cols{"id": 3, "kind": "review"})
		w.alarm(cols{"id": 4, "store_hash": "xyz"})
		w.affects(1, func() (int64, error) {
			return w.q.DropStaffAlarms(w.Context(), DropStaffAlarmsParams{StoreHash: "abc", Kind: "orders"})
		}, "- staff_alarms 1")
	},
	"StaffMailAlarms": func(w *world) {
		w.alarm(mailedIn("m", 8, cols{"id": 2, "what": "moved", "order_id": 119, "at": 5}))
		w.alarm(mailedIn("m", 8, cols{"id": 1, "what": "leaked", "order_id": 118, "at": 6}))
		w.alarm(mailedIn("m", 8, cols{"id": 3}))
		w.alarm(mailedIn("n", 8, cols{"id": 4}))
		w.alarm(mailedIn("m", 8, cols{"id": 5, "store_hash": "xyz"}))
		got, err := w.q.StaffMailAlarms(w.Context(), StaffMailAlarmsParams{StoreHash: "abc", Mail: "m", Count: 2})
		equal(w, got, err, []StaffMailAlarmsRow{{"leaked", 118, 6}, {"moved", 119, 5}})
	},
	"CountStaffMailAlarms": func(w *world) {
		w.alarm(mailedIn("m", 8, nil))
		w.alarm(mailedIn("m", 9, nil))
		w.alarm(mailedIn("n", 8, nil))
		w.alarm(mailedIn("m", 8, cols{"store_hash": "xyz"}))
		got, err := w.q.CountStaffMailAlarms(w.Context(), CountStaffMailAlarmsParams{StoreHash: "abc", Mail: "m"})
		equal(w, got, err, 2)
	},
	"ForgetStaffAlarms": func(w *world) {
		w.alarm(mailedIn("m", 6, cols{"id": 1}))
		w.alarm(mailedIn("m", 7, cols{"id": 2}))
		w.alarm(cols{"id": 3, "at": 1}) // it waits
		forget := func() (int64, error) { return w.q.ForgetStaffAlarms(w.Context(), 7) }
		w.affects(1, forget, "- staff_alarms 1")
		w.slices(forget, func(int) { w.alarm(mailedIn("m", 6, nil)) })
	},
	"DestroyStaffAlarms": func(w *world) {
		w.destroys("staff_alarms", func(w *world, hash string) (int64, error) { return w.q.DestroyStaffAlarms(w.Context(), hash) })
	},
	"SettleDigest": func(w *world) {
		w.exec("UPDATE shops SET digest_to = 5")
		settle := func(to int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.SettleDigest(w.Context(), SettleDigestParams{StoreHash: "abc", DigestTo: to})
			}
		}
		w.affects(0, settle(5))
		w.affects(1, settle(7), "shops abc digest_to: 5 -> 7")
		w.affects(1, settle(6), "shops abc digest_to: 7 -> 6")
	},
	"ShopsWithDueStaffMails": func(w *world) {
		w.staffMail(cols{"due_at": 8})
		w.staffMail(cols{"due_at": 7, "subject": 118})
		w.staffMail(cols{"due_at": 7, "kind": "note"})
		w.staffMail(cols{"due_at": 0, "state": "done"})
		w.staffMail(cols{"due_at": 7, "store_hash": "xyz"})
		w.staffMail(cols{"due_at": 6, "store_hash": "xyz"})
		got, err := w.q.ShopsWithDueStaffMails(w.Context(), 7)
		equal(w, got, err, []string{"xyz"})
	},
	"LeaseStaffMails": func(w *world) {
		second := w.staffMail(cols{"id": 3, "due_at": 5, "attempt": 0})
		first := w.staffMail(cols{"id": 9, "due_at": 4, "attempt": 2, "urgency": 1})
		w.staffMail(cols{"id": 10, "due_at": 6})
		w.staffMail(cols{"id": 5, "due_at": 8})
		w.staffMail(cols{"id": 6, "due_at": 0, "state": "stuck"})
		w.staffMail(cols{"id": 7, "due_at": 4, "store_hash": "xyz"})
		w.staffMail(cols{"id": 8, "due_at": 4, "subject": 118})
		w.staffMail(cols{"id": 11, "due_at": 4, "kind": "note"})
		w.changes(func() error {
			got, err := w.q.LeaseStaffMails(w.Context(), LeaseStaffMailsParams{StoreHash: "abc", Now: 7, LeaseUntil: 99, Count: 2})
			first["attempt"], second["attempt"] = 3, 1
			first["due_at"], second["due_at"] = 99, 99
			are(w, got, err, second, first)
			return nil
		}, "writebacks 3 attempt: 0 -> 1", "writebacks 3 due_at: 5 -> 99", "writebacks 9 attempt: 2 -> 3", "writebacks 9 due_at: 4 -> 99")
	},
	"CountCancelled": func(w *world) {
		cancel := func(given cols) {
			all := cols{"kind": "cancel", "state": "done", "due_at": 0, "done_at": 5}
			for k, v := range given {
				all[k] = v
			}
			w.add("writebacks", all)
		}
		cancel(cols{"subject": 118})
		cancel(cols{"subject": 118, "done_at": 6}) // of another decision
		cancel(cols{"subject": 119, "done_at": 6})
		cancel(cols{"done_at": 4})
		cancel(cols{"done_at": 7})
		cancel(cols{"store_hash": "xyz"})
		cancel(cols{"kind": "hold"})
		cancel(cols{"state": "dropped"})
		got, err := w.q.CountCancelled(w.Context(), CountCancelledParams{StoreHash: "abc", Since: 5, Until: 7})
		equal(w, got, err, 2)
	},
}
