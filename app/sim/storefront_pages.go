package sim

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

var pageFuncs = template.FuncMap{"price": priceText, "times": func(m Money, n int) Money { return m.Times(n) }}

// pageData is what every page of the shop gets.
type pageData struct {
	Shop     *Shop
	Title    string
	Customer *Customer // nil: guest
	Pieces   int       // in the cart
	Sections []Category
	Listing  bool  // this is the product list
	Section  int64 // the category that it shows; 0: all

	Head   template.HTML // the shop's scripts
	Footer template.HTML

	Plain   bool // without the shop's navigation, as the hosted checkout is
	Toolbar bool // the simulator's own bar
	Fill    bool // its *fill in* button
	Blocked bool // its *block script* switch
	AppURL  string
	Body    any
}

// page is an ordinary page's data; kind is what the Scripts API calls it: storefront, checkout or order_confirmation.
func (f *storefront) page(q *visit, kind, title string, body any) pageData {
	d := pageData{
		Shop: q.shop, Title: title, Body: body, Sections: q.shop.Categories(), AppURL: f.w.opt.AppURL, Blocked: q.shop.ScriptsBlocked(),
		Head: q.insertedScripts(kind, "head"), Footer: q.insertedScripts(kind, "footer"),
	}
	if c, ok := f.signedIn(q); ok {
		d.Customer = &c
	}
	if c, err := f.cart(q); err == nil {
		for _, it := range c.Items {
			d.Pieces += it.Quantity
		}
	}
	return d
}

// render writes a page. It is rendered to a buffer first, so that a failure is not half a page.
func (f *storefront) render(rw http.ResponseWriter, q *visit, status int, name string, d pageData) error {
	var b bytes.Buffer
	if err := f.pages.ExecuteTemplate(&b, name, d); err != nil {
		return fmt.Errorf("rendering %s: %w", name, err)
	}
	if csp := q.shop.CSP(); csp.Enabled {
		rw.Header().Set("Content-Security-Policy", csp.Value)
	}
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(status)
	_, err := rw.Write(b.Bytes())
	return err
}

func (f *storefront) pageError(rw http.ResponseWriter, q *visit, err error) {
	r := asRefusal(err)
	d := f.page(q, "storefront", r.Title, r)
	if err := f.render(rw, q, r.Status, "error.html", d); err != nil {
		f.w.opt.Log.Error("storefront page", "path", q.URL.Path, "err", err)
	}
}

func (f *storefront) showNothing(http.ResponseWriter, *visit) error {
	return refuse(http.StatusNotFound, "There is no such page", "It may have moved, or never was.")
}

func (f *storefront) showProducts(rw http.ResponseWriter, q *visit) error {
	f.needSession(rw, q)
	d := f.page(q, "storefront", q.shop.Name, nil)
	d.Listing = true
	d.Section, _ = strconv.ParseInt(q.URL.Query().Get("category"), 10, 64)
	products := q.shop.Products()
	if d.Section != 0 {
		products = slices.DeleteFunc(products, func(p Product) bool { return !slices.Contains(p.Categories, d.Section) })
	}
	d.Body = q.cards(products)
	return f.render(rw, q, http.StatusOK, "products.html", d)
}

// card is a product as the pages show it.
type card struct {
	Product
	Brand    string
	Category string
	Currency string
}

func (q *visit) cards(products []Product) []card {
	out := []card{}
	for _, p := range products {
		out = append(out, card{
			Product: p, Brand: q.shop.brandName(p.BrandID), Category: strings.Join(q.shop.categoryNames(p.Categories), ", "), Currency: q.shop.Currency,
		})
	}
	return out
}

func (f *storefront) showProduct(rw http.ResponseWriter, q *visit) error {
	f.needSession(rw, q)
	id, _ := strconv.ParseInt(q.PathValue("id"), 10, 64)
	p, err := q.shop.Product(id)
	if err != nil {
		return err
	}
	d := f.page(q, "storefront", p.Name, q.cards([]Product{p})[0])
	return f.render(rw, q, http.StatusOK, "product.html", d)
}

func (f *storefront) showCart(rw http.ResponseWriter, q *visit) error {
	f.needSession(rw, q)
	c, err := f.cart(q)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	d := f.page(q, "storefront", "Your cart", struct {
		*Cart
		Wallets   []payWay
		Prerender bool
	}{&c, expressWays(), q.URL.Query().Has("prerender")})
	d.Toolbar = true
	return f.render(rw, q, http.StatusOK, "cart.html", d)
}

func expressWays() []payWay {
	var out []payWay
	for _, id := range []string{"applepay", "googlepaybraintree", "paypalcommerce"} {
		way, _ := payWayBy(func(w payWay) bool { return w.ID == id })
		out = append(out, way)
	}
	return out
}

// changeCart is the form of the product and cart pages.
func (f *storefront) changeCart(rw http.ResponseWriter, q *visit) error {
	if err := q.readForm(rw); err != nil {
		return err
	}
	number := func(name string) int64 { n, _ := strconv.ParseInt(q.PostForm.Get(name), 10, 64); return n }
	c, err := f.needCart(rw, q)
	if err != nil {
		return err
	}
	switch q.PostForm.Get("action") {
	case "add":
		_, err = q.shop.AddToCart(c.ID, number("product_id"), int(cmp.Or(number("qty"), 1)))
	case "update":
		c, err = q.shop.SetCartQuantity(c.ID, q.PostForm.Get("item"), int(number("qty")))
		if err == nil && len(c.Items) == 0 {
			f.dropCart(q, c.ID)
		}
	default:
		err = refuse(http.StatusBadRequest, "Nothing to do", "The form names no action.")
	}
	if err != nil {
		return err
	}
	http.Redirect(rw, q.Request, "/cart.php", http.StatusSeeOther)
	return nil
}

func (q *visit) readForm(rw http.ResponseWriter) error {
	q.Body = http.MaxBytesReader(rw, q.Body, maxStorefrontBody)
	if err := q.ParseForm(); err != nil {
		if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
			return refuse(http.StatusRequestEntityTooLarge, "Too much", "This form is too large.")
		}
		return refuse(http.StatusBadRequest, "Bad request", "This form could not be read.")
	}
	return nil
}

// loginForm is the sign-in and the register page.
type loginForm struct {
	Register bool
	Email    string
	First    string
	Last     string
	Error    string
	Then     string // the local path to go on to
}

func (f *storefront) showLogin(rw http.ResponseWriter, q *visit) error {
	f.needSession(rw, q)
	form := loginForm{Then: localPath(q.URL.Query().Get("redirectTo"))}
	switch q.URL.Query().Get("action") {
	case "logout":
		if err := f.signOut(rw, q); err != nil {
			return err
		}
		http.Redirect(rw, q.Request, "/", http.StatusSeeOther)
		return nil
	case "create_account":
		form.Register = true
	}
	return f.renderLogin(rw, q, http.StatusOK, form)
}

func (f *storefront) renderLogin(rw http.ResponseWriter, q *visit, status int, form loginForm) error {
	title := "Sign in"
	if form.Register {
		title = "Create account"
	}
	return f.render(rw, q, status, "login.html", f.page(q, "storefront", title, form))
}

// localPath is path if it stays on this site, else the account page.
func localPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, `\`) {
		return "/account.php"
	}
	return path
}

func (f *storefront) postLogin(rw http.ResponseWriter, q *visit) error {
	if err := q.readForm(rw); err != nil {
		return err
	}
	form := loginForm{
		Register: q.URL.Query().Get("action") == "create_account", Then: localPath(q.PostForm.Get("then")),
		Email: q.PostForm.Get("login_email"), First: q.PostForm.Get("first_name"), Last: q.PostForm.Get("last_name"),
	}
	password := q.PostForm.Get("login_pass")
	var c Customer
	var err error
	if form.Register {
		c, err = f.register(q, form.First, form.Last, form.Email, password)
	} else {
		c, err = q.shop.SignIn(form.Email, password)
		if errors.Is(err, ErrNotFound) {
			err = refuse(http.StatusUnprocessableEntity, "", "Your email address or password is incorrect. Please try again.")
		}
	}
	if err != nil {
		form.Error = cmp.Or(asRefusal(err).Detail, asRefusal(err).Title)
		return f.renderLogin(rw, q, asRefusal(err).Status, form)
	}
	if err := f.signIn(rw, q, c); err != nil {
		return err
	}
	http.Redirect(rw, q.Request, form.Then, http.StatusSeeOther)
	return nil
}

// minPassword is the shortest password of a new account; checkout-settings says so too.
const minPassword = 4

func (f *storefront) register(q *visit, first, last, email, password string) (Customer, error) {
	switch {
	case strings.TrimSpace(first) == "" || strings.TrimSpace(last) == "":
		return Customer{}, refuse(http.StatusUnprocessableEntity, "Missing Required Fields.", "Please tell us your first and last name.")
	case len(password) < minPassword:
		return Customer{}, refuse(http.StatusUnprocessableEntity, "Missing Required Fields.", fmt.Sprintf("Passwords must be at least %d characters.", minPassword))
	case max(len(first), len(last), len(email), len(password)) > maxField:
		return Customer{}, refuse(http.StatusUnprocessableEntity, "Missing Required Fields.", "That is too long.")
	}
	c, err := q.shop.CreateCustomer(Customer{FirstName: first, LastName: last, Email: strings.TrimSpace(email), Password: password, ChannelID: q.channel})
	if errors.Is(err, ErrTaken) {
		return Customer{}, refuse(http.StatusConflict, "Already registered", "There is already an account for this email. Please sign in.")
	}
	return c, err
}

func (f *storefront) showAccount(rw http.ResponseWriter, q *visit) error {
	c, ok := f.signedIn(q)
	if !ok {
		http.Redirect(rw, q.Request, "/login.php", http.StatusSeeOther)
		return nil
	}
	orders := slices.DeleteFunc(q.shop.Orders(), func(o Order) bool { return o.CustomerID != c.ID || o.StatusID == StatusIncomplete })
	slices.Reverse(orders)
	return f.render(rw, q, http.StatusOK, "account.html", f.page(q, "storefront", "Your account", orders))
}

// showCheckout is the hosted one-page checkout: an empty root that its script fills.
func (f *storefront) showCheckout(rw http.ResponseWriter, q *visit) error {
	c, err := f.cart(q)
	if err != nil || len(c.Items) == 0 {
		http.Redirect(rw, q.Request, "/cart.php", http.StatusSeeOther)
		return nil
	}
	d := f.page(q, "checkout", "Checkout", struct {
		ID     string
		Sample bool
	}{c.ID, q.URL.Query().Get("sample") == "1"})
	d.Plain, d.Toolbar, d.Fill = true, true, true
	return f.render(rw, q, http.StatusOK, "checkout.html", d)
}

func (f *storefront) showConfirmation(rw http.ResponseWriter, q *visit) error {
	id, err := strconv.ParseInt(q.PathValue("id"), 10, 64)
	if err != nil {
		return f.showNothing(rw, q)
	}
	d := f.page(q, "order_confirmation", "Order confirmation", id)
	d.Plain = true
	return f.render(rw, q, http.StatusOK, "confirmation.html", d)
}

// showSample is a merchant's own page with the identity provider's printed sample calls in it.
func (f *storefront) showSample(rw http.ResponseWriter, q *visit) error {
	f.needSession(rw, q)
	c, _ := f.cart(q)
	return f.render(rw, q, http.StatusOK, "sample.html", f.page(q, "storefront", "Verify widget sample", c.ID))
}

// showWallet is the button that a wallet draws in a frame of its own.
func (f *storefront) showWallet(rw http.ResponseWriter, q *visit) error {
	way, ok := payWayBy(func(w payWay) bool { return w.ID == q.PathValue("method") })
	if !ok {
		return f.showNothing(rw, q)
	}
	return f.render(rw, q, http.StatusOK, "wallet.html", pageData{Shop: q.shop, Body: way})
}
