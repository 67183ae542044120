package words

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"
)

var someDay = time.Date(2026, time.November, 22, 14, 4, 0, 0, time.UTC)

func fullDialog() DialogData {
	return DialogData{
		Shop: "Acme & Sons", Order: "1042", Outcome: "verify", Reasons: []string{"no_proof"}, TriesLeft: 2, Deadline: someDay, LinkUntil: someDay.AddDate(0, 0, 3), Contact: "help@acme.example",
		Need: Need{Documents: []string{"driver_license", "passport"}, Selfie: true, LeastAge: 18, NameMatch: true},
	}
}

// The keys that the script and the hosted page have always had.
var dialogKeys = []string{
	"title", "why", "needs", "duration", "who_sees", "start", "scan", "open_here", "waiting", "started", "processing", "review", "passed",
	"retry", "close", "cancel", "failed_title", "unreachable", "order_blocked", "done",
}

func TestDialogHasWhatTheScriptAsksFor(t *testing.T) {
	b, err := os.ReadFile("../../assets/gate.js")
	if err != nil {
		t.Fatal(err)
	}
	keys := slices.Clone(dialogKeys)
	for _, m := range regexp.MustCompile(`[^\w.$]t\('([a-z_]+)'\)`).FindAllSubmatch(b, -1) {
		if string(m[1]) != "accent" { // the shop's colour, and no text
			keys = append(keys, string(m[1]))
		}
	}
	if len(keys) < len(dialogKeys)+10 {
		t.Fatalf("the script asks for %d texts only; has t() another name?", len(keys)-len(dialogKeys))
	}
	for _, state := range constants(t, "idv", "State", "") {
		if state != "created" { // gate.js says “waiting” for it
			keys = append(keys, state)
		}
	}
	each(t, func(t *testing.T, w Words) {
		d := w.Dialog(fullDialog())
		for _, key := range keys {
			if d[key] == "" {
				t.Errorf("there is no %q", key)
			}
		}
		for key, text := range d {
			if rest := strings.ReplaceAll(text, "{time}", ""); strings.ContainsAny(rest, "{}") || key == "resend_in" == (rest == text) {
				t.Errorf("%s is %q", key, text)
			}
		}
	})
}

func TestDialogEnglish(t *testing.T) {
	w := For(language.English, nil)
	d := w.Dialog(fullDialog())
	for key, want := range map[string]string{
		"title": "Verify your identity",
		"why":   "This shop asks you to prove your identity before this order can go on.",
		"needs": "You need a phone with a camera, and one of these documents, still valid: driver's licence or passport. You will take a selfie. " +
			"You have to be at least 18 years old. The name has to be the one on the order.",
		"who_sees": "1Kosmos takes and checks the pictures; Acme & Sons learns whether you passed, your age in years, and your name and address, " +
			"which are kept encrypted and only compared with your orders. The pictures and the document's number never reach it.",
		"review":        "A person is looking at your verification. You will not have to do it again.",
		"order_blocked": "This shop asks you to prove your identity before this order can go on.",
		"tries_left":    "You have 2 tries left.",
		"deadline_by":   "Please finish by 22 November 2026, 2:04 pm (UTC).",
		"failed":        "The document could not be verified.",
		"declined":      "The verification was declined.",
		"resend_in":     "You can ask for another one in {time}.",
	} {
		if d[key] != want {
			t.Errorf("%s: %q, want %q", key, d[key], want)
		}
	}
	bare := w.Dialog(DialogData{Outcome: "refuse", Reasons: []string{"guest_must_sign_in"}})
	for key, want := range map[string]string{
		"tries_left": "", "deadline_by": "",
		"needs":         "You need a valid driver's licence, and a phone with a camera.",
		"why":           "This shop takes this order only from customers who are signed in. Please sign in to your account, or open one, to place this order.",
		"order_blocked": "This shop takes this order only from customers who are signed in. Please sign in to your account, or open one, to place this order.",
	} {
		if bare[key] != want {
			t.Errorf("with nothing known, %s: %q, want %q", key, bare[key], want)
		}
	}
	if !strings.Contains(bare["who_sees"], "; the shop learns") {
		t.Errorf("a shop without a name: %q", bare["who_sees"])
	}
}

func TestNeeds(t *testing.T) {
	w := For(language.English, nil)
	for _, c := range []struct {
		need Need
		want string
	}{
		{Need{}, "You need a valid driver's licence, and a phone with a camera."},
		{Need{Documents: []string{"passport"}}, "You need a valid passport, and a phone with a camera."},
		{Need{Documents: []string{"id_card"}}, "You need a valid identity card, and a phone with a camera."},
		{Need{Documents: []string{"library_card"}}, "You need a valid driver's licence, and a phone with a camera."},
		{Need{Documents: []string{"id_card", "driver_license"}}, "You need a phone with a camera, and one of these documents, still valid: driver's licence or identity card."},
		{Need{Selfie: true}, "You need a valid driver's licence, and a phone with a camera. You will take a selfie."},
		{Need{LeastAge: 21}, "You need a valid driver's licence, and a phone with a camera. You have to be at least 21 years old."},
		{Need{Documents: []string{"id_card"}, NameMatch: true, AddressMatch: true}, "You need a valid identity card, and a phone with a camera. The name has to be the one on the order. " +
			"The address on the document has to be the billing address or a delivery address of the order."},
		{Need{NameMatch: true}, "You need a valid driver's licence, and a phone with a camera. The name has to be the one on the order."},
	} {
		if got := w.Needs(c.need); got != c.want {
			t.Errorf("%+v: %q, want %q", c.need, got, c.want)
		}
	}
}

func TestPage(t *testing.T) {
	w := For(language.English, nil)
	p := w.Page(fullDialog())
	for key, want := range map[string]string{
		"subject": "For your order 1042 at Acme & Sons.", "back": "Back to Acme & Sons", "link_until": "This link works until 25 November 2026, 2:04 pm (UTC).",
		"title": "Verify your identity", "for_order": "", "for_cart": "",
	} {
		if p[key] != want {
			t.Errorf("%s: %q, want %q", key, p[key], want)
		}
	}
	cart := w.Page(DialogData{Shop: "Acme"})
	if cart["subject"] != "For your order at Acme." || cart["link_until"] != "" {
		t.Errorf("a cart: %q, %q", cart["subject"], cart["link_until"])
	}
	// The two groups share one map.
	for key := range texts().known {
		if name, ok := strings.CutPrefix(key, "page."); ok && texts().tongues[0].messages["dialog."+name] != nil {
			t.Errorf("both the dialog and the page have %q", name)
		}
	}
	each(t, func(t *testing.T, w Words) {
		if got, want := slices.Sorted(maps.Keys(w.Page(fullDialog()))), slices.Sorted(maps.Keys(p)); !slices.Equal(got, want) {
			t.Errorf("keys %q, in English %q", got, want)
		}
	})
}

func BenchmarkDialog(b *testing.B) {
	w, d := For(language.Arabic, nil), fullDialog()
	for b.Loop() {
		w.Dialog(d)
	}
}
