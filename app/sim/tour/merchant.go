package tour

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// What an installation has: as many webhooks, and these customer attributes.
const wantedHooks = 8

var wantedAttributes = []string{"blockid_ial", "blockid_vc_token", "blockid_liveid_enrolled", "blockid_verified_at", "blockid_expires_at"}

// parts are what the control panel shows of an installation.
type parts struct {
	scripts, hooks []string // ids
}

// install is step 1.
func (t *tour) install(ctx context.Context) error {
	p, err := t.manage(ctx, "apps")
	if err != nil {
		return err
	}
	state, err := p.find("the app", id("app-state"))
	switch {
	case err != nil:
		return err
	case value(state, "data-installed") != "false":
		return differs("the app in the control panel", "not installed", text(state))
	}
	if t.frame, err = t.openApp(ctx, p, id("install-app")); err != nil {
		return err
	}
	if err := t.frame.want(http.StatusOK); err != nil {
		return err
	}
	if said := text(one(t.frame.doc, tag("h1"))); said != "idgate is installed" {
		return differs("the page after the installation", "“idgate is installed” (a tour needs a data directory of its own)", "“"+said+"”")
	}
	next := one(t.frame.doc, tag("a"), has("class", "primary"))
	named := strings.Split(value(next, "href"), "/") // /s/{shop}/…
	if len(named) < 3 || named[1] != "s" {
		return differs("the page after the installation", "a way into the app", clip(t.frame.text()))
	}
	t.shop = named[2]
	if p, err = t.manage(ctx, "apps"); err != nil {
		return err
	}
	if state := one(p.doc, id("app-state")); value(state, "data-installed") != "true" {
		return differs("the app in the control panel", "installed", text(state))
	}
	made, err := t.inPlace(ctx)
	if err != nil {
		return err
	}
	health, err := t.healthy(ctx)
	if err != nil {
		return err
	}
	t.say("merchant", "Install: token stored, %d webhooks, %d script, %d customer attributes; %d scopes granted",
		len(made.hooks), len(made.scripts), len(wantedAttributes), health)
	return t.repairs(ctx, made)
}

// openApp presses a button of the Apps page and shows in its iframe what the control panel opens there.
func (t *tour) openApp(ctx context.Context, apps *page, button match) (*page, error) {
	p, err := apps.press(ctx, "opening the app", button)
	if err != nil {
		return nil, err
	}
	frame, err := p.find("the app's iframe", tag("iframe"), id("app-frame"))
	if err != nil {
		return nil, err
	}
	return p.inFrame(ctx, value(frame, "src"))
}

// inPlace checks the webhooks and scripts that the control panel shows.
func (t *tour) inPlace(ctx context.Context) (parts, error) {
	var out parts
	p, err := t.manage(ctx, "scripts")
	if err != nil {
		return out, err
	}
	for n := range all(p.doc, has("data-test", "script-row")) {
		said := text(n)
		for _, want := range []string{"checkout, head, default", at(t.app, "/storefront/v1/scripts/"+t.shop+"/"), "sha384-", "Consent essential",
			"enabled, removed with the app"} {
			if !strings.Contains(said, want) {
				return out, differs("the script in the control panel", want, clip(said))
			}
		}
		out.scripts = append(out.scripts, value(n, "data-uuid"))
	}
	if p, err = t.manage(ctx, "webhooks"); err != nil {
		return out, err
	}
	for n := range all(p.doc, has("data-test", "hook-row")) {
		if value(n, "data-active") != "true" || !strings.Contains(text(n), at(t.app, "/webhooks/bigcommerce")) {
			return out, differs("a webhook in the control panel", "active, to the app", clip(text(n)))
		}
		out.hooks = append(out.hooks, value(n, "data-hook-id"))
	}
	slices.Sort(out.hooks)
	if len(out.scripts) != 1 || len(out.hooks) != wantedHooks {
		return out, differs("the control panel", fmt.Sprintf("1 script and %d webhooks", wantedHooks), fmt.Sprintf("%d and %d", len(out.scripts), len(out.hooks)))
	}
	return out, nil
}

// healthy checks that the app's own Health page finds everything in place, and counts the scopes that were granted.
func (t *tour) healthy(ctx context.Context) (scopes int, err error) {
	p, err := t.admin(ctx, "/health")
	if err != nil {
		return 0, err
	}
	well := map[string]int{}
	for _, section := range []string{"hooks", "scripts", "attributes", "scopes"} {
		n := one(p.doc, id(section))
		for badge := range all(n, has("class", "badge")) {
			if !has("class", "tone-ok")(badge) {
				return 0, differs("Health, "+section, "all well", clip(text(n)))
			}
			well[section]++
		}
	}
	named := text(one(p.doc, id("attributes")))
	for _, a := range wantedAttributes {
		if !strings.Contains(named, a) {
			return 0, differs("Health, attributes", a, clip(named))
		}
	}
	if well["hooks"] != wantedHooks || well["scripts"] != 1 || well["attributes"] != len(wantedAttributes) || well["scopes"] == 0 {
		return 0, differs("Health", fmt.Sprintf("%d webhooks, 1 script, %d attributes and the scopes", wantedHooks, len(wantedAttributes)), well)
	}
	return well["scopes"], nil
}

// repairs breaks the installation in the control panel and has the app put it right, twice: the second time changes nothing.
func (t *tour) repairs(ctx context.Context, made parts) error {
	p, err := t.manage(ctx, "scripts")
	if err != nil {
		return err
	}
	if _, err = p.press(ctx, "deleting the script", has("data-test", "delete-script")); err != nil {
		return err
	}
	if p, err = t.manage(ctx, "webhooks"); err != nil {
		return err
	}
	if _, err = p.press(ctx, "deactivating a webhook", has("data-test", "deactivate-hook")); err != nil {
		return err
	}
	var states [2]parts
	for i := range states {
		if p, err = t.admin(ctx, "/health"); err != nil {
			return err
		}
		if _, err = p.press(ctx, "“Repair now”", has("action", "/s/"+t.shop+"/health/repair")); err != nil {
			return err
		}
		if states[i], err = t.inPlace(ctx); err != nil {
			return fmt.Errorf("after repair %d: %w", i+1, err)
		}
	}
	if !slices.Equal(states[0].hooks, made.hooks) || states[0].scripts[0] == made.scripts[0] {
		return differs("the repair", "the same webhooks and a new script", fmt.Sprintf("%v, before %v", states[0], made))
	}
	if !slices.Equal(states[0].hooks, states[1].hooks) || !slices.Equal(states[0].scripts, states[1].scripts) {
		return differs("the second repair", states[0], states[1])
	}
	t.say("merchant", "deletes the script and stops a webhook: Repair puts both right, and repairing again changes nothing")
	return nil
}

// load is step 2.
func (t *tour) load(ctx context.Context) error {
	p, err := t.manage(ctx, "apps")
	if err != nil {
		return err
	}
	if t.frame, err = t.openApp(ctx, p, id("load-app")); err != nil {
		return err
	}
	overview := "/s/" + t.shop + "/overview"
	if hops := t.frame.hops; len(hops) != 1 || hops[0].status != http.StatusSeeOther || hops[0].to.Path != overview {
		return differs("opening the app", "303 to "+overview, fmt.Sprintf("%d %v", t.frame.status, hops))
	}
	if err := t.frame.want(http.StatusOK); err != nil {
		return err
	}
	if h := text(one(t.frame.doc, tag("h1"))); h != "Overview" {
		return differs("the app's first page", "Overview", h)
	}
	user := text(one(t.frame.doc, has("title", "Signed in")))
	refused, err := t.forgedLoads(ctx, p)
	if err != nil {
		return err
	}
	t.say("merchant", "Load: Overview in the control panel's frame, signed in as %s, cookie partitioned; refused with 401: %s", user, strings.Join(refused, ", "))
	return nil
}

// forgedLoads tries what must not open the app, in a browser that is not signed in.
func (t *tour) forgedLoads(ctx context.Context, apps *page) ([]string, error) {
	p, err := apps.press(ctx, "opening the app", id("load-app"))
	if err != nil {
		return nil, err
	}
	src := value(one(p.doc, id("app-frame")), "src")
	link, err := url.Parse(src)
	if err != nil {
		return nil, err
	}
	token := strings.Split(link.Query().Get("signed_payload_jwt"), ".")
	if len(token) != 3 {
		return nil, differs("the load link", "a signed_payload_jwt", src)
	}
	with := func(parts ...string) string {
		return at(t.app, "/load?signed_payload_jwt="+url.QueryEscape(strings.Join(parts, ".")))
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"none"}`))
	if _, err := p.inFrame(ctx, src); err != nil { // used up by its owner
		return nil, err
	}
	var names []string
	for _, c := range []struct{ name, url string }{
		{"the same link again", src},
		{"a link signed by nobody", with(none, token[1], "")},
		{"a link signed by somebody else", with(token[0], token[1], strings.Repeat("A", len(token[2])))},
		{"no link at all", at(t.app, "/s/"+t.shop+"/overview")},
	} {
		got, err := t.newBrowser().visit(ctx, visit{url: c.url})
		if err != nil {
			return nil, err
		}
		if err := got.want(http.StatusUnauthorized); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		names = append(names, c.name)
	}
	return names, nil
}

// policy is step 3.
func (t *tour) policy(ctx context.Context) error {
	var older, f *form
	_, err := t.until(ctx, "the demo's first policy", func(ctx context.Context) (bool, string, error) {
		p, err := t.admin(ctx, "/policy")
		if err != nil {
			return false, "", err
		}
		if older, err = p.form("of the policy", has("action", "/s/"+t.shop+"/policy")); err != nil {
			return false, "", err
		}
		version := older.values.Get("base_version")
		return version != "0", "version " + version, nil
	})
	if err != nil {
		return err
	}
	for field, want := range map[string]string{"evidence_document_ial": "1", "evidence_selfie_ial": "2"} {
		if got := older.values.Get(field); got != want {
			return differs("the demo's first policy: "+field, want, got)
		}
	}
	if f, err = older.page.form("of the policy", has("action", "/s/"+t.shop+"/policy")); err != nil {
		return err
	}
	refusals, err := t.badPolicies(ctx, f)
	if err != nil {
		return err
	}
	if err := f.enter("mode", "enforce", "checkout_ial", "1", "least_age", "18", "proof_days", "180", "step_up_value", "500.00", "step_up_ial", "2",
		"step_up_max_age_days", "30", "step_up_selfie", "on", "guests", "verify", "hold_status", "12", "reason", "the tour's policy", "do", "save"); err != nil {
		return err
	}
	saved, err := f.submit(ctx)
	if err != nil {
		return err
	}
	if err := saved.want(http.StatusOK); err != nil {
		return err
	}
	said := text(one(saved.doc, has("role", "status")))
	if !strings.HasPrefix(said, "Saved as version ") || len(saved.hops) != 1 || saved.hops[0].status != http.StatusSeeOther {
		return differs("saving the policy", "303 and “Saved as version …”", fmt.Sprintf("%v “%s”", saved.hops, said))
	}
	if err := showsPolicy(saved, f.values); err != nil {
		return err
	}
	if err := older.enter("proof_days", "90", "reason", "from an older tab", "do", "save"); err != nil {
		return err
	}
	if saved, err = older.submit(ctx); err != nil {
		return err
	}
	if saved.status != http.StatusConflict || saved.says("The policy has moved on") != nil {
		return differs("saving an older form", "409 and word that the policy has moved on", fmt.Sprintf("%d %s", saved.status, clip(saved.text())))
	}
	t.say("merchant", "Policy: %s %s Enforce, IAL 1 and 18 years; from 500.00 IAL 2, a selfie, at most 30 days old; a document counts as 1, with a selfie as 2",
		strings.Join(refusals, " "), said)
	t.say("merchant", "an older tab is told: the policy has moved on")
	return nil
}

// badPolicies enters values that must be refused beside their fields, and leaves the form as it was.
func (t *tour) badPolicies(ctx context.Context, f *form) ([]string, error) {
	before := url.Values{}
	for k, v := range f.values {
		before[k] = slices.Clone(v)
	}
	if err := f.enter("do", "save"); err != nil {
		return nil, err
	}
	bad := []string{"least_age", "-1", "step_up_value", "500 EUR", "proof_days", "many"}
	if err := f.enter(bad...); err != nil {
		return nil, err
	}
	p, err := f.submit(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.want(http.StatusUnprocessableEntity); err != nil {
		return nil, err
	}
	var refusals []string
	for i := 0; i < len(bad); i += 2 {
		why := text(one(p.doc, id(bad[i]+"-error")))
		field := one(p.doc, id(bad[i]))
		if why == "" || value(field, "aria-invalid") != "true" || value(field, "value") != bad[i+1] {
			return nil, differs(bad[i]+" = "+bad[i+1], "a refusal beside the field, which keeps it", clip(p.text()))
		}
		if i == 0 {
			refusals = append(refusals, fmt.Sprintf("age %s is refused beside its field (“%s”), so are “%s” and “%s”.", bad[1], why, bad[3], bad[5]))
		}
	}
	f.values = before
	return refusals, nil
}

// showsPolicy checks that the page shows the policy that was entered.
func showsPolicy(p *page, entered url.Values) error {
	f, err := p.form("of the policy", has("name", "base_version"))
	if err != nil {
		return err
	}
	for name, want := range entered {
		if slices.Contains([]string{"base_version", "reason", "reach", "do"}, name) {
			continue
		}
		if got := f.values[name]; !slices.Equal(got, want) {
			return differs("the saved policy: "+name, want, got)
		}
	}
	return nil
}
