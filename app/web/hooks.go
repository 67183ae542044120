package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/ledger"
)

// receive stores an authenticated webhook as a Notice and answers 200 once that is on disk. The Shop's secret header is required;
// a signature, if there is one, must verify too. What the body says is only a hint to look.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, bigcommerce.MaxWebhook)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return refuse(http.StatusBadRequest, "bad_request", "the body could not be read").because(err)
	}
	h, err := bigcommerce.ParseWebhook(body)
	if err != nil {
		return refuse(http.StatusBadRequest, "bad_request", err.Error())
	}
	shop, err := s.Ledger.Shop(h.StoreHash)
	if errors.Is(err, ledger.ErrUnknownShop) {
		// Refusals would make BigCommerce block this whole domain, other Shops included.
		s.counters.dropped.Inc()
		w.WriteHeader(http.StatusOK)
		return nil
	}
	if err != nil {
		return err
	}
	if !sameSecret(r.Header.Get(bigcommerce.HookSecretHeader), shop.HookSecret) {
		return refuse(http.StatusUnauthorized, "load_refused", "the secret header "+bigcommerce.HookSecretHeader+" is missing or wrong")
	}
	if _, err := s.BigCommerce.VerifyWebhookSignature(r.Header, body); err != nil {
		return refuse(http.StatusUnauthorized, "load_refused", "the webhook's signature does not verify").because(err)
	}
	first, err := s.Ledger.RecordNotice(r.Context(), notice(shop.Hash, h, body), s.Now())
	if err != nil {
		return err
	}
	s.counters.notices.WithLabelValues(h.Scope, strconv.FormatBool(first)).Inc()
	w.WriteHeader(http.StatusOK)
	return nil
}

// sameSecret compares in constant time, whatever the lengths.
func sameSecret(got, want string) bool {
	g, w := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return want != "" && subtle.ConstantTimeCompare(g[:], w[:]) == 1
}

func notice(hash string, h bigcommerce.Webhook, body []byte) ledger.NewNotice {
	n := ledger.NewNotice{Shop: hash, EventAt: h.CreatedAt, Hash: h.Hash, Scope: h.Scope, Subject: h.Data.ID}
	if n.Hash == "" {
		sum := sha256.Sum256(body)
		n.Hash = hex.EncodeToString(sum[:])
	}
	if n.EventAt.IsZero() || n.EventAt.Before(time.Unix(0, 0)) {
		n.EventAt = time.Unix(1, 0)
	}
	n.Detail.OrderID = h.Data.OrderID
	if st := h.Data.Status; st != nil {
		n.Detail.OldStatus, n.Detail.NewStatus = st.Previous, st.New
	}
	return n
}
