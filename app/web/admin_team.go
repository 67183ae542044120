package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"idgate/app/ledger"
	"idgate/views"
)

// team lists who of the staff may do what.
func (s *Server) team(w http.ResponseWriter, r *http.Request, v visit) error {
	return s.showTeam(w, r, v, http.StatusOK, views.TeamData{})
}

func (s *Server) showTeam(w http.ResponseWriter, r *http.Request, v visit, status int, d views.TeamData) error {
	users, err := s.Ledger.Users(r.Context(), v.Shop.Hash)
	if err != nil {
		return err
	}
	d.Layout, d.CanChange = s.layout(v, r), v.may(ledger.Owner)
	p := present(v.Shop)
	for _, u := range users {
		d.Members = append(d.Members, views.Member{ID: strconv.FormatInt(u.ID, 10), Email: u.Email, Role: string(u.Role), Seen: p.when(u.SeenAt), You: u.ID == v.User.ID,
			Fixed: u.Role == ledger.Owner || u.ID == v.User.ID})
	}
	return render(w, r, status, views.Team(d))
}

// changeRole gives one of the staff another role. The owner is whom BigCommerce calls so, and nobody changes their own role.
func (s *Server) changeRole(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	id, err := parseID(values.Get("user"))
	if err != nil {
		return err
	}
	role := ledger.Role(values.Get("role"))
	refused := views.TeamData{Wrong: strconv.FormatInt(id, 10)}
	switch {
	case !slices.Contains([]ledger.Role{ledger.Manager, ledger.Reviewer, ledger.Viewer}, role):
		refused.Error = "unknown_choice"
		return s.showTeam(w, r, v, http.StatusUnprocessableEntity, refused)
	case id == v.User.ID:
		return refuse(http.StatusForbidden, "forbidden", "nobody changes their own role")
	}
	if err := s.Ledger.SetRole(r.Context(), v.Shop.Hash, id, role, s.Now()); err != nil {
		if errors.Is(err, ledger.ErrNotFound) {
			return refuse(http.StatusNotFound, "not_found", "no such user whose role can be changed").because(err)
		}
		return err
	}
	s.Log.Info("role changed", "shop", v.Shop.Hash, "user", id, "role", role, "by", v.User.Email)
	return back(w, r, v, "/team", views.Flash{Code: "role", Value: strconv.FormatInt(id, 10)})
}
