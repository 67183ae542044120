package views

import (
	"math"
	"strconv"
	"strings"
)

// Chart is bars over time, with the same figures as a table. Its bars are drawn here, so that a browser needs nothing to show them.
type Chart struct {
	ID      string // unique on the page
	Title   string
	Desc    string // what the bars say, in a sentence
	Head    string // what a point is: Day or Hour
	Series  []Series
	Points  []Point
	Stacked bool // a point's bars stand on each other; otherwise beside each other
	Digits  int  // decimals of the values' unit: 2 where they are cents, 0 where they are counted
}

// Series is one kind of bar. Class is how it is drawn, one of ChartClasses.
type Series struct{ Name, Class string }

// Point is one place on the axis of time.
type Point struct {
	Label  string // short, for the axis
	Long   string // whole, for the table
	Values []int64
	Texts  []string // the values as they are read
}

// ChartClasses lists how bars can be drawn. Colour is never the only difference: the first is filled, the second striped, the third dotted.
func ChartClasses() []string { return []string{"good", "bad", "none"} }

const (
	plotHeight = 160.0 // px
	axisHeight = 24    // px, for the labels beneath
	tickRoom   = 8     // px above the uppermost line, for its label
	mostTicks  = 4
	mostLabels = 8
)

// tick is a line of the grid.
type tick struct {
	y    float64
	text string
}

// bar is one drawn value: x and width in percent of the plot, y and height in px.
type bar struct {
	series              int
	x, y, width, height float64
}

// ceiling is the top of an axis that reaches most, and the step between its lines: 1, 2 or 5 times a power of ten, of whole units at least.
func ceiling(most, unit int64) (top, step int64) {
	const highest = math.MaxInt64 / mostTicks
	for power := max(unit, 1); power <= highest/5; power *= 10 {
		for _, times := range []int64{1, 2, 5} {
			step = power * times
			if most <= step*mostTicks {
				lines := max(1, (most+step-1)/step)
				return step * lines, step
			}
		}
	}
	return highest * mostTicks, highest
}

// unit is how many of the values make one of what the axis counts.
func (c Chart) unit() int64 {
	n := int64(1)
	for range min(max(c.Digits, 0), 6) {
		n *= 10
	}
	return n
}

// drawable is a value as far as it can be drawn: a few of them must not add up to more than there are numbers.
func drawable(v int64) int64 { return min(max(v, 0), math.MaxInt64/8) }

// highest is the longest bar, or stack of bars. Values below zero are none.
func (c Chart) highest() (most int64) {
	for _, p := range c.Points {
		sum := int64(0)
		for _, v := range p.Values {
			if v = drawable(v); !c.Stacked {
				sum = 0
			}
			sum += v
			most = max(most, sum)
		}
	}
	return most
}

func (c Chart) empty() bool { return c.highest() == 0 }

func (c Chart) ticks() (out []tick) {
	top, step := ceiling(c.highest(), c.unit())
	for i := range top/step + 1 {
		out = append(out, tick{tickRoom + plotHeight - height(i*step, top), compact(i*step, c.unit())})
	}
	return out
}

func height(v, top int64) float64 { return float64(v) / float64(top) * plotHeight }

// bars are what is drawn: a value that is not zero is at least one pixel high.
func (c Chart) bars() (out []bar) {
	if len(c.Points) == 0 {
		return nil
	}
	top, _ := ceiling(c.highest(), c.unit())
	slot := 100 / float64(len(c.Points))
	for i, p := range c.Points {
		base := tickRoom + plotHeight
		for j, v := range p.Values {
			if v = drawable(v); v == 0 {
				continue
			}
			b := bar{series: j, x: (float64(i) + 0.15) * slot, width: 0.7 * slot, height: max(height(v, top), 1)}
			if !c.Stacked {
				b.width /= float64(len(p.Values))
				b.x += float64(j) * b.width
			}
			b.y = base - b.height
			if c.Stacked {
				base = b.y
			}
			out = append(out, b)
		}
	}
	return out
}

// labelled says whether the axis names this point: all of a few, otherwise every so many.
func (c Chart) labelled(i int) bool {
	n := len(c.Points)
	if n <= mostLabels {
		return true
	}
	return i%((n+5)/6) == 0
}

func (c Chart) middle(i int) string {
	return percent((float64(i) + 0.5) * 100 / float64(len(c.Points)))
}

func (c Chart) fill(series int) string { return "url(#" + c.ID + "-" + c.Series[series].Class + ")" }

// texts are a point's figures as they are read.
func (p Point) text(series int) string {
	if series < len(p.Texts) {
		return p.Texts[series]
	}
	return ""
}

func decimal(f float64) string {
	s := strconv.FormatFloat(f, 'f', 2, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func percent(f float64) string { return decimal(f) + "%" }

// compact is a figure of the axis, short: 950, 1.5k, 20M, 3bn.
func compact(v, unit int64) string {
	f := float64(v) / float64(max(unit, 1))
	for _, s := range []struct {
		from float64
		name string
	}{{1e12, "tn"}, {1e9, "bn"}, {1e6, "M"}, {1e3, "k"}} {
		if f >= s.from {
			return strings.TrimSuffix(strconv.FormatFloat(f/s.from, 'f', 1, 64), ".0") + s.name
		}
	}
	return decimal(f)
}
