package queries

// report adds what pages of channel 1 reported on a day.
func (w *world) report(given cols) cols {
	w.Helper()
	all := cols{"channel_id": 1, "missing": "order_call", "day": 20}
	for k, v := range given {
		all[k] = v
	}
	return w.add("page_reports", all)
}

var reportsCases = cases{
	"ReportPage": func(w *world) {
		report := func(now int64) func() error {
			return func() error {
				return w.q.ReportPage(w.Context(), ReportPageParams{StoreHash: "abc", ChannelID: 5, Missing: "submit_button", Day: 20, Now: now})
			}
		}
		w.report(cols{"store_hash": "xyz", "channel_id": 5, "missing": "submit_button"})
		w.changes(report(7), "+ page_reports abc/5/submit_button/20: channel_id=5 count=1 day=20 missing=submit_button seen_at=7 store_hash=abc")
		w.changes(report(9), "page_reports abc/5/submit_button/20 count: 1 -> 2", "page_reports abc/5/submit_button/20 seen_at: 7 -> 9")
		w.changes(report(8), "page_reports abc/5/submit_button/20 count: 2 -> 3") // late
		w.exec("UPDATE page_reports SET count = 1000000")
		w.changes(report(9))
	},
	"PageReports": func(w *world) {
		w.report(cols{"day": 19, "count": 100, "seen_at": 100})
		w.report(cols{"day": 20, "count": 2, "seen_at": 5})
		w.report(cols{"day": 21, "count": 3, "seen_at": 4})
		w.report(cols{"missing": "submit_button", "count": 6, "seen_at": 7})
		w.report(cols{"channel_id": 4, "count": 8, "seen_at": 9})
		w.report(cols{"store_hash": "xyz"})
		got, err := w.q.PageReports(w.Context(), PageReportsParams{StoreHash: "abc", Since: 20})
		equal(w, got, err, []PageReportsRow{
			{ChannelID: 1, Missing: "order_call", Count: 5, SeenAt: 5}, {ChannelID: 1, Missing: "submit_button", Count: 6, SeenAt: 7}, {ChannelID: 4, Missing: "order_call", Count: 8, SeenAt: 9},
		})
	},
	"ForgetPageReports": func(w *world) {
		w.report(cols{"day": 19})
		w.report(cols{"day": 20})
		w.report(cols{"day": 19, "store_hash": "xyz"})
		w.affects(1, func() (int64, error) {
			return w.q.ForgetPageReports(w.Context(), ForgetPageReportsParams{StoreHash: "abc", Before: 20})
		}, "- page_reports abc/1/order_call/19")
	},
	"DestroyPageReports": func(w *world) {
		w.report(nil)
		w.report(cols{"channel_id": 4})
		w.report(cols{"store_hash": "xyz"})
		w.affects(2, func() (int64, error) { return w.q.DestroyPageReports(w.Context(), "abc") }, "- page_reports abc/1/order_call/20", "- page_reports abc/4/order_call/20")
	},
}
