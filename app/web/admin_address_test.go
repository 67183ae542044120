package web

import (
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
)

// TestPolicyAddress: the form saves that addresses are compared and the days of grace, versions tell the change, and a shop that takes
// passports alone is warned, because they show no address.
func TestPolicyAddress(t *testing.T) {
	b := newBench(t)
	b.enforce(shopHash)
	const warning = "passports are the only document you take"
	b.wantGo(b.as(ledger.Manager, shopBase+"/policy", b.policyForm(map[string]string{"address_match": "on", "document_grace": "30", "reason": "Wine"})), shopBase+"/policy?saved=2")
	p := b.shop(shopHash).Policy
	if !p.Checkout.AddressMatch || !p.ComparesAddress() || p.DocumentGrace != 30 {
		t.Errorf("saved %+v", p)
	}
	page := b.as(ledger.Viewer, shopBase+"/policy", nil)
	b.want(200, page, `name="address_match" value="on" checked`, `name="document_grace" value="30"`)
	b.lacks(page, warning)
	b.want(200, b.as(ledger.Viewer, shopBase+"/policy/versions/1", nil), "The address on the document must be an address of the order",
		"Take documents that expired no longer ago than", "30 days", "none")
	b.want(422, b.as(ledger.Manager, shopBase+"/policy", b.policyForm(map[string]string{"document_grace": "91"})), `value="91"`, "Enter whole days from 1 to 90")
	b.want(422, b.as(ledger.Manager, shopBase+"/policy", b.policyForm(map[string]string{"tries": "11"})), `value="11"`, "Enter a whole number from 1 to 10, or nothing for 5")

	b.settings(ledger.Settings{Documents: []string{"passport"}})
	b.wait(time.Second)
	b.want(200, b.as(ledger.Viewer, shopBase+"/policy", nil), warning)
	b.enforce(shopHash, func(p *gate.Policy) { p.DocumentGrace = 30 })
	b.lacks(b.as(ledger.Viewer, shopBase+"/policy", nil), warning)
}
