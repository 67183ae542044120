package web

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // what may be uploaded
	"image/png"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // what may be uploaded

	"idgate/app/ledger"
	"idgate/views"
)

// What a logo may be, and what is made of it: a PNG that a page shows at half this size, so that it is sharp on a phone.
const (
	maxLogo       = 64 << 10 // bytes as uploaded
	maxLogoPixels = 1 << 20  // a JPEG may go over all of them once for every few of its bytes
	maxLogoSide   = 4096
	logoWidth     = 480
	logoHeight    = 160
)

var errLogo = errors.New("not a picture that can be used")

// makeLogo makes a PNG of an uploaded picture: its points and nothing else that was in the file. code is what views.FieldError takes.
func makeLogo(b []byte) (made []byte, code string) {
	if len(b) > maxLogo {
		return nil, fmt.Sprintf("the picture has %d kB, save it smaller: at most %d kB", (len(b)+1023)>>10, maxLogo>>10)
	}
	const remedy = "this is no PNG, JPEG or WebP picture that can be read, save it as one of these and choose it again"
	c, kind, err := image.DecodeConfig(bytes.NewReader(b))
	switch {
	case err != nil || kind != "png" && kind != "jpeg" && kind != "webp":
		return nil, remedy
	case c.Width < 1 || c.Height < 1 || c.Width > maxLogoSide || c.Height > maxLogoSide || c.Width*c.Height > maxLogoPixels:
		return nil, fmt.Sprintf("the picture has %d × %d points, make it smaller: about %d × %d will do", c.Width, c.Height, logoWidth, logoHeight)
	}
	from, err := decodeLogo(b)
	if err != nil {
		return nil, remedy
	}
	size := from.Bounds().Size()
	scale := math.Min(1, math.Min(logoWidth/float64(size.X), logoHeight/float64(size.Y)))
	to := image.NewNRGBA(image.Rect(0, 0, max(1, int(math.Round(float64(size.X)*scale))), max(1, int(math.Round(float64(size.Y)*scale)))))
	draw.CatmullRom.Scale(to, to.Bounds(), from, from.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, to); err != nil {
		return nil, remedy
	}
	return out.Bytes(), ""
}

// decodeLogo reads a picture. A decoder that fails on what it is given must not take the process with it.
func decodeLogo(b []byte) (m image.Image, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = fmt.Errorf("%w: %v", errLogo, e)
		}
	}()
	m, _, err = image.Decode(bytes.NewReader(b))
	return m, err
}

func logoPath(shop *ledger.Shop, name string) string {
	return "/logos/" + shop.Hash + "/" + name + ".png"
}

var logoFile = regexp.MustCompile(`^([0-9a-f]{32})\.png$`)

// logo serves a Shop's logo. Its address names its content, so it never changes; mails show it too.
func (s *Server) logo(w http.ResponseWriter, r *http.Request) error {
	none := refuse(http.StatusNotFound, "not_found", "no such picture")
	m := logoFile.FindStringSubmatch(r.PathValue("file"))
	if m == nil {
		return none
	}
	shop, err := s.Ledger.Shop(r.PathValue("shop"))
	if err != nil {
		return none.because(err)
	}
	body, err := s.Ledger.Logo(r.Context(), shop.Hash, m[1])
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin") // mail programs in a browser
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(body) // the client may be gone
	return nil
}

// look is the branding as pages take it.
func (s *Server) look(shop *ledger.Shop, b ledger.Branding) views.Look {
	var out views.Look
	if b.Accent != "" {
		out.Accent = "/assets/accent." + strings.TrimPrefix(b.Accent, "#") + ".css"
	}
	if b.Logo != "" {
		out.Logo = logoPath(shop, b.Logo)
	}
	return out
}

var accentFile = regexp.MustCompile(`^/assets/(accent|dialog)\.([0-9a-f]{6})\.css$`)

// accentSheet is the stylesheet of a colour: our pages allow no style inside them. It is the same whoever asks.
func (s *Server) accentSheet(path string) (asset, bool) {
	m := accentFile.FindStringSubmatch(path)
	if m == nil {
		return asset{}, false
	}
	c := "#" + m[2]
	if onWhite(c) < readable {
		return asset{}, false
	}
	if m[1] == "dialog" {
		style, ok := dialogStyle(s.Gate, c)
		return asset{style, "text/css; charset=utf-8"}, ok
	}
	return asset{[]byte(".bare { --primary: " + c + "; --primary-dark: " + c + "; --on-primary: #ffffff; }\n.bare .button.primary:hover { filter: brightness(0.9); }\n"),
		"text/css; charset=utf-8"}, true
}

// readable is WCAG's least contrast of text (AA, 1.4.3).
const readable = 4.5

// luminance is WCAG's relative luminance of a #rrggbb colour.
func luminance(c string) float64 {
	n, err := strconv.ParseUint(strings.TrimPrefix(c, "#"), 16, 32)
	if err != nil {
		return 1
	}
	linear := func(v uint64) float64 {
		x := float64(v&0xff) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}

// onWhite is the contrast of a colour with white: of white text on it, and of it as text on white, which are the same.
func onWhite(c string) float64 { return 1.05 / (luminance(c) + 0.05) }

var hexColour = regexp.MustCompile(`^#?([0-9a-f]{3}|[0-9a-f]{6})$`)

// parseAccent reads a colour as people write it, and refuses one that cannot be read, with the nearest shade of it that can.
func parseAccent(text string) (accent, code string) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return "", ""
	}
	m := hexColour.FindStringSubmatch(text)
	if m == nil {
		return text, "enter a colour by its six hexadecimal digits, such as #1f4fbf"
	}
	c := m[1]
	if len(c) == 3 {
		c = string([]byte{c[0], c[0], c[1], c[1], c[2], c[2]})
	}
	c = "#" + c
	if have := onWhite(c); have < readable {
		return c, fmt.Sprintf("white text on %s has a contrast of %.1f to 1 and could not be read by everyone, at least %.1f is needed: %s is the nearest shade that will do",
			c, math.Floor(have*10)/10, readable, darker(c))
	}
	return c, ""
}

// darker is the lightest shade of a colour on which white text can be read.
func darker(c string) string {
	n, err := strconv.ParseUint(strings.TrimPrefix(c, "#"), 16, 32)
	if err != nil {
		return "#000000"
	}
	from := color.NRGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 255} //nolint:gosec // the digits of a colour
	for keep := 255; keep > 0; keep-- {
		shade := fmt.Sprintf("#%02x%02x%02x", int(from.R)*keep/255, int(from.G)*keep/255, int(from.B)*keep/255)
		if onWhite(shade) >= readable {
			return shade
		}
	}
	return "#000000"
}
