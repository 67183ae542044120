package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

const (
	lateSpan      = relay.LateSpan  // likewise a pass that came too late
	foundSpan     = relay.FoundSpan // how long a leak or a moved order wants somebody's eye
	recentEntries = 6
	longWait      = time.Minute // for the quota; two windows of it
)

// overview shows what is in force, what wants somebody, and what happened lately.
func (s *Server) overview(w http.ResponseWriter, r *http.Request, v visit) error {
	ctx, shop, now := r.Context(), v.Shop, s.Now()
	counts, err := s.Ledger.Counts(ctx, shop.Hash, now.Add(-lateSpan))
	if err != nil {
		return err
	}
	found, err := s.Ledger.CountFound(ctx, shop.Hash, now.Add(-foundSpan))
	if err != nil {
		return err
	}
	stuck, err := s.Ledger.CountStuck(ctx, shop.Hash)
	if err != nil {
		return err
	}
	off, failing, err := s.Ledger.EndpointTroubles(ctx, shop.Hash, now.Add(-failingNotice))
	if err != nil {
		return err
	}
	provider, err := s.providerRow(ctx, shop)
	if err != nil {
		return err
	}
	recent, _, err := s.stream(ctx, shop, allKinds, ledger.Cursor{}, recentEntries)
	if err != nil {
		return err
	}
	figures, err := s.figures(r, shop)
	if err != nil {
		return err
	}
	p := present(shop)
	d := views.OverviewData{Figures: figures, Layout: s.layout(v, r), Checkout: need(shop.Policy.Checkout), Guide: s.guide(shop), Recent: recent, CanSkip: v.may(ledger.Manager)}
	if d.GuideSkipped = len(d.Guide) > 0 && shop.Settings.GuideSkipped; d.GuideSkipped {
		d.Guide = nil
	}
	d.GuideShop, d.Templates = p.guideShop(), guideTemplates(shop)
	if shop.Policy.Version > 0 {
		d.PolicyVersion = strconv.FormatInt(shop.Policy.Version, 10)
	}
	if shop.Policy.Mode == gate.Enforce {
		d.Since = p.when(shop.EnforcedSince)
	}
	if up := shop.Policy.StepUp; up != nil {
		d.StepUpValue, d.StepUp = p.money(up.Over), need(up.Require)
	}
	d.Attention = attention(standing{shop: shop, now: now, counts: counts, found: found, stuck: stuck, tenant: s.tenantKnown(shop), provider: provider,
		replica: s.replica(), parts: s.installed(shop), pace: s.Relay.Pace(shop.Hash), endpointsOff: off, endpointsFailing: failing}, p)
	code, detail, err := s.budgetAttention(ctx, shop)
	if err != nil {
		return err
	}
	if code != "" {
		d.Attention = append(d.Attention, views.Attention{Code: code, Detail: detail})
	}
	if left := s.scriptsUse(shop).LeftOut; len(left) > 0 {
		d.Attention = append(d.Attention, views.Attention{Code: "scripts_left_out", Count: p.count(int64(len(left)), false)})
	}
	return render(w, r, http.StatusOK, views.Overview(d))
}

// tenantKnown reports whether there is a 1Kosmos tenant to verify with: the Shop's or the operator's.
func (s *Server) tenantKnown(shop *ledger.Shop) bool { return shop.Kosmos != nil || s.Tenant != "" }

// guide is the first-run guide with what has been done of it; nil once all of it has.
func (s *Server) guide(shop *ledger.Shop) []views.GuideStep {
	p := shop.Policy
	done := map[string]bool{
		"connect_provider": s.tenantKnown(shop),
		"map_evidence":     p.Evidence != gate.Evidence{},
		"set_requirement":  p.Version > 0 && (highestLevel(p) > 0 || p.Checkout.LeastAge > 0 || slices.ContainsFunc(p.Rules, func(r gate.Rule) bool { return !r.Exempt })),
		"watch_shadow":     p.Mode != gate.Off,
		"enforce":          p.Mode == gate.Enforce,
	}
	var out []views.GuideStep
	left := false
	for _, c := range views.GuideCodes() {
		out = append(out, views.GuideStep{Code: c, Done: done[c]})
		left = left || !done[c]
	}
	if !left {
		return nil
	}
	return out
}

// standing is everything that can want somebody's attention.
type standing struct {
	shop     *ledger.Shop
	now      time.Time
	counts   ledger.Counts
	found    ledger.Found
	stuck    ledger.Stuck
	tenant   bool
	pace     relay.Pace
	provider views.ProviderData
	replica  ledger.ReplicaStatus
	parts    parts

	endpointsOff, endpointsFailing int64
}

// attention lists what wants a person, the worst first.
func attention(s standing, p presenter) []views.Attention {
	var out []views.Attention
	counted := func(code string, n int64) {
		if n > 0 {
			out = append(out, views.Attention{Code: code, Count: p.count(n, false)})
		}
	}
	when := func(is bool, code, detail string) {
		if is {
			out = append(out, views.Attention{Code: code, Detail: detail})
		}
	}
	policy := s.shop.Policy
	on := policy.Mode != gate.Off
	counted("leaks", s.found.Leaked)
	when(s.shop.State == ledger.Suspended, "token_refused", "")
	when(s.pace.Skew.Abs() > wrongClock, "clock", clock(s.pace.Skew).Differ)
	counted("moved", s.found.Moved)
	when(!s.tenant && on, "provider_unset", "")
	for _, code := range policyWarnings(policy, true, true) {
		when(on && code != "digital_orders" && code != "cancel_silent", code, "")
	}
	when(s.provider.Status == "error", "provider_down", s.provider.Said)
	counted("held", s.counts.OnHold()-s.counts.Holds[ledger.Refused]-s.counts.Holds[ledger.Releasing]) // of these somebody has decided
	counted("late_pass", s.counts.LatePass)
	counted("reviews", s.counts.Reviews)
	counted("stuck", s.stuck.Writebacks)
	counted("stuck_notices", s.stuck.Notices)
	counted("endpoint_off", s.endpointsOff)
	counted("endpoint_failing", s.endpointsFailing)
	counted("hook_broken", s.parts.brokenHooks())
	counted("script_broken", s.parts.brokenScripts())
	counted("scope_missing", int64(len(s.parts.missingScopes)))
	when(sweepStatus(s.shop, s.now) == "late", "sweep_late", "")
	waiting := s.pace.WaitingSince
	when(!waiting.IsZero() && s.now.Sub(waiting) >= longWait, "quota_waiting", "since "+p.when(waiting).Text)
	late := span(lag(s.replica, s.now))
	if late != "" {
		late = "by " + late
	}
	when(replicaStatus(s.replica) == "error" || late != "", "replica_late", late)
	return out
}

// replica is how the replica stands; a server without one has none configured.
func (s *Server) replica() ledger.ReplicaStatus {
	if s.Replica == nil {
		return ledger.ReplicaStatus{}
	}
	return s.Replica()
}

// parts is what the last reconciliation found of what the Shop should have.
type parts struct {
	problems      []string // what the last comparison could not put right
	missingScopes []string
	hooks         []views.HookRow
	scripts       []views.ScriptRow
	attributes    []views.AttributeRow
}

func (p parts) brokenHooks() (n int64) {
	for _, h := range p.hooks {
		if broken(h.Status) {
			n++
		}
	}
	return n
}

func (p parts) brokenScripts() (n int64) {
	for _, s := range p.scripts {
		if broken(s.Status) {
			n++
		}
	}
	return n
}

func broken(status string) bool {
	return status != "ok" && status != "unknown" && status != "foreign" && status != "no_room"
}

// problemsOf picks the report's problems of one part.
func problemsOf(problems []string, part string) (said []string) {
	for _, p := range problems {
		if text, ok := strings.CutPrefix(p, part+": "); ok {
			said = append(said, text)
		}
	}
	return said
}
