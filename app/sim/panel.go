package sim

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed panel
var panelFiles embed.FS

// maxPanelForm bounds what a form may send.
const maxPanelForm = 64 << 10

// panel is the merchant's control panel under /manage/. Nobody signs in: whoever opens it is the
// owner, and forms that matter say which staff user acts.
//
// Forms and the ids that browser tests may rely on:
//
//	/manage/apps                 #install-app  GET  /manage/apps/idgate/install    user_id
//	                             #load-app     GET  /manage/apps/idgate/load       user_id, url
//	                             #uninstall-app POST /manage/apps/idgate/uninstall
//	                             #remove-user  POST /manage/apps/idgate/remove-user user_id
//	install and load pages       iframe#app-frame
//	/manage/orders               [data-test=order-row][data-order-id][data-status-id], #place-api-order-link
//	/manage/orders/new           #place-api-order POST /manage/orders/new  customer_id, product_id, quantity, first_name, last_name, email, status_id
//	/manage/orders/{id}          #set-status   POST …/status  status_id, user_id;  #save-notes POST …/notes  staff_notes
//	                             #order-status, #staff-notes, #order-metafields, #order-history
//	/manage/customers            [data-test=customer-row], #create-customer POST /manage/customers, #custom-fields-switch POST /manage/customers/switch on
//	/manage/customers/{id}       #customer-attributes, #customer-metafields, #customer-custom-fields, #delete-customer POST …/delete
//	/manage/scripts              [data-test=script-row], button[data-test=delete-script] POST …/{uuid}/delete,
//	                             button[data-test=set-consent] POST …/{uuid}/consent category, #block-script POST /manage/scripts/block on
//	/manage/webhooks             [data-test=hook-row], button[data-test=deactivate-hook|activate-hook] POST …/{id}/active on,
//	                             #drop-webhooks POST /manage/webhooks/drop on, [data-test=delivery-row]
//	/manage/faults               #save-faults POST /manage/faults
//	every page                   #flash (what was done), #error (why not)
type panel struct {
	w      *World
	pages  map[string]*template.Template
	static http.Handler
}

func (w *World) panelHandler() http.Handler {
	static, err := fs.Sub(panelFiles, "panel/static")
	if err != nil {
		panic(err) // the directory is compiled in
	}
	p := &panel{w: w, pages: map[string]*template.Template{}, static: http.StripPrefix("/manage/static/", http.FileServerFS(static))}
	pages, err := fs.Glob(panelFiles, "panel/pages/*.html")
	if err != nil {
		panic(err)
	}
	base := template.Must(template.New("base").Funcs(panelFuncs).ParseFS(panelFiles, "panel/base.html"))
	for _, page := range pages {
		name := strings.TrimSuffix(page[strings.LastIndex(page, "/")+1:], ".html")
		p.pages[name] = template.Must(template.Must(base.Clone()).ParseFS(panelFiles, page))
	}
	return http.NewCrossOriginProtection().Handler(p.routes())
}

func (p *panel) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /manage/static/", p.static)
	for pattern, do := range map[string]func(*panelCall) error{
		"GET /manage/{$}":                      p.dashboard,
		"GET /manage/apps":                     p.apps,
		"GET /manage/apps/idgate/install":      p.installApp,
		"GET /manage/apps/idgate/load":         p.loadApp,
		"POST /manage/apps/idgate/uninstall":   p.uninstallApp,
		"POST /manage/apps/idgate/remove-user": p.removeUser,
		"GET /manage/orders":                   p.orders,
		"GET /manage/orders/new":               p.newOrder,
		"POST /manage/orders/new":              p.placeOrder,
		"GET /manage/orders/{order}":           p.order,
		"POST /manage/orders/{order}/status":   p.setStatus,
		"POST /manage/orders/{order}/notes":    p.saveNotes,
		"GET /manage/customers":                p.customers,
		"POST /manage/customers":               p.createCustomer,
		"POST /manage/customers/switch":        p.switchCustomFields,
		"GET /manage/customers/{id}":           p.customer,
		"POST /manage/customers/{id}/delete":   p.deleteCustomer,
		"GET /manage/products":                 p.products,
		"GET /manage/scripts":                  p.scripts,
		"POST /manage/scripts/block":           p.blockScript,
		"POST /manage/scripts/{uuid}/delete":   p.deleteScript,
		"POST /manage/scripts/{uuid}/consent":  p.setConsent,
		"GET /manage/webhooks":                 p.webhooks,
		"POST /manage/webhooks/drop":           p.dropWebhooks,
		"POST /manage/webhooks/{hook}/active":  p.setHookActive,
		"GET /manage/faults":                   p.faultPage,
		"POST /manage/faults":                  p.saveFaults,
		"GET /manage/":                         func(*panelCall) error { return ErrNotFound },
	} {
		mux.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) { p.serve(rw, r, do) })
	}
	return mux
}

// panelCall is one request to the control panel of one shop.
type panelCall struct {
	p    *panel
	rw   http.ResponseWriter
	r    *http.Request
	shop *Shop
}

func (p *panel) serve(rw http.ResponseWriter, r *http.Request, do func(*panelCall) error) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxPanelForm)
	if err := r.ParseForm(); err != nil {
		http.Error(rw, "The form could not be read.", http.StatusBadRequest)
		return
	}
	c := &panelCall{p: p, rw: rw, r: r, shop: p.w.ShopForHost(r.Host)}
	if c.shop == nil {
		http.Error(rw, "There is no shop here yet.", http.StatusNotFound)
		return
	}
	err := do(c)
	switch {
	case err == nil:
	case errors.Is(err, ErrNotFound) && r.Method == http.MethodGet:
		c.status(http.StatusNotFound)
		_ = c.render("missing", "Not found", nil)
	case r.Method == http.MethodPost: // a refused form goes back to where it stood, with the reason
		c.back("err", err.Error())
	default:
		p.w.opt.Log.Error("control panel", "path", r.URL.Path, "err", err)
		http.Error(rw, "The page could not be shown.", http.StatusInternalServerError)
	}
}

func (c *panelCall) status(code int) {
	c.rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.rw.WriteHeader(code)
}

// back answers a form with 303 to the page it came from.
func (c *panelCall) back(key, message string) {
	to := "/manage/"
	if u, err := url.Parse(c.r.Referer()); err == nil && strings.HasPrefix(u.Path, "/manage/") {
		to = u.Path
	} else if from := c.r.Form.Get("from"); strings.HasPrefix(from, "/manage/") {
		to = from
	}
	c.redirect(to, key, message)
}

// done answers a form with 303 to a page that says what was done.
func (c *panelCall) done(to, message string) error {
	c.redirect(to, "ok", message)
	return nil
}

func (c *panelCall) redirect(to, key, message string) {
	http.Redirect(c.rw, c.r, to+"?"+url.Values{key: {message}}.Encode(), http.StatusSeeOther)
}

// panelPage is what every template gets.
type panelPage struct {
	Title, Section string
	Shop           *Shop
	Shops          []*Shop
	Users          []User
	Flash, Error   string
	Installed      bool
	Blocked, Drops bool
	AppURL         string
	Body           any
}

func (c *panelCall) render(name, title string, body any) error {
	section := strings.TrimPrefix(c.r.URL.Path, "/manage/")
	section, _, _ = strings.Cut(section, "/")
	page := panelPage{
		Title: title, Section: section, Shop: c.shop, Shops: c.p.w.Shops(), Users: c.shop.Users(), Flash: c.r.URL.Query().Get("ok"), Error: c.r.URL.Query().Get("err"),
		Installed: c.shop.Installation().Installed, Blocked: c.shop.ScriptsBlocked(), Drops: c.shop.WebhooksDropped(), AppURL: c.p.w.opt.AppURL, Body: body,
	}
	var buf bytes.Buffer
	if err := c.p.pages[name].ExecuteTemplate(&buf, "base", page); err != nil {
		return fmt.Errorf("rendering %s: %w", name, err)
	}
	c.rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.rw.Header().Set("Cache-Control", "no-store")
	_, err := c.rw.Write(buf.Bytes())
	return err
}

// number reads a form field or path value; an absent one is 0.
func (c *panelCall) number(name string) (int64, error) {
	raw := c.r.PathValue(name)
	if raw == "" {
		raw = strings.TrimSpace(c.r.Form.Get(name))
	}
	if raw == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %q is not a number", name, raw)
	}
	return n, nil
}

func (c *panelCall) on() bool { return c.r.Form.Get("on") == "true" }

// staff names the user that a form says is acting; the owner when it says nothing.
func (c *panelCall) staff() string {
	id, _ := c.number("user_id")
	users := c.shop.Users()
	if i := slices.IndexFunc(users, func(u User) bool { return u.ID == id }); i >= 0 {
		return users[i].Username
	}
	return users[0].Username
}

var panelFuncs = template.FuncMap{
	"money":  func(m Money, currency string) string { return m.Short() + " " + currency },
	"when":   func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05") },
	"status": StatusName,
	"statuses": func() []statusChoice {
		out := make([]statusChoice, len(statusNames))
		for i, n := range statusNames {
			out[i] = statusChoice{i, n}
		}
		return out
	},
	"tone": statusTone,
	"pct":  func(f float64) int { return int(f*100 + 0.5) },
	"full": func(a Address) string { return strings.TrimSpace(a.FirstName + " " + a.LastName) },
	"join": strings.Join,
}

type statusChoice struct {
	ID   int
	Name string
}

// statusTone is the badge's colour class.
func statusTone(id int) string {
	switch id {
	case StatusManualVerification, StatusDisputed:
		return "warn"
	case StatusRefunded, StatusCancelled, StatusDeclined, StatusPartiallyRefunded:
		return "bad"
	case StatusIncomplete, StatusPending, StatusAwaitingPayment:
		return "dim"
	}
	return "good"
}
