package sim

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// drawings are line drawings on a field of 200 by 200, by a word in the product's name.
var drawings = []struct{ word, path string }{
	{"bean", `<ellipse cx="82" cy="112" rx="28" ry="42" transform="rotate(-24 82 112)"/><path d="M70 76c20 24 2 44 24 72"/><ellipse cx="130" cy="92" rx="24" ry="36" transform="rotate(20 130 92)"/><path d="M141 60c-18 20-2 38-22 62"/>`},
	{"mug", `<path d="M58 78h72v58a18 18 0 0 1-18 18H76a18 18 0 0 1-18-18z"/><path d="M130 92h10a16 16 0 0 1 0 34h-10"/><path d="M80 62c-6-8 6-12 0-20M104 62c-6-8 6-12 0-20"/>`},
	{"apron", `<path d="M78 46c4 14 40 14 44 0l10 40 16 8v62H52V94l16-8z"/><path d="M78 116h44v24H78z"/>`},
	{"knife", `<path d="M40 132 150 52c6 28-20 62-62 84z"/><path d="m88 136-30 22-18-26"/>`},
	{"whisky", `<path d="M88 40h24v34c16 8 22 18 22 34v44a8 8 0 0 1-8 8H74a8 8 0 0 1-8-8v-44c0-16 6-26 22-34z"/><path d="M66 108h68v32H66z"/>`},
	{"espresso", `<path d="M54 50h92v30H54zM62 80v66h76V80M50 156h100"/><path d="M86 80v14h28V80M100 94v12M84 122h32v14a8 8 0 0 1-8 8H92a8 8 0 0 1-8-8z"/>`},
	{"watch", `<circle cx="100" cy="100" r="38"/><path d="M100 78v24l16 10M84 64l4-26h24l4 26M84 136l4 26h24l4-26"/>`},
	{"video", `<rect x="46" y="62" width="108" height="76" rx="10"/><path d="M88 82v36l30-18z"/>`},
	{"", `<path d="m100 48 48 24v56l-48 24-48-24V72z"/><path d="m52 72 48 24 48-24M100 96v56"/>`},
}

var hexColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// showPicture draws a product: the simulator has no photographs.
func (f *storefront) showPicture(rw http.ResponseWriter, q *visit) error {
	id, _ := strconv.ParseInt(strings.TrimSuffix(q.PathValue("file"), ".svg"), 10, 64)
	p, err := q.shop.Product(id)
	if err != nil {
		return err
	}
	colour := p.Color
	if !hexColour.MatchString(colour) {
		colour = "#7a7f87"
	}
	drawing := ""
	for _, d := range drawings {
		if strings.Contains(strings.ToLower(p.Name), d.word) {
			drawing = d.path
			break
		}
	}
	rw.Header().Set("Content-Type", "image/svg+xml")
	rw.Header().Set("Cache-Control", "max-age=300")
	_, err = fmt.Fprintf(rw, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200"><rect width="200" height="200" fill="%s" fill-opacity=".16"/>`+
		`<g fill="%[1]s" fill-opacity=".22" stroke="%[1]s" stroke-width="3.5" stroke-linejoin="round" stroke-linecap="round">%s</g></svg>`, colour, drawing)
	return err
}
