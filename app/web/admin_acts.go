package web

import (
	"errors"
	"net/http"
	"slices"

	"idgate/app/ledger"
	"idgate/views"
)

func (s *Server) keepOrder(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.sayWhetherCancelled(w, r, v, true)
}

func (s *Server) unkeepOrder(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.sayWhetherCancelled(w, r, v, false)
}

// sayWhetherCancelled records a named person's word on whether an unproven order may be cancelled.
func (s *Server) sayWhetherCancelled(w http.ResponseWriter, r *http.Request, v visit, keep bool) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	o, err := s.orderInPath(r, v)
	if err != nil {
		return err
	}
	if keep && !keepable(v.Shop, o) || !keep && !unkeepable(v.Shop, o) {
		return s.showMoved(w, r, v, o)
	}
	reason, code := parseReason(values.Get("reason"))
	if code != "" {
		return s.showOrder(w, r, v, o, http.StatusUnprocessableEntity, func(d *views.OrderData) {
			d.Keep = views.ReasonForm{Reason: reason, Error: code}
		})
	}
	switch err := s.Ledger.KeepOrder(r.Context(), v.Shop, o.ID, keep, reason, s.Now()); {
	case errors.Is(err, ledger.ErrMoved):
		if o, err = s.Ledger.Order(r.Context(), v.Shop, o.ID); err != nil {
			return err
		}
		return s.showMoved(w, r, v, o)
	case err != nil:
		return err
	}
	s.Log.Info("somebody says whether an order may be cancelled", "shop", v.Shop.Hash, "order", o.ID, "keep", keep, "by", v.User.Email, "reason", reason)
	flash := views.Flash{Code: "unkept", Value: orderNumber(o.ID)}
	if keep {
		flash.Code = "kept"
	}
	return back(w, r, v, "/orders/"+orderNumber(o.ID), flash)
}

// revokeProof takes back a Proof that an order rests on, or that one of its Sessions made.
func (s *Server) revokeProof(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	o, err := s.orderInPath(r, v)
	if err != nil {
		return err
	}
	rec, err := s.readOrder(r.Context(), v.Shop, o)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rec.proofs, func(p ledger.Proof) bool { return p.ID == values.Get(views.ProofField) })
	if i < 0 {
		return refuse(http.StatusNotFound, "not_found", "the order has no such proof")
	}
	proof := rec.proofs[i]
	if proof.Revoked {
		return s.showMoved(w, r, v, o)
	}
	reason, code := parseReason(values.Get("reason"))
	if code != "" {
		return s.showOrder(w, r, v, o, http.StatusUnprocessableEntity, func(d *views.OrderData) {
			for i := range d.Proofs {
				if d.Proofs[i].ID == proof.ID {
					d.Proofs[i].Revoke = views.ReasonForm{Reason: reason, Error: code}
				}
			}
		})
	}
	switch err := s.Ledger.RevokeProof(r.Context(), v.Shop, proof.ID, v.User.Email, reason, s.Now()); {
	case errors.Is(err, ledger.ErrNotFound): // somebody else was quicker
		return s.showMoved(w, r, v, o)
	case err != nil:
		return err
	}
	s.Log.Info("proof revoked", "shop", v.Shop.Hash, "order", o.ID, "proof", proof.ID, "by", v.User.Email)
	return back(w, r, v, "/orders/"+orderNumber(o.ID), views.Flash{Code: "revoked", Value: orderNumber(o.ID)})
}

// again is where a form leads back to: the order that it stands on, or Health.
func (s *Server) again(r *http.Request, v visit) (page string, err error) {
	if r.PathValue("order") == "" {
		return "/health", nil
	}
	o, err := s.orderInPath(r, v)
	return "/orders/" + orderNumber(o.ID), err
}

// replayNotice has one Notice handled once more.
func (s *Server) replayNotice(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	page, err := s.again(r, v)
	if err != nil {
		return err
	}
	id, err := parseID(values.Get(views.NoticeField))
	if err != nil {
		return err
	}
	if err := s.Ledger.ReplayNotice(r.Context(), v.Shop.Hash, id, s.Now()); err != nil {
		return err
	}
	s.Log.Info("notice replayed", "shop", v.Shop.Hash, "notice", id, "by", v.User.Email)
	return back(w, r, v, page, views.Flash{Code: "handled", Value: "1"})
}

// retryWriteback makes one stuck Writeback due again: a change of the shop, or a mail.
func (s *Server) retryWriteback(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	page, err := s.again(r, v)
	if err != nil {
		return err
	}
	id, err := parseID(values.Get(views.WritebackField))
	if err != nil {
		return err
	}
	if err := s.Ledger.RetryWriteback(r.Context(), v.Shop.Hash, id, s.Now()); err != nil {
		return err
	}
	s.Log.Info("writeback tried again", "shop", v.Shop.Hash, "writeback", id, "by", v.User.Email)
	return back(w, r, v, page, views.Flash{Code: "retried", Value: "1"})
}
