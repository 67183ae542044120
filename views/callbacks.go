package views

import "github.com/a-h/templ"

// InstalledData is the page that /auth answers with.
type InstalledData struct {
	Frame
	ShopName      string
	UserEmail     string
	Again         bool   // re-installed: earlier policy and history are still there
	NextURL       string // where the merchant goes on
	BCSDK         string // address of BigCommerce's bc-sdk.js, or empty
	Bearer        string // the Login as a bearer token, for a frame in which the browser refuses our cookies; empty elsewhere
	PrivacyURL    string
	SupportURL    string
	MissingScopes []string // permissions that were not granted, or none
}

// OpeningData is the page that /load answers with in a frame: it goes on to the next as soon as it knows whether cookies are kept.
type OpeningData struct {
	Frame
	BCSDK   string // address of BigCommerce's bc-sdk.js, or empty
	NextURL string
	Bearer  string // the Login as a bearer token
}

// ErrorData is a page that only says no.
type ErrorData struct {
	Frame
	Code    string // one of ErrorCodes
	Ref     string // number to find it by in the log; empty where there is nothing to find
	BackURL string // where to go on; empty where there is nowhere
}

// UninstalledData is the page of a shop that has left.
type UninstalledData struct {
	Frame
	ShopName   string
	KeptUntil  When   // until when a re-install finds everything as it was
	HeldOrders string // orders still on hold, "3"; empty or 0 when there are none
	ExportURL  string // list of those orders; empty when there is none
}

// bearer gives admin.js the Login, and says whether it goes on by itself.
func bearer(token string, goOn bool) templ.Attributes {
	if token == "" {
		return nil
	}
	return templ.Attributes{"data-bearer": token, "data-go": goOn}
}
