package views

// HistoryData is one stream of Sessions, Decisions and orders, newest first.
type HistoryData struct {
	Layout
	Kind    string // all, session, decision or order
	Entries []Entry
	Older   string // cursor of the next page; empty on the last one
	Paged   bool   // this is not the newest page
}

func historyTabs(base string) []tab {
	return []tab{
		{"all", "All", base + "/history"},
		{"session", "Sessions", base + "/history?kind=session"},
		{"decision", "Decisions", base + "/history?kind=decision"},
		{"order", "Orders", base + "/history?kind=order"},
	}
}

func (d HistoryData) url(before string) string {
	kind := d.Kind
	if kind == "all" {
		kind = ""
	}
	return withQuery(d.Base+"/history", "kind", kind, "before", before)
}

func (d HistoryData) older() string {
	if d.Older == "" {
		return ""
	}
	return d.url(d.Older)
}

func (d HistoryData) newest() string {
	if !d.Paged {
		return ""
	}
	return d.url("")
}

// why is what an Entry says beside its badge.
func (e Entry) why() string {
	switch {
	case len(e.Reasons) > 0:
		return reasonText(e.Reasons)
	case e.Kind == "session" && e.SessionReason != "":
		return sessionEnd(e.Code, e.SessionReason)
	case e.State != "" && e.Kind != "notice":
		return "" // it has not happened: the outcome says all
	}
	return e.words().Sentence
}
