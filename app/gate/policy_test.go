package gate_test

import (
	"testing"
	"time"

	"idgate/app/gate"
)

func TestUses(t *testing.T) {
	idle := requires(is(gate.FactBrand, "1"))
	idle.Mode = gate.Off
	shadow := requires(is(gate.FactGroup, "1"))
	shadow.Mode = gate.Shadow
	p := bare(idle, shadow, exempts(is(gate.FactCategory, "1")))
	for fact, want := range map[gate.FactName]bool{gate.FactCategory: true, gate.FactGroup: true, gate.FactBrand: false, gate.FactFirstOrder: false} {
		if got := p.Uses(fact); got != want {
			t.Errorf("%s: %v", fact, got)
		}
	}
	if !p.Uses(gate.FactBrand, gate.FactCategory) || p.Uses() {
		t.Error("one of several is enough, and one of none is not")
	}
}

func TestEvidenceLevels(t *testing.T) {
	e := gate.Evidence{Document: 1, DocumentSelfie: 2}
	for _, c := range []struct {
		document, selfie bool
		want             gate.IAL
	}{{true, true, 2}, {true, false, 1}, {false, true, 0}, {false, false, 0}} {
		if got := e.Level(c.document, c.selfie); got != c.want {
			t.Errorf("document %v, selfie %v: %d, want %d", c.document, c.selfie, got, c.want)
		}
	}
	if got := (gate.Evidence{Document: 2}).Level(true, true); got != 2 {
		t.Errorf("a selfie besides takes nothing away: %d", got)
	}
	p := policy()
	for q, want := range map[gate.Requirement]bool{{IAL: 1}: false, {IAL: 2}: true, {IAL: 1, Selfie: true}: true, {}: false} {
		if got := p.NeedsSelfie(q); got != want {
			t.Errorf("%+v needs a selfie: %v", q, got)
		}
	}
}

func TestKeepFor(t *testing.T) {
	for days, want := range map[gate.Days]time.Duration{0: 730 * 24 * time.Hour, -1: 730 * 24 * time.Hour, 30: 720 * time.Hour} {
		if got := (gate.Policy{Keep: days}).KeepFor(); got != want {
			t.Errorf("%d days: %s, want %s", days, got, want)
		}
	}
}
