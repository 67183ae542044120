package sim

import (
	"fmt"
	"html/template"
	"strings"
)

// insertedScripts is what the platform writes into a page for the shop's Scripts API records:
// a src record as an element with its integrity hashes, a script_tag record verbatim.
func (q *visit) insertedScripts(page, location string) template.HTML {
	var b strings.Builder
	for _, s := range q.shop.ScriptsFor(q.channel, page, location) {
		if s.Kind == "script_tag" {
			b.WriteString(s.HTML + "\n")
			continue
		}
		b.WriteString("<script")
		attr := func(name, value string) { fmt.Fprintf(&b, ` %s="%s"`, name, template.HTMLEscapeString(value)) }
		attr("src", s.Src)
		if len(s.IntegrityHashes) > 0 {
			attr("integrity", strings.Join(s.IntegrityHashes, " "))
			attr("crossorigin", "anonymous")
		}
		attr("data-script-uuid", s.UUID)
		attr("data-consent-category", s.ConsentCategory)
		switch s.LoadMethod {
		case "async", "defer":
			b.WriteString(" " + s.LoadMethod)
		}
		b.WriteString("></script>\n")
	}
	return template.HTML(b.String()) //nolint:gosec // the merchant's own scripts are the point
}
