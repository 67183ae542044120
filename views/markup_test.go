package views

import (
	"html"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tag is one opening tag of a rendered page. Templ escapes what it prints, so a pattern is enough to find them all.
type tag struct {
	name  string
	attrs map[string]string
}

var (
	tagPattern  = regexp.MustCompile(`<([a-z][a-z0-9]*)((?:\s+[a-zA-Z0-9-]+(?:="[^"]*")?)*)\s*/?>`)
	attrPattern = regexp.MustCompile(`([a-zA-Z0-9-]+)(?:="([^"]*)")?`)
	anyTag      = regexp.MustCompile(`<[^>]+>`)
)

func tags(page string) []tag {
	var out []tag
	for _, m := range tagPattern.FindAllStringSubmatch(page, -1) {
		t := tag{m[1], map[string]string{}}
		for _, a := range attrPattern.FindAllStringSubmatch(m[2], -1) {
			t.attrs[a[1]] = html.UnescapeString(a[2])
		}
		out = append(out, t)
	}
	return out
}

// TestMarkup holds every page to what a screen reader, a keyboard and the Content-Security-Policy need.
func TestMarkup(t *testing.T) {
	for _, p := range allPages() {
		t.Run(p.name, func(t *testing.T) {
			page := render(t, p.view)
			if got, want := len(tags(page)), len(anyTag.FindAllString(page, -1))-strings.Count(page, "</"); got+strings.Count(page, "<!") != want {
				t.Fatalf("the test reads %d opening tags, the page has %d", got, want)
			}
			ids := map[string]bool{}
			headings := 0
			for _, g := range tags(page) {
				if id, ok := g.attrs["id"]; ok {
					if ids[id] || id == "" {
						t.Errorf("id %q twice or empty", id)
					}
					ids[id] = true
				}
				if g.name == "h1" {
					headings++
				}
			}
			if headings != 1 {
				t.Errorf("%d first headings, want 1", headings)
			}
			labelled := map[string]bool{}
			for _, g := range tags(page) {
				if g.name == "label" {
					labelled[g.attrs["for"]] = true
				}
			}
			for _, g := range tags(page) {
				checkPolicy(t, g)
				checkReferences(t, g, ids, labelled)
			}
			if !strings.Contains(page, `<html lang="`) || !strings.Contains(page, "<title>") {
				t.Error("no language or no title")
			}
		})
	}
}

// checkPolicy refuses whatever would need 'unsafe-inline', a form to elsewhere or a script from elsewhere.
func checkPolicy(t *testing.T, g tag) {
	t.Helper()
	for name := range g.attrs {
		if name == "style" || strings.HasPrefix(name, "on") {
			t.Errorf("<%s> has the inline attribute %s", g.name, name)
		}
	}
	switch g.name {
	case "style", "object", "base":
		t.Errorf("<%s> on the page", g.name)
	case "iframe":
		if s, ok := g.attrs["sandbox"]; !ok || s != "" || g.attrs["title"] == "" || !strings.HasPrefix(g.attrs["src"], "/") {
			t.Errorf("a frame that is not in a sandbox: %v", g.attrs)
		}
	case "script":
		if !strings.HasPrefix(g.attrs["src"], "/assets/") && !strings.HasPrefix(g.attrs["src"], "https://cdn.bigcommerce.com/") {
			t.Errorf("script from %q", g.attrs["src"])
		}
	case "form":
		if a := g.attrs["action"]; !strings.HasPrefix(a, "/s/abc123/") && a != "/v/start" && a != "/v/account" {
			t.Errorf("form to %q", a)
		}
		if m := g.attrs["method"]; m != "post" && g.attrs["role"] != "search" {
			t.Errorf("form by %q", m)
		}
	case "a":
		if g.attrs["target"] == "_blank" && !strings.Contains(g.attrs["rel"], "noopener") {
			t.Errorf("link to %q opens a window that can reach back", g.attrs["href"])
		}
		path, _, _ := strings.Cut(g.attrs["href"], "?")
		_, saves := g.attrs["download"]
		if isFile := slices.Contains([]string{".csv", ".zip", ".jsonl"}, filepath.Ext(path)); isFile && !saves { // htmx would put it into the page
			t.Errorf("link to the file %q does not download it", g.attrs["href"])
		}
	}
}

func checkReferences(t *testing.T, g tag, ids, labelled map[string]bool) {
	t.Helper()
	for _, attr := range []string{"aria-describedby", "aria-labelledby", "for"} {
		v, ok := g.attrs[attr]
		if !ok {
			continue
		}
		for _, id := range strings.Fields(v) {
			if !ids[id] {
				t.Errorf("<%s %s> names %q, which is not on the page", g.name, attr, id)
			}
		}
		if strings.TrimSpace(v) == "" {
			t.Errorf("<%s %s> is empty", g.name, attr)
		}
	}
	for _, attr := range []string{"data-copy", "data-copied"} {
		if v, ok := g.attrs[attr]; ok && !ids[strings.TrimPrefix(v, "#")] {
			t.Errorf("%s names %q, which is not on the page", attr, v)
		}
	}
	if href := g.attrs["href"]; strings.HasPrefix(href, "#") && !ids[href[1:]] {
		t.Errorf("link to %q, which is not on the page", href)
	}
	switch g.name {
	case "input", "select", "textarea":
		if g.attrs["type"] != "hidden" && !labelled[g.attrs["id"]] {
			t.Errorf("<%s name=%q> has no label", g.name, g.attrs["name"])
		}
	case "img":
		if g.attrs["alt"] == "" {
			t.Error("an image without words")
		}
	case "section":
		if g.attrs["aria-labelledby"] == "" && g.attrs["aria-label"] == "" {
			t.Error("a section without a name")
		}
	}
}

// TestCards holds every table to its cards: at phone width a cell is read by its label alone.
func TestCards(t *testing.T) {
	tables := regexp.MustCompile(`(?s)<table.*?</table>`)
	heads := regexp.MustCompile(`<th [^>]*>([^<]*)</th>`)
	rows := regexp.MustCompile(`(?s)<tbody.*</tbody>`)
	row := regexp.MustCompile(`(?s)<tr.*?</tr>`)
	cell := regexp.MustCompile(`<td [^>]*data-label="([^"]*)"`)
	found := 0
	for _, p := range allPages() {
		for _, table := range tables.FindAllString(render(t, p.view), -1) {
			if strings.HasPrefix(table, `<table class="figures"`) {
				continue // a chart's: its few narrow columns fit, and each row is named by its first cell
			}
			var want []string
			for _, m := range heads.FindAllStringSubmatch(table, -1) {
				want = append(want, m[1])
			}
			for _, r := range row.FindAllString(rows.FindString(table), -1) {
				var got []string
				for _, m := range cell.FindAllStringSubmatch(r, -1) {
					got = append(got, m[1])
				}
				found++
				if !slices.Equal(got, want) {
					t.Errorf("%s: a row's labels are %q, the columns %q", p.name, got, want)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no row found")
	}
}

// TestSpacing finds words that ran together: templ drops the space around a component.
func TestSpacing(t *testing.T) {
	joined := regexp.MustCompile(`[\pL\pN:,;]<(?:time|span|code|a|strong|q)[ >]|</(?:time|span|code|a|strong|q)>[\pL\pN“(–]`)
	for _, p := range allPages() {
		page := render(t, p.view)
		for _, at := range joined.FindAllStringIndex(page, -1) {
			t.Errorf("%s: no space in %q", p.name, page[max(0, at[0]-30):min(len(page), at[1]+30)])
		}
	}
}

// TestNothingSlipsThrough feeds markup through the fields that others fill.
func TestNothingSlipsThrough(t *testing.T) {
	for _, name := range []string{"order-refusal-refused", "orders-refused-form"} {
		i := slices.IndexFunc(allPages(), func(p page) bool { return p.name == name })
		page := render(t, allPages()[i].view)
		if strings.Contains(page, "<script>") || strings.Contains(page, "<b>ten") {
			t.Errorf("%s: markup slipped through", name)
		}
	}
	d := verifyData("en", false)
	d.State, d.CaptureURL, d.QRSVG, d.ShopName, d.ShopURL = "created", "javascript:alert(1)", `"><script>alert(1)</script>`, "<script>alert(1)</script>", "javascript:alert(1)"
	page := render(t, VerifyPage(d))
	if strings.Contains(page, "javascript:") || strings.Contains(page, "<script>alert") || strings.Contains(page, "<script>alert(1)") {
		t.Error("the hosted page carries a script it was given as an address")
	}
}

// TestRefresh: only a page that waits looks again, and then in both ways.
func TestRefresh(t *testing.T) {
	want := map[string]bool{"verify-created": true, "verify-created-ja": true, "verify-started": true, "verify-processing": true, "verify-review": true,
		"whatif-running": true, "whatif-one-running": true, "whatif-beginning": true, "erase-under-way": true}
	for _, p := range allPages() {
		page := render(t, p.view)
		if got := strings.Contains(page, `http-equiv="refresh"`); got != want[p.name] {
			t.Errorf("%s: reloads %t, want %t", p.name, got, want[p.name])
		}
		if got := strings.Contains(page, `data-refresh`); got != want[p.name] {
			t.Errorf("%s: looks again %t, want %t", p.name, got, want[p.name])
		}
	}
}

// TestSecretsStay: keys are never sent back, and a verification link is shown only while the order is held.
func TestSecretsStay(t *testing.T) {
	s := SettingsData{Layout: layout("off"), Own: true, LicenseKeySet: true, DVCIDSet: true, Tenant: TenantForm{DNS: "a.example", LicenseKey: "key-in-the-form", DVCID: "dvc-in-the-form"}}
	if page := render(t, Settings(s)); strings.Contains(page, "in-the-form") {
		t.Error("a key went back to the browser")
	}
	for _, hold := range HoldStates() {
		o := heldOrder()
		o.Hold = hold
		want := slices.Contains([]string{"held", "held_again", "holding", "cancelling"}, hold)
		if got := strings.Contains(render(t, Order(o)), o.VerifyURL); got != want {
			t.Errorf("an order that is %s shows its link: %t, want %t", hold, got, want)
		}
	}
}
