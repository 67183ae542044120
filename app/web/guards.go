package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/securecookie"
	"golang.org/x/time/rate"

	"idgate/app/ledger"
	"idgate/views"
)

// handler is an http.HandlerFunc that may fail.
type handler func(http.ResponseWriter, *http.Request) error

// Body limits, in bytes.
const (
	maxForm       = 64 << 10
	maxStorefront = 16 << 10
)

// secured sets the headers that every answer carries.
func (s *Server) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if strings.HasPrefix(s.AppURL, "https://") {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		h.Set("Content-Security-Policy", s.policyHeader("'none'"))
		next.ServeHTTP(w, r)
	})
}

// policyHeader is the Content-Security-Policy of our pages, framed by ancestors only.
func (s *Server) policyHeader(ancestors string) string {
	script := "'self'"
	if s.BCSDK != "" {
		script += " " + origin(s.BCSDK)
	}
	return "default-src 'none'; style-src 'self'; script-src " + script + "; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors " + ancestors
}

// panelHeader is that of a page in the Shop's control panel. It may hold previews in frames, whichever page it was that opened the document:
// htmx puts the others in its place, and the header stays that of the first.
func (s *Server) panelHeader(shop *ledger.Shop) string {
	return s.policyHeader(s.ancestors(shop)) + "; frame-src 'self'"
}

// origin is the scheme and host of an address that we were configured with.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// open has no guard.
func (s *Server) open(h handler) http.Handler { return s.page(h, maxForm) }

// callback is for BigCommerce's calls that a browser carries.
func (s *Server) callback(h handler) http.Handler {
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Content-Security-Policy", s.panelHeader(nil))
		return h(w, r)
	}, maxForm)
}

// ancestors are the origins that may frame a page of the Shop: its control panel. Before the Shop is known, any control panel.
func (s *Server) ancestors(shop *ledger.Shop) string {
	list := slices.Clone(s.FrameAncestors)
	switch {
	case shop == nil:
		list = append(list, "https://*.mybigcommerce.com")
	case shop.ControlPanel != "":
		list = append(list, shop.ControlPanel)
	default:
		list = append(list, "https://store-"+shop.Hash+".mybigcommerce.com")
	}
	return strings.Join(list, " ")
}

// page runs a handler whose errors are pages.
func (s *Server) page(h handler, limit int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		err := h(w, r)
		if err == nil {
			return
		}
		p := classify(err)
		ref := s.note(r, p)
		retryAfter(w, p)
		if rerr := render(w, r, p.status, views.ErrorPage(views.ErrorData{Frame: s.frame(), Code: p.code, Ref: ref})); rerr != nil {
			s.Log.Error("rendering an error page", "error", rerr)
			http.Error(w, http.StatusText(p.status), p.status)
		}
	})
}

// hook runs a handler for BigCommerce's servers: short plain answers.
func (s *Server) hook(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			p := classify(err)
			s.note(r, p)
			retryAfter(w, p)
			http.Error(w, p.message, p.status)
		}
	})
}

// shopper runs a handler whose errors are JSON, within the address's rate.
func (s *Server) shopper(h handler) http.Handler {
	return s.static(func(w http.ResponseWriter, r *http.Request) error {
		if err := s.mayCall(r); err != nil {
			return err
		}
		return h(w, r)
	})
}

// mayCall holds a request of a shopper's browser to its address's rate.
func (s *Server) mayCall(r *http.Request) error {
	if !s.limits.allow("address "+s.address(r), 20, 100) {
		return refuse(http.StatusTooManyRequests, "rate_limited", "too many requests; wait a moment")
	}
	return nil
}

// static is shopper for what is served from memory: it costs less than counting it, and no checkout can do without.
func (s *Server) static(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, _ = talking(r)
		r.Body = http.MaxBytesReader(w, r.Body, maxStorefront)
		if err := h(w, r); err != nil {
			p := toShopper(err)
			s.note(r, p)
			retryAfter(w, p)
			writeJSON(w, p.status, map[string]any{"error": map[string]string{"code": p.code, "message": s.refusal(r, p), "field": p.field}})
		}
	})
}

func retryAfter(w http.ResponseWriter, p *problem) {
	if (p.status == http.StatusServiceUnavailable || p.status == http.StatusTooManyRequests) && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "2")
	}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may be gone
}

// visit is an admin request whose Login has been checked.
type visit struct {
	Shop *ledger.Shop
	User ledger.User
}

// adminHandler handles a request of a signed-in user of the Shop in the path.
type adminHandler func(http.ResponseWriter, *http.Request, visit) error

// rank orders roles; a higher one may do what a lower one may.
var rank = map[ledger.Role]int{ledger.Viewer: 1, ledger.Reviewer: 2, ledger.Manager: 3, ledger.Owner: 4}

// admin lets in a Login that holds the Shop in the path and has at least the role.
func (s *Server) admin(least ledger.Role, h adminHandler) http.Handler {
	return s.adminUpTo(maxForm, least, h)
}

// adminUpTo is admin with another limit of the body, in bytes.
func (s *Server) adminUpTo(limit int64, least ledger.Role, h adminHandler) http.Handler {
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.visit(r)
		if err != nil {
			w.Header().Set("Content-Security-Policy", s.panelHeader(nil))
			return err
		}
		w.Header().Set("Content-Security-Policy", s.panelHeader(v.Shop))
		if rank[v.User.Role] < rank[least] {
			return refuse(http.StatusForbidden, "forbidden", "your role does not allow this")
		}
		return h(w, r.WithContext(ledger.WithActor(r.Context(), v.User.Email)), v)
	}, limit)
}

// acts is admin for what changes something. While BigCommerce refuses our token nothing does: it could not reach the shop.
func (s *Server) acts(least ledger.Role, h adminHandler) http.Handler {
	return s.actsUpTo(maxForm, least, h)
}

// actsUpTo is acts with another limit of the body, in bytes.
func (s *Server) actsUpTo(limit int64, least ledger.Role, h adminHandler) http.Handler {
	return s.adminUpTo(limit, least, func(w http.ResponseWriter, r *http.Request, v visit) error {
		if v.Shop.State == ledger.Suspended {
			return refuse(http.StatusConflict, "suspended", "BigCommerce refuses our token for this shop")
		}
		return h(w, r, v)
	})
}

// visit reads the Login. Another Shop's, an ended or a missing one are alike: nothing tells whether the Shop exists.
func (s *Server) visit(r *http.Request) (visit, error) {
	denied := func(err error) error {
		return refuse(http.StatusUnauthorized, "signed_out", "open the app from the control panel").because(err)
	}
	shop, err := s.Ledger.Shop(r.PathValue("shop"))
	if err != nil {
		return visit{}, denied(err)
	}
	id, err := s.loginID(r, shop.Hash)
	if err != nil {
		return visit{}, denied(err)
	}
	u, err := s.Ledger.Login(r.Context(), shop.Hash, id, s.Now())
	if errors.Is(err, ledger.ErrNotFound) {
		return visit{}, denied(err)
	}
	return visit{shop, u}, err
}

// cookieName keeps Logins of two Shops in one browser apart.
func cookieName(hash string) string { return "__Host-idgate-" + hash }

// loginID reads the id of the request's Login in the Shop: from its cookie, or, where the browser keeps none in a frame, from the bearer
// token that signIn returned. A token is sent by our own script only, so it wins over a cookie.
func (s *Server) loginID(r *http.Request, hash string) (string, error) {
	name, values := cookieName(hash), map[any]any{}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if err := securecookie.DecodeMulti(name, token, &values, s.cookies.Codecs...); err != nil {
			return "", err
		}
	} else {
		c, err := s.cookies.Get(r, name)
		if err != nil {
			return "", err
		}
		values = c.Values
	}
	id, _ := values["login"].(string)
	if id == "" {
		return "", errors.New("no login is named")
	}
	return id, nil
}

// signIn starts a Login and puts it in the Shop's cookie. The bearer token is what the cookie says, for a page that finds its cookies refused.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, hash string, u ledger.User) (bearer string, err error) {
	id, err := s.Ledger.StartLogin(r.Context(), hash, u, s.Now(), s.Now().Add(loginGood))
	if err != nil {
		return "", err
	}
	c, _ := s.cookies.New(r, cookieName(hash)) // an unreadable old cookie is replaced
	c.Values["login"] = id
	if err := c.Save(r, w); err != nil {
		return "", err
	}
	return securecookie.EncodeMulti(c.Name(), c.Values, s.cookies.Codecs...)
}

// inFrame reports whether the page asked for is to be shown in another's frame, where a browser may refuse our cookies.
func inFrame(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Dest") == "iframe" }

// address is what the limits count a client by.
func (s *Server) address(r *http.Request) string {
	a := s.client(r)
	switch {
	case !a.IsValid():
		return r.RemoteAddr
	case a.Is6():
		p, _ := a.Prefix(64) // one customer of a network has a /64
		return p.String()
	}
	return a.String()
}

// client is the client's whole address, as far as trusted proxies tell it.
func (s *Server) client(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a := ap.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(a); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		a = hop.Unmap()
	}
	return a
}

func (s *Server) trusted(a netip.Addr) bool {
	return slices.ContainsFunc(s.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// wide is by how much the bucket of a /48 is larger than that of each /64 in it. A site has a /48 and so 65,536 addresses to be a stranger from,
// but so may the customers of a mobile network.
const wide = 4

// allowFrom takes a token of the client's address, and where that is a /64, of the /48 around it.
func (s *Server) allowFrom(r *http.Request, what string, perSecond float64, burst int) bool {
	if !s.limits.allow(what+" "+s.address(r), perSecond, burst) {
		return false
	}
	a := s.client(r)
	if !a.Is6() {
		return true
	}
	p, _ := a.Prefix(48)
	return s.limits.allow(what+" "+p.String(), wide*perSecond, wide*burst)
}

// giveBackTo returns the tokens that allowFrom took for nothing.
func (s *Server) giveBackTo(r *http.Request, what string) {
	s.limits.giveBack(what + " " + s.address(r))
	if a := s.client(r); a.Is6() {
		p, _ := a.Prefix(48)
		s.limits.giveBack(what + " " + p.String())
	}
}

// limits holds one token bucket per key, and forgets those that are full again: they say nothing.
type limits struct {
	now     func() time.Time
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
	swept   time.Time
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, buckets: map[string]*rate.Limiter{}}
}

// How many buckets are remembered, and how often the full ones are looked for: when there is no room, and otherwise.
const (
	maxBuckets  = 100_000
	sweepHurry  = time.Second
	sweepAtEase = time.Minute
)

// allow takes a token of key, whose bucket holds burst and refills perSecond. When there are too many keys to remember, it refuses.
func (l *limits) allow(key string, perSecond float64, burst int) bool {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[key]
	every := sweepAtEase
	if !ok && len(l.buckets) >= maxBuckets {
		every = sweepHurry
	}
	if now.Sub(l.swept).Abs() >= every { // a clock that was set back sweeps, too
		l.sweep(now)
		b, ok = l.buckets[key]
	}
	if !ok {
		if len(l.buckets) >= maxBuckets {
			return false
		}
		b = rate.NewLimiter(rate.Limit(perSecond), burst)
		l.buckets[key] = b
	}
	return b.AllowN(now, 1)
}

// giveBack returns a token of key.
func (l *limits) giveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.buckets[key]; b != nil {
		b.AllowN(l.now(), -1) // never above its burst for longer than to the next look
	}
}

func (l *limits) sweep(now time.Time) {
	maps.DeleteFunc(l.buckets, func(_ string, b *rate.Limiter) bool { return b.TokensAt(now) >= float64(b.Burst()) })
	l.swept = now
	if len(l.buckets) >= maxBuckets {
		slog.Warn("the rate limiter is full; new callers are refused")
	}
}

// remembers reports whether key has a bucket.
func (l *limits) remembers(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buckets[key] != nil
}
