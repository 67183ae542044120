package web

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"maps"
	"math"
	"strings"
	"testing"

	"idgate/app/ledger"
	"idgate/views"
)

func TestParseAccent(t *testing.T) {
	for _, tc := range []struct{ text, accent, code string }{
		{"", "", ""},
		{" #8A1C4A ", "#8a1c4a", ""},
		{"8a1c4a", "#8a1c4a", ""},
		{"#005", "#000055", ""},
		{"#000000", "#000000", ""},
		{"#767676", "#767676", ""}, // WCAG's own example of the least
		{"#777777", "", "#767676 is the nearest shade"},
		{"#ffcc00", "", "a contrast of 1.5 to 1"},
		{"#ffffff", "", "#767676 is the nearest shade"},
		{"red", "", "six hexadecimal digits"},
		{"#12345", "", "six hexadecimal digits"},
		{"#1234567", "", "six hexadecimal digits"},
		{"rgb(1,2,3)", "", "six hexadecimal digits"},
		{"#000;}*{x", "", "six hexadecimal digits"},
		{strings.Repeat("0", 5000), "", "six hexadecimal digits"},
	} {
		got, code := parseAccent(tc.text)
		if tc.code == "" && (got != tc.accent || code != "") || tc.code != "" && !strings.Contains(code, tc.code) {
			t.Errorf("%.40q: %q, %q, want %q, %q", tc.text, got, code, tc.accent, tc.code)
		}
	}
	for c, want := range map[string]float64{"#000000": 21, "#ffffff": 1, "#767676": 4.54, "#1f4fbf": 7.17} {
		if got := onWhite(c); math.Abs(got-want) > 0.01 {
			t.Errorf("%s: %.3f, want %.2f", c, got, want)
		}
	}
}

func FuzzParseAccent(f *testing.F) {
	for _, seed := range []string{"#8a1c4a", "fc0", "#ffffff", "red", "#12345g", "＃123456"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, code := parseAccent(text)
		switch {
		case code != "" && strings.HasPrefix(views.FieldError(code), "This cannot be used"):
			t.Errorf("%q: the code %q has no words", text, code)
		case code == "" && c != "":
			if again, code := parseAccent(c); again != c || code != "" || len(c) != 7 || onWhite(c) < readable {
				t.Errorf("%q became %q, which is %q, %q", text, c, again, code)
			}
			if _, ok := (&Server{}).accentSheet("/assets/accent." + c[1:] + ".css"); !ok {
				t.Errorf("%s has no stylesheet", c)
			}
		case strings.Contains(code, "nearest shade"):
			if shade := darker(c); onWhite(shade) < readable {
				t.Errorf("%s is advised for %s and would be refused", shade, c)
			}
		}
	})
}

func picture(width, height int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		for y := range height {
			m.Set(x, y, color.NRGBA{uint8(x), uint8(y), 40, 255}) //nolint:gosec // any colour will do
		}
	}
	return m
}

func asPNG(t testing.TB, m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t testing.TB, m image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A picture of one point, as WebP.
const webp = "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"

// foreign is what a file may carry along: a comment in a PNG, and a page behind its end.
func foreign(t testing.TB) []byte {
	b := asPNG(t, picture(30, 10))
	return append(b, "<script>alert(1)</script><?php"...)
}

func TestMakeLogo(t *testing.T) {
	point, err := base64.StdEncoding.DecodeString(webp)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name          string
		file          []byte
		width, height int
		code          string
	}{
		{"a small PNG stays its size", asPNG(t, picture(30, 10)), 30, 10, ""},
		{"a JPEG", asJPEG(t, picture(480, 160)), 480, 160, ""},
		{"a WebP", point, 1, 1, ""},
		{"wide", asJPEG(t, picture(960, 40)), 480, 20, ""},
		{"high", asJPEG(t, picture(100, 400)), 40, 160, ""},
		{"a line", asPNG(t, picture(2000, 1)), 480, 1, ""},
		{"with more behind it", foreign(t), 30, 10, ""},
		{"nothing", []byte{}, 0, 0, "no PNG, JPEG or WebP"},
		{"text", []byte("a picture"), 0, 0, "no PNG, JPEG or WebP"},
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), 0, 0, "no PNG, JPEG or WebP"},
		{"GIF", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), 0, 0, "no PNG, JPEG or WebP"},
		{"cut off", asPNG(t, picture(30, 10))[:60], 0, 0, "no PNG, JPEG or WebP"},
		{"a bomb", asPNG(t, image.NewGray(image.Rect(0, 0, 8000, 3000))), 0, 0, "8000 × 3000 points"},
		{"too many bytes", bytes.Repeat([]byte("x"), maxLogo+1), 0, 0, "at most 64 kB"},
	} {
		got, code := makeLogo(tc.file)
		if (tc.code == "") != (code == "") || !strings.Contains(code, tc.code) {
			t.Errorf("%s: %q, want %q", tc.name, code, tc.code)
			continue
		}
		if code != "" {
			continue
		}
		c, err := png.DecodeConfig(bytes.NewReader(got))
		if err != nil || c.Width != tc.width || c.Height != tc.height || bytes.Contains(got, []byte("script")) {
			t.Errorf("%s: %d × %d, %v, want %d × %d", tc.name, c.Width, c.Height, err, tc.width, tc.height)
		}
	}
}

func FuzzMakeLogo(f *testing.F) {
	point, _ := base64.StdEncoding.DecodeString(webp)
	for _, seed := range [][]byte{asPNG(f, picture(30, 10)), asJPEG(f, picture(20, 20)), point, foreign(f), []byte("GIF89a")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, code := makeLogo(b)
		if code != "" {
			return
		}
		c, err := png.DecodeConfig(bytes.NewReader(got))
		if err != nil || c.Width > logoWidth || c.Height > logoHeight || len(got) > 256<<10 {
			t.Errorf("%d bytes, %d × %d, %v", len(got), c.Width, c.Height, err)
		}
		if again, code := makeLogo(got); code == "" && !bytes.Equal(again, got) {
			t.Error("made again it is another picture")
		}
	})
}

func TestReadBranding(t *testing.T) {
	had := ledger.Branding{Name: "Old", Logo: "0123456789abcdef0123456789abcdef"}
	logo, _ := makeLogo(asPNG(t, picture(30, 10)))
	for _, tc := range []struct {
		name   string
		form   views.BrandingForm
		upload []byte
		want   ledger.Branding
		wrong  map[string]string
	}{
		{"nothing: the logo stays", views.BrandingForm{}, nil, ledger.Branding{Logo: had.Logo}, nil},
		{"all", views.BrandingForm{Name: "Larkspur", Contact: "+1 303 555 0100", Accent: "#8A1C4A"}, asPNG(t, picture(30, 10)),
			ledger.Branding{Name: "Larkspur", Contact: "+1 303 555 0100", Accent: "#8a1c4a", Logo: ledger.LogoName(logo)}, nil},
		{"the logo goes", views.BrandingForm{RemoveLogo: "on"}, nil, ledger.Branding{}, nil},
		{"a new logo and the old one to go: the new one", views.BrandingForm{RemoveLogo: "on"}, asPNG(t, picture(30, 10)), ledger.Branding{Logo: ledger.LogoName(logo)}, nil},
		{"too long", views.BrandingForm{Name: strings.Repeat("é", 81), Contact: strings.Repeat("c", 121)}, nil, ledger.Branding{},
			map[string]string{"name": "too_long:80", "contact": "too_long:120"}},
		{"as long as may be", views.BrandingForm{Name: strings.Repeat("é", 80), Contact: strings.Repeat("c", 120)}, nil,
			ledger.Branding{Name: strings.Repeat("é", 80), Contact: strings.Repeat("c", 120), Logo: had.Logo}, nil},
		{"unfit", views.BrandingForm{Name: "Shop\r\nBcc: eve@example.com", Contact: "a\u202eb"}, nil, ledger.Branding{},
			map[string]string{"name": "write it in one line, without control characters", "contact": "write it in one line, without control characters"}},
	} {
		got, made, wrong := readBranding(tc.form, had, tc.upload)
		if !maps.Equal(wrong, tc.wrong) && len(wrong)+len(tc.wrong) > 0 || len(wrong) == 0 && got != tc.want || (made == nil) != (tc.upload == nil) {
			t.Errorf("%s: %+v, refused %v, want %+v, %v", tc.name, got, wrong, tc.want, tc.wrong)
		}
	}
	_, _, wrong := readBranding(views.BrandingForm{Accent: "blue"}, had, []byte("text"))
	if wrong["accent"] == "" || wrong["logo"] == "" {
		t.Errorf("refused %v", wrong)
	}
}
