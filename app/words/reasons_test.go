package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/language"
)

// unspoken are the codes that no shopper meets, each with its reason. Why passes over them.
var unspoken = map[string]string{
	"guest_exempt":       "allows",
	"proof_ok":           "allows",
	"nothing_required":   "allows",
	"exempt":             "allows",
	"policy_off":         "allows",
	"source_not_covered": "allows",
	"before_enforcement": "allows",
	"released_by_person": "allows",

	"requested_by_person": "stands beside what a proof lacks",
	"request_withdrawn":   "allows",
	"undone_by_person":    "the rules decide next",
	"allow_listed":        "allows",
	// Of BigCommerce's answers, which the merchant's staff are told of; a shopper is told “busy”.
	"bigcommerce_down": "the merchant's to know",
	"bigcommerce_busy": "the merchant's to know",
	"bigcommerce_odd":  "the merchant's to know",
	"suspended":        "the merchant's to know",
	"scope_missing":    "the merchant's to know",
	// Of requests that no page of ours makes; what is said then is “internal”.
	"bad_request":  "a page's fault, not its shopper's",
	"forbidden":    "a page of another shop",
	"not_found":    "a page of no version of ours",
	"unknown_shop": "a page of a shop that has gone",
	// Told in the words of another: web says which.
	"too_soon":     "as rate_limited",
	"too_many":     "as rate_limited",
	"no_mailbox":   "as buyer_unknown",
	"mail_down":    "as busy",
	"document":     "as unsupported_document",
	"code_wrong":   "as the dialog's own text",
	"code_expired": "as the dialog's own text",
	"no_mails":     "where no mails are sent no page has a button for them",
	"too_large":    "no page sends so much",
	"load_refused": "a door of the control panel",
	"client_gone":  "nobody is there to read it",
}

func source(t *testing.T, dir string, patterns ...string) []*ast.File {
	t.Helper()
	var out []*ast.File
	var names []string
	for _, p := range patterns {
		found, err := filepath.Glob(filepath.Join("..", dir, p))
		if err != nil || len(found) == 0 {
			t.Fatalf("no source in %s, %s: %v", dir, p, err)
		}
		names = append(names, found...)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func text(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// constants are the strings of the package's constants that are of a type, or whose name begins with a prefix.
func constants(t *testing.T, dir, typeName, prefix string) []string {
	var out []string
	for _, f := range source(t, dir, "*.go") {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				id, _ := v.Type.(*ast.Ident)
				for i, name := range v.Names {
					if i >= len(v.Values) || !(id != nil && id.Name == typeName || prefix != "" && strings.HasPrefix(name.Name, prefix)) {
						continue
					}
					if s, ok := text(v.Values[i]); ok {
						out = append(out, s)
					}
				}
			}
		}
	}
	return out
}

// inCalls are the texts that stand in a function's n-th argument.
func inCalls(t *testing.T, dir, function string, n int, patterns ...string) []string {
	var out []string
	for _, f := range source(t, dir, patterns...) {
		ast.Inspect(f, func(node ast.Node) bool {
			c, ok := node.(*ast.CallExpr)
			if !ok || len(c.Args) <= n {
				return true
			}
			if id, ok := c.Fun.(*ast.Ident); ok && id.Name == function {
				if s, ok := text(c.Args[n]); ok {
					out = append(out, s)
				}
			}
			return true
		})
	}
	return out
}

// inFields are the texts given to a field of a composite literal of a type.
func inFields(t *testing.T, dir, typeName, field string) []string {
	var out []string
	for _, f := range source(t, dir, "*.go") {
		ast.Inspect(f, func(node ast.Node) bool {
			c, ok := node.(*ast.CompositeLit)
			if !ok {
				return true
			}
			sel, ok := c.Type.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != typeName {
				return true
			}
			for _, e := range c.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				if key, ok := kv.Key.(*ast.Ident); ok && key.Name == field {
					if s, ok := text(kv.Value); ok && s != "" {
						out = append(out, s)
					}
				}
			}
			return true
		})
	}
	return out
}

// shopperDoors are the files of web whose refusals reach shoppers: their doors, and web.go, which gives any error its face.
var shopperDoors = []string{"storefront*.go", "hosted*.go", "web.go"}

// Every code that a shopper can meet has words, and every code with words or with a reason for none exists.
func TestReasonsCoverTheCode(t *testing.T) {
	found := map[string]string{}
	add := func(where string, least int, codes []string) {
		t.Helper()
		if len(codes) < least {
			t.Errorf("only %d codes were found in %s: %q", len(codes), where, codes)
		}
		for _, c := range codes {
			found[c] = where
		}
	}
	add("gate", 26, constants(t, "gate", "Code", ""))
	add("idv", 9, constants(t, "idv", "", "Reason"))
	add("relay's constants", 1, constants(t, "relay", "", "Reason"))
	add("relay's moves", 2, inFields(t, "relay", "Move", "Reason"))
	add("web", 8, inCalls(t, "web", "refuse", 1, shopperDoors...))
	for _, state := range constants(t, "idv", "State", "") {
		if code, ok := stateReasons[state]; ok {
			found[code] = "a state's end"
		}
	}
	for code, where := range found {
		_, spoken := reasons[code]
		_, silent := unspoken[code]
		if spoken == silent {
			t.Errorf("%s, of %s: with words %v, listed as unspoken %v", code, where, spoken, silent)
		}
	}
	for code := range unspoken {
		if found[code] == "" {
			t.Errorf("%s is listed as unspoken and exists nowhere", code)
		}
	}
	for code := range reasons {
		if found[code] == "" && !foretold[code] {
			t.Errorf("%s has words and exists nowhere", code)
		}
	}
}

// foretold are codes that views has words for and no package gives today, and those for parts that are not yet there.
var foretold = map[string]bool{
	"selfie_mismatch": true, "too_young": true, "name_mismatch": true, "cart_changed": true,
}

func TestReasonTextsExist(t *testing.T) {
	each(t, func(t *testing.T, w Words) {
		for _, code := range ReasonCodes() {
			r := w.Ended(Ended{Code: code, Retry: true})
			for what, s := range map[string]string{"text": r.Text, "next step": r.Next} {
				if s == "" || strings.HasPrefix(s, "reason.") || strings.HasPrefix(s, "next.") || strings.Contains(s, "{") {
					t.Errorf("%s has the %s %q", code, what, s)
				}
			}
			if got := w.Refusal(code); got != r {
				t.Errorf("%s is refused with %q", code, got)
			}
		}
	})
}

func TestEnded(t *testing.T) {
	for _, c := range []struct {
		name      string
		tag       string
		e         Ended
		text, nxt string
	}{
		{"an expired document", "en", Ended{"failed", "expired_document", true, nil}, "The document has expired.", "Please try again with one that is still valid."},
		{"and no more tries", "en", Ended{"failed", "expired_document", false, nil}, "The document has expired.", "Please contact the shop."},
		{"in German", "de", Ended{"failed", "expired_document", true, nil}, "Der Ausweis ist abgelaufen.", "Bitte versuchen Sie es noch einmal mit einem, der noch gültig ist."},
		{"another address", "en", Ended{"passed", "address_differs", true, nil}, "The address on the document is not one of the order's addresses.",
			"If the address on the order is wrong, please correct it. Otherwise please contact the shop."},
		{"a passport", "en", Ended{"passed", "address_unknown", true, nil}, "An address is missing, on the document or on the order.",
			"Please fill in your address and use a document that shows it, such as a driver's licence or an identity card. A passport does not."},
		{"a passport, and no try left", "en", Ended{"passed", "address_unknown", false, nil}, "An address is missing, on the document or on the order.", "Please contact the shop."},
		{"the last name", "en", Ended{"passed", "last_name_differs", true, nil}, "The last name on the document is not the one on the order.",
			"The person named on the order has to verify. If the name on the order is wrong, please correct it or contact the shop."},
		{"a step that is no try stays", "en", Ended{"passed", "last_name_differs", false, nil}, "The last name on the document is not the one on the order.",
			"The person named on the order has to verify. If the name on the order is wrong, please correct it or contact the shop."},
		{"what is accepted: unset", "en", Ended{"failed", "unsupported_document", true, nil}, "This kind of document is not accepted.",
			"Please try again with a document that is accepted: driver's licence."},
		{"what is accepted: three", "en", Ended{"failed", "unsupported_document", true, []string{"id_card", "passport", "driver_license"}},
			"This kind of document is not accepted.", "Please try again with a document that is accepted: driver's licence, passport or identity card."},
		{"a vendor's code falls back to the state", "en", Ended{"failed", "idv0099", true, nil}, "The document could not be verified.",
			"You can try again. Have the document at hand, find good light and avoid glare."},
		{"declined", "en", Ended{"declined", "", true, nil}, "The verification was declined.", "Please contact the shop."},
		{"expired", "en", Ended{"expired", "", true, nil}, "The time for this verification ran out.", "You can try again."},
		{"abandoned", "en", Ended{"abandoned", "", false, nil}, "The verification was stopped before the end.", "Please contact the shop."},
		{"error", "en", Ended{"error", "", true, nil}, "The verification service had a problem. This says nothing about you.", "You can try again."},
		{"out of reach until the deadline", "en", Ended{"expired", "unreachable", true, nil}, "The verification service had a problem. This says nothing about you.", "You can try again."},
		{"late", "en", Ended{"passed", "late", true, nil}, "The verification was finished after its time had run out.", "The shop has been told and will look at it."},
		{"not over", "en", Ended{"started", "", true, nil}, "", ""},
		{"nothing known", "en", Ended{}, "", ""},
	} {
		got := For(Match(c.tag), nil).Ended(c.e)
		if got.Text != c.text || got.Next != c.nxt {
			t.Errorf("%s: %q, %q; want %q, %q", c.name, got.Text, got.Next, c.text, c.nxt)
		}
	}
}

// Steps that can be taken when no try is left, too.
var noTries = []string{"contact_shop", "shop_looks", "same_person", "same_address", "sign_in", "sign_in_again", "nothing", "few_minutes", "moment", "reload",
	"back_to_shop", "details_first", "close_page"}

// Where no try is left, no language asks for one.
func TestNoFurtherTryWhereNoneIsLeft(t *testing.T) {
	for code, r := range reasons {
		if slices.Contains(furtherTries, r.step) == slices.Contains(noTries, r.step) {
			t.Errorf("%s: is %s another try at proving, or is it not?", code, r.step)
		}
	}
	for _, step := range furtherTries {
		if !slices.ContainsFunc(ReasonCodes(), func(c string) bool { return reasons[c].step == step }) {
			t.Errorf("no reason has the step %s", step)
		}
	}
	each(t, func(t *testing.T, w Words) {
		for _, code := range ReasonCodes() {
			last := w.Ended(Ended{Code: code})
			for _, step := range furtherTries {
				if last.Next == w.Text("next."+step, Data{"documents": w.documents(nil)}) {
					t.Errorf("%s: %q", code, last.Next)
				}
			}
		}
	})
}

// Knowing a mailbox or a cart must not tell anybody that there is a Proof: the words are those for none at all.
func TestReasonsTellNothingOfOthers(t *testing.T) {
	each(t, func(t *testing.T, w Words) {
		none := w.Why(nil)
		for _, code := range []string{"no_proof", "proof_of_other_customer", "mailbox_unproved"} {
			if got := w.Why([]string{code}); got != none {
				t.Errorf("why %s: %q, without a proof %q", code, got, none)
			}
			if got, want := w.Ended(Ended{Code: code, Retry: true}), w.Ended(Ended{Code: "no_proof", Retry: true}); got != want {
				t.Errorf("%s ended: %q, without a proof %q", code, got, want)
			}
		}
		if a, b := w.Ended(Ended{Code: "blocked"}), w.Ended(Ended{Code: "refused_by_person"}); a != b {
			t.Errorf("a block is %q, a refusal %q", a, b)
		}
		if a, b := w.Refusal("capability_wrong"), w.Refusal("capability_late"); a != b {
			t.Errorf("a wrong capability is %q, an old one %q", a, b)
		}
	})
}

func TestWhy(t *testing.T) {
	w := For(language.English, nil)
	for _, c := range []struct {
		codes []string
		want  string
	}{
		{nil, "This shop asks you to prove your identity before this order can go on."},
		{[]string{"no_proof", "proof_of_other_cart"}, "This shop asks you to prove your identity before this order can go on."},
		{[]string{"proof_expired"}, "Your earlier verification has expired. Please verify once more."},
		{[]string{"proof_ok", "exempt", "cart_changed"}, "Your order has changed since you verified. Please verify once more."},
		{[]string{"guest_must_sign_in"}, "This shop takes this order only from customers who are signed in. Please sign in to your account, or open one, to place this order."},
		{[]string{"blocked"}, "This order cannot go on. Please contact the shop."},
		{[]string{"nobody_knows"}, "This shop asks you to prove your identity before this order can go on."},
	} {
		if got := w.Why(c.codes); got != c.want {
			t.Errorf("%q: %q, want %q", c.codes, got, c.want)
		}
	}
	if got := For(language.Japanese, nil).Why([]string{"blocked"}); got != "このご注文は承ることができません。ショップまでお問い合わせください。" {
		t.Errorf("Japanese: %q", got)
	}
	if got := w.Refusal("never heard of"); got != w.Refusal("internal") {
		t.Errorf("an unknown problem: %q", got)
	}
}

func TestDeadLinks(t *testing.T) {
	if got, want := DeadLinkCodes(), []string{"closed", "expired", "unknown", "used"}; !slices.Equal(got, want) {
		t.Fatalf("codes %q, want %q", got, want)
	}
	each(t, func(t *testing.T, w Words) {
		seen := map[DeadLink]string{}
		for _, code := range DeadLinkCodes() {
			l := w.DeadLink(code)
			if l.Title == "" || l.Text == "" || l.Next == "" || strings.HasPrefix(l.Title, "link.") {
				t.Errorf("%s: %+v", code, l)
			}
			if other := seen[l]; other != "" {
				t.Errorf("%s reads as %s", code, other)
			}
			seen[l] = code
		}
		if w.DeadLink("title.x") != w.DeadLink("unknown") {
			t.Error("a code that does not exist has words of its own")
		}
	})
}
