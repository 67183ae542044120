package relay_test

import (
	"context"
	"fmt"
	"time"

	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// What BigCommerce and 1Kosmos do.

func (s *storm) dropWebhooks() string {
	on := s.r.IntN(2) == 0
	s.shop.DropWebhooks(on)
	return fmt.Sprintf("webhooks are lost: %t", on)
}

func (s *storm) keepWebhooks() string {
	on := s.r.IntN(2) == 0
	s.shop.KeepWebhooks(on)
	s.late = on
	return fmt.Sprintf("webhooks are late: %t", on)
}

func (s *storm) sendKept() string {
	if len(s.shop.Kept()) == 0 {
		return ""
	}
	how := sim.Sending{Reversed: s.r.IntN(2) == 0, Times: 1 + s.r.IntN(3), AtOnce: anyOf(s.r, 1, 1, 10)}
	if s.r.IntN(3) == 0 {
		how.SignedAt = s.clock.now().Add(-50 * time.Hour)
	}
	return fmt.Sprintf("late webhooks come: %d, %+v", len(s.shop.SendKept(context.Background(), how)), how)
}

func (s *storm) webhookFaults() string {
	f := s.shop.Faults()
	f.Drop, f.Duplicate, f.Reorder, f.Delay, f.Resign = s.chance(), s.chance(), s.chance(), s.chance(), s.chance()
	s.shop.SetFaults(f)
	return fmt.Sprintf("webhooks: lost %.1f, doubled %.1f, out of order %.1f, late %.1f, signed long ago %.1f", f.Drop, f.Duplicate, f.Reorder, f.Delay, f.Resign)
}

func (s *storm) chance() float64 { return anyOf(s.r, 0, 0, 0.1, 0.5) }

func (s *storm) apiFaults() string {
	f := s.shop.Faults()
	f.API = map[sim.Fault]float64{}
	if s.r.IntN(3) > 0 {
		for range 1 + s.r.IntN(3) {
			f.API[anyOf(s.r, answerFaults()...)] = anyOf(s.r, 0.05, 0.2, 0.5)
		}
	}
	s.shop.SetFaults(f)
	return fmt.Sprintf("the API: %v", f.API)
}

func (s *storm) outage() string {
	f, d := anyOf(s.r, answerFaults()...), time.Duration(1+s.r.IntN(20))*time.Minute
	s.shop.Outage(f, s.clock.now().Add(d))
	return fmt.Sprintf("the API answers with %s for %s", f, d)
}

func (s *storm) providerFault() string {
	if s.r.IntN(2) == 0 {
		s.tenant.Misbehave(simkosmos.Fault{})
		return "1Kosmos is well"
	}
	s.tenant.Misbehave(anyOf(s.r, sortedFaults()...))
	return "1Kosmos misbehaves"
}

func (s *storm) uninstall() string {
	if !s.shop.Installation().Installed {
		return ""
	}
	err := s.shop.Uninstall(context.Background())
	s.deafFrom()
	return fmt.Sprintf("the app is uninstalled: %v", err)
}

func (s *storm) revokeToken() string {
	s.shop.RevokeToken()
	s.deafFrom()
	return "the token is revoked"
}

func (s *storm) deafFrom() {
	if n := len(s.deaf); n == 0 || !s.deaf[n-1].to.IsZero() {
		s.deaf = append(s.deaf, period{from: s.clock.now()})
	}
}

func (s *storm) reinstall() string {
	if n := len(s.deaf); n == 0 || !s.deaf[n-1].to.IsZero() {
		return ""
	}
	s.back()
	return "the app is installed again"
}

// back makes sure that the app is installed and its token good.
func (s *storm) back() {
	s.t.Helper()
	n := len(s.deaf)
	if n == 0 || !s.deaf[n-1].to.IsZero() {
		return
	}
	s.install()
	s.deaf[n-1].to = s.clock.now()
}

func (s *storm) jumpClock() string {
	d := anyOf(s.r, 0, 0, day, -day, time.Hour, -time.Hour, 40*time.Second, -40*time.Second)
	s.jump(d)
	return fmt.Sprintf("our clock is %s ahead", d)
}

// sleep is a machine that stands still while the world goes on.
func (s *storm) sleep() string {
	d := time.Duration(1+s.r.IntN(600)) * time.Minute
	s.clock.pass(d)
	return fmt.Sprintf("%s pass without us", d)
}
