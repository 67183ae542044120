package views

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var (
	shots = flag.String("shots", "", "write a picture of every page into this directory, to be looked at")
	only  = flag.String("pages", "", "pages that TestPageAxe opens, as a regular expression; empty: all")
)

// axeRun gives the violations, each with its elements, and how many rules were run.
const axeRun = `axe.run(document).then(r => [r.violations.length + r.passes.length + r.incomplete.length + r.inapplicable.length].concat(
	r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html.slice(0, 160)).join(" | "))).join("\n"))`

// look is a width and a colour scheme.
type look struct {
	scheme string
	width  int64
}

// looks are those that TestPageAxe opens every page in: wide and light, and at phone width and dark; with pictures, the other two as well.
func looks() []look {
	all := []look{{"light", 1280}, {"dark", 390}}
	if *shots != "" {
		all = append(all, look{"dark", 1280}, look{"light", 390})
	}
	return all
}

// TestPageAxe holds every page to axe-core's rules.
func TestPageAxe(t *testing.T) {
	axe, err := os.ReadFile("../assets/node_modules/axe-core/axe.min.js")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED, no page was held to axe-core's rules: %v (npm ci in assets)", err)
	}
	var pages []page
	for _, p := range allPages() {
		if regexp.MustCompile(*only).MatchString(p.name) {
			pages = append(pages, p)
		}
	}
	if len(pages) == 0 {
		t.Fatal("there is no such page")
	}
	const perBrowser = 40 // a browser is given two minutes
	for _, look := range looks() {
		for some := range slices.Chunk(pages, perBrowser) {
			t.Run(fmt.Sprintf("%s, %d px", look.scheme, look.width), func(t *testing.T) {
				ctx, s := browser(t), newSite(t)
				do(t, ctx, chromedp.EmulateViewport(look.width, 900), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
					_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}})
					return err
				}))
				rules := ""
				for _, p := range some {
					s.put("/"+p.name, render(t, p.view))
					do(t, ctx, chromedp.Navigate(s.URL+"/"+p.name))
					if *shots != "" {
						b, err := chromedp.Run(ctx, chromedp.FullScreenshot(80))
						if err == nil {
							err = os.WriteFile(filepath.Join(*shots, fmt.Sprintf("%s-%d-%s.jpg", p.name, look.width, look.scheme)), b, 0o644)
						}
						if err != nil {
							t.Fatal(err)
						}
					}
					eval[bool](t, ctx, string(axe)+"; true")
					said, err := chromedp.Run(ctx, chromedp.Evaluate[string](axeRun, chromedp.EvalAwaitPromise))
					if err != nil {
						t.Fatalf("%s: %v", p.name, err)
					}
					n, violations, found := strings.Cut(said, "\n")
					if found {
						t.Errorf("%s: %s", p.name, violations)
					}
					rules = n
				}
				t.Logf("%d pages held to %s rules", len(some), rules)
			})
		}
	}
}
