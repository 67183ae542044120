package views

import (
	"slices"
	"testing"
)

// teamMails is the page about the mails to the team, with mails that went well and badly.
func teamMails() StaffMailsData {
	return StaffMailsData{Layout: flashed("enforce", "alarms", "1"), Form: StaffMailsForm{To: "orders@larkspur.example\nbo@larkspur.example", Alarms: []string{"orders", "trouble"}, Digest: "weekly"},
		From: "0123456789abcdef", Zone: "America/Denver", Most: 5, Sent: []SentMail{
			{Which: "team_orders", To: "orders@larkspur.example", When: tuesday, State: "pending", Said: "the mail server cannot be reached, or puts us off: 450 try later"},
			{Which: "team_orders", To: "bo@larkspur.example", When: tuesday, State: "stuck", Said: "The mail was refused: no such mailbox. Correct the mailbox under Settings, Mails to your team."},
			{Which: "team_digest", To: "orders@larkspur.example", When: monday, State: "done"},
			{Which: "team_review", When: monday, State: "dropped", Said: "the mailbox was taken out of the settings"},
			{Which: "endpoint_off", To: "orders@larkspur.example", When: monday, State: "done"},
		}}
}

func teamMailsRefused() StaffMailsData {
	d := teamMails()
	d.Layout, d.Form.To, d.NoMailServer = layout("enforce"), "orders@larkspur.example\nthe whole team", true
	d.Errors = map[string]string{"to": "line 2 is not one mailbox, such as orders@example.com", "alarms": "unknown_choice", "digest": "unknown_choice"}
	return d
}

func teamMailsMoved(by *SettingsMoved) StaffMailsData {
	d := teamMails()
	d.Layout, d.Moved = layout("enforce"), by
	return d
}

func teamMailsRead(l Layout) StaffMailsData {
	d := teamMails()
	d.Layout, d.ReadOnly = l, true
	return d
}

// TestAttentionText: what a mail says of what wants a person is what the overview says.
func TestAttentionText(t *testing.T) {
	for _, c := range []struct {
		a    Attention
		want string
	}{
		{Attention{Code: "leaks", Count: "1"}, "1 order shipped without proof in the last 30 days"},
		{Attention{Code: "leaks", Count: "7"}, "7 orders shipped without proof in the last 30 days"},
		{Attention{Code: "budget_spent", Detail: "5 of 5"}, "All verifications of 24 hours are used up: nobody can begin another: 5 of 5"},
	} {
		if got := c.a.Text(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if p := (Attention{Code: "leaks"}).Path(); p != "/orders?filter=leaks" {
		t.Error(p)
	}
	if !slices.Equal(StaffMailsFields(), []string{"alarms", "digest", "to"}) {
		t.Error(StaffMailsFields())
	}
}
