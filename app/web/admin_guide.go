package web

import (
	"net/http"
	"strconv"

	"idgate/app/ledger"
	"idgate/views"
)

// putGuide puts the first-run guide away, or brings it back. What has been done of it is read from what is there, so nothing is lost by it.
func (s *Server) putGuide(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	do := values.Get(views.GuideField)
	if do != "skip" && do != "show" {
		return refuse(http.StatusBadRequest, "bad_request", "the form says not what to do").at(views.GuideField)
	}
	err = s.changeSettings(r.Context(), v, ledger.SettingsChange{To: func(n ledger.Settings) (ledger.Settings, string, error) {
		n.GuideSkipped = do == "skip"
		if n.GuideSkipped {
			return n, "first-run guide put away", nil
		}
		return n, "first-run guide brought back", nil
	}})
	if err != nil {
		return err
	}
	return back(w, r, v, "/overview", views.Flash{})
}

// guideProgress says how far the guide has got; nothing once all of it is done.
func guideProgress(steps []views.GuideStep) string {
	if len(steps) == 0 {
		return ""
	}
	done := 0
	for _, s := range steps {
		if s.Done {
			done++
		}
	}
	are := " steps are done"
	if done == 1 {
		are = " steps is done"
	}
	return strconv.Itoa(done) + " of " + strconv.Itoa(len(steps)) + are
}

// guideShop is what BigCommerce has told of the Shop.
func (p presenter) guideShop() views.GuideShop {
	out := views.GuideShop{Country: p.shop.Country, Currency: p.shop.Currency, Timezone: p.zone.String()}
	for _, c := range p.shop.Channels {
		out.Storefronts = append(out.Storefronts, c.Name)
	}
	return out
}

// guideTemplates are the templates that are about the Shop's own country.
func guideTemplates(shop *ledger.Shop) []views.TemplateLink {
	var out []views.TemplateLink
	for _, t := range shopTemplates(shop) {
		if t.Home {
			out = append(out, views.TemplateLink{ID: t.ID, Name: t.Name})
		}
	}
	return out
}
