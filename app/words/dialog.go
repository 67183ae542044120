package words

import (
	"strings"
	"time"
)

// Need is what must be proved, as far as the shopper is told.
type Need struct {
	Documents []string // the kinds that will do: driver_license, passport, id_card; none means driver_license
	Selfie    bool
	LeastAge  int // of the person, in whole years; 0 means any
	NameMatch bool

	AddressMatch bool
}

// DialogData is what the words of the dialog and of the hosted page depend on.
type DialogData struct {
	Shop      string    // the shop's name
	Order     string    // the order's number; empty while it is a cart
	Need      Need      // what must be proved
	Outcome   string    // the Decision's
	Reasons   []string  // the Decision's codes; the first that has words says why
	TriesLeft int       // 0 says nothing: that there are none left is the reason retries_spent
	Deadline  time.Time // when this try has to be over, in the zone to show; zero says nothing
	LinkUntil time.Time // when the link behind a hosted page ends, likewise
	Contact   string    // whom the shopper may ask; empty says nothing
}

// Dialog are the words of the checkout's dialog, and of the order's confirmation, by the keys that gate.js knows. A key whose text
// needs something that d does not have (tries_left, deadline_by) is not there. In resend_in the page itself puts the minutes and
// seconds for {time}.
func (w Words) Dialog(d DialogData) map[string]string {
	out := map[string]string{}
	w.put(out, "dialog.", d.data())
	why := w.Why(d.Reasons)
	out["why"] = why
	out["needs"] = w.Needs(d.Need)
	out["review"] = w.line(w.Ended(Ended{Code: "in_review"}))
	out["order_blocked"] = w.Text("reason.no_proof", nil) // also where the shopper called it off, whom the shop need not hear from
	if d.Outcome == "refuse" {
		out["order_blocked"] = why
	}
	for state := range stateReasons {
		out[state] = w.Ended(Ended{State: state, Retry: true}).Text
	}
	return out
}

// Page are the words of the hosted page: those of the dialog, and its own. Its subject is what is to be verified for.
func (w Words) Page(d DialogData) map[string]string {
	out := w.Dialog(d)
	data := d.data()
	w.put(out, "page.", data)
	out["subject"] = w.Text("page.for_cart", data)
	if d.Order != "" {
		out["subject"] = w.Text("page.for_order", data)
	}
	delete(out, "for_cart")
	delete(out, "for_order")
	return out
}

// put adds the texts of a group by their keys without the group's name, but for those that lack something.
func (w Words) put(out map[string]string, group string, data Data) {
	for key := range texts().known {
		if name, ok := strings.CutPrefix(key, group); ok && complete(key, data) {
			out[name] = w.Text(key, data)
		}
	}
}

// complete reports whether data has what the key's text needs. {time} is the page's own to fill in.
func complete(key string, data Data) bool {
	for _, name := range texts().known[key] {
		if _, ok := data[name]; !ok && name != "time" {
			return false
		}
	}
	return true
}

func (d DialogData) data() Data {
	data := Data{"shop": d.Shop}
	if d.Order != "" {
		data["order"] = d.Order
	}
	if d.TriesLeft > 0 {
		data["count"] = d.TriesLeft
	}
	if !d.Deadline.IsZero() {
		data["deadline"] = d.Deadline
	}
	if !d.LinkUntil.IsZero() {
		data["link_until"] = d.LinkUntil
	}
	if d.Contact != "" {
		data["contact"] = d.Contact
	}
	return data
}

// Needs says what the shopper has to have at hand.
func (w Words) Needs(n Need) string {
	parts := []string{}
	if kinds := accepted(n.Documents); len(kinds) == 1 {
		parts = append(parts, w.Text("need."+kinds[0], nil))
	} else {
		parts = append(parts, w.Text("need.documents", Data{"documents": w.documents(n.Documents)}))
	}
	if n.Selfie {
		parts = append(parts, w.Text("need.selfie", nil))
	}
	if n.LeastAge > 0 {
		parts = append(parts, w.Text("need.age", Data{"count": n.LeastAge}))
	}
	if n.NameMatch {
		parts = append(parts, w.Text("need.name", nil))
	}
	if n.AddressMatch {
		parts = append(parts, w.Text("need.address", nil))
	}
	return w.sentences(parts...)
}
