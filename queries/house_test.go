package queries

var houseCases = cases{
	"StampLedger": func(w *world) {
		w.changes(func() error { return w.q.StampLedger(w.Context(), StampLedgerParams{Kind: "demo", Now: 7}) },
			"+ ledger 1: id=1 kind=demo made_at=7")
		w.changes(func() error { return w.q.StampLedger(w.Context(), StampLedgerParams{Kind: "real", Now: 8}) })
	},
	"LedgerKind": func(w *world) {
		_, err := w.q.LedgerKind(w.Context())
		none(w, "", err)
		w.add("ledger", cols{"kind": "demo"})
		got, err := w.q.LedgerKind(w.Context())
		equal(w, got, err, "demo")
	},
	"AddSigningKey": func(w *world) {
		public := []byte("public key of exactly 32 bytes..")
		w.changes(func() error {
			return w.q.AddSigningKey(w.Context(), AddSigningKeyParams{Kid: "k1", Public: public, Private: []byte("sealed"), Now: 7})
		}, "+ signing_keys k1: kid=k1 made_at=7 private=sealed public=public key of exactly 32 bytes.. retired_at=0")
	},
	"SigningKeys": func(w *world) {
		old := w.add("signing_keys", cols{"made_at": 3})
		newest := w.add("signing_keys", cols{"made_at": 5})
		got, err := w.q.SigningKeys(w.Context())
		are(w, got, err, newest, old)
	},
	"ResealSigningKey": func(w *world) {
		w.add("signing_keys", cols{"kid": "k1", "private": []byte("old")})
		w.add("signing_keys", cols{"kid": "k2"})
		w.affects(1, func() (int64, error) {
			return w.q.ResealSigningKey(w.Context(), ResealSigningKeyParams{Kid: "k1", Private: []byte("new")})
		}, "signing_keys k1 private: old -> new")
	},
	"PublishScript": func(w *world) {
		publish := func(integrity string) func() error {
			return func() error {
				return w.q.PublishScript(w.Context(), PublishScriptParams{Hash: "h1", Integrity: integrity, Body: []byte("body"), Now: 7})
			}
		}
		w.changes(publish("sha384-x"), "+ published_scripts h1: body=body hash=h1 integrity=sha384-x published_at=7")
		w.changes(publish("sha384-y"))
	},
	"PublishedScript": func(w *world) {
		w.add("published_scripts", nil)
		row := w.add("published_scripts", cols{"hash": "h1"})
		got, err := w.q.PublishedScript(w.Context(), "h1")
		one(w, got, err, row)
		got, err = w.q.PublishedScript(w.Context(), "h2")
		none(w, got, err)
	},
	"PublishedScriptHashes": func(w *world) {
		w.add("published_scripts", cols{"hash": "h1"})
		w.add("published_scripts", cols{"hash": "h2"})
		got, err := w.q.PublishedScriptHashes(w.Context())
		equal(w, got, err, []string{"h1", "h2"})
	},
	"UseToken": func(w *world) {
		use := func() (int64, error) { return w.q.UseToken(w.Context(), UseTokenParams{ExpiresAt: 9, Jti: "j1"}) }
		w.affects(1, use, "+ used_tokens 9/j1: expires_at=9 jti=j1")
		w.affects(0, use)
	},
	"ForgetTokens": func(w *world) {
		for _, at := range []int{8, 9, 10} {
			w.add("used_tokens", cols{"expires_at": at, "jti": "j"})
		}
		w.affects(1, func() (int64, error) { return w.q.ForgetTokens(w.Context(), 9) }, "- used_tokens 8/j")
	},
}
