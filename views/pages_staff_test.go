package views

func staffPages() []page {
	lines := []ActivityLine{}
	for i, c := range ActionCodes() {
		l := ActivityLine{Number: itoa(40 - i), When: tuesday, Who: "ada@larkspur.example", Action: c, Subject: "7"}
		if i%2 == 0 {
			l.Order, l.Detail = "1046", "Called & <b>fine</b>"
		}
		lines = append(lines, l)
	}
	head := "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	members := []Member{
		{ID: "1", Email: "ada@larkspur.example", Role: "owner", Seen: tuesday, You: true, Fixed: true},
		{ID: "2", Email: "bo@larkspur.example", Role: "manager", Seen: monday},
		{ID: "3", Email: "<b>eve</b>@larkspur.example", Role: "viewer"},
	}
	entries := []ListEntry{{Customer: "7", Note: "Our own staff", By: "ada@larkspur.example", When: tuesday}, {Mailbox: "grace@larkspur.example", Note: "A & <b>friend</b>", By: "bo@larkspur.example", When: monday}}
	report := &ImportReport{Good: "3", Wrong: "1", More: "12", Lines: []ImportLine{
		{Number: "3", Text: "eve@", Error: "not_a_mailbox"}, {Number: "1", Text: "who,why", Outcome: "header"}, {Number: "2", Text: "7,Our <b>own</b>", Outcome: "customer"},
		{Number: "4", Text: "grace@larkspur.example", Outcome: "mailbox"}, {Number: "5", Text: "7", Outcome: "repeated"}}}
	right := *report
	right.Wrong, right.More = "0", ""
	right.Lines = right.Lines[1:]
	oneMore := right
	oneMore.More = "1"
	text := "who,why\n7,Our <b>own</b>\neve@\ngrace@larkspur.example\n7"
	return []page{
		{"activity-none", Activity(ActivityData{Layout: layout("off")})},
		{"activity-some", Activity(ActivityData{Layout: layout("enforce"), Lines: lines, Older: "23", Head: head, HeadLine: "40", CanExport: true, Verify: "idgate audit verify -shop abc123 -head " + head})},
		{"activity-end", Activity(ActivityData{Layout: layout("enforce"), Paged: true, Head: head, HeadLine: "40"})},
		{"team-owner", Team(TeamData{Layout: flashed("enforce", "role", "2"), Members: members, CanChange: true})},
		{"team-refused", Team(TeamData{Layout: layout("enforce"), Members: members, CanChange: true, Wrong: "2", Error: "unknown_choice"})},
		{"team-others", Team(TeamData{Layout: layout("enforce"), Members: members})},
		{"team-nobody", Team(TeamData{Layout: layout("enforce")})},
		{"lists-none", Lists(ListsData{Layout: layout("off"), List: "allowed"})},
		{"lists-none-read-only", Lists(ListsData{Layout: layout("off"), List: "blocked", ReadOnly: true})},
		{"lists-some", Lists(ListsData{Layout: flashed("enforce", "listed", "2"), List: "allowed", Entries: entries, Older: "1.7."})},
		{"lists-read-only", Lists(ListsData{Layout: layout("enforce"), List: "blocked", Entries: entries, ReadOnly: true})},
		{"lists-end", Lists(ListsData{Layout: layout("enforce"), List: "blocked", Paged: true})},
		{"lists-refused", Lists(ListsData{Layout: layout("enforce"), List: "blocked", Entries: entries, Form: ListForm{Who: "eve", Note: ""},
			Errors: map[string]string{"who": "enter a customer's id, digits only, or an e-mail address", "note": "say why in a few words"}})},
		{"lists-checked", Lists(ListsData{Layout: layout("enforce"), List: "blocked", Entries: entries, Report: &right, Import: ImportForm{Text: text, Note: "Friends"}})},
		{"lists-checked-one-more", Lists(ListsData{Layout: layout("enforce"), List: "blocked", Report: &oneMore, Import: ImportForm{Text: text, Note: "Friends"}})},
		{"lists-import-wrong", Lists(ListsData{Layout: layout("enforce"), List: "blocked", Entries: entries, Report: report, Import: ImportForm{Text: text, Leave: "on"},
			Errors: map[string]string{"import_note": "say why in a few words"}})},
		{"lists-import-refused", Lists(ListsData{Layout: layout("enforce"), List: "allowed", Import: ImportForm{Error: "too_many_lines:5000"}})},
		{"lists-suspended", Lists(ListsData{Layout: refusedToken(), List: "allowed", Entries: entries, ReadOnly: true})},
	}
}
