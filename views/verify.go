package views

import "strconv"

// VerifyData is the hosted verification page: what a shopper sees who was sent a link.
type VerifyData struct {
	Frame
	Texts          map[string]string // in the shopper's language, by the keys of the dialog and of this page
	ShopName       string
	ShopURL        string
	Outcome        string        // the Decision's; allow means that nothing is left to do
	State          string        // the Session's; empty before there is one
	Reason         ShopperReason // why a Session that is over was not enough; empty when it was
	Retry          bool          // another try is allowed
	Documents      []Document    // the kinds to choose from; no choice is shown where there is one
	CaptureURL     string        // the provider's page
	QRSVG          string        // the same as a QR code
	Expires        When          // when the Session or the link ends; Texts says it in a sentence
	RefreshSeconds int           // how often a waiting page looks again; 0 means 5
	PrivacyURL     string
	SignBack       bool // the shopper, who came from their own checkout here, may go on in their account
	Look           Look
	Still          bool // only looked at: it does not look again by itself
}

// Look is how a shop looks to its shoppers, besides its name. What is empty is as idgate comes.
type Look struct {
	Accent string // path of a stylesheet with the shop's colour
	Logo   string // path of its logo
}

// ShopperReason is why something did not go on, in the shopper's words: what happened, and what to do next.
type ShopperReason struct{ Text, Next string }

// Document is a kind of document to choose.
type Document struct{ Value, Name string }

// DeadLinkData is the page of a link that no longer works, or of something that went wrong behind one that does.
type DeadLinkData struct {
	Frame
	ShopName          string
	ShopURL           string
	Title, Text, Next string
	Back              string // what the way back to the shop is called
	Retry             string // what trying again is called; empty where there is nothing to try
	Contact           string // whom to ask, in a sentence, or empty
	Look              Look
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
		if d.Reason == (ShopperReason{}) {
			return "done"
		}
	}
	return "over"
}

// waiting reports whether the page looks again by itself.
func (d VerifyData) waiting() bool { return d.stage() == "waiting" && !d.Still }

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
	switch d.State {
	case "started", "processing", "review":
		return d.Texts[d.State]
	}
	return d.Texts["waiting"]
}

// title is the page's, with the shop's name where it is known.
func (d VerifyData) title() string { return joinTitle(d.Texts["title"], d.ShopName) }

func joinTitle(title, shop string) string {
	if shop == "" {
		return title
	}
	return title + " · " + shop
}
