package queries

import "math"

var shopsCases = cases{
	"InstallShop": func(w *world) {
		install := func(hash string) func() error {
			return func() error {
				return w.q.InstallShop(w.Context(), InstallShopParams{StoreHash: hash, OwnerID: 5, Scopes: "s1 s2", DataKey: []byte("key"),
					Token: []byte("token"), HookSecret: []byte("secret"), Now: 7})
			}
		}
		w.changes(install("new"), "+ shops new: channels=[] control_panel= country= currency= data_key=key digest_to=0 enforced_since=0 grants=1 hook_secret=secret installation={} "+
			"installed_at=7 kosmos=NULL name= owner_id=5 policy=0 probe_at=0 reconcile_at=7 reconciled_at=0 scopes=s1 s2 settings={} state=installed store_hash=new store_id= "+
			"suspected_at=0 suspended_at=0 sweep_at=7 swept_to=7 timezone=UTC token=token uninstalled_at=0")
		// Again: what the Shop and its history are stays, the credentials are new.
		w.exec(`UPDATE shops SET state = 'uninstalled', owner_id = 1, scopes = '', data_key = x'6b', token = NULL, hook_secret = NULL, reconcile_at = 2,
			sweep_at = 3, uninstalled_at = 4, suspended_at = 8, probe_at = 9, grants = 2 WHERE store_hash = 'abc'`)
		again := []string{
			"shops abc owner_id: 1 -> 5", "shops abc scopes:  -> s1 s2", "shops abc data_key: k -> key", "shops abc state: uninstalled -> installed",
			"shops abc token: NULL -> token", "shops abc hook_secret: NULL -> secret", "shops abc reconcile_at: 2 -> 7", "shops abc sweep_at: 3 -> 7",
			"shops abc uninstalled_at: 4 -> 0", "shops abc suspended_at: 8 -> 0", "shops abc probe_at: 9 -> 0", "shops abc grants: 2 -> 3",
		}
		w.changes(install("abc"), again...)
		// Its key was destroyed meanwhile: what only that key opened goes too, and it begins anew.
		w.exec(`UPDATE shops SET data_key = NULL, kosmos = x'6b', installed_at = 1, swept_to = 2 WHERE store_hash = 'abc'`)
		w.changes(install("abc"), "shops abc data_key: NULL -> key", "shops abc kosmos: k -> NULL", "shops abc installed_at: 1 -> 7", "shops abc swept_to: 2 -> 7",
			"shops abc grants: 3 -> 4")
	},
	"Shops": func(w *world) {
		third := w.add("shops", cols{"store_hash": "mmm"})
		got, err := w.q.Shops(w.Context())
		if err != nil || len(got) != 3 || got[0].StoreHash != "abc" || got[2].StoreHash != "xyz" {
			w.Fatalf("%+v, %v", got, err)
		}
		w.is(got[1], third)
	},
	"Shop": func(w *world) {
		row := w.add("shops", cols{"store_hash": "mmm"})
		got, err := w.q.Shop(w.Context(), "mmm")
		one(w, got, err, row)
		got, err = w.q.Shop(w.Context(), "mm")
		none(w, got, err)
	},
	"DescribeShop": func(w *world) {
		w.exec("UPDATE shops SET store_id = '', name = '', currency = '', timezone = '', control_panel = '', channels = '[]', country = ''")
		w.changes(func() error {
			return w.q.DescribeShop(w.Context(), DescribeShopParams{StoreHash: "abc", StoreID: "17", Name: "Shop", Currency: "EUR", Timezone: "UTC",
				ControlPanel: "https://panel", Channels: "[1]", Country: "DE"})
		}, "shops abc store_id:  -> 17", "shops abc name:  -> Shop", "shops abc currency:  -> EUR", "shops abc timezone:  -> UTC",
			"shops abc control_panel:  -> https://panel", "shops abc channels: [] -> [1]", "shops abc country:  -> DE")
	},
	"RecordInstallation": func(w *world) {
		w.exec("UPDATE shops SET installation = '{}', reconciled_at = 1, reconcile_at = 2")
		w.changes(func() error {
			return w.q.RecordInstallation(w.Context(), RecordInstallationParams{StoreHash: "abc", Installation: "report", Now: 7, Next: 8})
		}, "shops abc installation: {} -> report", "shops abc reconciled_at: 1 -> 7", "shops abc reconcile_at: 2 -> 8")
	},
	"ReconcileShopAt": func(w *world) {
		w.exec("UPDATE shops SET reconcile_at = 2")
		w.changes(func() error { return w.q.ReconcileShopAt(w.Context(), ReconcileShopAtParams{StoreHash: "abc", At: 7}) },
			"shops abc reconcile_at: 2 -> 7")
	},
	"SuspendShop": func(w *world) {
		w.exec("UPDATE shops SET suspended_at = 0, probe_at = 0, grants = 4")
		suspend := func() (int64, error) {
			return w.q.SuspendShop(w.Context(), SuspendShopParams{StoreHash: "abc", Grants: 3, Now: 7, ProbeAt: 9})
		}
		w.affects(0, suspend)
		w.exec("UPDATE shops SET grants = 3")
		w.affects(1, suspend, "shops abc state: installed -> suspended", "shops abc suspended_at: 0 -> 7", "shops abc probe_at: 0 -> 9")
		w.affects(0, suspend)
		w.exec("UPDATE shops SET state = 'uninstalled', token = NULL WHERE store_hash = 'abc'")
		w.affects(0, suspend)
	},
	"ProbeShopAt": func(w *world) {
		w.exec("UPDATE shops SET probe_at = 2, state = 'suspended', grants = 4")
		probe := func() (int64, error) {
			return w.q.ProbeShopAt(w.Context(), ProbeShopAtParams{StoreHash: "abc", Grants: 3, ProbeAt: 9})
		}
		w.affects(0, probe)
		w.exec("UPDATE shops SET grants = 3")
		w.affects(1, probe, "shops abc probe_at: 2 -> 9")
		w.exec("UPDATE shops SET state = 'installed', probe_at = 2 WHERE store_hash = 'abc'")
		w.affects(0, probe)
	},
	"ResumeShop": func(w *world) {
		w.exec("UPDATE shops SET state = 'suspended', suspended_at = 1, probe_at = 2, sweep_at = 3, reconcile_at = 4, grants = 6")
		resume := func() (int64, error) {
			return w.q.ResumeShop(w.Context(), ResumeShopParams{StoreHash: "abc", Grants: 5, Now: 7})
		}
		w.affects(0, resume)
		w.exec("UPDATE shops SET grants = 5")
		w.affects(1, resume, "shops abc state: suspended -> installed", "shops abc suspended_at: 1 -> 0", "shops abc probe_at: 2 -> 0", "shops abc sweep_at: 3 -> 7",
			"shops abc reconcile_at: 4 -> 7")
		w.affects(0, resume)
		w.exec("UPDATE shops SET state = 'uninstalled', token = NULL WHERE store_hash = 'abc'")
		w.affects(0, resume)
	},
	"SuspectShop": func(w *world) {
		w.exec("UPDATE shops SET suspected_at = 5, reconcile_at = 20")
		suspect := func(unless int64) func() (int64, error) {
			return func() (int64, error) {
				return w.q.SuspectShop(w.Context(), SuspectShopParams{StoreHash: "abc", Now: 7, UnlessAfter: unless})
			}
		}
		w.affects(0, suspect(4))
		w.affects(1, suspect(5), "shops abc suspected_at: 5 -> 7", "shops abc reconcile_at: 20 -> 7")
		w.exec("UPDATE shops SET suspected_at = 5, reconcile_at = 3")
		w.affects(1, suspect(5), "shops abc suspected_at: 5 -> 7") // it is due already
	},
	"SaveSettings": func(w *world) {
		w.exec("UPDATE shops SET settings = '{}'")
		w.changes(func() error {
			return w.q.SaveSettings(w.Context(), SaveSettingsParams{StoreHash: "abc", Settings: "{...}"})
		}, "shops abc settings: {} -> {...}")
	},
	"AddLogo": func(w *world) {
		add := func(now int64) func() error {
			return func() error {
				return w.q.AddLogo(w.Context(), AddLogoParams{StoreHash: "abc", Hash: "h1", Body: []byte("png"), Now: now})
			}
		}
		w.changes(add(7), "+ logos abc/h1: body=png hash=h1 made_at=7 store_hash=abc")
		w.changes(add(8), "logos abc/h1 made_at: 7 -> 8")
	},
	"Logo": func(w *world) {
		w.add("logos", cols{"hash": "h1", "body": []byte("mine")})
		w.add("logos", cols{"hash": "h2", "store_hash": "xyz"})
		got, err := w.q.Logo(w.Context(), LogoParams{StoreHash: "abc", Hash: "h1"})
		equal(w, got, err, []byte("mine"))
		got, err = w.q.Logo(w.Context(), LogoParams{StoreHash: "abc", Hash: "h2"})
		none(w, got, err)
	},
	"Logos": func(w *world) {
		for hash, at := range map[string]int64{"h1": 5, "h2": 7, "h3": 6} {
			w.add("logos", cols{"hash": hash, "made_at": at})
		}
		w.add("logos", cols{"hash": "h4", "store_hash": "xyz"})
		got, err := w.q.Logos(w.Context(), "abc")
		equal(w, got, err, []string{"h2", "h3", "h1"})
	},
	"DropLogo": func(w *world) {
		w.add("logos", cols{"hash": "h1"})
		w.add("logos", cols{"hash": "h2"})
		w.add("logos", cols{"hash": "h1", "store_hash": "xyz"})
		w.affects(1, func() (int64, error) {
			return w.q.DropLogo(w.Context(), DropLogoParams{StoreHash: "abc", Hash: "h1"})
		}, "- logos abc/h1")
	},
	"ResumeShops": func(w *world) {
		const day = 86400000
		w.exec("UPDATE shops SET sweep_at = 5, reconcile_at = 7 + ?, probe_at = 6, suspected_at = 7", day)
		resume := func() (int64, error) { return w.q.ResumeShops(w.Context(), 7) }
		w.affects(0, resume)
		for column, want := range map[string]string{"sweep_at": "9 -> 7", "probe_at": "9 -> 7", "suspected_at": "9 -> 7"} {
			w.exec("UPDATE shops SET " + column + " = 9 WHERE store_hash = 'abc'")
			w.affects(1, resume, "shops abc "+column+": "+want)
		}
		w.exec("UPDATE shops SET reconcile_at = 8 + ? WHERE store_hash = 'abc'", day)
		w.affects(1, resume, "shops abc reconcile_at: 86400008 -> 86400007")
		w.exec("UPDATE shops SET sweep_at = 9, reconcile_at = 9 + ?, probe_at = 9, suspected_at = 9", day)
		w.affects(2, resume, "shops abc sweep_at: 9 -> 7", "shops abc probe_at: 9 -> 7", "shops abc suspected_at: 9 -> 7", "shops abc reconcile_at: 86400009 -> 86400007",
			"shops xyz sweep_at: 9 -> 7", "shops xyz probe_at: 9 -> 7", "shops xyz suspected_at: 9 -> 7", "shops xyz reconcile_at: 86400009 -> 86400007")
	},
	"UninstallShop": func(w *world) {
		w.exec("UPDATE shops SET token = x'74', hook_secret = x'68', uninstalled_at = 0, grants = 4")
		uninstall := func() (int64, error) {
			return w.q.UninstallShop(w.Context(), UninstallShopParams{StoreHash: "abc", Grants: 3, Now: 7})
		}
		w.affects(0, uninstall)
		w.exec("UPDATE shops SET grants = 3")
		w.affects(1, uninstall, "shops abc state: installed -> uninstalled", "shops abc token: t -> NULL", "shops abc hook_secret: h -> NULL",
			"shops abc uninstalled_at: 0 -> 7")
		w.affects(0, uninstall)
	},
	"SetKosmosTenant": func(w *world) {
		w.exec("UPDATE shops SET kosmos = NULL")
		w.changes(func() error {
			return w.q.SetKosmosTenant(w.Context(), SetKosmosTenantParams{StoreHash: "abc", Tenant: []byte("sealed")})
		}, "shops abc kosmos: NULL -> sealed")
		w.changes(func() error { return w.q.SetKosmosTenant(w.Context(), SetKosmosTenantParams{StoreHash: "abc"}) },
			"shops abc kosmos: sealed -> NULL")
	},
	"AdvanceSweep": func(w *world) {
		w.exec("UPDATE shops SET swept_to = 1, sweep_at = 2")
		w.changes(func() error {
			return w.q.AdvanceSweep(w.Context(), AdvanceSweepParams{StoreHash: "abc", SweptTo: 7, Next: 8})
		}, "shops abc swept_to: 1 -> 7", "shops abc sweep_at: 2 -> 8")
	},
	"SeeUser": func(w *world) {
		see := func(role string) func() error {
			return func() error {
				return w.q.SeeUser(w.Context(), SeeUserParams{StoreHash: "abc", UserID: 5, Email: "a@x.example", Role: role, Now: 7})
			}
		}
		w.add("users", cols{"user_id": 6})
		w.add("users", cols{"user_id": 5, "store_hash": "xyz"})
		w.changes(see("viewer"), "+ users abc/5: email=a@x.example removed_at=0 role=viewer seen_at=7 store_hash=abc user_id=5")
		w.exec("UPDATE users SET email = 'old', seen_at = 1, removed_at = 2 WHERE user_id = 5")
		w.changes(see("manager"), "users abc/5 email: old -> a@x.example", "users abc/5 seen_at: 1 -> 7", "users abc/5 removed_at: 2 -> 0")
		w.changes(see("owner"), "users abc/5 role: viewer -> owner")
		w.changes(see("reviewer"), "users abc/5 role: owner -> reviewer") // the Shop has another owner now
	},
	"RemoveUser": func(w *world) {
		w.add("users", cols{"user_id": 5})
		w.add("users", cols{"user_id": 6})
		w.add("users", cols{"user_id": 5, "store_hash": "xyz"})
		remove := func() (int64, error) {
			return w.q.RemoveUser(w.Context(), RemoveUserParams{StoreHash: "abc", UserID: 5, Now: 7})
		}
		w.affects(1, remove, "users abc/5 removed_at: 0 -> 7")
		w.affects(0, remove)
	},
	"Users": func(w *world) {
		w.add("users", cols{"store_hash": "xyz"})
		w.add("users", cols{"removed_at": 3})
		b := w.add("users", cols{"email": "b", "user_id": 1})
		a := w.add("users", cols{"email": "a", "user_id": 3})
		a2 := w.add("users", cols{"email": "a", "user_id": 2})
		got, err := w.q.Users(w.Context(), "abc")
		are(w, got, err, a2, a, b)
	},
	"AddLogin": func(w *world) {
		w.changes(func() error {
			return w.q.AddLogin(w.Context(), AddLoginParams{ID: "l1", StoreHash: "abc", UserID: 5, Now: 7, ExpiresAt: 8})
		}, "+ logins l1: expires_at=8 id=l1 made_at=7 store_hash=abc user_id=5")
	},
	"Login": func(w *world) {
		user := w.add("users", cols{"user_id": 5})
		w.add("users", cols{"user_id": 6, "removed_at": 3})
		w.add("users", cols{"user_id": 5, "store_hash": "xyz"})
		login := w.add("logins", cols{"id": "l1", "user_id": 5, "expires_at": 8})
		w.add("logins", cols{"id": "l2", "user_id": 6, "expires_at": 8})
		got, err := w.q.Login(w.Context(), LoginParams{ID: "l1", StoreHash: "abc", Now: 7})
		one(w, got, err, login, user)
		for _, p := range []LoginParams{{"l0", "abc", 7}, {"l1", "xyz", 7}, {"l1", "abc", 8}, {"l2", "abc", 7}} {
			got, err = w.q.Login(w.Context(), p)
			none(w, got, err)
		}
	},
	"EndLogin": func(w *world) {
		w.add("logins", cols{"id": "l1"})
		w.add("logins", cols{"id": "l2"})
		w.changes(func() error { return w.q.EndLogin(w.Context(), "l1") }, "- logins l1")
	},
	"EndUserLogins": func(w *world) {
		w.add("logins", cols{"id": "l1", "user_id": 5})
		w.add("logins", cols{"id": "l2", "user_id": 5})
		w.add("logins", cols{"id": "l3", "user_id": 6})
		w.add("logins", cols{"id": "l4", "user_id": 5, "store_hash": "xyz"})
		w.affects(2, func() (int64, error) {
			return w.q.EndUserLogins(w.Context(), EndUserLoginsParams{StoreHash: "abc", UserID: 5})
		}, "- logins l1", "- logins l2")
	},
	"EndShopLogins": func(w *world) {
		w.add("logins", cols{"id": "l1"})
		w.add("logins", cols{"id": "l2", "store_hash": "xyz"})
		w.affects(1, func() (int64, error) { return w.q.EndShopLogins(w.Context(), "abc") }, "- logins l1")
	},
	"ForgetLogins": func(w *world) {
		w.add("logins", cols{"id": "l1", "expires_at": 6})
		w.add("logins", cols{"id": "l2", "expires_at": 7})
		w.affects(1, func() (int64, error) { return w.q.ForgetLogins(w.Context(), 7) }, "- logins l1")
	},
	"ResealShopKey": func(w *world) {
		w.exec("UPDATE shops SET data_key = CAST('old' AS BLOB)")
		reseal := func() (int64, error) {
			return w.q.ResealShopKey(w.Context(), ResealShopKeyParams{StoreHash: "abc", DataKey: []byte("new")})
		}
		w.affects(1, reseal, "shops abc data_key: old -> new")
		w.exec("UPDATE shops SET data_key = NULL WHERE store_hash = 'abc'") // destroyed meanwhile
		w.affects(0, reseal)
	},
	"AddPolicy": func(w *world) {
		w.changes(func() error {
			return w.q.AddPolicy(w.Context(), AddPolicyParams{StoreHash: "abc", Version: 3, Body: "{}", Author: "ada", Note: "why", Now: 7})
		}, "+ policies abc/3: author=ada body={} note=why saved_at=7 store_hash=abc version=3")
	},
	"SetCurrentPolicy": func(w *world) {
		w.exec("UPDATE shops SET policy = 1, enforced_since = 2")
		w.changes(func() error {
			return w.q.SetCurrentPolicy(w.Context(), SetCurrentPolicyParams{StoreHash: "abc", Version: 3, EnforcedSince: 7})
		}, "shops abc policy: 1 -> 3", "shops abc enforced_since: 2 -> 7")
	},
	"Policy": func(w *world) {
		row := w.add("policies", cols{"version": 3})
		w.add("policies", cols{"version": 4})
		w.add("policies", cols{"version": 5, "store_hash": "xyz"})
		got, err := w.q.Policy(w.Context(), PolicyParams{StoreHash: "abc", Version: 3})
		one(w, got, err, row)
		got, err = w.q.Policy(w.Context(), PolicyParams{StoreHash: "abc", Version: 5})
		none(w, got, err)
	},
	"PolicyVersions": func(w *world) {
		w.add("policies", cols{"version": 1})
		second := w.add("policies", cols{"version": 2})
		third := w.add("policies", cols{"version": 3})
		w.add("policies", cols{"version": 4})
		w.add("policies", cols{"version": 3, "store_hash": "xyz"})
		got, err := w.q.PolicyVersions(w.Context(), PolicyVersionsParams{StoreHash: "abc", Below: 4, Count: 2})
		are(w, got, err, third, second)
		all, err := w.q.PolicyVersions(w.Context(), PolicyVersionsParams{StoreHash: "abc", Below: math.MaxInt64, Count: 9})
		equal(w, len(all), err, 4)
	},
}
