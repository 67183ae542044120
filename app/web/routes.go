package web

import (
	"net/http"

	"idgate/app/ledger"
)

// Handler is every route with its guard: the whole public surface on one screen.
//
// callback: a signed token or an OAuth code, checked by the handler. hook: the Shop's secret header. shopper: CORS for the Shop's
// own origins and rate limits; Capabilities and Current Customer JWTs are checked by the handler. hosted: a mail Capability.
// admin: a Login that holds the Shop in the path, at least of the role named. acts: likewise, and BigCommerce accepts our token.
func (s *Server) Handler() http.Handler {
	m := http.NewServeMux()

	m.Handle("GET /auth", s.callback(s.auth))
	m.Handle("GET /load", s.callback(s.load))
	m.Handle("GET /uninstall", s.callback(s.uninstall))
	m.Handle("GET /remove_user", s.callback(s.removeUser))
	m.Handle("GET /login/{ticket}", s.callback(s.loginLink))

	m.Handle("POST /webhooks/bigcommerce", s.hook(s.receive))
	m.Handle("POST /webhooks/bigcommerce/exceptions", s.hook(s.receive))

	m.Handle("OPTIONS /storefront/v1/", s.shopper(s.preflight))
	m.Handle("OPTIONS /bc/result", s.shopper(s.preflight))
	m.Handle("POST /bc/result", s.shopper(s.doorbell))
	m.Handle("GET /storefront/v1/scripts/{shop}/{channel}/{file}", s.shopper(s.script))
	m.Handle("GET /storefront/v1/widget.js", s.shopper(s.widget))
	m.Handle("POST /storefront/v1/decisions", s.shopper(s.decide))
	m.Handle("POST /storefront/v1/sessions", s.shopper(s.startSession))
	m.Handle("GET /storefront/v1/sessions/{id}", s.shopper(s.readSession))
	m.Handle("GET /storefront/v1/sessions/{id}/events", s.shopper(s.followSession))
	m.Handle("POST /storefront/v1/links", s.shopper(s.sendLink))
	m.Handle("POST /storefront/v1/codes", s.shopper(s.sendCode))
	m.Handle("POST /storefront/v1/codes/check", s.shopper(s.checkCode))
	m.Handle("POST /storefront/v1/canary", s.shopper(s.canary))

	m.Handle("GET /v/{token}", s.hosted(s.openLink))
	m.Handle("GET /v/{$}", s.hosted(s.verifyPage))
	m.Handle("POST /v/start", s.hosted(s.verifyStart))
	m.Handle("POST /v/here", s.hosted(s.openHere))
	m.Handle("POST /v/account", s.hosted(s.signBack))

	m.Handle("GET /s/{shop}/{$}", s.admin(ledger.Viewer, s.toOverview))
	m.Handle("GET /s/{shop}/overview", s.admin(ledger.Viewer, s.overview))
	m.Handle("GET /s/{shop}/policy", s.admin(ledger.Viewer, s.policy))
	m.Handle("POST /s/{shop}/policy", s.acts(ledger.Manager, s.savePolicy))
	m.Handle("GET /s/{shop}/policy/rules", s.admin(ledger.Viewer, s.rules))
	m.Handle("GET /s/{shop}/policy/rules/edit", s.admin(ledger.Viewer, s.ruleForm))
	m.Handle("POST /s/{shop}/policy/rules/edit", s.actsUpTo(maxDraft, ledger.Manager, s.saveRule))
	m.Handle("GET /s/{shop}/policy/rules/remove", s.admin(ledger.Manager, s.askRemoveRule))
	m.Handle("POST /s/{shop}/policy/rules/remove", s.acts(ledger.Manager, s.removeRule))
	m.Handle("GET /s/{shop}/policy/rules/move", s.admin(ledger.Manager, s.askMoveRule))
	m.Handle("POST /s/{shop}/policy/rules/move", s.acts(ledger.Manager, s.moveRule))
	m.Handle("GET /s/{shop}/policy/templates", s.admin(ledger.Viewer, s.templates))
	m.Handle("GET /s/{shop}/policy/templates/{template}", s.admin(ledger.Viewer, s.askTemplate))
	m.Handle("POST /s/{shop}/policy/templates/{template}", s.acts(ledger.Manager, s.applyTemplate))
	m.Handle("GET /s/{shop}/policy/versions", s.admin(ledger.Viewer, s.versions))
	m.Handle("GET /s/{shop}/policy/versions/{version}", s.admin(ledger.Viewer, s.askVersion))
	m.Handle("POST /s/{shop}/policy/versions/{version}", s.acts(ledger.Manager, s.restoreVersion))
	m.Handle("GET /s/{shop}/policy/whatif", s.admin(ledger.Viewer, s.whatIfs))
	m.Handle("POST /s/{shop}/policy/whatif", s.acts(ledger.Manager, s.startWhatIf))
	m.Handle("GET /s/{shop}/policy/whatif/{whatif}", s.admin(ledger.Viewer, s.whatIf))
	m.Handle("POST /s/{shop}/policy/whatif/{whatif}/cancel", s.acts(ledger.Manager, s.cancelWhatIf))
	m.Handle("GET /s/{shop}/policy/whatif/{whatif}/save", s.admin(ledger.Manager, s.askWhatIf))
	m.Handle("POST /s/{shop}/policy/whatif/{whatif}/save", s.acts(ledger.Manager, s.saveWhatIf))
	m.Handle("GET /s/{shop}/orders", s.admin(ledger.Viewer, s.orders))
	m.Handle("GET /s/{shop}/orders.csv", s.admin(ledger.Reviewer, s.exportOrders))
	m.Handle("GET /s/{shop}/orders/{order}", s.admin(ledger.Viewer, s.order))
	m.Handle("POST /s/{shop}/orders/{order}/release", s.acts(ledger.Reviewer, s.releaseOrder))
	m.Handle("POST /s/{shop}/orders/{order}/refuse", s.acts(ledger.Reviewer, s.refuseOrder))
	m.Handle("POST /s/{shop}/orders/{order}/keep", s.acts(ledger.Reviewer, s.keepOrder))
	m.Handle("POST /s/{shop}/orders/{order}/unkeep", s.acts(ledger.Reviewer, s.unkeepOrder))
	m.Handle("POST /s/{shop}/orders/{order}/revoke", s.acts(ledger.Manager, s.revokeProof))
	m.Handle("POST /s/{shop}/orders/{order}/replay", s.acts(ledger.Reviewer, s.replayNotice))
	m.Handle("POST /s/{shop}/orders/{order}/retry", s.acts(ledger.Reviewer, s.retryWriteback))
	m.Handle("GET /s/{shop}/history", s.admin(ledger.Viewer, s.history))
	m.Handle("GET /s/{shop}/lists", s.admin(ledger.Viewer, s.lists))
	m.Handle("POST /s/{shop}/lists/add", s.acts(ledger.Manager, s.addListed))
	m.Handle("POST /s/{shop}/lists/remove", s.acts(ledger.Manager, s.removeListed))
	m.Handle("POST /s/{shop}/lists/import", s.actsUpTo(maxImportBody, ledger.Manager, s.importListed))
	m.Handle("GET /s/{shop}/activity", s.admin(ledger.Viewer, s.activity))
	m.Handle("GET /s/{shop}/activity.jsonl", s.admin(ledger.Manager, s.exportActivity))
	m.Handle("GET /s/{shop}/team", s.admin(ledger.Viewer, s.team))
	m.Handle("POST /s/{shop}/team", s.acts(ledger.Owner, s.changeRole))
	m.Handle("GET /s/{shop}/health", s.admin(ledger.Viewer, s.health))
	m.Handle("POST /s/{shop}/health/repair", s.acts(ledger.Manager, s.repair))
	m.Handle("POST /s/{shop}/health/retry", s.acts(ledger.Reviewer, s.retryWriteback))
	m.Handle("POST /s/{shop}/health/notice", s.acts(ledger.Reviewer, s.replayNotice))
	m.Handle("POST /s/{shop}/health/replay", s.acts(ledger.Manager, s.replayNotices))
	m.Handle("GET /s/{shop}/settings", s.admin(ledger.Viewer, s.settings))
	m.Handle("POST /s/{shop}/settings", s.acts(ledger.Owner, s.saveSettings))
	m.Handle("POST /s/{shop}/settings/alarms", s.acts(ledger.Manager, s.saveAlarms))
	m.Handle("POST /s/{shop}/settings/sign-back", s.acts(ledger.Owner, s.saveSignBack))
	m.Handle("POST /s/{shop}/logout", s.admin(ledger.Viewer, s.logout))

	m.Handle("GET /assets/{file}", s.open(s.asset))
	m.Handle("GET /.well-known/jwks.json", s.open(s.jwks))
	m.Handle("GET /{$}", s.callback(s.front)) // shown in the frame after a log-out
	m.Handle("/", s.open(s.nothing))

	// Other sites may not post forms here. The storefront's script must, and has its own exact CORS list; BigCommerce's servers are no browser.
	guard := http.NewCrossOriginProtection()
	guard.AddInsecureBypassPattern("POST /storefront/v1/")
	guard.AddInsecureBypassPattern("POST /bc/result")
	guard.AddInsecureBypassPattern("POST /v/here") // from the Shop's own checkout, whose origin it checks
	guard.AddInsecureBypassPattern("POST /webhooks/")
	guard.SetDenyHandler(s.open(s.crossOrigin))
	return s.secured(guard.Handler(m))
}

// Ops is the operator's own listener, loopback by default.
func (s *Server) Ops() http.Handler {
	m := http.NewServeMux()
	m.Handle("GET /healthz", s.open(s.healthz))
	m.Handle("GET /metrics", s.counters.handler)
	return m
}
