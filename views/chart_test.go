package views

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCeiling(t *testing.T) {
	for _, tt := range []struct{ most, unit, top, step int64 }{
		{0, 1, 1, 1}, {1, 1, 1, 1}, {3, 1, 3, 1}, {4, 1, 4, 1}, {5, 1, 6, 2}, {8, 1, 8, 2}, {9, 1, 10, 5}, {20, 1, 20, 5}, {21, 1, 30, 10}, {99, 1, 100, 50}, {100, 1, 100, 50},
		{101, 1, 150, 50}, {201, 1, 300, 100}, {11_000, 1, 15_000, 5000}, {1_000_000, 1, 1_000_000, 500_000},
		{0, 100, 100, 100}, {1, 100, 100, 100}, {250_00, 100, 300_00, 100_00}, {999, 1000, 1000, 1000}, // money: whole units at least
		{math.MaxInt64, 1, math.MaxInt64 - 3, math.MaxInt64 / 4}, {math.MaxInt64, 1000, math.MaxInt64 - 3, math.MaxInt64 / 4}, {4_000_000_000_000_000_000, 100, math.MaxInt64 - 3, math.MaxInt64 / 4},
	} {
		if top, step := ceiling(tt.most, tt.unit); top != tt.top || step != tt.step {
			t.Errorf("%d in %d: up to %d by %d, want %d by %d", tt.most, tt.unit, top, step, tt.top, tt.step)
		}
	}
}

func series(n int) (out []Series) {
	for i := range n {
		out = append(out, Series{Name: fmt.Sprint("s", i), Class: ChartClasses()[i]})
	}
	return out
}

func drawn(bars []bar) string {
	var out []string
	for _, b := range bars {
		out = append(out, fmt.Sprintf("%d at %s+%s, %s+%s", b.series, decimal(b.x), decimal(b.width), decimal(b.y), decimal(b.height)))
	}
	return strings.Join(out, "; ")
}

func TestChartBars(t *testing.T) {
	points := func(values ...[]int64) (out []Point) {
		for _, v := range values {
			out = append(out, Point{Values: v})
		}
		return out
	}
	for name, tt := range map[string]struct {
		chart Chart
		want  string
		ticks string
	}{
		"nothing":          {Chart{Series: series(2)}, "", "168 0; 8 1"},
		"zero days":        {Chart{Series: series(2), Points: points([]int64{0, 0}, []int64{0, 0})}, "", "168 0; 8 1"},
		"one day, stacked": {Chart{Series: series(3), Stacked: true, Points: points([]int64{2, 1, 1})}, "0 at 15+70, 88+80; 1 at 15+70, 48+40; 2 at 15+70, 8+40", "168 0; 128 1; 88 2; 48 3; 8 4"},
		"two, side by side": {Chart{Series: series(2), Points: points([]int64{4, 2}, []int64{0, 1})},
			"0 at 7.5+17.5, 8+160; 1 at 25+17.5, 88+80; 1 at 75+17.5, 128+40", "168 0; 128 1; 88 2; 48 3; 8 4"},
		"tiny beside big": {Chart{Series: series(1), Points: points([]int64{1}, []int64{100_000})}, "0 at 7.5+35, 167+1; 0 at 57.5+35, 8+160", "168 0; 88 50k; 8 100k"},
		"below zero":      {Chart{Series: series(2), Points: points([]int64{-5, 1})}, "1 at 50+35, 8+160", "168 0; 8 1"},
		"cents":           {Chart{Series: series(1), Digits: 2, Points: points([]int64{250_050})}, "0 at 15+70, 34.64+133.36", "168 0; 114.67 1k; 61.33 2k; 8 3k"},
	} {
		var ticks []string
		for _, k := range tt.chart.ticks() {
			ticks = append(ticks, decimal(k.y)+" "+k.text)
		}
		if got := drawn(tt.chart.bars()); got != tt.want || strings.Join(ticks, "; ") != tt.ticks {
			t.Errorf("%s:\n got %s\nwant %s\nlines %s\n want %s", name, got, tt.want, strings.Join(ticks, "; "), tt.ticks)
		}
		if tt.chart.empty() != (tt.want == "") {
			t.Errorf("%s: empty is %v", name, tt.chart.empty())
		}
	}
}

// TestChartFits: whatever the values, every bar is within the plot, bars do not overlap, and the lines go from the bottom to the top.
func TestChartFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kinds, days := rapid.IntRange(1, 3).Draw(t, "series"), rapid.IntRange(1, 100).Draw(t, "days")
		c := Chart{ID: "c", Series: series(kinds), Stacked: rapid.Bool().Draw(t, "stacked"), Digits: rapid.IntRange(0, 3).Draw(t, "digits")}
		value := rapid.OneOf(rapid.Int64Range(0, 30), rapid.Int64Range(0, 1_000_000), rapid.Just(int64(math.MaxInt64)), rapid.Just(int64(0)))
		for range days {
			p := Point{}
			for range kinds {
				p.Values = append(p.Values, value.Draw(t, "value"))
			}
			c.Points = append(c.Points, p)
		}
		right := map[int]float64{}
		for _, b := range c.bars() {
			if b.x < 0 || b.x+b.width > 100.001 || b.height < 1 || b.y < tickRoom-float64(kinds)-0.01 || b.y+b.height > tickRoom+plotHeight+0.01 {
				t.Fatalf("%+v is outside", b)
			}
			if !c.Stacked && b.x < right[0]-0.001 {
				t.Fatalf("%+v is over its neighbour, which ends at %v", b, right[0])
			}
			right[0] = b.x + b.width
		}
		ticks := c.ticks()
		if len(ticks) < 2 || len(ticks) > mostTicks+1 || ticks[0].y != tickRoom+plotHeight || ticks[len(ticks)-1].y != tickRoom || ticks[0].text != "0" {
			t.Fatalf("lines %+v", ticks)
		}
	})
}

func TestChartLabels(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 7: 7, 8: 8, 23: 6, 24: 6, 25: 5, 30: 6, 90: 6} {
		got := 0
		c := Chart{Points: make([]Point, n)}
		for i := range n {
			if c.labelled(i) {
				got++
			}
		}
		if got != want {
			t.Errorf("%d points have %d labels, want %d", n, got, want)
		}
	}
}

func TestCompact(t *testing.T) {
	for _, tt := range []struct {
		v, unit int64
		want    string
	}{{0, 1, "0"}, {7, 1, "7"}, {999, 1, "999"}, {1000, 1, "1k"}, {1500, 1, "1.5k"}, {20_000_000, 1, "20M"}, {3_000_000_000, 1, "3bn"}, {math.MaxInt64, 1, "9223372tn"}, {250_00, 100, "250"},
		{150_000_00, 100, "150k"}, {50, 100, "0.5"}, {5, 0, "5"}} {
		if got := compact(tt.v, tt.unit); got != tt.want {
			t.Errorf("%d in %d: %q, want %q", tt.v, tt.unit, got, tt.want)
		}
	}
}

// TestChartTable: behind every chart stand the same figures, each under its name.
func TestChartTable(t *testing.T) {
	html := render(t, chart(someFigures("7").Values))
	for _, want := range []string{`role="img"`, `aria-labelledby="chart-money-title chart-money-desc"`, "<desc", "<summary>The same figures as a table</summary>", `<th scope="col" class="number">Released</th>`,
		`<th scope="row">3 Mar</th>`} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, p := range someFigures("7").Values.Points {
		for _, text := range p.Texts {
			if !strings.Contains(html, `<td class="number">`+text+"</td>") {
				t.Errorf("the table lacks %s", text)
			}
		}
	}
}
