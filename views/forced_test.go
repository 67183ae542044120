package views

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// lostInForcedColours lists what tells something by a colour that forced colours take away, each with its element; none: nothing is lost.
const lostInForcedColours = `(() => {
	const probe = document.createElement("div");
	probe.style.cssText = "background:Canvas;color:CanvasText;border:1px solid GrayText";
	document.body.append(probe);
	const { backgroundColor: canvas, color: ink, borderTopColor: gray } = getComputedStyle(probe);
	probe.remove();
	const lost = [];
	const want = (e, what, is) => { if (!is) lost.push(what + ": " + e.outerHTML.slice(0, 120)); };
	if (!matchMedia("(forced-colors: active)").matches) lost.push("no forced colours");
	for (const e of document.querySelectorAll(".plot .bar, .swatch .bar")) want(e, "a bar's edge", getComputedStyle(e).stroke === ink && parseFloat(getComputedStyle(e).strokeWidth) > 0);
	for (const e of document.querySelectorAll("pattern .ink")) want(e, "a pattern's ink", getComputedStyle(e).fill === ink);
	for (const e of document.querySelectorAll("pattern .paper")) want(e, "a pattern's ground", getComputedStyle(e).fill === canvas);
	for (const e of document.querySelectorAll(".plot text")) want(e, "a figure on an axis", getComputedStyle(e).fill === ink);
	for (const e of document.querySelectorAll(".grid")) want(e, "a line of the grid", getComputedStyle(e).stroke === gray);
	const edged = (e, pseudo) => {
		const s = getComputedStyle(e, pseudo);
		return ["Top", "Right", "Bottom", "Left"].some(side => parseFloat(s["border" + side + "Width"]) > 0 && s["border" + side + "Style"] !== "none" && s["border" + side + "Color"] !== canvas);
	};
	for (const e of document.querySelectorAll(".badge, .panel, .count, .message, .button, input:not([type=hidden]):not([type=checkbox]):not([type=radio]), select, textarea")) {
		if (e.checkVisibility() && e.getClientRects().length) want(e, "an edge", edged(e));
	}
	for (const e of document.querySelectorAll(".tabs a, .pills a")) {
		const { borderBlockEndColor: edge, borderBlockEndWidth: width, backgroundColor: ground } = getComputedStyle(e);
		const told = ground !== canvas && ground !== "rgba(0, 0, 0, 0)" && !ground.startsWith("rgba(" + canvas.slice(4, -1) + ", 0") || parseFloat(width) > 0 && edge !== canvas;
		want(e, "which tab it is", told === e.hasAttribute("aria-current"));
	}
	for (const e of document.querySelectorAll("input[type=checkbox], input[type=radio]")) want(e, "what is ticked", getComputedStyle(e).appearance !== "none");
	for (const e of document.querySelectorAll(".timeline > li")) want(e, "a moment's mark", edged(e, "::before"));
	return lost.join("\n");
})()`

// TestPageForcedColours: where the reader's own colours are forced on every page (Windows' contrast themes), charts, badges, fields and what
// is chosen can still be told: nothing is said by a colour alone. With -shots, pictures are taken.
func TestPageForcedColours(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		t.Run(scheme, func(t *testing.T) {
			ctx, s := browser(t), newSite(t)
			do(t, ctx, chromedp.EmulateViewport(1280, 900), chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
					{Name: "forced-colors", Value: "active"}, {Name: "prefers-color-scheme", Value: scheme}}})
				return err
			}))
			for _, name := range []string{"overview-calm", "overview-attention", "overview-new", "orders-list", "orders-refused-form", "order-held", "verifications-list", "verification-passed", "review-some",
				"settings-own", "rules-full", "health-ill", "erase-under-way", "whatif-done", "whatif-running"} {
				view := rendered(t, name)
				s.put("/"+name, view)
				do(t, ctx, chromedp.Navigate(s.URL+"/"+name))
				if lost := eval[string](t, ctx, lostInForcedColours); lost != "" {
					t.Errorf("%s:\n%s", name, lost)
				}
				if *shots == "" {
					continue
				}
				b, err := chromedp.Run(ctx, chromedp.FullScreenshot(80))
				if err == nil {
					err = os.WriteFile(filepath.Join(*shots, fmt.Sprintf("forced-%s-%s.jpg", name, scheme)), b, 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
