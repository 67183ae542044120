package web

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"idgate/app/ledger"
	"idgate/app/relay"
)

// sendLink mails the cart's own mailbox a verification link.
func (s *Server) sendLink(w http.ResponseWriter, r *http.Request) error {
	return s.sendAsked(w, r, ledger.AskedLink)
}

// sendCode mails the cart's own mailbox six digits.
func (s *Server) sendCode(w http.ResponseWriter, r *http.Request) error {
	return s.sendAsked(w, r, ledger.AskedCode)
}

// Mails that may be asked for from one client address, and for one Shop, whatever the carts.
const (
	mailsPerSecond, mailsAtOnce         = 1.0 / 120, 12
	shopMailsPerSecond, shopMailsAtOnce = 1, 200
)

func (s *Server) sendAsked(w http.ResponseWriter, r *http.Request, kind ledger.AskedKind) error {
	shop, c, err := s.capability(w, r)
	if err != nil {
		return err
	}
	var in struct {
		Locale string `json:"locale"`
	}
	if err := readOptional(r, &in); err != nil {
		return err
	}
	speak(r, nil, in.Locale)
	if !s.limits.allow("mails "+s.address(r), mailsPerSecond, mailsAtOnce) || !s.limits.allow("shop mails "+shop.Hash, shopMailsPerSecond, shopMailsAtOnce) {
		return refuse(http.StatusTooManyRequests, "too_many", "too many mails were asked for; wait a while")
	}
	if in.Locale != "" {
		c.Locale = localeOf(r, in.Locale)
	}
	if err := s.Relay.MailToCart(r.Context(), shop, kind, c); err != nil {
		return mailProblem(w, err)
	}
	writeJSON(w, http.StatusAccepted, map[string]int{"resend_after": int(ledger.AskAgainAfter / time.Second)})
	return nil
}

func mailProblem(w http.ResponseWriter, err error) error {
	var often *ledger.AskedTooOften
	switch {
	case errors.As(err, &often):
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(often.Wait.Seconds()))))
		if often.Spent {
			return refuse(http.StatusTooManyRequests, "too_many", "no more mails for this cart or mailbox today").because(err)
		}
		return refuse(http.StatusTooManyRequests, "too_soon", "wait before asking for another mail").because(err)
	case errors.Is(err, relay.ErrNoMails):
		return refuse(http.StatusNotFound, "no_mails", "this shop sends no mails to shoppers").because(err)
	case errors.Is(err, relay.ErrNoMailbox), errors.Is(err, relay.ErrMailRefused):
		return refuse(http.StatusConflict, "no_mailbox", "the cart names no mailbox that takes mail").because(err)
	case errors.Is(err, relay.ErrCartChanged):
		return refuse(http.StatusGone, "capability_late", "the cart names another mailbox by now; ask again").because(err)
	case errors.Is(err, relay.ErrNothingToProve):
		return refuse(http.StatusConflict, "nothing_to_verify", "nothing has to be proved here").because(err)
	case errors.Is(err, relay.ErrMailDown):
		return refuse(http.StatusServiceUnavailable, "mail_down", "the mail could not be sent; try again shortly").because(err)
	}
	return cartProblem(w, err)
}

// checkCode takes the six digits that the shopper was mailed, and answers what the cart is decided to be now.
func (s *Server) checkCode(w http.ResponseWriter, r *http.Request) error {
	shop, c, err := s.capability(w, r)
	if err != nil {
		return err
	}
	var in struct {
		Code   string `json:"code"`
		Locale string `json:"locale"`
	}
	if err := readBody(r, &in); err != nil {
		return err
	}
	speak(r, nil, in.Locale)
	code, ok := digits(in.Code)
	if !ok {
		return refuse(http.StatusUnprocessableEntity, "code_wrong", "a code has six digits").at("code") // no guess: it costs no try
	}
	switch err := s.Relay.EnterCode(r.Context(), shop, c, code); {
	case errors.Is(err, ledger.ErrCodeWrong):
		return refuse(http.StatusUnprocessableEntity, "code_wrong", "this is not the code").at("code").because(err)
	case errors.Is(err, ledger.ErrCodeExpired):
		return refuse(http.StatusGone, "code_expired", "this code no longer works; ask for a new one").at("code").because(err)
	case err != nil:
		return err
	}
	a, err := s.Relay.DecideCart(r.Context(), relay.CartAsk{Shop: shop, CartID: c.CartID, CustomerID: c.CustomerID, Held: &c})
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

const codeLength = 6

// digits reads a code as people type and paste it: with spaces or a hyphen between, in the digits of their script.
func digits(typed string) (code string, ok bool) {
	if len(typed) > 64 {
		return "", false
	}
	var b strings.Builder
	for _, c := range typed {
		switch {
		case c >= '0' && c <= '9':
			b.WriteRune(c)
		case c >= '٠' && c <= '٩': // Arabic-Indic
			b.WriteRune(c - '٠' + '0')
		case c >= '۰' && c <= '۹': // Persian
			b.WriteRune(c - '۰' + '0')
		case c >= '０' && c <= '９': // full width
			b.WriteRune(c - '０' + '0')
		case c == ' ' || c == '-' || c == '\u00a0' || c == '\t' || c == '\n' || c == '\r':
		default:
			return "", false
		}
	}
	return b.String(), b.Len() == codeLength
}
