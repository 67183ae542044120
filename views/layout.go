package views

type navPage struct{ id, name string }

func navPages() []navPage {
	return []navPage{
		{"overview", "Overview"},
		{"policy", "Policy"},
		{"orders", "Orders"},
		{"review", "Review"},
		{"verifications", "Verifications"},
		{"lists", "Lists"},
		{"health", "Health"},
		{"activity", "Activity"},
		{"team", "Team"},
		{"settings", "Settings"},
	}
}
