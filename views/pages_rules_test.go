package views

func change(area, rule, field, before, after, effect string) ChangeData {
	return ChangeData{area, rule, field, before, after, effect}
}

func someChanges() []ChangeData {
	return []ChangeData{
		change("checkout", "", "ial", "IAL 1", "IAL 2", "stricter"),
		change("rules", "Wine & <b>spirits</b>", "", "", "needs IAL 2, when Category: 12", "stricter"),
		change("rules", "Staff", "", "exempts, when Customer group: 7", "", "stricter"),
		change("rules", "Knives", "when", "Category: 4", "Category: 4, 5", "stricter"),
		change("rules", "Knives", "require.least_age", "21 years", "18 years", "milder"),
		change("rules", "", "order", "Knives, Wine", "Wine, Knives", "other"),
		change("guests", "", "", "verify for each order", "nothing", "mixed"),
	}
}

func ruleRows() (exempt, require []RuleRow) {
	return []RuleRow{
			{RuleData: RuleData{Name: "Staff orders", Mode: "enforce", Exempt: true, Conditions: []ConditionData{{Fact: "group", Wanted: "7"}}}, First: true, Last: true},
		}, []RuleRow{
			{RuleData: RuleData{Name: "Wine & <b>spirits</b>", Mode: "enforce", Need: Need{IAL: 2, LeastAge: 21, NameMatch: true, AddressMatch: true},
				Conditions: []ConditionData{{Fact: "category", Wanted: "12, 13"}, {Fact: "country", Not: true, Wanted: "CA"}}}, First: true},
			{RuleData: RuleData{Name: "First order (dear)", Mode: "shadow", Need: Need{IAL: 2},
				Conditions: []ConditionData{{Fact: "first_order"}, {Fact: "value", Wanted: "300.00 USD or more"}}}, Any: true},
			{RuleData: RuleData{Name: "Everything", Mode: "off", Need: Need{Selfie: true}}, Last: true},
		}
}

func ruleForm() RuleForm {
	return RuleForm{Was: "Wine & <b>spirits</b>", Name: "Wine & <b>spirits</b>", Mode: "enforce", Kind: "require", IAL: "2", MaxAge: "30", Selfie: "on", NameMatch: "on", AddressMatch: "on",
		LeastAge: "21", Meet: "all", Conditions: []ConditionForm{{Fact: "category", Values: "12\n13"}, {Fact: "country", Not: "on", Values: "CA"},
			{Fact: "value", Amount: "300.00"}, {Fact: "first_order"}, {}}}
}

func draftMoved() *DraftMovedOn {
	return &DraftMovedOn{Version: "8", Who: "bo@larkspur.example", When: tuesday, Note: "New state law", Changes: someChanges()[:1]}
}

func rulePages() []page {
	exempt, require := ruleRows()
	bad := ruleForm()
	bad.Name, bad.LeastAge, bad.Mode, bad.Conditions = "", "eighteen", "maybe", []ConditionForm{{Fact: "country", Values: "USA"}, {Fact: "value"}, {Values: "x"}}
	wrong := map[string]string{"name": "give the rule a name of at most 80 characters, in one line", "require.least_age": "not_a_number", "mode": "unknown_choice",
		"when": "an exemption without conditions would switch the policy off, use the mode for that", "when.0.values": "“USA” is no country code, use two capital letters such as US",
		"when.1.amount": "required", "when.2.fact": "choose what the condition looks at"}
	first := RuleForm{Mode: "enforce", Kind: "require", IAL: "2", NameMatch: "on", Meet: "all", Conditions: []ConditionForm{{}}}
	compared := Draft{From: "7", Compared: true, Changes: someChanges(), Reason: "New law", Reach: "1000"}
	stricter := Draft{From: "7", Compared: true, Changes: someChanges()[:2]}
	return []page{
		{"rules-none", Rules(RulesData{Layout: layout("off"), Version: "0", Checkout: Need{IAL: 2}})},
		{"rules-some", Rules(RulesData{Layout: flashed("enforce", "saved", "7"), Version: "7", Checkout: Need{IAL: 2, NameMatch: true}, StepUpAt: "500.00 USD",
			StepUp: Need{IAL: 2, Selfie: true}, Exempt: exempt, Require: require})},
		{"rules-full", Rules(RulesData{Layout: layout("enforce"), Version: "7", Checkout: Need{IAL: 2}, Require: require, Full: true})},
		{"rules-read-only", Rules(RulesData{Layout: layout("enforce"), Version: "7", Checkout: Need{IAL: 2}, Exempt: exempt, Require: require, ReadOnly: true})},
		{"rule-new", RuleEdit(RuleEditData{Layout: layout("shadow"), Currency: "USD", Form: first, Draft: Draft{From: "7"}})},
		{"rule-compared", RuleEdit(RuleEditData{Layout: layout("shadow"), Currency: "USD", Form: ruleForm(), Draft: compared})},
		{"rule-refused", RuleEdit(RuleEditData{Layout: layout("shadow"), Currency: "USD", Form: bad, Errors: wrong,
			Draft: Draft{From: "7", Stray: []string{"Step-up order value: Enter an amount above zero, or nothing."}}})},
		{"rule-no-reason", RuleEdit(RuleEditData{Layout: layout("shadow"), Currency: "USD", Form: ruleForm(), Draft: Draft{From: "7", Compared: true, ReasonError: "reason_required"}})},
		{"rule-moved-on", RuleEdit(RuleEditData{Layout: layout("shadow"), Currency: "USD", Form: ruleForm(), Draft: Draft{From: "8", MovedOn: draftMoved(), Compared: true, Changes: someChanges()}})},
		{"rule-read-only", RuleEdit(RuleEditData{Layout: layout("shadow"), Currency: "USD", Form: ruleForm(), Draft: Draft{From: "7", ReadOnly: true}})},
		{"rule-suspended", RuleEdit(RuleEditData{Layout: refusedToken(), Currency: "USD", Form: ruleForm(), Draft: Draft{From: "7", ReadOnly: true}})},
		{"rule-remove", AskDraft(DraftPage{Layout: layout("enforce"), Kind: "remove", Name: "Knives & <b>", Action: "/policy/rules/remove",
			Fields: []HiddenField{{"rule", "Knives & <b>"}}, Draft: compared})},
		{"rule-move", AskDraft(DraftPage{Layout: layout("enforce"), Kind: "move", Name: "Knives", To: "up", Action: "/policy/rules/move",
			Fields: []HiddenField{{"rule", "Knives"}, {"to", "up"}}, Draft: stricter})},
	}
}

func versionPages() []page {
	versions := []PolicyVersion{
		{Number: "7", Who: "ada@larkspur.example", When: tuesday, Note: "Selfie above 500", Mode: "enforce", Current: true},
		{Number: "6", Who: "bo@larkspur.example", When: monday, Mode: "shadow"},
	}
	adds := TemplateData{ID: "alcohol_us", Name: "Alcohol, United States", Why: "Buyers prove that they are 21 or older. Check your local law.", Changes: someChanges()[1:2]}
	there := TemplateData{ID: "first_order", Name: "First order over a value", Why: "Whoever orders for the first time proves identity once."}
	stricter := Draft{From: "7", Compared: true, Changes: someChanges()[:2]}
	return []page{
		{"templates", PolicyTemplates(TemplatesData{Layout: layout("off"), Templates: []TemplateData{adds, there}})},
		{"template-chosen", AskDraft(DraftPage{Layout: layout("off"), Kind: "template", Name: adds.Name, Why: adds.Why, Action: "/policy/templates/alcohol_us", Pick: "category", Draft: stricter})},
		{"template-refused", AskDraft(DraftPage{Layout: layout("off"), Kind: "template", Name: adds.Name, Why: adds.Why, Action: "/policy/templates/alcohol_us", Pick: "category",
			Picks: "wine", Errors: map[string]string{"picks": "“wine” is no id, use the whole number that BigCommerce shows"}, Draft: Draft{From: "7"}})},
		{"versions-none", Versions(VersionsData{Layout: layout("off")})},
		{"versions-some", Versions(VersionsData{Layout: layout("enforce"), Versions: versions, Older: "6"})},
		{"versions-end", Versions(VersionsData{Layout: layout("enforce"), Paged: true})},
		{"versions-compared", Versions(VersionsData{Layout: layout("enforce"), Versions: versions, From: "6", To: "7", Changes: someChanges()})},
		{"versions-same", Versions(VersionsData{Layout: layout("enforce"), Versions: versions, From: "7", To: "7"})},
		{"versions-refused", Versions(VersionsData{Layout: layout("enforce"), Versions: versions, From: "x", To: "7", Error: "enter the numbers of two versions"})},
		{"version-restore", AskDraft(DraftPage{Layout: layout("enforce"), Kind: "restore", Name: "6", Action: "/policy/versions/6", Draft: Draft{From: "7", Compared: true, Changes: someChanges()}})},
		{"version-restore-moved-on", AskDraft(DraftPage{Layout: layout("enforce"), Kind: "restore", Name: "6", Action: "/policy/versions/6",
			Draft: Draft{From: "8", MovedOn: draftMoved(), Compared: true, Changes: someChanges(), Reason: "Too strict"}})},
		{"version-restore-same", AskDraft(DraftPage{Layout: layout("enforce"), Kind: "restore", Name: "6", Action: "/policy/versions/6", Draft: Draft{From: "7", Compared: true}})},
	}
}

func whatIfDone() WhatIfData {
	n := func(orders, money string, others ...string) Tallied { return Tallied{orders, money, others} }
	d := WhatIfData{Layout: layout("enforce"), WhatIfRow: WhatIfRow{ID: "3", State: "done", Who: "ada@larkspur.example", When: monday, Seen: "1,000", Base: "7", Reach: "the last 1,000 orders"},
		Done: tuesday, SeenCount: 1000, Wanted: 1000, All: n("1,000", "84,120.50 USD", "12,000 JPY"), Recorded: n("640", "50,000.00 USD"), Differs: n("2", "90.00 USD"), DiffersAny: true,
		DifferIDs: []string{"1040", "1044"}, Changes: someChanges(),
		Rules: []WhatIfRule{{"checkout", n("1,000", "84,120.50 USD"), n("0", ""), n("988", "80,000.00 USD"), n("1,000", "84,120.50 USD")}, {"Knives & <b>", n("12", ""), n("3", ""), n("15", ""), n("0", "")}},
		Orders: []WhatIfOrder{{ID: "1046", Placed: tuesday, Value: "1,249.00 USD", Shift: "newly_held", Before: "allow", After: "hold", Reasons: []Reason{{"age_too_low", "17"}}, Rules: []string{"checkout", "Knives & <b>"}},
			{ID: "1045", Placed: monday, Value: "18.00 USD", Shift: "same", Before: "allow", After: "allow", Reasons: []Reason{{"nothing_required", ""}}}},
		Older: "1045"}
	for i, c := range []string{"gated", "stepped_up", "held", "would_hold", "exempt", "verifications"} {
		d.Lines = append(d.Lines, WhatIfLine{Code: c, Draft: n(itoa(9-i), "9.00 USD"), InForce: n("3", ""), Difference: "+" + itoa(i)})
	}
	for i, c := range ShiftCodes() {
		d.Shifts = append(d.Shifts, WhatIfShift{c, n(itoa(i), "")})
	}
	return d
}

func whatIfPages() []page {
	running, beginning, cancelled, filtered, end, none := whatIfDone(), whatIfDone(), whatIfDone(), whatIfDone(), whatIfDone(), whatIfDone()
	running.State, running.Layout.Refresh, running.SeenCount, running.Seen, running.Trouble, running.Done = "running", WhatIfRefresh, 250, "250", "BigCommerce is slow", When{}
	beginning.State, beginning.Layout.Refresh, beginning.SeenCount, beginning.Seen, beginning.Dated, beginning.Orders, beginning.Done = "running", WhatIfRefresh, 0, "0", true, nil, When{}
	cancelled.State, cancelled.Stale, cancelled.DiffersAny, cancelled.ReadOnly = "cancelled", true, false, true
	filtered.Shift, filtered.Orders, filtered.Changes = "newly_let", nil, nil
	end.Shift, end.Orders, end.Paged, end.Older = "newly_held", nil, true, ""
	none.SeenCount, none.Orders, none.Seen = 0, nil, "0"
	one, oneRunning := whatIfDone(), running
	one.Seen, one.SeenCount, one.Wanted, one.All.Orders, one.Recorded.Orders, one.DiffersAny = "1", 1, 1, "1", "1", false
	oneRunning.Seen, oneRunning.SeenCount, oneRunning.Dated, oneRunning.Recorded.Orders, oneRunning.Differs.Orders = "1", 1, true, "1", "1"
	rows := []WhatIfRow{running.WhatIfRow, whatIfDone().WhatIfRow, cancelled.WhatIfRow}
	return []page{
		{"whatifs-none", WhatIfs(WhatIfsData{Layout: layout("off"), Current: "7", Version: "7"})},
		{"whatifs-some", WhatIfs(WhatIfsData{Layout: layout("off"), Current: "7", Version: "7", Reach: "1000", Rows: rows})},
		{"whatifs-refused", WhatIfs(WhatIfsData{Layout: layout("off"), Current: "7", Version: "x", Error: "not_a_number", Rows: rows})},
		{"whatifs-read-only", WhatIfs(WhatIfsData{Layout: layout("off"), Current: "7", ReadOnly: true})},
		{"whatif-beginning", WhatIf(beginning)},
		{"whatif-running", WhatIf(running)},
		{"whatif-done", WhatIf(whatIfDone())},
		{"whatif-one", WhatIf(one)},
		{"whatif-one-running", WhatIf(oneRunning)},
		{"whatif-cancelled", WhatIf(cancelled)},
		{"whatif-filtered", WhatIf(filtered)},
		{"whatif-end", WhatIf(end)},
		{"whatif-no-orders", WhatIf(none)},
		{"whatif-save", AskDraft(DraftPage{Layout: layout("enforce"), Kind: "whatif", Name: "3", Action: "/policy/whatif/3/save", Draft: Draft{From: "7", Compared: true, Changes: someChanges()}})},
	}
}

// whyPages is an order with everything that it lacks.
func whyPages() []page {
	d := heldOrder()
	for i, c := range NeedCodes() {
		n := NeedData{What: c, Amount: "2", Met: i%3 == 0}
		if i%2 == 0 {
			n.Rules = []string{"checkout", "Knives & <b>"}
		}
		d.Needs = append(d.Needs, n)
	}
	return []page{{"order-why", Order(d)}}
}
