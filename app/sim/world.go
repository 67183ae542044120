package sim

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Options says who the simulated platform talks to. Every URL is an origin, without a trailing slash.
type Options struct {
	ClientID     string // the app's client id, as the developer portal would give it
	ClientSecret string // signs load tokens, Current Customer JWTs and webhooks
	AppURL       string // where the app answers: http://app.localhost:8080
	StoreURL     string // where StoreHandler is served: http://store.localhost:8081
	KosmosURL    string // where the simulated 1Kosmos answers: http://kosmos.localhost:8082

	Seed int64            // every random choice comes from it, faults included
	Now  func() time.Time // nil: time.Now
	HTTP *http.Client     // dials the app's webhook receiver and /uninstall; nil: http.DefaultClient
	Log  *slog.Logger     // nil: discards

	Senders        int // shops whose webhooks are under way at once; 0 is one, which alone keeps the order over all shops
	KeepDeliveries int // how many tries Deliveries remembers; 0 is 500

	Scopes  []string       // what the app is registered for and is granted; nil: DefaultScopes
	Observe func(Exchange) // sees every API request and answer; called without the lock
}

// World is one simulated platform: its shops, its clock, its queue of webhooks.
//
// Exported methods of World and Shop take the lock and hand back copies. Unexported ones are
// called with World.mu held, unless their comment says otherwise. Nothing calls out to the
// network with the lock held.
type World struct {
	opt Options

	mu     sync.Mutex
	rand   *rand.Rand
	shops  []*Shop // the first is the default shop of plain hosts
	codes  map[string]*authCode
	queue  []*delivery // due and future webhook deliveries, in the order they were queued
	sent   []Delivery  // what has been tried, newest last
	nextID map[string]int64
	hosts  map[string]*hostRecord // the block list's memory
	wake   chan struct{}
}

// New makes an empty platform. Add shops with AddShop.
func New(o Options) *World {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	o.Senders = max(o.Senders, 1)
	if o.KeepDeliveries <= 0 {
		o.KeepDeliveries = keptDeliveries
	}
	o.AppURL, o.StoreURL, o.KosmosURL = trimSlash(o.AppURL), trimSlash(o.StoreURL), trimSlash(o.KosmosURL)
	w := &World{
		opt:    o,
		rand:   rand.New(rand.NewPCG(uint64(o.Seed), 0x1d9a7e)),
		codes:  map[string]*authCode{},
		nextID: map[string]int64{},
		hosts:  map[string]*hostRecord{},
		wake:   make(chan struct{}, 1),
	}
	o.Log.Info("simulated platform starts", "seed", o.Seed)
	return w
}

// Seed is the number that reproduces this World's random choices.
func (w *World) Seed() int64 { return w.opt.Seed }

// Shops lists the shops in the order they were added.
func (w *World) Shops() []*Shop {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*Shop(nil), w.shops...)
}

// Shop finds a shop by its store hash; nil if there is none.
func (w *World) Shop(hash string) *Shop {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.shopByHash(hash)
}

func (w *World) shopByHash(hash string) *Shop {
	for _, s := range w.shops {
		if s.Hash == hash {
			return s
		}
	}
	return nil
}

// ShopForHost finds the shop that a request's Host header names: a shop's own host or the host
// of one of its channels' sites, else the default shop. It is nil only in an empty World.
func (w *World) ShopForHost(hostport string) *Shop {
	w.mu.Lock()
	defer w.mu.Unlock()
	s, _ := w.shopForHost(hostport)
	return s
}

// shopForHost also names the storefront channel that the host belongs to.
func (w *World) shopForHost(hostport string) (*Shop, int64) {
	host := hostname(hostport)
	for _, s := range w.shops {
		for _, site := range s.sites {
			u, err := url.Parse(site.URL)
			if err == nil && strings.EqualFold(u.Hostname(), host) {
				return s, site.ChannelID
			}
		}
	}
	if len(w.shops) == 0 {
		return nil, 0
	}
	return w.shops[0], w.shops[0].channels[0].ID
}

// now is the World's clock; it needs no lock.
func (w *World) now() time.Time { return w.opt.Now().UTC() }

// id hands out numbers from a counter per kind, starting after first.
func (w *World) id(kind string, first int64) int64 {
	if _, ok := w.nextID[kind]; !ok {
		w.nextID[kind] = first
	}
	w.nextID[kind]++
	return w.nextID[kind]
}

// uuid is a version 4 UUID from the World's seed.
func (w *World) uuid() string {
	hi, lo := w.rand.Uint64(), w.rand.Uint64()
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(0xc000<<48) | 0x8000<<48
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffffffffffff)
}

// token is n lower-case letters and digits from the World's seed: access tokens, codes, hashes.
func (w *World) token(n int) string {
	const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[w.rand.IntN(len(alphabet))]
	}
	return string(b)
}

// hostname is a Host header without its port.
func hostname(hostport string) string {
	u, err := url.Parse("//" + hostport)
	if err != nil {
		return strings.ToLower(hostport)
	}
	return strings.ToLower(u.Hostname())
}

func trimSlash(s string) string { return strings.TrimRight(s, "/") }

// withHost is base with another host name and the same port.
func withHost(base, host string) string {
	u, err := url.Parse(base)
	if err != nil || host == "" {
		return base
	}
	if port := u.Port(); port != "" {
		host += ":" + port
	}
	u.Host = host
	return trimSlash(u.String())
}
