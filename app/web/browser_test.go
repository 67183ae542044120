package web_test

import (
	"testing"
)

// TestBrowserStory clicks through issue and checkout as a merchant and as a shopper would.
func TestBrowserStory(t *testing.T) {
	s := newStory(t)
	s.install()
	s.load()
	s.enforce()
	s.visit()
	s.signIn("ada@example.com")
	s.buy("COF-250")
	s.ship("", "")
	before := s.demo.orders()
	s.shop.click(css("#checkout-payment-continue"))
	s.asked("intro")
	s.placed(before, 0)
	s.verify("passes-with-selfie", "Ada Lovelace")
	t.Log(s.confirmed())
}
