package mailbox

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/html/atom"
)

// TestBounce: a mail's page has a button that sends it back, once, to whoever reads what comes back.
func TestBounce(t *testing.T) {
	var came []string
	status := http.StatusNoContent
	reader := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		came = append(came, string(body))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "it is not ours")
	}))
	defer reader.Close()
	b := New(Options{Bounces: reader.URL})
	b.keep(Mail{ID: "m1@example.com", From: "no-reply@example.com", To: "ann@example.com"})
	press := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/mail/1/bounce", nil))
		return w
	}
	forms := func() int {
		_, doc := get(t, b.Handler(), "/mail/1")
		for _, f := range all(doc, atom.Form) {
			if attr(f, "action") != "1/bounce" || attr(f, "method") != "post" {
				t.Errorf("a form to %s", attr(f, "action"))
			}
		}
		return len(all(doc, atom.Form))
	}
	status = http.StatusUnprocessableEntity
	if w := press(); w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), "422 Unprocessable Entity: it is not ours") || forms() != 1 {
		t.Errorf("refused: %d %s", w.Code, w.Body)
	}
	status = http.StatusNoContent
	if w := press(); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "../1" || forms() != 0 || !b.Mails()[0].Bounced {
		t.Errorf("taken: %d %s, %+v", w.Code, w.Header(), b.Mails()[0])
	}
	if len(came) != 2 || !strings.Contains(came[1], "Message-ID: <m1@example.com>") || !strings.Contains(came[1], "Action: failed") {
		t.Errorf("%q", came)
	}
	if err := b.Bounce(t.Context(), 2); !errors.Is(err, ErrNoMail) {
		t.Error(err)
	}
	b.bounces = ""
	if err := b.Bounce(t.Context(), 1); !errors.Is(err, ErrNoReader) {
		t.Error(err)
	}
	if b.mails[0].Bounced = false; forms() != 0 {
		t.Error("a button that does nothing")
	}
}
