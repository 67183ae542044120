package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"idgate/app/ledger"
	"idgate/views"
)

// staffMails shows who of the Shop's staff is mailed what.
func (s *Server) staffMails(w http.ResponseWriter, r *http.Request, v visit) error {
	is := staffOf(v.Shop.Settings)
	f := views.StaffMailsForm{To: strings.Join(is.To, "\n"), Digest: string(is.Digest)}
	for _, k := range is.Alarms {
		f.Alarms = append(f.Alarms, string(k))
	}
	return s.showStaffMails(w, r, v, http.StatusOK, views.StaffMailsData{Form: f, From: digest(is)})
}

// staffOf is who is mailed what. The one mailbox of the alarms is shown as the first of several, and becomes that when it is saved.
func staffOf(n ledger.Settings) ledger.StaffMails {
	if len(n.Staff.To) == 0 && n.AlarmTo != "" {
		return ledger.StaffMails{To: []string{n.AlarmTo}, Alarms: []ledger.AlarmKind{ledger.OrderAlarm, ledger.TroubleAlarm}}
	}
	return n.Staff
}

func (s *Server) showStaffMails(w http.ResponseWriter, r *http.Request, v visit, status int, d views.StaffMailsData) error {
	sent, err := s.Ledger.OrderWritebacks(r.Context(), v.Shop.Hash, 0)
	if err != nil {
		return err
	}
	p := present(v.Shop)
	for _, b := range sent {
		if b.Kind == ledger.Mail {
			d.Sent = append(d.Sent, p.sentMail(b))
		}
	}
	d.Layout, d.ReadOnly, d.NoMailServer, d.Zone, d.Most = s.layout(v, r), !v.may(ledger.Manager), s.Relay.Mail == nil, p.zone.String(), ledger.MaxStaff
	return render(w, r, status, views.StaffMails(d))
}

func (p presenter) sentMail(b ledger.StoredWriteback) views.SentMail {
	m := views.SentMail{Which: mailCode(b.Ref), To: p.shop.Settings.AlarmTo, When: p.when(b.MadeAt), State: b.State, Said: b.Reason}
	if n, ok := ledger.ParseStaffRef(b.Ref); ok {
		m.To, _ = p.shop.StaffMailbox(n)
	}
	if b.State == "done" {
		m.When, m.Said = p.when(b.DoneAt), ""
	}
	return m
}

// staffBox says to whom a mail to staff goes.
func (p presenter) staffBox(n ledger.StaffRef) string {
	if to, ok := p.shop.StaffMailbox(n); ok {
		return to
	}
	return "A mailbox of your team that was taken out since"
}

// readStaffMails reads the form. wrong has, by field, what views.FieldError takes.
func readStaffMails(f views.StaffMailsForm) (n ledger.StaffMails, wrong map[string]string) {
	wrong = map[string]string{}
	n.To, wrong["to"] = readMailboxes(f.To)
	for _, text := range f.Alarms {
		if !slices.Contains(ledger.AlarmKinds(), ledger.AlarmKind(text)) {
			wrong["alarms"] = "unknown_choice"
		}
	}
	for _, k := range ledger.AlarmKinds() { // in one order, each once
		if slices.Contains(f.Alarms, string(k)) {
			n.Alarms = append(n.Alarms, k)
		}
	}
	n.Digest = ledger.DigestInterval(f.Digest)
	if !slices.Contains(views.DigestCodes(), f.Digest) {
		wrong["digest"] = "unknown_choice"
	}
	chosen := len(n.Alarms) > 0 || n.Digest != ledger.NoDigest
	switch {
	case wrong["to"] != "":
	case len(n.To) == 0 && chosen:
		wrong["to"] = "name at least one mailbox for what is chosen below"
	case len(n.To) > 0 && !chosen && wrong["alarms"] == "":
		wrong["alarms"] = "choose what is mailed, here or as a digest, or take the mailboxes out"
	}
	for field, code := range wrong {
		if code == "" {
			delete(wrong, field)
		}
	}
	return n, wrong
}

// readMailboxes reads mailboxes, one a line. Empty lines count for nothing but their number.
func readMailboxes(text string) (to []string, code string) {
	seen := map[string]int{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		at := i + 1
		switch first := seen[strings.ToLower(line)]; {
		case !oneMailbox(line):
			return nil, fmt.Sprintf("line %d is not one mailbox, such as orders@example.com", at)
		case first > 0:
			return nil, fmt.Sprintf("line %d names the same mailbox as line %d; take one out", at, first)
		case len(to) == ledger.MaxStaff:
			return nil, fmt.Sprintf("line %d is one mailbox too many; name at most %d", at, ledger.MaxStaff)
		}
		seen[strings.ToLower(line)] = at
		to = append(to, line)
	}
	return to, ""
}

// saveStaffMails changes who of the Shop's staff is mailed what.
func (s *Server) saveStaffMails(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	form, from := views.ParseStaffMailsForm(values), values.Get(views.SettingsBase)
	is, wrong := readStaffMails(form)
	if len(wrong) > 0 {
		return s.showStaffMails(w, r, v, http.StatusUnprocessableEntity, views.StaffMailsData{Form: form, From: from, Errors: wrong})
	}
	err = s.changeSettings(r.Context(), v, ledger.SettingsChange{To: func(n ledger.Settings) (ledger.Settings, string, error) {
		was := staffOf(n)
		if from != digest(was) {
			return n, "", errSettingsMoved
		}
		n.AlarmTo, n.Staff = "", is
		return n, staffChanges(was, is), nil
	}})
	if errors.Is(err, errSettingsMoved) {
		if v.Shop, err = s.Ledger.Shop(v.Shop.Hash); err != nil {
			return err
		}
		moved, err := s.settingsMoved(r.Context(), v)
		if err != nil {
			return err
		}
		return s.showStaffMails(w, r, v, http.StatusConflict, views.StaffMailsData{Form: form, From: digest(staffOf(v.Shop.Settings)), Moved: moved})
	}
	if err != nil {
		return err
	}
	s.Log.Info("the mails to the team were changed", "shop", v.Shop.Hash, "mailboxes", len(is.To), "by", v.User.Email)
	flash := views.Flash{Code: "alarms", Value: "1"}
	if len(is.To) == 0 {
		flash.Code = "no_alarms"
	}
	return back(w, r, v, "/settings/mails", flash)
}

func staffChanges(was, is ledger.StaffMails) string {
	kinds := func(n ledger.StaffMails) string {
		var out []string
		for _, k := range n.Alarms {
			out = append(out, string(k))
		}
		return strings.Join(out, ", ")
	}
	return told(changed("mailboxes of the team", strings.Join(was.To, ", "), strings.Join(is.To, ", "), "none"),
		changed("mailed at once", kinds(was), kinds(is), "nothing"), changed("digest", string(was.Digest), string(is.Digest), "none"))
}
