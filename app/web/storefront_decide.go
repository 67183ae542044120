package web

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
)

type askBody struct {
	Shop        string `json:"shop"`
	Channel     int64  `json:"channel"`
	CartID      string `json:"cart_id"`
	CustomerJWT string `json:"customer_jwt"`
	Capability  string `json:"capability"`
	Page        string `json:"page"`
	Locale      string `json:"locale"`
}

type needBody struct {
	IAL    int  `json:"ial"`
	Selfie bool `json:"selfie"`
	Age    int  `json:"age"`
}

// none is the answer on an order's confirmation page to whoever is not the buyer, or must wait for what the order gate says; mailed is the
// one to a buyer whose browser does not hold the cart's Capability: their mail has a link.
const (
	none   gate.Outcome = "none"
	mailed gate.Outcome = "mail"
)

// The pages after the order, as the script names them: the second one is a page where BigCommerce has told the browser itself, which alone
// may read its own order, that this order is on hold.
const (
	afterOrder = "order_confirmation"
	afterHeld  = "held"
)

type answerBody struct {
	Decision    gate.Outcome      `json:"decision"`
	Mode        gate.Mode         `json:"mode,omitempty"`
	DecisionID  string            `json:"decision_id,omitempty"`
	Order       string            `json:"order,omitempty"`    // on the confirmation page: the order's number
	AgainIn     int               `json:"again_in,omitempty"` // on the confirmation page: seconds after which the order may be known
	Capability  string            `json:"capability,omitempty"`
	ExpiresAt   int64             `json:"expires_at,omitempty"`
	Requirement *needBody         `json:"requirement,omitempty"`
	Documents   []string          `json:"documents,omitempty"`
	Mail        bool              `json:"mail,omitempty"`    // links and codes can be mailed
	Mailbox     string            `json:"mailbox,omitempty"` // unproved: a code shows whose it is
	TriesLeft   int               `json:"tries_left"`
	Session     *sessionBody      `json:"session"`
	Unnamed     bool              `json:"unnamed,omitempty"` // the cart does not say yet who is buying
	Texts       map[string]string `json:"texts,omitempty"`
	Lang        string            `json:"lang,omitempty"`
	Dir         string            `json:"dir,omitempty"`
}

// decide answers whether a cart may become an order, and on the page after the order whether a step is left. The cart's figures come from
// BigCommerce, the customer from a Current Customer JWT or nowhere.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) error {
	var b askBody
	if err := readBody(r, &b); err != nil {
		return err
	}
	shop, err := s.Ledger.Shop(b.Shop)
	if err != nil {
		return refuse(http.StatusNotFound, "unknown_shop", "no such shop").at("shop").because(err)
	}
	if err := s.cors(w, r, shop); err != nil {
		return err
	}
	speak(r, shop, b.Locale)
	speakOn(r, b.Channel)
	if b.Page == afterHeld {
		b.CartID = "" // it is no matter which
	}
	confirming := b.Page == afterOrder || b.Page == afterHeld
	if id, err := uuid.Parse(b.CartID); (err != nil || id.String() != strings.ToLower(b.CartID)) && (b.CartID != "" || !confirming) {
		return refuse(http.StatusBadRequest, "bad_request", "cart_id must be a cart's UUID").at("cart_id")
	}
	b.CartID = strings.ToLower(b.CartID)
	if err := s.mayAsk(r, shop, b.CartID); err != nil {
		return err
	}
	if b.Page == afterHeld {
		writeJSON(w, http.StatusOK, s.lookForMail(r, shop))
		return nil
	}
	ask := relay.CartAsk{Shop: shop, CartID: b.CartID, Locale: localeOf(r, b.Locale)}
	if b.Capability != "" {
		// One that has run out or is for another cart is as good as none: a fresh one is given.
		if c, err := s.Ledger.Capability(r.Context(), b.Capability, ledger.ForCart, s.Now()); err == nil && c.Shop == shop.Hash {
			ask.Held = &c
		}
	}
	if confirming {
		return s.confirm(w, r, shop, ask.Held, b.CustomerJWT)
	}
	if b.CustomerJWT != "" {
		c, err := s.BigCommerce.VerifyCurrentCustomer(b.CustomerJWT, shop.Hash)
		if err != nil {
			return refuse(http.StatusUnauthorized, "customer_token", "the Current Customer JWT was refused").at("customer_jwt").because(err)
		}
		ask.CustomerID = c.CustomerID
	}
	a, err := s.Relay.DecideCart(r.Context(), ask)
	if err != nil {
		return cartProblem(w, err)
	}
	out, err := s.answer(r, shop, a)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// Carts that one address may ask about in one shop for the first time: 30 at once, then one in 5 s. A shopper has one or two, but an office or
// a mobile network shares an address. It is less than what shoppers may use of the smallest plan's quota, which each such question costs,
// whether there is such a cart or not.
const (
	cartsPerSecond = 1.0 / 5
	cartsAtOnce    = 30
)

// mayAsk holds a question about a cart, or about none, to the limits of the cart, of the address and of the shop, in this order: what one
// stranger asks too much counts for nobody else.
func (s *Server) mayAsk(r *http.Request, shop *ledger.Shop, cart string) error {
	p := refuse(http.StatusTooManyRequests, "rate_limited", "too many questions about this cart; wait a moment")
	if key := "cart " + shop.Hash + cart; cart != "" {
		if shop.Policy.Mode != gate.Off && !s.limits.remembers(key) { // BigCommerce is asked nothing while it is off
			known, err := s.Ledger.KnowsCart(r.Context(), shop.Hash, cart)
			if err != nil {
				return err
			}
			if !known && !s.allowFrom(r, "carts "+shop.Hash, cartsPerSecond, cartsAtOnce) {
				return p
			}
		}
		if !s.limits.allow(key, 2, 30) {
			return p
		}
	}
	if !s.limits.allow("shop "+shop.Hash, 100, 500) {
		return p
	}
	return nil
}

// cartProblem names a cart that is not there, and too many shoppers who ask.
func cartProblem(w http.ResponseWriter, err error) error {
	var busy *relay.BusyError
	if errors.As(err, &busy) {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(busy.Wait.Seconds()))))
		return refuse(http.StatusServiceUnavailable, "busy", "too many shoppers ask right now").because(err)
	}
	if errors.Is(err, bigcommerce.ErrNotFound) {
		return refuse(http.StatusNotFound, "cart_not_found", "BigCommerce has no such cart").at("cart_id").because(err)
	}
	return err
}

func (s *Server) answer(r *http.Request, shop *ledger.Shop, a relay.CartAnswer) (answerBody, error) {
	d := a.Decision
	out := answerBody{Decision: d.Outcome, Mode: d.Mode, DecisionID: a.DecisionID}
	if !d.Binds() {
		out.Decision = gate.Allow // shadow and off have no effect on a page
	}
	if out.Decision == gate.Allow {
		return out, nil
	}
	out.Unnamed, out.TriesLeft, out.Mail = a.Unnamed, a.TriesLeft, s.Relay.MailsShoppers(shop) && !a.Unnamed
	if out.Mail && a.Unshown && out.Decision == gate.Verify {
		// Said of any mailbox, whether or not a Proof stands under it: a stranger who types one must not learn whose it is.
		out.Mailbox = "unproved"
	}
	return out, s.explain(r, shop, &out, d, a.Capability, a.Session, "")
}

// explain adds what the page needs where something has to be proved.
func (s *Server) explain(r *http.Request, shop *ledger.Shop, out *answerBody, d gate.Decision, c *ledger.Capability, n *ledger.Session, order string) error {
	need, words := shopperNeed(shop, d.Requirement), s.words(r)
	out.Requirement = &needBody{IAL: int(d.Requirement.IAL), Selfie: need.Selfie, Age: need.LeastAge}
	out.Documents = need.Documents
	look := lookFor(r, shop)
	data := dialogData(shop, look, d, n, out.TriesLeft)
	data.Order, data.Outcome = order, string(out.Decision)
	out.Texts, out.Lang, out.Dir = words.Dialog(data), words.Lang(), words.Dir()
	if look.Accent != "" {
		out.Texts["accent"] = look.Accent
	}
	if c != nil {
		out.Capability, out.ExpiresAt = s.Ledger.Token(*c), c.ExpiresAt.UnixMilli()
	}
	if n == nil {
		return nil
	}
	b, err := s.sessionBody(r, shop, *n)
	out.Session = &b
	return err
}

// confirmAgain is how soon the page after an order asks again whose order is not known here yet.
const confirmAgain = 3

// confirm answers on the page after the order. Whoever holds the cart's Capability goes on from there; a customer whom BigCommerce has named
// is told to look in the mail while the order that they have just placed is on our hold; nobody else learns anything, not even whether
// there is an order.
func (s *Server) confirm(w http.ResponseWriter, r *http.Request, shop *ledger.Shop, held *ledger.Capability, token string) error {
	out := answerBody{Decision: none}
	if held == nil {
		told, err := s.mailedCustomer(r, shop, token)
		if err != nil {
			return err
		}
		if told {
			out = s.tellMailed(r, shop, "confirm_title", "confirm_mail")
		}
		writeJSON(w, http.StatusOK, out)
		return nil
	}
	a, err := s.Relay.ConfirmCart(r.Context(), shop, *held)
	if err != nil {
		return err
	}
	if !a.Known {
		out.AgainIn = confirmAgain
		writeJSON(w, http.StatusOK, out)
		return nil
	}
	out = answerBody{Decision: a.Outcome, Mode: a.Decision.Mode, DecisionID: a.Decision.ID, Order: strconv.FormatInt(a.OrderID, 10)}
	if a.Outcome != gate.Allow {
		if out.TriesLeft, err = s.Relay.TriesLeft(r.Context(), shop, *a.Capability); err != nil {
			return err
		}
		if err := s.explain(r, shop, &out, a.Decision.Decision, a.Capability, a.Session, out.Order); err != nil {
			return err
		}
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// mailedCustomer reports whether a Current Customer JWT names somebody whose link is in the mail. One that is no good names nobody.
func (s *Server) mailedCustomer(r *http.Request, shop *ledger.Shop, token string) (bool, error) {
	c, err := s.BigCommerce.VerifyCurrentCustomer(token, shop.Hash)
	if err != nil || !s.limits.allow(fmt.Sprintf("confirm %s %d", shop.Hash, c.CustomerID), 2, 30) {
		return false, nil
	}
	return s.Relay.MailedCustomer(r.Context(), shop, c.CustomerID)
}

// lookForMail is what a shopper reads whose order is on hold as BigCommerce has told their browser. It is the same for whoever asks, and
// knows of no order: the hold may be another's, so it promises no mail.
func (s *Server) lookForMail(r *http.Request, shop *ledger.Shop) answerBody {
	if !s.Relay.MailsShoppers(shop) || shop.Policy.HoldStatus != bigcommerce.StatusManualVerification {
		return answerBody{Decision: none}
	}
	return s.tellMailed(r, shop, "held_title", "held_text")
}

func (s *Server) tellMailed(r *http.Request, shop *ledger.Shop, title, text string) answerBody {
	words, look := s.words(r), lookFor(r, shop)
	said := words.Dialog(dialogData(shop, look, gate.Decision{}, nil, 0))
	out := answerBody{Decision: mailed, Mode: shop.Policy.Mode, Lang: words.Lang(), Dir: words.Dir()}
	out.Texts = map[string]string{"title": said[title], "confirm_title": said[title], "confirm_mail": said[text], "close": said["close"]}
	if look.Accent != "" {
		out.Texts["accent"] = look.Accent
	}
	return out
}
