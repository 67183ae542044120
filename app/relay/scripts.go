package relay

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"idgate/app/bigcommerce"
	"idgate/app/gate"
	"idgate/app/ledger"
)

// What our scripts are called at BigCommerce, and where they stand besides the checkout.
const (
	scriptName           = "idgate checkout gate"
	confirmationName     = "idgate order confirmation"
	lockName             = "idgate inline lock"
	scriptOnConfirmation = "order_confirmation"
)

// wanted is a script that should be in place, and what the report calls it.
type wanted struct {
	part   string
	script bigcommerce.Script
}

// What a script is for, after the channel's name in the report.
const (
	ConfirmationPart = ", order confirmation"
	LockPart         = ", inline lock"
)

// wantedScripts are the scripts of a Shop: the gate of each channel, then, where the Shop has asked for them, the inline lock of each channel
// and the script on its page after the order. What is over the limit that BigCommerce sets comes last, and is left out by whoever counts. The
// gate's URL names its content, so BigCommerce's integrity check and caches agree for ever.
func (r *Relay) wantedScripts(s *ledger.Shop, channels []bigcommerce.Channel) []wanted {
	unreachable := "open"
	if s.Policy.OnUnreachable == gate.Stop {
		unreachable = "closed"
	}
	where := bigcommerce.ScriptOnCheckout
	if s.Settings.ScriptOnAllPages {
		where = bigcommerce.ScriptOnAllPages
	}
	script := func(c bigcommerce.Channel, name, description, visibility string) bigcommerce.Script {
		return bigcommerce.Script{
			Name: name, Description: description, LoadMethod: bigcommerce.ScriptLoadDefault, Location: bigcommerce.ScriptLocationHead, Visibility: visibility,
			ConsentCategory: bigcommerce.ScriptConsentEssential, ChannelID: c.ID, Enabled: true, AutoUninstall: true,
		}
	}
	hosted := func(x bigcommerce.Script, more string) bigcommerce.Script {
		x.Kind, x.IntegrityHashes = bigcommerce.ScriptKindSrc, []string{r.Script.Integrity}
		x.Src = fmt.Sprintf("%s/storefront/v1/scripts/%s/%d/gate.%s.js?client_id=%s&unreachable=%s%s", r.AppURL, s.Hash, x.ChannelID, r.Script.Hash,
			url.QueryEscape(r.BigCommerce.ClientID), unreachable, more)
		return x
	}
	var gates, locks, after []wanted
	for _, c := range channels {
		gates = append(gates, wanted{c.Name, hosted(script(c, scriptName, "Holds the order call until the shopper's identity is proved, where your policy asks for it.", where), "")})
		after = append(after, wanted{c.Name + ConfirmationPart, hosted(script(c, confirmationName, "Tells the shopper after the order when a step is left.", scriptOnConfirmation),
			"&page=order_confirmation")})
		if r.Script.Lock == nil {
			continue
		}
		lock := script(c, lockName, "Holds the order call until the checkout gate has come, for ten seconds at most.", where)
		lock.Kind, lock.HTML = bigcommerce.ScriptKindTag, r.Script.Lock(s.Policy.OnUnreachable == gate.Stop)
		locks = append(locks, wanted{c.Name + LockPart, lock})
	}
	out := gates
	if s.Settings.InlineLock {
		out = append(out, locks...)
	}
	if s.Settings.ConfirmationScript {
		out = append(out, after...)
	}
	return out
}

// reconcileScripts makes what is missing, mends what was changed, and removes what is ours and not wanted. What there is no room for is not
// made: the report names it.
func (r *Relay) reconcileScripts(ctx context.Context, s *ledger.Shop, channels []bigcommerce.Channel, rep *Installation) error {
	have, err := r.store(s).Scripts(ctx)
	if err != nil {
		return err
	}
	all := r.wantedScripts(s, channels)
	for _, x := range have {
		if !ourScript(x) {
			rep.Foreign++
		}
	}
	if most := max(0, bigcommerce.MaxScriptsPerApp-rep.Foreign); len(all) > most {
		for _, w := range all[most:] {
			rep.LeftOut = append(rep.LeftOut, w.part)
		}
		rep.Problems = append(rep.Problems, tooManyScripts(most, all))
		all = all[:most]
	}
	// What is one too many goes first: at the limit there would be no room for what is missing.
	match := matchScripts(have, all)
	for i, x := range have {
		if ourScript(x) && !slices.Contains(match, i) {
			if err := r.store(s).DeleteScript(ctx, x.UUID); err != nil {
				return err
			}
			rep.Changed = append(rep.Changed, fmt.Sprintf("removed a checkout script of channel %d that was one too many", x.ChannelID))
		}
	}
	parts := make([]Part, len(all))
	for _, n := range locksFirst(all) {
		want, i := all[n], match[n]
		part := Part{Name: want.part, OK: true}
		switch {
		case i < 0:
			made, err := r.store(s).CreateScript(ctx, want.script)
			if err != nil {
				return err
			}
			part.ID = made.UUID
			rep.Changed = append(rep.Changed, "added the checkout script of "+want.part)
		case !sameScript(have[i], want.script):
			if _, err := r.store(s).UpdateScript(ctx, have[i].UUID, want.script); err != nil {
				return err
			}
			part.ID = have[i].UUID
			rep.Changed = append(rep.Changed, "put right the checkout script of "+want.part)
		default:
			part.ID = have[i].UUID
		}
		parts[n] = part
	}
	rep.Scripts = parts
	return nil
}

func ourScript(x bigcommerce.Script) bool {
	return x.Name == scriptName || x.Name == confirmationName || x.Name == lockName
}

// locksFirst is the order in which scripts are made: a page has them in the order of their making, and a lock that comes after its gate
// finds nothing left to do.
func locksFirst(all []wanted) []int {
	out := make([]int, len(all))
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(a, b int) int {
		switch x, y := all[a].script.Name == lockName, all[b].script.Name == lockName; {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	})
	return out
}

// matchScripts finds for each wanted script which of those that are there it is, or -1. A script's kind cannot be changed: one of another
// kind is not it.
func matchScripts(have []bigcommerce.Script, all []wanted) []int {
	match := make([]int, len(all))
	for n, want := range all {
		match[n] = -1
		for i, x := range have {
			if x.Name == want.script.Name && x.ChannelID == want.script.ChannelID && x.Kind == want.script.Kind && !slices.Contains(match[:n], i) {
				match[n] = i
				break
			}
		}
	}
	return match
}

// tooManyScripts explains what the limit on scripts leaves out: of all, what comes after the first most.
func tooManyScripts(most int, all []wanted) string {
	said := fmt.Sprintf("BigCommerce allows %d scripts per app", bigcommerce.MaxScriptsPerApp)
	if most < bigcommerce.MaxScriptsPerApp {
		said += fmt.Sprintf(", and %d of these are taken by scripts that are not idgate's", bigcommerce.MaxScriptsPerApp-most)
	}
	for _, what := range []struct{ name, without string }{
		{scriptName, "channels beyond that have no gate in the page, only the order gate"},
		{lockName, "so many channels have no inline lock, and rely on the gate alone"},
		{confirmationName, "so many channels have no script on the page after the order, and their shoppers are told by mail"},
	} {
		out := 0
		for _, w := range all[most:] {
			if w.script.Name == what.name {
				out++
			}
		}
		if out > 0 {
			said += fmt.Sprintf("; %s: %d", what.without, out)
		}
	}
	return said
}

func sameScript(a, b bigcommerce.Script) bool {
	return a.Src == b.Src && strings.TrimSpace(a.HTML) == strings.TrimSpace(b.HTML) && a.Kind == b.Kind && a.LoadMethod == b.LoadMethod && a.Location == b.Location &&
		a.Visibility == b.Visibility && a.ConsentCategory == b.ConsentCategory && a.Enabled == b.Enabled && a.AutoUninstall == b.AutoUninstall && slices.Equal(a.IntegrityHashes, b.IntegrityHashes)
}
