package relay_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

var (
	storms       = flag.Int("storms", 4, "how many storms TestFaultStorm makes; CI makes 8 at least")
	stormActions = flag.Int("stormactions", 250, "how many things happen in each storm")
)

// storm is a world in which anything may happen at any time.
type storm struct {
	*clocked
	r    *rand.Rand
	wild bool // faults of the API, uninstallations and jumps of the clock besides; else the gate time must hold throughout
	late bool // webhooks are kept
	did  []string
	acts int
	// deaf are the times of the platform's clock in which we were not installed: what was acknowledged then was dropped.
	deaf   []period
	turned map[int64]bool // orders whose customer was changed once
}

type period struct{ from, to time.Time }

// act is one thing that may happen; it returns what it did, or "" when it could not.
type act struct {
	weight int
	do     func(*storm) string
}

func calmActs() []act {
	return []act{
		{12, (*storm).orderByAPI}, {12, (*storm).orderByCart}, {6, (*storm).orderProved}, {10, (*storm).beginByLink}, {12, (*storm).choosePerson}, {8, (*storm).pay},
		{4, (*storm).revoke}, {10, (*storm).editOrder}, {10, (*storm).moveOrder}, {4, (*storm).personSays}, {2, (*storm).keepOrder}, {5, (*storm).savePolicy},
		{3, (*storm).dropWebhooks}, {4, (*storm).keepWebhooks}, {6, (*storm).sendKept}, {3, (*storm).webhookFaults}, {4, (*storm).providerFault},
		{3, (*storm).deleteCustomer}, {3, (*storm).archive}, {2, (*storm).vandalise}, {3, (*storm).ringAnything}, {2, (*storm).replay},
	}
}

func wildActs() []act {
	return append(calmActs(), act{8, (*storm).apiFaults}, act{6, (*storm).outage}, act{3, (*storm).uninstall}, act{6, (*storm).reinstall}, act{2, (*storm).revokeToken},
		act{4, (*storm).jumpClock}, act{3, (*storm).changeMode}, act{4, (*storm).sleep})
}

// TestFaultStorm: whatever happens in whatever order, once it is over the world is right; and where nothing is done to the API, to the
// installation and to the clock, the gate time holds throughout. The same seed makes much the same storm: which of the requests that run
// side by side meets a fault is not in our hands.
func TestFaultStorm(t *testing.T) {
	n := seed(t)
	count := *storms
	if os.Getenv("CI") == "true" {
		count = max(count, 8)
	}
	if testing.Short() {
		count = min(count, 2)
	}
	for i := range count {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			newStorm(t, n+uint64(i)).rage()
		})
	}
}

func newStorm(t *testing.T, n uint64) *storm {
	t.Helper()
	r := rand.New(rand.NewPCG(n, 6))
	s := &storm{r: r, wild: n%2 == 1, turned: map[int64]bool{}}
	hold := 12
	if r.IntN(4) == 0 {
		hold = 7
	}
	s.clocked = newClocked(t, func(p *gate.Policy) {
		p.HoldStatus, p.CancelAfter = hold, gate.Days([]int{0, 2}[r.IntN(2)])
		p.OnMoved = []gate.MovedChoice{gate.HoldAgain, gate.Accept}[r.IntN(2)]
	})
	s.shop.SetFaults(sim.Faults{SlowFor: 2 * time.Millisecond})
	t.Logf("re-run this one alone with -run '^TestFaultStorm$' -storms=1 -faultseed=%d", n)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what happened:\n%s", strings.Join(s.did, "\n"))
		}
	})
	return s
}

// rage lets things happen, and then quietens everything and looks.
func (s *storm) rage() {
	s.t.Helper()
	acts := calmActs()
	if s.wild {
		acts = wildActs()
	}
	total := 0
	for _, a := range acts {
		total += a.weight
	}
	for range *stormActions {
		k := s.r.IntN(total)
		i := 0
		for k >= acts[i].weight {
			k -= acts[i].weight
			i++
		}
		if what := acts[i].do(s); what != "" {
			s.did = append(s.did, s.clock.now().Format("02 15:04:05 ")+what)
			s.acts++
		}
		s.wait(time.Duration(s.r.IntN(40)) * time.Second)
		if s.t.Failed() {
			return
		}
	}
	s.quieten()
	s.judge()
}

// stride is how far the clock goes at once; the product looks no more often.
const stride = 5 * time.Second

// wait lets time pass.
func (s *storm) wait(d time.Duration) {
	s.t.Helper()
	for passed := time.Duration(0); passed < d; passed += stride {
		s.clock.pass(stride)
		if err := s.relay.CheckClock(context.Background()); err != nil {
			s.t.Fatal(err)
		}
		s.settle()
	}
}

// quieten ends every fault, and waits until all that was begun has ended.
func (s *storm) quieten() {
	s.t.Helper()
	s.did = append(s.did, s.clock.now().Format("02 15:04:05 ")+"it is over")
	s.jump(0)
	s.shop.ClearFaults()
	s.tenant.Misbehave(simkosmos.Fault{})
	s.shop.DropWebhooks(false)
	s.shop.KeepWebhooks(false)
	s.back()
	if p := s.s().Policy; p.Mode != gate.Enforce {
		s.save(func(p *gate.Policy) { p.Mode = gate.Enforce })
	}
	s.shop.SendKept(context.Background(), sim.Sending{})
	for _, n := range s.tenant.Sessions() {
		_ = s.tenant.Choose(n.ID, simkosmos.GivesUp) // whoever has not chosen yet
		_ = s.tenant.Review(n.ID, simkosmos.Refuse)
	}
	s.wait(5 * time.Minute)
	for range 80 {
		s.clock.pass(time.Minute)
		s.settle()
	}
}

// judge holds the world against the invariant, and says what there was.
func (s *storm) judge() {
	s.t.Helper()
	c := Checks{Since: s.since, Deaf: func(at time.Time) bool {
		return slices.ContainsFunc(s.deaf, func(p period) bool { return !at.Before(p.from) && (p.to.IsZero() || !at.After(p.to)) })
	}}
	if !s.wild {
		c.Within = gateTime + stride
	}
	s.sound(c)
	count := map[string]int{}
	for _, o := range s.shop.Orders() {
		if o.ID < s.since {
			continue
		}
		count["orders"]++
		if ours, err := s.ledger.Order(context.Background(), s.s(), o.ID); err == nil {
			count[string(ours.Hold)]++
		}
	}
	s.t.Logf("%d things happened, wild %t: %v", s.acts, s.wild, count)
}

// up reports whether the product serves the shop.
func (s *storm) up() bool {
	_, err := s.ledger.Shop(hash)
	return err == nil
}

// pick is one of the storm's orders of which ok is true; false when there is none.
func (s *storm) pick(ok func(sim.Order, ledger.Order) bool) (sim.Order, ledger.Order, bool) {
	if !s.up() {
		return sim.Order{}, ledger.Order{}, false
	}
	all := s.shop.Orders()
	i := slices.IndexFunc(all, func(o sim.Order) bool { return o.ID >= s.since })
	if i < 0 {
		return sim.Order{}, ledger.Order{}, false
	}
	all = all[i:]
	s.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, o := range all {
		ours, err := s.ledger.Order(context.Background(), s.s(), o.ID)
		if err != nil {
			ours = ledger.Order{}
		}
		if ok(o, ours) {
			return o, ours, true
		}
	}
	return sim.Order{}, ledger.Order{}, false
}

func anyOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func sortedFaults() []simkosmos.Fault {
	kinds := providerFaults()
	var out []simkosmos.Fault
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		out = append(out, kinds[name])
	}
	return out
}
