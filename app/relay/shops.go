package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
)

// Names of the customer attributes, as the integration card has them, and two more.
const (
	AttributeIAL        = "blockid_ial"
	AttributeToken      = "blockid_vc_token"
	AttributeLiveID     = "blockid_liveid_enrolled"
	AttributeVerifiedAt = "blockid_verified_at"
	AttributeExpiresAt  = "blockid_expires_at"
)

var attributeTypes = []bigcommerce.CustomerAttribute{
	{Name: AttributeIAL, Type: "number"}, {Name: AttributeToken, Type: "string"}, {Name: AttributeLiveID, Type: "string"},
	{Name: AttributeVerifiedAt, Type: "string"}, {Name: AttributeExpiresAt, Type: "string"},
}

// Paths of our webhook doors. deliveryException needs a destination of its own.
const (
	HookPath      = "/webhooks/bigcommerce"
	ExceptionPath = "/webhooks/bigcommerce/exceptions"
)

var hookScopes = map[string]string{
	bigcommerce.ScopeOrderCreated:       HookPath,
	bigcommerce.ScopeOrderStatusUpdated: HookPath,
	bigcommerce.ScopeCartConverted:      HookPath,
	bigcommerce.ScopeCustomerCreated:    HookPath,
	bigcommerce.ScopeCustomerUpdated:    HookPath,
	bigcommerce.ScopeCustomerDeleted:    HookPath,
	bigcommerce.ScopeAppUninstalled:     HookPath,
	bigcommerce.ScopeDeliveryException:  ExceptionPath,
}

// How often an installation is compared with what it should be, and how soon again after trouble.
const (
	reconcileEvery = 24 * time.Hour
	reconcileAgain = 5 * time.Minute
)

// Installation is what the last reconciliation found and made.
type Installation struct {
	Hooks      []Part           `json:"hooks"`
	Scripts    []Part           `json:"scripts"`
	LeftOut    []string         `json:"left_out,omitempty"`      // scripts that BigCommerce's limit has no room for, by their names
	Foreign    int              `json:"other_scripts,omitempty"` // scripts of this app that are not ours to touch; they count
	Attributes map[string]int64 `json:"attributes"`              // name to BigCommerce's id
	Missing    []string         `json:"missing_scopes"`
	Changed    []string         `json:"changed"` // what this run put right
	Problems   []string         `json:"problems"`
}

// Part is one thing that is in place.
type Part struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	OK   bool   `json:"ok"`
}

// ReadInstallation reads the Shop's last report.
func ReadInstallation(s *ledger.Shop) (Installation, error) {
	var i Installation
	if err := json.Unmarshal(s.Installation, &i); err != nil {
		return i, fmt.Errorf("reading the installation report of shop %s: %w", s.Hash, err)
	}
	return i, nil
}

// dueShops lists the Shops to sweep, to reconcile, or to ask whether their token is good again.
func (r *Relay) dueShops(ctx context.Context, now time.Time) ([]string, error) {
	var out []string
	for _, s := range r.Ledger.Shops() {
		if !now.Before(s.SweepAt) || !now.Before(s.ReconcileAt) {
			out = append(out, s.Hash)
		}
	}
	for _, s := range r.Ledger.Suspended() {
		if !now.Before(s.ProbeAt) {
			out = append(out, s.Hash)
		}
	}
	running, err := r.Ledger.DueWhatIfs(ctx, now)
	for hash := range running {
		if !slices.Contains(out, hash) {
			out = append(out, hash)
		}
	}
	return out, err
}

// someShop reconciles and sweeps one Shop, if they are due and its quota has room for housekeeping.
func (r *Relay) someShop(ctx context.Context, hash string) (int, error) {
	s, err := r.Ledger.Shop(hash)
	switch {
	case err != nil:
		return 0, nil
	case s.State == ledger.Suspended:
		return 1, r.probe(ctx, s)
	case s.State != ledger.Installed:
		return 0, nil
	}
	now, n := r.Now(), 0
	work := func(due time.Time, cost int, do func(context.Context, *ledger.Shop) error) error {
		if now.Before(due) {
			return nil
		}
		_, release := r.pacers.of(hash).reserve(now, someday, cost)
		if release == nil {
			return nil
		}
		defer release()
		n++
		ctx, cancel := r.piece(ctx)
		defer cancel()
		return do(ctx, s)
	}
	err = work(s.ReconcileAt, checkCost, func(ctx context.Context, s *ledger.Shop) error {
		_, err := r.Reconcile(ctx, s)
		return err
	})
	if err = errors.Join(err, work(s.SweepAt, sweepCost, r.sweep)); err != nil || n > 0 {
		return n, err
	}
	running, err := r.Ledger.DueWhatIfs(ctx, now)
	if id, ok := running[hash]; ok && err == nil {
		return r.someWhatIf(ctx, s, id)
	}
	return n, err
}

// probe asks whether a refused token is good again: a minute after the refusal, then after twice the time, up to once an hour. Refused for a
// day, it counts as an uninstallation that nobody told us of.
func (r *Relay) probe(ctx context.Context, s *ledger.Shop) error {
	ctx, cancel := r.piece(ctx)
	defer cancel()
	refused, err := r.TokenRefused(ctx, s)
	now := r.Now()
	again := min(max(now.Sub(s.SuspendedAt), probeFirst), probeEvery)
	switch {
	case err != nil:
		err = r.Ledger.ProbeShopAt(ctx, s, now.Add(min(again, probeEvery/4)))
	case !refused:
		r.Log.Info("BigCommerce accepts the token again", "shop", s.Hash)
		err = r.Ledger.ResumeShop(ctx, s, now)
	case now.Sub(s.SuspendedAt) >= giveUpToken:
		r.Log.Warn("BigCommerce has refused the token for a day: the shop counts as uninstalled", "shop", s.Hash)
		err = r.Ledger.UninstallShop(ctx, s, now)
	default:
		err = r.Ledger.ProbeShopAt(ctx, s, now.Add(again))
	}
	if errors.Is(err, ledger.ErrReplaced) {
		return nil // installed again meanwhile
	}
	return err
}

// SavePolicy saves a version. Should it begin to enforce, the epoch is now by BigCommerce's clock, which dates the orders: a clock of ours
// that is ahead would let through whatever comes until it is right.
func (r *Relay) SavePolicy(ctx context.Context, s *ledger.Shop, c ledger.PolicyChange) (gate.Policy, error) {
	if c.Policy.Mode == gate.Enforce && s.EnforcedSince.IsZero() {
		if err := r.store(s).Time(ctx); err != nil {
			r.Log.Warn("asking for BigCommerce's time; the enforcement begins by what its clock last said", "shop", s.Hash, "error", err)
		}
	}
	c.Since = r.shopNow(s.Hash)
	return r.Ledger.SavePolicy(ctx, s.Hash, c, r.Now())
}

// Reconcile compares the installation with what it should be and puts right what differs. Run twice it changes nothing.
// What could not be put right is in the report, with the remedy; the error is only for a report that could not be stored.
func (r *Relay) Reconcile(ctx context.Context, s *ledger.Shop) (Installation, error) {
	one, _ := r.reconciling.LoadOrStore(s.Hash, &sync.Mutex{})
	one.(*sync.Mutex).Lock()
	defer one.(*sync.Mutex).Unlock()
	if latest, err := r.Ledger.Shop(s.Hash); err == nil {
		s = latest // it may have been installed again while this waited
	}
	rep := Installation{Attributes: map[string]int64{}, Missing: bigcommerce.MissingScopes(s.Scopes)}
	if len(s.Scopes) == 0 {
		rep.Missing = nil // a private app: BigCommerce does not tell an API account's scopes
	}
	if len(rep.Missing) > 0 {
		rep.problem("permissions are missing: install the app again to grant them: "+strings.Join(rep.Missing, ", "), nil)
	}
	channels, err := r.describe(ctx, s)
	rep.problem("reading the shop's settings", err)
	if err == nil {
		rep.problem("checkout scripts", r.reconcileScripts(ctx, s, channels, &rep))
	}
	rep.problem("webhooks", r.reconcileHooks(ctx, s, &rep))
	rep.problem("customer attributes", r.reconcileAttributes(ctx, s, &rep))
	if err != nil {
		r.judge(ctx, s, err, 1) // a refused token suspends the Shop
	}
	b, err := json.Marshal(rep)
	if err != nil {
		return rep, err
	}
	next := r.Now().Add(reconcileEvery)
	if len(rep.Problems) > 0 {
		next = r.Now().Add(reconcileAgain)
	}
	return rep, r.Ledger.RecordInstallation(ctx, s.Hash, b, r.Now(), next)
}

func (i *Installation) problem(what string, err error) {
	if err != nil {
		what += ": " + err.Error()
	} else if !strings.Contains(what, "missing") {
		return
	}
	i.Problems = append(i.Problems, what)
}

// describe learns the Shop's name, currency, time zone and storefront channels.
func (r *Relay) describe(ctx context.Context, s *ledger.Shop) ([]bigcommerce.Channel, error) {
	info, err := r.store(s).Info(ctx)
	if err != nil {
		return nil, err
	}
	channels, err := r.store(s).Channels(ctx)
	if err != nil {
		return nil, err
	}
	sites, err := r.store(s).Sites(ctx)
	if err != nil {
		return nil, err
	}
	d := ledger.Description{StoreID: fmt.Sprint(info.StoreID), Name: info.Name, Currency: strings.ToUpper(info.Currency), Timezone: info.Timezone.Name,
		ControlPanel: origin(info.ControlPanelURL), Country: countryCode(info.CountryCode)}
	var active []bigcommerce.Channel
	for _, c := range channels {
		if c.Platform != "bigcommerce" || c.Status == "deleted" || c.Status == "terminated" || c.Status == "archived" || c.Status == "inactive" {
			continue
		}
		active = append(active, c)
		lc := ledger.Channel{ID: c.ID, Name: c.Name}
		for _, site := range sites {
			if site.ChannelID == c.ID {
				lc.Origins = append(lc.Origins, site.Origins()...)
			}
		}
		if c.ID == info.DefaultChannelID {
			lc.Origins = append(lc.Origins, origin(info.SecureURL), d.ControlPanel)
		}
		lc.Origins = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(lc.Origins))), func(o string) bool { return o == "" })
		d.Channels = append(d.Channels, lc)
	}
	return active, r.Ledger.DescribeShop(ctx, s.Hash, d)
}

// countryCode is an ISO 3166-1 alpha-2 code in capitals, or "".
func countryCode(code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	if len(code) != 2 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return ""
	}
	return code
}

// origin is an address's scheme, host and port, or "".
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// reconcileHooks takes off the webhooks of a former address of this app before it makes any: of some BigCommerce allows only one, wherever
// it leads. One that is refused does not keep the others from being made.
func (r *Relay) reconcileHooks(ctx context.Context, s *ledger.Shop, rep *Installation) error {
	have, err := r.store(s).Hooks(ctx)
	if err != nil {
		return err
	}
	var problems []error
	for _, h := range have {
		ours := strings.HasSuffix(h.Destination, HookPath) || strings.HasSuffix(h.Destination, ExceptionPath)
		if !ours || strings.HasPrefix(h.Destination, r.AppURL+"/") {
			continue
		}
		if err := r.store(s).DeleteHook(ctx, h.ID); err != nil {
			problems = append(problems, fmt.Errorf("removing %s of a former address: %w", h.Scope, err))
			if refusesAll(err) {
				return errors.Join(problems...)
			}
			continue
		}
		rep.Changed = append(rep.Changed, "removed the webhook "+h.Scope+" of a former address of this app")
	}
	for _, scope := range slices.Sorted(maps.Keys(hookScopes)) {
		part, changed, err := r.reconcileHook(ctx, s, have, scope)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", scope, err))
			if refusesAll(err) {
				break
			}
			continue
		}
		if changed != "" {
			rep.Changed = append(rep.Changed, changed)
		}
		rep.Hooks = append(rep.Hooks, part)
	}
	return errors.Join(problems...)
}

// reconcileHook makes one webhook, or puts it right, and says so; nothing where it is as it should be.
func (r *Relay) reconcileHook(ctx context.Context, s *ledger.Shop, have []bigcommerce.Hook, scope string) (p Part, changed string, err error) {
	want := bigcommerce.Hook{Scope: scope, Destination: r.AppURL + hookScopes[scope], Active: true,
		Headers: map[string]string{bigcommerce.HookSecretHeader: s.HookSecret}}
	i := slices.IndexFunc(have, func(h bigcommerce.Hook) bool { return h.Scope == scope && h.Destination == want.Destination })
	var got bigcommerce.Hook
	switch {
	case i < 0:
		got, err = r.store(s).CreateHook(ctx, want)
		changed = "added the webhook " + scope
	case !have[i].Active || have[i].Headers[bigcommerce.HookSecretHeader] != s.HookSecret:
		got, err = r.store(s).UpdateHook(ctx, have[i].ID, want)
		changed = "put right the webhook " + scope
	default:
		got = have[i]
	}
	return Part{Name: scope, ID: fmt.Sprint(got.ID), OK: true}, changed, err
}

// refusesAll reports whether an error is about the token or the quota, or no answer came: whatever else were asked now would meet the same.
func refusesAll(err error) bool {
	var be *bigcommerce.Error
	return !errors.As(err, &be) || slices.Contains([]int{0, 401, 429, 509}, be.Status)
}

func (r *Relay) reconcileAttributes(ctx context.Context, s *ledger.Shop, rep *Installation) error {
	have, err := r.store(s).CustomerAttributes(ctx)
	if err != nil {
		return err
	}
	var missing []bigcommerce.CustomerAttribute
	for _, want := range attributeTypes {
		i := slices.IndexFunc(have, func(a bigcommerce.CustomerAttribute) bool { return a.Name == want.Name })
		if i < 0 {
			missing = append(missing, want)
			continue
		}
		rep.Attributes[want.Name] = have[i].ID
	}
	if len(missing) == 0 {
		return nil
	}
	made, err := r.store(s).CreateCustomerAttributes(ctx, missing)
	for _, a := range made {
		rep.Attributes[a.Name] = a.ID
		rep.Changed = append(rep.Changed, "added the customer attribute "+a.Name)
	}
	return err
}
