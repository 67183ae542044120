package views

import "strconv"

// VerifyData is the hosted verification page: what a shopper sees who was sent a link.
type VerifyData struct {
	Frame
	ShopName       string
	ShopURL        string
	OrderNumber    string // empty when the link is for a cart
	Need           Need
	Reasons        []Reason // the Decision's, for the shopper's “why”
	Outcome        string   // the Decision's; allow means that nothing is left to do
	State          string   // the Session's; empty before there is one
	SessionReason  string   // the Session's reason code
	Retry          bool     // another try is allowed
	CaptureURL     string   // the provider's page
	QRSVG          string   // the same as a QR code
	Expires        When     // when the Session or the link ends
	RefreshSeconds int      // how often a waiting page looks again; 0 means 5
	PrivacyURL     string
}

// ExpiredLinkData is the page of a link that no longer works.
type ExpiredLinkData struct {
	Frame
	ShopName string
	ShopURL  string
	Code     string // expired, used or closed
}

func (d VerifyData) texts() map[string]string {
	return GateTexts(GateTextsData{ShopName: d.ShopName, Need: d.Need, Outcome: d.Outcome, Reasons: d.Reasons})
}

// stage is which of the page's five faces is shown.
func (d VerifyData) stage() string {
	switch {
	case d.Outcome == "allow":
		return "done"
	case d.Outcome == "refuse":
		return "refused"
	}
	switch d.State {
	case "":
		return "intro"
	case "created", "started", "processing", "review":
		return "waiting"
	case "passed":
		if len(d.Reasons) == 0 {
			return "done"
		}
	}
	return "over"
}

// waiting reports whether the page looks again by itself.
func (d VerifyData) waiting() bool { return d.stage() == "waiting" }

// capture reports whether the shopper can still go to the provider's page.
func (d VerifyData) capture() bool {
	switch d.State {
	case "created", "started":
		return d.CaptureURL != ""
	}
	return false
}

func (d VerifyData) refresh() string {
	n := d.RefreshSeconds
	if n == 0 {
		n = 5
	}
	return strconv.Itoa(n)
}

func (d VerifyData) stateText() string {
	t := d.texts()
	switch d.State {
	case "started":
		return t["started"]
	case "processing":
		return t["processing"]
	case "review":
		return t["review"]
	}
	return t["waiting"]
}

// over is what a finished Session that was not enough has to say.
func (d VerifyData) over() SessionReason {
	if d.SessionReason == "" && d.State == "passed" && len(d.Reasons) > 0 {
		return SessionReasonWords(d.State, d.Reasons[0].Code, d.Retry)
	}
	return SessionReasonWords(d.State, d.SessionReason, d.Retry)
}

func (d VerifyData) subject() string {
	if d.OrderNumber == "" {
		return "your order at " + d.ShopName
	}
	return "order " + d.OrderNumber + " at " + d.ShopName
}

var expiredLinks = map[string]Words{
	"expired": {Short: "This link has expired", Sentence: "Links work for a limited time.", Next: "Ask the shop to send you a new one."},
	"used":    {Short: "This link has done its work", Sentence: "The verification it was for has been completed.", Next: "There is nothing left to do."},
	"closed":  {Short: "This order no longer needs a verification", Sentence: "The shop has decided about it, or it was cancelled.", Next: "If you have questions about the order, please contact the shop."},
	"unknown": {Short: "This link does not work", Sentence: "It is incomplete or was not made here.", Next: "Open it again from the message you received, or ask the shop for a new one."},
}

// ExpiredLinkCodes lists why a link may no longer work.
func ExpiredLinkCodes() []string { return codes(expiredLinks) }
