// Package web is the five doors: callbacks, hooks, storefront, hosted page and admin, and a sixth, apart, for the operator.
//
// A handler parses, makes one call and renders; it returns an error instead of writing one, and the door's wrapper turns that into
// a page or JSON with the right status. Every route and its guard stands in routes.go. Nothing here decides: the gate does, through
// the relay. Whatever a browser posts is a question or a doorbell, never evidence.
package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/gorilla/sessions"

	"idgate/app/bigcommerce"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

// Options makes a Server.
type Options struct {
	Ledger      *ledger.Ledger
	Relay       *relay.Relay
	BigCommerce *bigcommerce.App
	Keyring     ledger.Keyring
	AppURL      string // our public URL, without a slash at the end
	Now         func() time.Time
	Log         *slog.Logger
	Proxies     []netip.Prefix // whose X-Forwarded-For is believed
	Gate        []byte         // the current storefront script, for the widget's address
	Admin       fs.FS          // admin.css, admin.js
	// FrameAncestors are further origins that may frame the admin pages, besides the Shop's own control panel.
	FrameAncestors []string
	BCSDK          string // address of BigCommerce's bc-sdk.js; empty leaves it out
	LegacyPayload  bool   // accept the legacy signed_payload
	Replica        func() ledger.ReplicaStatus
	Done           <-chan struct{} // closed when the process is to stop: streams end, requests are finished
	// Tenant says what the operator's own 1Kosmos tenant is, for the settings page: its host, or "".
	Tenant string
	// SignOut shows a sign-out button: outside the control panel nothing else ends a Login.
	SignOut bool
}

// Server answers HTTP.
type Server struct {
	Options
	cookies  *sessions.CookieStore
	assets   map[string]asset // by path
	css, js  string           // their paths
	htmx     string           // likewise
	limits   *limits
	scripts  sync.Map // hash to body: the published ones that were asked for
	counters *counters
}

type asset struct {
	body []byte
	kind string
}

// Login lasts this long after BigCommerce last vouched for the user.
const loginGood = 12 * time.Hour

// New makes a Server.
func New(o Options) (*Server, error) {
	s := &Server{Options: o, assets: map[string]asset{}, limits: newLimits(o.Now)}
	s.counters = newCounters(s)
	gate := sha256.Sum256(o.Gate)
	s.scripts.Store(hex.EncodeToString(gate[:8]), o.Gate)
	var pairs [][]byte
	auth, enc := o.Keyring.DeriveAll("cookie authentication", 64), o.Keyring.DeriveAll("cookie encryption", 32)
	for i := range auth {
		pairs = append(pairs, auth[i], enc[i])
	}
	s.cookies = sessions.NewCookieStore(pairs...)
	s.cookies.Options = &sessions.Options{Path: "/", MaxAge: int(loginGood.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode, Partitioned: true}
	s.cookies.MaxAge(int(loginGood.Seconds()))
	for _, f := range []struct {
		name, kind string
		path       *string
	}{{"admin.css", "text/css; charset=utf-8", &s.css}, {"admin.js", "text/javascript; charset=utf-8", &s.js}, {"htmx.min.js", "text/javascript; charset=utf-8", &s.htmx}} {
		b, err := fs.ReadFile(o.Admin, f.name)
		if err != nil {
			return nil, fmt.Errorf("reading the admin assets: %w", err)
		}
		sum := sha256.Sum256(b)
		base, ext, _ := strings.Cut(f.name, ".")
		*f.path = "/assets/" + base + "." + hex.EncodeToString(sum[:8]) + "." + ext
		s.assets[*f.path] = asset{b, f.kind}
	}
	return s, nil
}

// frame is what every page needs.
func (s *Server) frame() views.Frame { return views.Frame{AssetCSS: s.css, AssetJS: s.js} }

// adminFrame is what the merchant's pages need.
func (s *Server) adminFrame() views.Frame {
	f := s.frame()
	f.AssetHTMX = s.htmx
	return f
}

// problem is an error with its public face.
type problem struct {
	status  int
	code    string // machine-readable, also the key of the page's words
	message string // for JSON
	field   string
	cause   error // for the log
	passes  bool  // the trouble is BigCommerce's, and none of ours to be woken for
}

func (p *problem) Error() string {
	if p.cause != nil {
		return p.code + ": " + p.cause.Error()
	}
	return p.code + ": " + p.message
}

func (p *problem) Unwrap() error { return p.cause }

// refuse makes a problem.
func refuse(status int, code, message string) *problem {
	return &problem{status: status, code: code, message: message}
}

func (p *problem) at(field string) *problem   { p.field = field; return p }
func (p *problem) because(err error) *problem { p.cause = err; return p }

// statusClientGone is nginx's status for a client that closed the connection; nobody reads it.
const statusClientGone = 499

// classify gives any error a public face; what is not ours to tell is a 500 without detail.
func classify(err error) *problem {
	var p *problem
	var tooLarge *http.MaxBytesError
	var disk *ledger.DiskError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body is larger than %d bytes", tooLarge.Limit)).because(err)
	case errors.Is(err, ledger.ErrBusy), errors.Is(err, ledger.ErrClosed):
		return refuse(http.StatusServiceUnavailable, "busy", "busy; try again shortly").because(err)
	case errors.As(err, &disk):
		return refuse(http.StatusServiceUnavailable, "busy", "nothing can be stored just now; try again shortly").because(err)
	case errors.Is(err, ledger.ErrUnknownShop):
		return refuse(http.StatusNotFound, "unknown_shop", "no such shop").because(err)
	case errors.Is(err, ledger.ErrNotFound):
		return refuse(http.StatusNotFound, "not_found", "no such thing").because(err)
	case errors.Is(err, ledger.ErrBadCapability):
		return refuse(http.StatusForbidden, "capability_wrong", "this capability is not valid here").because(err)
	case errors.Is(err, ledger.ErrExpiredCapability):
		return refuse(http.StatusGone, "capability_late", "this capability has run out; ask again").because(err)
	case errors.Is(err, bigcommerce.ErrBadToken), errors.Is(err, bigcommerce.ErrBadSignature):
		return refuse(http.StatusUnauthorized, "load_refused", "the token was refused").because(err)
	case errors.Is(err, bigcommerce.ErrNotFound):
		return refuse(http.StatusNotFound, "not_found", "BigCommerce has no such thing").because(err)
	case errors.Is(err, context.Canceled):
		return refuse(statusClientGone, "client_gone", "the client went away").because(err)
	case outside(err) != nil:
		return outside(err)
	case errors.Is(err, context.DeadlineExceeded):
		return refuse(http.StatusServiceUnavailable, "busy", "it took too long; try again").because(err)
	}
	return refuse(http.StatusInternalServerError, "internal", "something went wrong here").because(err)
}

// outside gives a public face to a call of BigCommerce's API that did not succeed; nil for any other error. Whoever waits for an answer
// is told that nothing was changed: what a request does here, it does after it has asked.
func outside(err error) *problem {
	var be *bigcommerce.Error
	if errors.Is(err, context.Canceled) || errors.Is(err, bigcommerce.ErrNotFound) || !errors.As(err, &be) {
		return nil
	}
	p := refuse(http.StatusServiceUnavailable, "bigcommerce_down", "BigCommerce does not answer just now")
	switch {
	case be.Status == http.StatusUnauthorized:
		p = refuse(http.StatusConflict, "suspended", "BigCommerce refuses our token for this shop")
	case be.Status == http.StatusForbidden:
		p = refuse(http.StatusConflict, "scope_missing", "BigCommerce does not let the app do this")
	case be.Status == http.StatusTooManyRequests, be.Status == statusBandwidth:
		p = refuse(http.StatusServiceUnavailable, "bigcommerce_busy", "BigCommerce takes no more calls for this shop just now")
	case !be.Temporary():
		return refuse(http.StatusBadGateway, "bigcommerce_odd", "BigCommerce's answer cannot be used").because(err)
	}
	p.passes = true
	return p.because(err)
}

// statusBandwidth is BigCommerce's older form of 429.
const statusBandwidth = 509

// toShopper is classify for a shopper: whether and why BigCommerce does not answer is the merchant's to know.
func toShopper(err error) *problem {
	var ours *problem
	p := outside(err)
	if p == nil || errors.As(err, &ours) {
		return classify(err)
	}
	p.status, p.code, p.message = http.StatusServiceUnavailable, "busy", "BigCommerce cannot be asked right now"
	return p
}

// personWaits is how long somebody of the shop waits for BigCommerce; their browser gives up after 30 s (views.htmxConfig).
const personWaits = 20 * time.Second

// note logs what an operator should see: our own failures loudly and with a number to find them by, BigCommerce's likewise but as a
// warning, refusals quietly. Paths are logged without their secrets.
func (s *Server) note(r *http.Request, p *problem) (ref string) {
	level := slog.LevelDebug
	switch {
	case p.passes:
		level, ref = slog.LevelWarn, rand.Text()[:8]
	case p.status >= 500:
		level, ref = slog.LevelError, rand.Text()[:8]
	}
	s.Log.Log(r.Context(), level, "request refused", "method", r.Method, "path", publicPath(r), "status", p.status, "code", p.code, "ref", ref, "error", p.Error())
	s.counters.refused.WithLabelValues(p.code).Inc()
	return ref
}

// publicPath is the request's path with the secrets that a path may carry taken out: mailed links and one-time sign-ins. Queries are never
// logged.
func publicPath(r *http.Request) string {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/v/"); ok && strings.HasPrefix(rest, "mail.") {
		return "/v/…"
	}
	if strings.HasPrefix(r.URL.Path, "/login/") {
		return "/login/…"
	}
	return r.URL.Path
}

// render writes a page, from a buffer, so that half a page is never sent.
func render(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(r.Context(), &b); err != nil {
		return fmt.Errorf("rendering: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may be gone
	return nil
}
