package views

func reviewRows() []ReviewRow {
	both := []string{DoApprove, DoRefuse, DoAsk}
	return []ReviewRow{
		{Kind: "in_review", Subject: "0197-a", Customer: "Customer 7", Since: monday, Waited: "2 days", Do: both},
		{Kind: "late", Subject: "0197-b", OrderID: "1046", Customer: "Grace Hopper", Value: "1,249.00 USD", Since: monday, Waited: "26 hours", Do: append(both, DoAcknowledge)},
		{Kind: "tries_spent", Subject: "1047", OrderID: "1047", Guest: true, Value: "18.00 USD", Since: tuesday, Waited: "3 hours", Do: both[:2],
			NoAsk: "The buyer was asked again already; once more from Tue 10 Mar 2026, 10:12 on."},
		{Kind: "blocked", Subject: "1048", OrderID: "1048", Erased: true, Value: "40.00 USD", Since: tuesday, Waited: "40 minutes", Why: "The customer or the mailbox is on the block list.", Do: both[:2]},
		{Kind: "leaked", Subject: "1049", OrderID: "1049", Customer: "<b>Eve</b>", Guest: true, Value: "12.00 USD", Since: tuesday, Waited: "4 minutes", Do: []string{DoAcknowledge}},
		{Kind: "moved", Subject: "1050", OrderID: "1050", Customer: "Annie Easley", Value: "12.00 USD", Since: tuesday, Waited: "4 minutes", Do: []string{DoAcknowledge}},
	}
}

func wordRows() []WordRow {
	return []WordRow{
		{ID: "d1", OrderID: "1046", Outcome: "allow", By: "ada@larkspur.example", Why: "Called & <b>fine</b>", When: tuesday, Undo: "order"},
		{ID: "d2", Outcome: "refuse", By: "bo@larkspur.example", Why: "Stolen card", When: monday, Undo: "cart"},
		{ID: "d3", OrderID: "1044", Outcome: "hold", By: "bo@larkspur.example", When: monday},
	}
}

func waitingLayout() Layout {
	l := layout("enforce")
	l.Waiting = "6"
	return l
}

func reviewPages() []page {
	refused := reviewRows()
	refused[2].Open, refused[2].Form = true, ReasonForm{Reason: "no </textarea>", Error: "reason_required"}
	undoing := wordRows()
	undoing[1].Form = ReasonForm{Reason: "no", Error: "reason_required"}
	glance := OrderGlance{ID: "1046", Customer: "Grace Hopper", Value: "1,249.00 USD", Placed: monday, StatusID: 11, Hold: "none"}
	form := RequestForm{IAL: "2", Selfie: "on", MaxAge: "30", Hold: "on"}
	out := []page{
		{"review-none", Review(ReviewData{Layout: layout("enforce"), CanAct: true})},
		{"review-some", Review(ReviewData{Layout: waitingLayout(), Rows: reviewRows(), Later: "1.late.x", CanAct: true, Words: wordRows()})},
		{"review-viewed", Review(ReviewData{Layout: waitingLayout(), Rows: reviewRows()})},
		{"review-kind-none", Review(ReviewData{Layout: layout("enforce"), Kind: "late", CanAct: true})},
		{"review-end", Review(ReviewData{Layout: layout("enforce"), After: "1773155552123.late.0197-a", CanAct: true})},
		{"review-second", Review(ReviewData{Layout: waitingLayout(), Kind: "late", After: "1773155552123.late.0197-a", Rows: reviewRows()[1:2], CanAct: true, Words: wordRows()[1:2]})},
		{"review-unshown", Review(ReviewData{Layout: waitingLayout(), After: "1773155552123.late.0197-a", Rows: reviewRows()[1:2], CanAct: true, Unshown: &ReasonForm{Reason: "no </q>", Error: "too_long:500"}})},
		{"review-refused", Review(ReviewData{Layout: waitingLayout(), Rows: refused, CanAct: true, Words: undoing})},
		{"review-quicker", Review(ReviewData{Layout: waitingLayout(), Rows: reviewRows()[1:2], CanAct: true, Decided: &wordRows()[0]})},
		{"review-gone", Review(ReviewData{Layout: layout("enforce"), CanAct: true, Gone: true, Find: FindForm{Order: "ten", Error: "not_an_order"}})},
		{"review-suspended", Review(ReviewData{Layout: refusedToken(), Rows: reviewRows()[:1]})},
		{"request", Request(RequestData{Layout: layout("enforce"), Order: glance, Form: form, HoldTo: 12, CanOrder: true, Policy: Need{IAL: 1},
			Before: &RequestRow{By: "bo@larkspur.example", Why: "Odd <b>address</b>", When: monday, Need: Need{IAL: 2}, Hold: true}})},
		{"request-wrong", Request(RequestData{Layout: layout("enforce"), Order: glance, Form: RequestForm{IAL: "9", MaxAge: "x", LeastAge: "0", Reason: ""}, HoldTo: 12,
			NoMails: "Nobody can be asked by mail: this idgate has no mail server.",
			Errors:  map[string]string{"ial": "unknown_choice", "max_age": "not_whole", "least_age": "too_small:1", "reason": "reason_required"}})},
		{"request-unasked", Request(RequestData{Layout: layout("enforce"), Order: glance, Form: RequestForm{IAL: "2", Reason: "Odd <b>address</b>"}, HoldTo: 12, CanOrder: true,
			Unasked: ErrorText("bigcommerce_down")})},
		{"request-unasked-unseen", Request(RequestData{Layout: layout("enforce"), Order: OrderGlance{ID: "1046", Guest: true, StatusID: -1, Hold: "none"}, Form: form, HoldTo: 12,
			Unasked: ErrorText("bigcommerce_busy")})},
		{"erase", Erase(EraseData{Layout: flashed("enforce", "erased", "41"), Erasures: []Erasure{{When: tuesday, By: "ada@larkspur.example", What: "customer", How: "2 proofs, 1 order"}}})},
		{"erase-under-way", Erase(EraseData{Layout: refreshing(flashed("enforce", "erasing", "100"), EraseRefresh), Under: []Erasure{{When: tuesday, By: "ada@larkspur.example", What: "customer", How: "100 proofs"},
			{When: tuesday, What: "customer", How: "4,000 proofs, 12 orders"}}})},
		{"erase-much", Erase(EraseData{Layout: layout("enforce"), Who: "7", Preview: &ErasePreview{Exists: true, Clear: "on", More: true, Kinds: []Tally{{"100", "proof", "proofs"}}}})},
		{"erase-refused", Erase(EraseData{Layout: layout("enforce"), Who: "eve", Errors: map[string]string{WhoField: "enter a customer's id, digits only, or an e-mail address"}})},
		{"erase-customer", Erase(EraseData{Layout: layout("enforce"), Who: "7", Preview: &ErasePreview{Exists: true, Clear: "on",
			Kinds: []Tally{{"2", "proof", "proofs"}, {"1", "order's buyer", "orders' buyers"}}}})},
		{"erase-unknown", Erase(EraseData{Layout: layout("enforce"), Who: "7", Preview: &ErasePreview{Unknown: true, Kinds: []Tally{{"2", "proof", "proofs"}}}})},
		{"erase-mailbox", Erase(EraseData{Layout: layout("enforce"), Who: "grace@hopper.example", Errors: map[string]string{AgainField: "this is not what stands above"},
			Preview: &ErasePreview{Mailbox: true, Customers: "1", Kinds: []Tally{{"1", "proof", "proofs"}}}})},
		{"erase-nothing", Erase(EraseData{Layout: layout("enforce"), Who: "9", Preview: &ErasePreview{}})},
		{"lists-erased", Lists(ListsData{Layout: layout("enforce"), List: "blocked", Entries: []ListEntry{{Hash: "9f86d081884c7d65", By: "ada@larkspur.example", When: tuesday}}})},
	}
	for _, bar := range RequestBars() {
		out = append(out, page{"request-cannot-" + bar, Request(RequestData{Layout: layout("enforce"), Order: glance, Cannot: bar})})
	}
	add := func(name string, change func(*OrderData)) {
		d := heldOrder()
		d.Timeline, d.Rules, d.Receipts, d.Proofs = d.Timeline[:3], nil, nil, nil
		change(&d)
		out = append(out, page{"order-" + name, Order(d)})
	}
	add("requested", func(d *OrderData) {
		d.Layout = flashed("enforce", "check", "1046")
		d.Reasons = append(d.Reasons, Reason{"requested_by_person", "ada@larkspur.example"})
		d.Request = &RequestRow{By: "ada@larkspur.example", Why: "Odd <b>address</b>", When: monday, Need: Need{IAL: 2, Selfie: true}, Hold: true}
		d.CanWithdraw, d.CanAsk, d.CanRequest = true, true, true
	})
	add("request-met", func(d *OrderData) {
		d.Hold, d.CanRelease, d.CanRefuse, d.VerifyURL = "released", false, false, ""
		d.Request = &RequestRow{By: "ada@larkspur.example", Why: "Odd", When: monday, Need: Need{IAL: 2}, Met: true}
	})
	add("request-soft", func(d *OrderData) {
		d.Hold, d.CanRelease, d.CanRefuse, d.VerifyURL, d.CanWithdraw = "none", false, false, "", true
		d.Request, d.Withdraw = &RequestRow{By: "ada@larkspur.example", Why: "Odd", When: monday, Need: Need{IAL: 2}}, ReasonForm{Error: "reason_required"}
	})
	add("undo-release", func(d *OrderData) {
		d.Hold, d.CanRelease, d.CanRefuse, d.VerifyURL, d.CanUndo, d.Undo = "released", false, false, "", "release", ReasonForm{Error: "reason_required"}
	})
	add("undo-refusal", func(d *OrderData) {
		d.Hold, d.Outcome, d.CanRefuse, d.VerifyURL, d.CanUndo = "refused", "refuse", false, "", "refusal"
	})
	add("not-askable", func(d *OrderData) { d.NoAsk = "The buyer was asked as often as is allowed." })
	return out
}

// refreshing is a layout whose page looks again by itself.
func refreshing(l Layout, seconds string) Layout {
	l.Refresh = seconds
	return l
}
