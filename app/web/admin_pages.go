package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"idgate/app/ledger"
	"idgate/views"
)

// base is the prefix of every admin address of the Shop.
func base(shop *ledger.Shop) string { return "/s/" + shop.Hash }

// layout is the frame around every admin page.
func (s *Server) layout(v visit, r *http.Request) views.Layout {
	name := v.Shop.Name
	if name == "" {
		name = v.Shop.Hash
	}
	l := views.Layout{Frame: s.adminFrame(), ShopName: name, Base: base(v.Shop), UserEmail: v.User.Email, Mode: string(v.Shop.Policy.Mode),
		Flash: views.ParseFlash(r.URL.Query()), BCSDK: s.BCSDK, SignOut: s.SignOut}
	l.Waiting = s.waiting(r, v)
	if !v.Shop.Settings.GuideSkipped {
		l.Guide = guideProgress(s.guide(v.Shop))
	}
	if v.Shop.State == ledger.Suspended {
		p := present(v.Shop)
		l.Suspended = views.Suspended{Since: p.when(v.Shop.SuspendedAt), Next: p.when(v.Shop.ProbeAt)}
	}
	return l
}

// has reports whether the visitor's role reaches least.
func (v visit) has(least ledger.Role) bool { return rank[v.User.Role] >= rank[least] }

// may reports whether the visitor may do now what takes at least this role. While BigCommerce refuses our token everybody only looks.
func (v visit) may(least ledger.Role) bool {
	return v.has(least) && v.Shop.State != ledger.Suspended
}

// back ends a POST: a page of the Shop that says what was done.
func back(w http.ResponseWriter, r *http.Request, v visit, page string, f views.Flash) error {
	to := base(v.Shop) + page
	if f.Code != "" {
		sep := "?"
		if strings.Contains(to, "?") {
			sep = "&"
		}
		to += sep + f.Query()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// posted is the form in the body; what stands in the address's query is no form.
func posted(r *http.Request) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, err
		}
		return nil, refuse(http.StatusBadRequest, "bad_request", "the form could not be read").because(err)
	}
	return r.PostForm, nil
}

// parseID reads a number as our own pages write it: digits, no sign, no leading zero. Anything else names nothing.
func parseID(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 || strconv.FormatInt(n, 10) != text {
		return 0, refuse(http.StatusNotFound, "not_found", "no such number").because(err)
	}
	return n, nil
}

// spoilt reports text that is not for keeping: broken UTF-8, control characters, and those that turn the writing direction round,
// with which a note can be made to read as another one.
func spoilt(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	})
}

func (s *Server) toOverview(w http.ResponseWriter, r *http.Request, v visit) error {
	return back(w, r, v, "/overview", views.Flash{})
}

// logout ends the Login on the server first: a cookie that a browser keeps is then good for nothing.
func (s *Server) logout(w http.ResponseWriter, r *http.Request, v visit) error {
	id, err := s.loginID(r, v.Shop.Hash)
	if err != nil {
		return refuse(http.StatusUnauthorized, "signed_out", "you are signed out already").because(err)
	}
	if err := s.Ledger.EndLogin(r.Context(), id); err != nil {
		return err
	}
	c, _ := s.cookies.Get(r, cookieName(v.Shop.Hash)) // an unreadable one goes, too
	c.Options.MaxAge = -1
	clear(c.Values)
	if err := c.Save(r, w); err != nil {
		return err
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
