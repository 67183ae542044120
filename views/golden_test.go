package views

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"
)

var (
	update  = flag.Bool("update", false, "write the golden files anew")
	preview = flag.String("preview", "", "write every page with its style into this directory, to be looked at")
)

func render(t *testing.T, v templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := v.Render(context.Background(), &b); err != nil {
		t.Fatalf("rendering: %v", err)
	}
	return b.String()
}

// readable puts tags on lines of their own, so that a change in a golden file can be read.
func readable(html string) string { return strings.ReplaceAll(html, "><", ">\n<") + "\n" }

const goldenDir = "testdata/golden"

func TestGolden(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range allPages() {
		if seen[p.name] {
			t.Fatalf("two pages are called %s", p.name)
		}
		seen[p.name] = true
		t.Run(p.name, func(t *testing.T) {
			got := readable(render(t, p.view))
			file := filepath.Join(goldenDir, p.name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v (go test ./views -update writes it)", err)
			}
			if got != string(want) {
				t.Errorf("differs from %s at %s (go test ./views -update writes it anew)", file, firstDifference(got, string(want)))
			}
		})
	}
	files, err := os.ReadDir(goldenDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[strings.TrimSuffix(f.Name(), ".html")] {
			t.Errorf("%s belongs to no page", f.Name())
		}
	}
}

// TestBodiesAreAlike: htmx puts a page's content into the body that is there and leaves that body's attributes, so no page may depend on its own.
func TestBodiesAreAlike(t *testing.T) {
	body := regexp.MustCompile(`<body[^>]*>`)
	for _, p := range allPages() {
		if got := body.FindString(render(t, p.view)); got != "<body>" && got != `<body hx-boost="true">` {
			t.Errorf("%s: %s", p.name, got)
		}
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "line " + itoa(i+1) + ":\n got " + g[i] + "\nwant " + w[i]
		}
	}
	return "the end: one is longer"
}

// TestPreview writes nothing unless asked to.
func TestPreview(t *testing.T) {
	if *preview == "" {
		return
	}
	css, err := os.ReadFile("../assets/admin/admin.css")
	if err != nil {
		t.Fatal(err)
	}
	style := "<style>" + string(css) + "</style>"
	for _, p := range allPages() {
		html := strings.Replace(render(t, p.view), `<link rel="stylesheet" href="/assets/admin.css">`, style, 1)
		if !strings.Contains(html, style) {
			t.Fatalf("%s: no stylesheet to replace", p.name)
		}
		if err := os.WriteFile(filepath.Join(*preview, p.name+".html"), []byte(html), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
