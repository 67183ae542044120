package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"idgate/app/ledger"
	"idgate/views"
)

const shownErasures = 200 // lines of the activity log that are looked through for them

// erasePage is the first step of erasing a person: whom.
func (s *Server) erasePage(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.showErase(w, r, v, http.StatusOK, views.EraseData{})
}

func (s *Server) showErase(w http.ResponseWriter, r *http.Request, v visit, status int, d views.EraseData) error {
	lines, err := s.Ledger.ActivityPage(r.Context(), v.Shop.Hash, 0, shownErasures)
	if err != nil {
		return err
	}
	p := present(v.Shop)
	for _, a := range lines {
		if a.Action == ledger.ActCustomerErased && len(d.Erasures) < latelyMost {
			d.Erasures = append(d.Erasures, views.Erasure{When: p.when(a.At), By: a.Actor, What: a.Subject, How: a.Detail})
		}
	}
	under, err := s.Ledger.Erasures(r.Context(), v.Shop.Hash)
	if err != nil {
		return err
	}
	for _, e := range under {
		what := "mailbox"
		if e.Customer {
			what = "customer"
		}
		d.Under = append(d.Under, views.Erasure{When: p.when(e.BeganAt), By: e.Person, What: what, How: e.Erased.String()})
	}
	d.Layout = s.layout(v, r)
	if len(under) > 0 && d.Preview == nil && len(d.Errors) == 0 {
		d.Layout.Refresh = views.EraseRefresh
	}
	return render(w, r, status, views.Erase(d))
}

// erase says what there is of a person, and once their id or mailbox was typed again erases it. Who it is stands in no address, log or line.
func (s *Server) erase(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	who := strings.TrimSpace(values.Get(views.WhoField))
	e, code := listedAs(who)
	if code != "" {
		return s.showErase(w, r, v, http.StatusUnprocessableEntity, views.EraseData{Who: clip(who, maxMailbox), Errors: map[string]string{views.WhoField: code}})
	}
	whom := ledger.Whom{CustomerID: e.CustomerID, Mailbox: e.Mailbox}
	again, second := strings.TrimSpace(values.Get(views.AgainField)), values.Has(views.AgainField)
	if !second || !strings.EqualFold(again, who) {
		d := views.EraseData{Who: who}
		status := http.StatusOK
		if second {
			status, d.Errors = http.StatusUnprocessableEntity, map[string]string{views.AgainField: "this is not what stands above: type it again, to be sure"}
		}
		if d.Preview, err = s.erasePreview(r, v, whom); err != nil {
			return err
		}
		if second {
			d.Preview.Clear = values.Get(views.ClearField)
		}
		return s.showErase(w, r, v, status, d)
	}
	clear := false
	if values.Get(views.ClearField) != "" && whom.CustomerID != 0 {
		ctx, cancel := context.WithTimeout(r.Context(), personWaits)
		defer cancel()
		if clear, err = s.Relay.HasCustomer(ctx, v.Shop, whom.CustomerID); err != nil {
			return err
		}
	}
	gone, line, err := s.Ledger.Erase(r.Context(), v.Shop, whom, clear, v.Shop.Policy.CustomFieldsV2, s.Now())
	if err != nil {
		return err
	}
	if gone.More {
		s.Log.Info("a person is being erased", "shop", v.Shop.Hash, "rows", gone.All(), "by", v.User.Email)
		return back(w, r, v, "/erase", views.Flash{Code: "erasing", Value: strconv.FormatInt(gone.All(), 10)})
	}
	s.Log.Info("a person was erased", "shop", v.Shop.Hash, "rows", gone.All(), "by", v.User.Email)
	return back(w, r, v, "/erase", views.Flash{Code: "erased", Value: strconv.FormatInt(line, 10)})
}

// erasePreview counts, by kind, what would be erased.
func (s *Server) erasePreview(r *http.Request, v visit, whom ledger.Whom) (*views.ErasePreview, error) {
	e, err := s.Ledger.WouldErase(r.Context(), v.Shop, whom, s.Now())
	if err != nil {
		return nil, err
	}
	p := views.ErasePreview{Mailbox: whom.CustomerID == 0, Clear: "on", More: e.More}
	for _, k := range []struct {
		n         int64
		one, many string
	}{{e.Proofs, "proof", "proofs"}, {e.Sessions, "verification", "verifications"}, {e.Orders, "order's buyer", "orders' buyers"}, {e.Decisions, "decision that names them", "decisions that name them"},
		{e.Links, "verification link or checkout", "verification links or checkouts"}, {e.Mails, "mail they asked for", "mails they asked for"}, {e.Shown, "mailbox shown to be theirs", "mailboxes shown to be theirs"},
		{e.Notices, "webhook about them", "webhooks about them"}, {e.Writebacks, "change of their record that is done or owed", "changes of their record that are done or owed"},
		{e.Listed, "list entry", "list entries"}} {
		if k.n > 0 {
			p.Kinds = append(p.Kinds, views.Tally{N: strconv.FormatInt(k.n, 10), One: k.one, Many: k.many})
		}
	}
	if p.Mailbox {
		n, err := s.Ledger.CustomersUnderMailbox(r.Context(), v.Shop, whom.Mailbox)
		if n > 0 {
			p.Customers = strconv.FormatInt(n, 10)
		}
		return &p, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), personWaits)
	defer cancel()
	var asking error
	if p.Exists, asking = s.Relay.HasCustomer(ctx, v.Shop, whom.CustomerID); asking != nil {
		s.Log.Warn("asking BigCommerce for a customer who is to be erased", "shop", v.Shop.Hash, "error", asking)
		p.Unknown = true
	}
	return &p, nil
}
