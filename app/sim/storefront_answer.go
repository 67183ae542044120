package sim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxStorefrontBody bounds what a browser may send.
const maxStorefrontBody = 64 << 10

// refusal is an answer that is not 2xx, in the form that the checkout SDK reads.
type refusal struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	Type   string `json:"type"`
}

func (r *refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Title, r.Detail) }

// refuse is a refusal of no special type.
func refuse(status int, title, detail string) error {
	return &refusal{Status: status, Title: title, Detail: detail, Type: statusesPage}
}

// refuseAs is a refusal of a type that the SDK turns into an error of its own: empty_cart,
// missing_shipping_method, …
func refuseAs(kind string, status int, title, detail string) error {
	return &refusal{Status: status, Title: title, Detail: detail, Type: kind}
}

// asRefusal finds the answer to an error: what the shop's own functions refuse is 422 with their words.
func asRefusal(err error) *refusal {
	if r := (*refusal)(nil); errors.As(err, &r) {
		return r
	}
	title, status := "The request could not be processed.", http.StatusUnprocessableEntity
	switch {
	case errors.Is(err, ErrNotFound):
		title, status = "Not found.", http.StatusNotFound
	case errors.Is(err, ErrConverted):
		title, status = "This cart was already ordered.", http.StatusConflict
	case errors.Is(err, ErrTaken):
		title, status = "There is already an account for this email.", http.StatusConflict
	}
	return &refusal{Status: status, Title: title, Detail: err.Error(), Type: statusesPage}
}

func (f *storefront) apiError(rw http.ResponseWriter, q *visit, err error) {
	r := asRefusal(err)
	f.w.opt.Log.Debug("storefront refuses", "method", q.Method, "path", q.URL.Path, "err", err)
	if err := writeJSON(rw, r.Status, r); err != nil {
		f.w.opt.Log.Debug("answering a refusal", "err", err)
	}
}

func writeJSON(rw http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding an answer: %w", err)
	}
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(status)
	_, err = rw.Write(body)
	return err
}

// readJSON reads the body into v; an empty body leaves v as it is.
func (q *visit) readJSON(rw http.ResponseWriter, v any) error {
	body, err := io.ReadAll(http.MaxBytesReader(rw, q.Body, maxStorefrontBody))
	if tooBig := (*http.MaxBytesError)(nil); errors.As(err, &tooBig) {
		return refuse(http.StatusRequestEntityTooLarge, "Request too large", fmt.Sprintf("The body is over %d bytes.", tooBig.Limit))
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "Bad request", "The body could not be read.")
	}
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		return refuse(http.StatusBadRequest, "Bad request", "The body is not the JSON that was expected: "+err.Error())
	}
	return nil
}

func (f *storefront) apiNothing(http.ResponseWriter, *visit) error {
	return refuse(http.StatusNotFound, "Not found", "The simulator has no such operation.")
}

func (f *storefront) emptyList(rw http.ResponseWriter, _ *visit) error {
	return writeJSON(rw, http.StatusOK, []any{})
}
