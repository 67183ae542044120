package receiver

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestReceiver: what is signed with the pasted secret is told from what is not; what came is shown as text; the newest are kept.
func TestReceiver(t *testing.T) {
	r := New(time.Now)
	s := httptest.NewServer(r.Handler())
	t.Cleanup(s.Close)
	key := []byte("a key of thirty-two bytes, really")
	secret := "whsec_" + base64.StdEncoding.EncodeToString(key)
	post := func(id, body string) {
		t.Helper()
		w, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		signature, err := w.Sign(id, now, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodPost, s.URL+"/events", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("webhook-id", id)
		req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
		req.Header.Set("webhook-signature", signature)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%d", resp.StatusCode)
		}
	}
	paste := func(text string) {
		t.Helper()
		resp, err := http.PostForm(s.URL+"/secret", url.Values{"secret": {text}})
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	post("msg_1", `{"type":"order.held","data":{"x":"<b>"}}`)
	paste(" " + secret + " ")
	post("msg_2", `{"type":"order.held"}`)
	post("msg_2", `{"type":"order.held"}`)
	paste("whsec_AAAA")
	post("msg_3", `no json`)
	for i, want := range []Event{{ID: "msg_1", Type: "order.held"}, {ID: "msg_2", Type: "order.held", Good: true}, {ID: "msg_2", Type: "order.held", Good: true, Again: true}, {ID: "msg_3"}} {
		if e := r.Events()[i]; e.ID != want.ID || e.Type != want.Type || e.Good != want.Good || e.Again != want.Again || e.Good != (e.Verdict == "verified") {
			t.Errorf("%d: %+v", i, e)
		}
	}
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://erp.localhost:8084/", nil))
	for _, text := range []string{"http://erp.localhost:8084/events", "verified, came before", "&lt;b&gt;", "refused: "} {
		if !strings.Contains(w.Body.String(), text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	if strings.Contains(w.Body.String(), secret[8:]) {
		t.Error("the page shows the secret")
	}
	for i := range keep + 5 {
		post(fmt.Sprint("msg_", 10+i), `{}`)
	}
	if es := r.Events(); len(es) != keep || es[keep-1].ID != fmt.Sprint("msg_", 10+keep+4) {
		t.Errorf("%d are kept", len(es))
	}
}
