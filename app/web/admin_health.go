package web

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/ledger"
	"idgate/app/relay"
	"idgate/views"
)

const (
	repairTime = time.Minute
	sweepLate  = 5 * time.Minute // after its time; the sweep runs every minute
	lookedAt   = 20              // newest Sessions that tell how 1Kosmos answers
	replaySpan = 24 * time.Hour  // what the form to handle Notices again begins with
)

// health shows how the installation stands.
func (s *Server) health(w http.ResponseWriter, r *http.Request, v visit) error {
	since := s.Now().Add(-replaySpan).In(present(v.Shop).zone).Format(momentForm)
	return s.showHealth(w, r, v, http.StatusOK, views.ReplayForm{Since: since})
}

func (s *Server) showHealth(w http.ResponseWriter, r *http.Request, v visit, status int, replay views.ReplayForm) error {
	ctx, shop, now := r.Context(), v.Shop, s.Now()
	p := present(shop)
	seen, err := s.Ledger.NoticesSeen(ctx, shop.Hash)
	if err != nil {
		return err
	}
	pending, err := s.Ledger.ShopPending(ctx, shop.Hash)
	if err != nil {
		return err
	}
	provider, err := s.providerRow(ctx, shop)
	if err != nil {
		return err
	}
	have, replica := s.installed(shop), s.replica()
	for i := range have.hooks {
		have.hooks[i].LastSeen = p.when(seen[have.hooks[i].Scope])
	}
	pace := s.Relay.Pace(shop.Hash)
	replay.Zone = p.zone.String()
	d := views.HealthData{Layout: s.layout(v, r), CheckedAt: p.when(shop.ReconciledAt), Hooks: have.hooks, Scripts: have.scripts, Attributes: have.attributes,
		Scopes: scopeRows(shop), Sweep: views.SweepData{Status: sweepStatus(shop, now), Last: p.when(s.lastSweep(shop))},
		Queue:    views.QueueData{Notices: p.count(pending.Notices, false), Writebacks: p.count(pending.Writebacks, false), Oldest: p.when(pending.Oldest)},
		Provider: provider, Replica: p.replica(replica, now, s.SignOut), Problems: have.problems, Quota: p.quota(pace), Clock: clock(pace.Skew), Replay: replay,
		Export: v.has(ledger.Reviewer), CanRepair: v.may(ledger.Manager), CanRepeat: v.may(ledger.Reviewer), CanReplay: v.may(ledger.Manager)}
	budget, err := s.Ledger.SessionBudget(ctx, shop, now)
	if err != nil {
		return err
	}
	d.Budget = p.use(budget)
	returned, err := s.Ledger.ReturnedMails(ctx, shop.Hash, now)
	if err != nil {
		return err
	}
	if returned > 0 {
		d.Queue.Returned = p.count(returned, false)
	}
	if err := s.addStuck(ctx, p, &d); err != nil {
		return err
	}
	if err := s.addPages(ctx, p, &d); err != nil {
		return err
	}
	return render(w, r, status, views.Health(d))
}

// addStuck adds what waits for a person: stuck Writebacks, stuck Notices and orders on hold.
func (s *Server) addStuck(ctx context.Context, p presenter, d *views.HealthData) error {
	stuck, err := s.Ledger.StuckWritebacks(ctx, p.shop.Hash)
	if err != nil {
		return err
	}
	for _, b := range stuck {
		d.Stuck = append(d.Stuck, p.stuckRow(b))
	}
	notices, err := s.Ledger.StuckNotices(ctx, p.shop.Hash)
	if err != nil {
		return err
	}
	for _, n := range notices {
		row := views.NoticeRow{ID: strconv.FormatInt(n.ID, 10), Scope: n.Scope, Subject: n.Subject, Said: n.Remark, Received: p.when(n.ReceivedAt)}
		if n.Deliveries > 1 {
			row.Deliveries = strconv.FormatInt(n.Deliveries, 10)
		}
		d.Notices = append(d.Notices, row)
	}
	holds, err := s.Ledger.Holds(ctx, p.shop.Hash)
	d.OnHold = p.count(ledger.Counts{Holds: holds}.OnHold(), false)
	return err
}

// repair compares the installation with what it should be, and puts right what differs, while the merchant waits.
func (s *Server) repair(w http.ResponseWriter, r *http.Request, v visit) error {
	if !s.limits.allow("repair "+v.Shop.Hash, 0.1, 3) {
		return refuse(http.StatusTooManyRequests, "rate_limited", "it was just repaired; wait a moment")
	}
	ctx, cancel := context.WithTimeout(r.Context(), repairTime)
	defer cancel()
	rep, err := s.Relay.Reconcile(ctx, v.Shop)
	if err != nil {
		return err
	}
	s.Log.Info("installation repaired by hand", "shop", v.Shop.Hash, "changed", rep.Changed, "problems", rep.Problems, "by", v.User.Email)
	return back(w, r, v, "/health", views.Flash{Code: "repairing", Value: "1"})
}

// replayNotices has every Notice since a moment handled once more.
func (s *Server) replayNotices(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	text := values.Get(views.SinceField)
	since, code := parseMoment(text, present(v.Shop).zone, s.Now())
	if code != "" {
		return s.showHealth(w, r, v, http.StatusUnprocessableEntity, views.ReplayForm{Since: text, Error: code})
	}
	n, err := s.Ledger.ReplayNotices(r.Context(), v.Shop.Hash, since, s.Now())
	if err != nil {
		return err
	}
	if err := s.Ledger.RecordActivity(r.Context(), v.Shop.Hash, ledger.ActReplayed, "", "since "+present(v.Shop).moment(since), s.Now()); err != nil {
		return err
	}
	s.Log.Info("notices replayed", "shop", v.Shop.Hash, "since", since, "count", n, "by", v.User.Email)
	return back(w, r, v, "/health", views.Flash{Code: "replayed", Value: strconv.FormatInt(n, 10)})
}

// momentForm is how a browser writes a moment without a zone.
const momentForm = "2006-01-02T15:04"

// parseMoment reads a moment that has passed, in a Shop's zone, as browsers send it and as people write it.
func parseMoment(text string, zone *time.Location, now time.Time) (t time.Time, code string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return t, "required"
	}
	for _, form := range []string{momentForm, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02"} {
		t, err := time.ParseInLocation(form, text, zone)
		switch {
		case err != nil:
			continue
		case t.Year() < 2000:
			return t, "not_a_time"
		case t.After(now):
			return t, "in_future"
		}
		return t, ""
	}
	return t, "not_a_time"
}

// wantedHooks are the webhooks that every installation should have.
var wantedHooks = []string{bigcommerce.ScopeOrderCreated, bigcommerce.ScopeOrderStatusUpdated, bigcommerce.ScopeCartConverted, bigcommerce.ScopeCustomerCreated,
	bigcommerce.ScopeCustomerUpdated, bigcommerce.ScopeCustomerDeleted, bigcommerce.ScopeAppUninstalled, bigcommerce.ScopeDeliveryException}

var wantedAttributes = []string{relay.AttributeIAL, relay.AttributeToken, relay.AttributeLiveID, relay.AttributeVerifiedAt, relay.AttributeExpiresAt}

// installed is what the last reconciliation found, part by part. What it did not get to is failing where it met a problem, and not
// looked at yet where there was no reconciliation.
func (s *Server) installed(shop *ledger.Shop) parts {
	out, err := installedParts(shop, s.Relay.Script.Hash)
	if err != nil {
		s.Log.Error("reading an installation report", "shop", shop.Hash, "error", err)
	}
	return out
}

func installedParts(shop *ledger.Shop, script string) (out parts, err error) {
	if len(shop.Scopes) > 0 { // BigCommerce does not tell an API account's
		out.missingScopes = bigcommerce.MissingScopes(shop.Scopes)
	}
	if shop.ReconciledAt.IsZero() {
		return out, nil
	}
	rep, err := relay.ReadInstallation(shop)
	if err != nil {
		return out, err
	}
	out.problems = rep.Problems
	status := func(there, ok bool) string {
		switch {
		case there && ok:
			return "ok"
		case there:
			return "changed"
		case len(rep.Problems) > 0:
			return "error"
		}
		return "missing"
	}
	for _, scope := range wantedHooks {
		part, there := find(rep.Hooks, scope)
		out.hooks = append(out.hooks, views.HookRow{Scope: scope, Status: status(there, part.OK)})
	}
	said := problemsOf(rep.Problems, "checkout scripts")
	if len(said) == 0 {
		said = problemsOf(rep.Problems, "reading the shop's settings")
	}
	for _, c := range shop.Channels {
		part, there := find(rep.Scripts, c.Name)
		row := views.ScriptRow{Channel: c.Name, Status: status(there, part.OK)}
		if there {
			row.Hash = script
		} else {
			row.Note = strings.Join(said, "; ")
		}
		out.scripts = append(out.scripts, row)
		for _, more := range moreScripts(shop.Settings) {
			name := c.Name + more
			part, there := find(rep.Scripts, name)
			row := views.ScriptRow{Channel: name, Status: status(there, part.OK)}
			switch {
			case slices.Contains(rep.LeftOut, name):
				row.Status, row.Note = "no_room", "BigCommerce's limit on scripts has no room for it"
			case !there:
				row.Note = strings.Join(said, "; ")
			case more == relay.ConfirmationPart:
				row.Hash = script
			}
			out.scripts = append(out.scripts, row)
		}
	}
	for _, name := range wantedAttributes {
		_, there := rep.Attributes[name]
		out.attributes = append(out.attributes, views.AttributeRow{Name: name, Status: status(there, true)})
	}
	return out, nil
}

// moreScripts are the scripts that the Shop has asked for besides the gate, as the report names them after a channel.
func moreScripts(n ledger.Settings) (out []string) {
	if n.InlineLock {
		out = append(out, relay.LockPart)
	}
	if n.ConfirmationScript {
		out = append(out, relay.ConfirmationPart)
	}
	return out
}

func find(parts []relay.Part, name string) (relay.Part, bool) {
	i := slices.IndexFunc(parts, func(p relay.Part) bool { return p.Name == name })
	if i < 0 {
		return relay.Part{}, false
	}
	return parts[i], true
}

// scopeRows lists the permissions we ask for; none for an API account, whose permissions BigCommerce does not tell.
func scopeRows(shop *ledger.Shop) []views.ScopeRow {
	if len(shop.Scopes) == 0 {
		return nil
	}
	missing := bigcommerce.MissingScopes(shop.Scopes)
	var out []views.ScopeRow
	for _, scope := range bigcommerce.Scopes {
		out = append(out, views.ScopeRow{Name: scope, Granted: !slices.Contains(missing, scope)})
	}
	return out
}

func sweepStatus(shop *ledger.Shop, now time.Time) string {
	switch {
	case shop.State == ledger.Suspended:
		return "off"
	case shop.SweepAt.IsZero():
		return "unknown"
	case now.After(shop.SweepAt.Add(sweepLate)):
		return "late"
	}
	return "ok"
}

// lastSweep is when the sweep last ran: an interval before the next one is due. Before the first, it is due at the installation.
func (s *Server) lastSweep(shop *ledger.Shop) time.Time {
	last := shop.SweepAt.Add(-s.Relay.SweepEvery)
	if last.Before(shop.InstalledAt) {
		return time.Time{}
	}
	return last
}

// stuckRow is a stuck Writeback with its remedy. Where there is no remedy in words of ours, the reason that was stored has one.
func (p presenter) stuckRow(b ledger.StoredWriteback) views.StuckRow {
	row := views.StuckRow{ID: strconv.FormatInt(b.ID, 10), Kind: string(b.Kind), Subject: "Order " + strconv.FormatInt(b.Subject, 10), Said: b.Reason,
		Attempts: strconv.FormatInt(b.Attempt, 10), Since: p.when(b.MadeAt), Order: orderNumber(b.Subject)}
	if !ofOrder(b.Kind) {
		row.Subject, row.Order = customer(b.Subject), ""
	}
	if b.Kind == ledger.Mail && b.Subject == 0 {
		row.Subject, row.Order = "Webhook endpoint", ""
		if n, ok := ledger.ParseStaffRef(b.Ref); ok {
			row.Subject = p.staffBox(n)
		}
	}
	if b.Kind == ledger.Mail {
		row.Mail = mailCode(b.Ref)
	}
	return row
}

// kosmosTenant is a Shop's own 1Kosmos tenant, as it is stored: sealed, and whole.
type kosmosTenant struct {
	DNS        string `json:"dns"`
	Community  string `json:"community"`
	LicenseKey string `json:"license_key"`
	DVCID      string `json:"dvc_id"`
	Curve      string `json:"curve"`
}

// String keeps the keys out of a careless log line.
func (t kosmosTenant) String() string { return "1Kosmos tenant " + t.DNS }

// GoString keeps the keys out of a careless log line.
func (t kosmosTenant) GoString() string { return t.String() }

// ownTenant reads the Shop's own tenant; the zero one when it has none.
func (s *Server) ownTenant(shop *ledger.Shop) kosmosTenant {
	var t kosmosTenant
	if shop.Kosmos == nil {
		return t
	}
	if err := json.Unmarshal(shop.Kosmos, &t); err != nil {
		s.Log.Error("reading a 1Kosmos tenant", "shop", shop.Hash, "error", err) // entering it anew is the remedy, so the page must open
	}
	return t
}

// providerRow tells how 1Kosmos stands from what the newest Sessions met: looking at a page calls nobody.
func (s *Server) providerRow(ctx context.Context, shop *ledger.Shop) (views.ProviderData, error) {
	t := s.ownTenant(shop)
	d := views.ProviderData{Status: "unknown", DNS: cmp.Or(t.DNS, s.Tenant), Community: t.Community, Own: shop.Kosmos != nil}
	if !s.tenantKnown(shop) {
		d.Status = "unset"
		return d, nil
	}
	ns, err := s.Ledger.SessionsPage(ctx, shop.Hash, ledger.Cursor{}, lookedAt)
	if err != nil {
		return d, err
	}
	for _, n := range ns {
		if n.Trouble != "" && !n.State.Final() {
			d.Status, d.Said = "error", n.Trouble
			return d, nil
		}
	}
	if len(ns) > 0 {
		d.Status, d.Discovered = "ok", present(shop).when(ns[0].StartedAt) // a Session begins only when 1Kosmos has answered
	}
	return d, nil
}

// replica is how the replica stands. Where it is and what it said is for the operator's eyes only, who reads this in single-shop mode.
func (p presenter) replica(st ledger.ReplicaStatus, now time.Time, operator bool) views.ReplicaData {
	d := views.ReplicaData{Status: replicaStatus(st), Synced: p.when(st.LastSync), Behind: span(lag(st, now))}
	if operator {
		d.Target, d.Said = st.Target, st.LastError
	}
	return d
}

// inStep is how long after the last sync a replica still counts as in step: it is synced every second or so.
const inStep = time.Minute

// lag is how far a replica is behind, or 0 while it is in step. One that has not been reached since the start may be behind by anything.
func lag(st ledger.ReplicaStatus, now time.Time) time.Duration {
	if !st.Configured || st.LastSync.IsZero() || now.Sub(st.LastSync) < inStep {
		return 0
	}
	return now.Sub(st.LastSync)
}

func replicaStatus(st ledger.ReplicaStatus) string {
	switch {
	case !st.Configured:
		return "off"
	case st.LastError != "":
		return "error"
	case !st.Replicating:
		return "pending"
	}
	return "ok"
}

// ourShare is how much of a Shop's quota the relay uses at most.
const ourShare = 0.5

func (p presenter) quota(pace relay.Pace) views.QuotaData {
	d := views.QuotaData{Window: span(pace.Window), Limit: p.figure(pace.Limit), Share: p.figure(int(float64(pace.Limit) * ourShare)),
		Used: p.figure(pace.Used), Left: p.figure(max(pace.Left, 0)), Blocked: p.when(pace.BlockedUntil), Waiting: p.when(pace.WaitingSince),
		Waited: "not at all"}
	if pace.Waited > 0 {
		d.Waited = span(pace.Waited)
	}
	return d
}

// Clocks may differ by a little: BigCommerce's answers tell its time to the second. Beyond wrongClock something comes to harm.
const (
	noticedClock = 10 * time.Second
	wrongClock   = 5 * time.Minute
)

// clock is how far our clock is ahead of BigCommerce's.
func clock(skew time.Duration) views.ClockData {
	d := views.ClockData{Status: "ok"}
	switch {
	case skew.Abs() > wrongClock:
		d.Status = "error"
	case skew.Abs() <= noticedClock:
		return d
	}
	d.Differ = span(skew.Abs()) + " ahead of BigCommerce's"
	if skew < 0 {
		d.Differ = span(skew.Abs()) + " behind BigCommerce's"
	}
	return d
}

// span is a length of time in its largest unit that says enough: "42 seconds", "7 minutes", "3 hours", "2 days".
func span(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := int64(d / u.unit); n >= 2 || n == 1 && u.unit == time.Second {
			if n == 1 {
				return "1 " + u.name
			}
			return strconv.FormatInt(n, 10) + " " + u.name + "s"
		}
	}
	return "less than a second"
}
