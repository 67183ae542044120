package kosmos

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"idgate/app/idv"
)

// Whatever opens must seal to the same text again, and nothing opens but what carries a tag.
func FuzzDecrypt(f *testing.F) {
	key := [32]byte{1, 2, 3}
	for _, plain := range []string{"", "{}", strings.Repeat("a", 33)} {
		msg, err := Encrypt(key, rand.Reader, []byte(plain))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg)
	}
	f.Add("")
	f.Add("AAAA")
	f.Add(base64.StdEncoding.EncodeToString(make([]byte, 32)))
	f.Fuzz(func(t *testing.T, msg string) {
		plain, err := Decrypt(key, msg)
		if err != nil {
			if plain != nil {
				t.Fatal("refused, yet returned")
			}
			return
		}
		raw, err := base64.StdEncoding.DecodeString(msg)
		if err != nil || len(raw) < 32 {
			t.Fatalf("opened %d bytes, %v", len(raw), err)
		}
		again, err := Encrypt(key, bytes.NewReader(raw[:16]), plain)
		if err != nil || again != strings.NewReplacer("\r", "", "\n", "").Replace(msg) {
			t.Fatalf("%q seals to %q", msg, again)
		}
	})
}

// No answer passes that is not JSON, not about the session, or without a document that is valid and of the kind.
func FuzzParseResult(f *testing.F) {
	for _, s := range []string{
		string(about(`"responseStatus":"SUCCESS","dl_object":{"doe":"20300101","dob":"19900101","face":"/9j/"},"liveid_object":{"face":"x"}`)),
		string(about(`"sessionResult":"SUCCESS","document":{"type":"dl","doe":"20300101"},"liveId":{"proofedBy":"x"},"errorInfo":{"reasonCode":"IDV0011"}`)),
		string(about(`"sessionStatus":"Completed","verificationStatus":"Passed","dl_object":{"doe":"20300101"},"createdTS":1781524800`)),
		`{"dvcID":"d","sessionId":"` + someID + `"}`, `{}`, `null`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		r, err := parseResult(data, someID)
		if !bytes.Equal(before, data) {
			t.Fatal("the answer has been changed")
		}
		if err != nil {
			return
		}
		if !json.Valid(data) || !bytes.Contains(data, []byte("sessionId")) && !bytes.Contains(data, []byte(`\u`)) {
			t.Fatalf("taken: %q", data)
		}
		o, err := r.observe("dl_object", today)
		if err != nil {
			return
		}
		known := false
		for _, s := range idv.States() {
			known = known || s == o.State
		}
		if !known || o.State == idv.StateError || o.Assurance != nil {
			t.Fatalf("state %q, assurance %v", o.State, o.Assurance)
		}
		if o.State != idv.StatePassed {
			if o.Person != nil {
				t.Fatal("a person without a pass")
			}
			return
		}
		reason, ok := idv.Meets(o, idv.Need{})
		if !ok && (reason != idv.ReasonExpiredDocument || o.Evidence.DocumentExpires.After(today)) {
			t.Fatalf("a pass that lacks evidence: %s", reason)
		}
		if ok == o.Evidence.DocumentExpired || !o.Evidence.DocumentExpires.Valid() {
			t.Fatalf("expired: %+v, and enough: %v", o.Evidence, ok)
		}
		if lower := bytes.ToLower(data); !bytes.Contains(lower, []byte("success")) && !bytes.Contains(lower, []byte("passed")) && !bytes.Contains(lower, []byte(`\u`)) {
			t.Fatalf("passed without saying so: %q", data)
		}
	})
}

// No discovered address leaves the hosts that are allowed, and no key is off its curve.
func FuzzDiscovery(f *testing.F) {
	f.Add([]byte(`{"tenant":{"id":"t","otherDNS":["a.example.net"]},"community":{"id":"c"}}`))
	f.Add([]byte(`{"docuverify":"https://tenant.example.net/docuverify","idproofingapi":"http://idproofing-api:8888"}`))
	f.Add([]byte(`{"docuverify":"https://tenant.example.net@evil.net/","publicKey":"AAAA"}`))
	f.Add([]byte(`{"data":"AAAA","publicKey":"AAAA"}`))
	c, err := New(Tenant{DNS: "tenant.example.net", Community: "c", LicenseKey: "l", DVCID: "d"}, Options{})
	if err != nil {
		f.Fatal(err)
	}
	hosts := map[string]bool{"tenant.example.net": true}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, others, err := parseCommunity(data)
		if err == nil && len(others) > maxHosts {
			t.Fatal("hosts without end")
		}
		for _, h := range others {
			if again, ok := normalHost(h); !ok || again != h || strings.ContainsAny(h, "/@?# ") {
				t.Fatalf("host %q", h)
			}
		}
		if service, err := parseServices(data); err == nil {
			if raw, err := c.allowed(service, hosts); err == nil {
				u, err := url.Parse(raw)
				if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" ||
					!strings.EqualFold(u.Hostname(), "tenant.example.net") {
					t.Fatalf("%q allowed as %q", service, raw)
				}
			}
		}
		if k, err := parseServiceKey(Secp256k1, data); err == nil {
			if _, err := ParsePublicKey(Secp256k1, k.Base64()); err != nil {
				t.Fatal("a key that does not parse again")
			}
		}
		if a, err := open([32]byte{1}, data); err == nil && a.sealed {
			t.Fatal("forged")
		}
	})
}
