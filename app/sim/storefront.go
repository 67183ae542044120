package sim

import (
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"sync"
	"time"
)

//go:embed storefront/pages storefront/static
var storefrontFiles embed.FS

// storefront is the shopper's side of the platform: the shop's pages, its session cookies, the
// same-origin REST API and the internal calls of the hosted checkout.
//
// The requests' shapes are those that the platform's own checkout SDK sends, the answers' those
// that it reads. Nothing here sends a CORS header: like the real thing, it answers only pages of
// its own origin, and knows the shopper by a cookie alone.
//
// Departures from the real storefront:
//   - no coupons, gift certificates, store credit, multi-address shipping, variants or stock; prices include tax and no tax is shown
//   - card numbers go nowhere: the order call is followed by its finalising, with no payment service in between
//   - a wallet's sheet is drawn in the page instead of by the system or in a pop-up
//   - the page reads the SDK's URLs itself; the SDK is not served, nor is checkoutKitLoader
//   - paths of products are /products/{id}, pictures are drawn
//   - the internal calls ask for no CSRF token, though the page sends one
//   - there is no cookie banner, so that a script's consent category hides nothing
//   - signing out at the checkout keeps the cart, without the account's addresses
//   - the order call needs no payment to succeed, and none is ever declined
//   - pages are not pre-rendered unless the cart is opened with ?prerender=1
type storefront struct {
	w      *World
	pages  *template.Template
	assets http.Handler

	mu       sync.Mutex
	sessions map[string]*shopperSession // by cookie value
	logins   map[string]bool            // Customer Login tokens that were visited, by client and id
}

// storefrontHandler serves every path that belongs to a shop's own domain.
func (w *World) storefrontHandler() http.Handler {
	assets, err := fs.Sub(storefrontFiles, "storefront/static")
	if err != nil {
		panic(err) // the directory is compiled in
	}
	f := &storefront{
		w:        w,
		pages:    template.Must(template.New("").Funcs(pageFuncs).ParseFS(storefrontFiles, "storefront/pages/*.html")),
		assets:   http.StripPrefix("/sf/assets/", http.FileServerFS(assets)),
		sessions: map[string]*shopperSession{},
		logins:   map[string]bool{},
	}
	return f.routes()
}

// visit is one request with what the cookie and the host say about it.
type visit struct {
	*http.Request
	shop    *Shop
	channel int64
	session *shopperSession // nil: no cookie, or one we do not know
}

type pageFunc func(http.ResponseWriter, *visit) error

// routes is every path of the storefront.
func (f *storefront) routes() http.Handler {
	mux := http.NewServeMux()
	page := func(pattern string, h pageFunc) { mux.Handle(pattern, f.handle(h, f.pageError)) }
	api := func(pattern string, h pageFunc) { mux.Handle(pattern, f.handle(h, f.apiError)) }

	page("GET /{$}", f.showProducts)
	page("GET /products/{id}", f.showProduct)
	page("GET /cart.php", f.showCart)
	page("POST /cart.php", f.changeCart)
	page("GET /login.php", f.showLogin)
	page("POST /login.php", f.postLogin)
	page("GET /login/token/{token}", f.loginByToken)
	page("GET /account.php", f.showAccount)
	page("GET /checkout", f.showCheckout)
	page("GET /checkout/order-confirmation/{id}", f.showConfirmation)
	page("GET /pages/blockid-sample", f.showSample)
	page("GET /sf/wallet/{method}", f.showWallet)
	page("GET /sf/product-image/{file}", f.showPicture)
	page("/", f.showNothing)
	mux.HandleFunc("GET /sf/assets/", f.serveAsset)
	api("POST /sf/demo/place-api-order", f.demoPlaceOrder)
	api("POST /sf/demo/block-script", f.demoBlockScript)

	api("/api/", f.apiNothing)
	api("/internalapi/", f.apiNothing)
	api("GET /customer/current.jwt", f.currentCustomerJWT)
	f.cartRoutes(api)
	f.checkoutRoutes(api)
	api("GET /api/storefront/checkout-settings", f.checkoutSettings)
	api("GET /api/storefront/form-fields", f.formFields)
	api("GET /api/storefront/checkout-extensions", f.emptyList)
	api("GET /api/storefront/payments", f.paymentMethods)
	api("GET /api/storefront/payments/{method}", f.paymentMethod)
	api("GET /api/storefront/orders/{id}", f.readOrder)
	api("POST /api/storefront/customer", f.createAccount)
	api("POST /api/storefront/customers", f.createAccount)
	api("GET /internalapi/v1/store/countries", f.listCountries)
	api("GET /internalapi/v1/shipping/countries", f.listCountries)
	api("POST /internalapi/v1/checkout/customer", f.apiSignIn)
	api("DELETE /internalapi/v1/checkout/customer", f.apiSignOut)
	api("POST /internalapi/v1/checkout/order", f.submitOrder)
	api("POST /internalapi/v1/checkout/order/{id}", f.finalizeOrder)
	api("PUT /internalapi/v1/checkout/order/{id}", f.finalizeOrder)
	return mux
}

func (f *storefront) handle(h pageFunc, fail func(http.ResponseWriter, *visit, error)) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		shop, channel := f.shopFor(r)
		if shop == nil {
			http.Error(rw, "There is no shop here.", http.StatusNotFound)
			return
		}
		q := &visit{Request: r, shop: shop, channel: channel}
		q.session = f.session(q)
		if err := h(rw, q); err != nil {
			fail(rw, q, err)
		}
	})
}

func (f *storefront) shopFor(r *http.Request) (*Shop, int64) {
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	return f.w.shopForHost(r.Host)
}

func (f *storefront) serveAsset(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Cache-Control", "no-cache")
	f.assets.ServeHTTP(rw, r)
}

// sessionCookie is the cookie that knows a shopper.
const sessionCookie = "SHOP_SESSION_TOKEN"

// maxSessions bounds what strangers can make us remember; the least recently used goes first.
const maxSessions = 10_000

// shopperSession is what a cookie stands for. Its fields belong to storefront.mu.
type shopperSession struct {
	token      string
	shop       *Shop
	customerID int64 // 0: guest
	cartID     string
	orders     []int64 // placed here; the confirmation page shows no others to a guest
	touched    time.Time
}

// session is the one that the request's cookie names, or nil.
func (f *storefront) session(q *visit) *shopperSession {
	cookie, err := q.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.sessions[cookie.Value]
	if s == nil || s.shop != q.shop {
		return nil
	}
	s.touched = f.w.now()
	return s
}

// needSession is the request's session; it opens one, and sends its cookie, when there is none.
func (f *storefront) needSession(rw http.ResponseWriter, q *visit) *shopperSession {
	if q.session == nil {
		f.mu.Lock()
		q.session = &shopperSession{shop: q.shop}
		f.rename(rw, q.session)
		f.mu.Unlock()
	}
	return q.session
}

// rename gives a session a new token, so that one known before a sign-in is worth nothing after it.
// It is called with storefront.mu held.
func (f *storefront) rename(rw http.ResponseWriter, s *shopperSession) {
	delete(f.sessions, s.token)
	s.token, s.touched = newSessionToken(), f.w.now()
	f.sessions[s.token] = s
	if len(f.sessions) > maxSessions {
		oldest := s
		for _, other := range f.sessions {
			if other.touched.Before(oldest.touched) {
				oldest = other
			}
		}
		delete(f.sessions, oldest.token)
	}
	http.SetCookie(rw, &http.Cookie{
		Name: sessionCookie, Value: s.token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// newSessionToken is not drawn from the World's seed: a cookie is a secret even in a simulator.
func newSessionToken() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// signedIn is the account of the session's shopper; ok is false for guests and erased accounts.
func (f *storefront) signedIn(q *visit) (Customer, bool) {
	if q.session == nil {
		return Customer{}, false
	}
	f.mu.Lock()
	id := q.session.customerID
	f.mu.Unlock()
	if id == 0 {
		return Customer{}, false
	}
	c, err := q.shop.Customer(id)
	return c, err == nil
}

// cart is the session's cart; the error wraps ErrNotFound when there is none, or it was bought.
func (f *storefront) cart(q *visit) (Cart, error) {
	c, err := f.checkoutCart(q)
	if err == nil && c.OrderID != 0 {
		return Cart{}, fmt.Errorf("cart %s: %w", c.ID, ErrNotFound)
	}
	return c, err
}

// checkoutCart is the session's cart, even one whose order waits for its payment.
func (f *storefront) checkoutCart(q *visit) (Cart, error) {
	if q.session == nil {
		return Cart{}, fmt.Errorf("cart of a stranger: %w", ErrNotFound)
	}
	f.mu.Lock()
	id := q.session.cartID
	f.mu.Unlock()
	return q.shop.Cart(id)
}

// needCart is the session's cart, or a new one.
func (f *storefront) needCart(rw http.ResponseWriter, q *visit) (Cart, error) {
	s := f.needSession(rw, q)
	c, err := f.cart(q)
	if !errors.Is(err, ErrNotFound) {
		return c, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c = q.shop.NewCart(q.channel, s.customerID)
	s.cartID = c.ID
	return c, nil
}

// signIn makes the session a customer's, and its cart theirs.
func (f *storefront) signIn(rw http.ResponseWriter, q *visit, c Customer) error {
	s := f.needSession(rw, q)
	f.mu.Lock()
	s.customerID = c.ID
	f.rename(rw, s)
	f.mu.Unlock()
	cart, err := f.cart(q)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = q.shop.SetCartCustomer(cart.ID, c.ID)
	return err
}

// signOut makes the session a guest's. Its cart stays, without the account's addresses.
func (f *storefront) signOut(rw http.ResponseWriter, q *visit) error {
	if q.session == nil {
		return nil
	}
	f.mu.Lock()
	q.session.customerID = 0
	q.session.orders = nil
	f.rename(rw, q.session)
	f.mu.Unlock()
	cart, err := f.cart(q)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = q.shop.editCart(cart.ID, func(c *Cart) error {
		c.CustomerID, c.Email, c.Billing, c.Consignments = 0, "", nil, nil
		return nil
	})
	return err
}
