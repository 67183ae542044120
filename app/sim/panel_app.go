package sim

import (
	"context"
	"fmt"
	"net/url"
	"slices"
)

type dashboardView struct {
	Orders, Held, Customers, Hooks, Scripts int
	Recent                                  []Order
}

func (p *panel) dashboard(c *panelCall) error {
	orders := c.shop.Orders()
	v := dashboardView{Orders: len(orders), Customers: len(c.shop.Customers()), Hooks: len(c.shop.Hooks()), Scripts: len(c.shop.Scripts())}
	for _, o := range orders {
		if o.StatusID == StatusManualVerification {
			v.Held++
		}
	}
	slices.Reverse(orders)
	v.Recent = orders[:min(5, len(orders))]
	return c.render("dashboard", "Home", v)
}

type appView struct {
	App         Installation
	InstalledBy string
	AppName     string
}

func (p *panel) apps(c *panelCall) error {
	v := appView{App: c.shop.Installation(), AppName: AppName}
	for _, u := range c.shop.Users() {
		if u.ID == v.App.InstalledBy {
			v.InstalledBy = u.Username
		}
	}
	return c.render("apps", "Apps", v)
}

type frameView struct {
	Src  string
	What string
}

// installApp makes a new code each time it is opened, so that a reload works.
func (p *panel) installApp(c *panelCall) error {
	id, err := c.number("user_id")
	if err != nil {
		return err
	}
	src, err := c.shop.BeginInstall(id)
	if err != nil {
		return err
	}
	return c.render("frame", "Install "+AppName, frameView{src, "install"})
}

func (p *panel) loadApp(c *panelCall) error {
	id, err := c.number("user_id")
	if err != nil {
		return err
	}
	src, err := c.shop.LoadURL(id, c.r.Form.Get("url"))
	if err != nil {
		return err
	}
	return c.render("frame", AppName, frameView{src, "load"})
}

func (p *panel) uninstallApp(c *panelCall) error {
	if err := c.shop.Uninstall(c.r.Context()); err != nil {
		return fmt.Errorf("uninstalled here, but %w", err)
	}
	return c.done("/manage/apps", AppName+" was uninstalled: its token is revoked, its webhooks and scripts are gone.")
}

func (p *panel) removeUser(c *panelCall) error {
	id, err := c.number("user_id")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), deliveryTimeout)
	defer cancel()
	if err := c.shop.RemoveUser(ctx, id); err != nil {
		return err
	}
	return c.done("/manage/apps", c.staff()+" no longer has access to "+AppName+".")
}

type faultView struct {
	Faults Faults
	API    []faultChoice
	Quota  int
	Seed   int64
}

type faultChoice struct {
	ID      int
	Name    string
	Percent int
}

func (p *panel) faultPage(c *panelCall) error {
	f := c.shop.Faults()
	v := faultView{Faults: f, Quota: c.shop.Quota(), Seed: p.w.Seed()}
	for k := TooMany; k <= DoneButTimeout; k++ {
		v.API = append(v.API, faultChoice{int(k), k.String(), int(f.API[k]*100 + 0.5)})
	}
	return c.render("faults", "Misbehave", v)
}

// saveFaults reads percentages: api_1 … api_9 for the API, one field per webhook fault.
func (p *panel) saveFaults(c *panelCall) error {
	f := Faults{API: map[Fault]float64{}}
	for k := TooMany; k <= DoneButTimeout; k++ {
		share, err := c.percent(fmt.Sprintf("api_%d", int(k)))
		if err != nil {
			return err
		}
		if share > 0 {
			f.API[k] = share
		}
	}
	for name, to := range map[string]*float64{"drop": &f.Drop, "duplicate": &f.Duplicate, "reorder": &f.Reorder, "delay": &f.Delay, "resign": &f.Resign} {
		share, err := c.percent(name)
		if err != nil {
			return err
		}
		*to = share
	}
	quota, err := c.number("quota")
	if err != nil {
		return err
	}
	c.shop.SetFaults(f)
	if quota != 0 {
		c.shop.SetQuota(int(quota))
	}
	return c.done("/manage/faults", "Saved.")
}

func (c *panelCall) percent(name string) (float64, error) {
	n, err := c.number(name)
	if err != nil {
		return 0, err
	}
	if n < 0 || n > 100 {
		return 0, fmt.Errorf("%s: want 0 to 100 per cent", name)
	}
	return float64(n) / 100, nil
}

// PanelURL is where the shop's control panel answers.
func (s *Shop) PanelURL() string {
	u, err := url.JoinPath(s.BaseURL, "manage/")
	if err != nil {
		return "/manage/"
	}
	return u
}
