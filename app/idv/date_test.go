package idv

import (
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Date
		ok   bool
	}{
		{"19900101", Date{1990, 1, 1}, true},
		{"1990-01-01", Date{1990, 1, 1}, true},
		{"20240229", Date{2024, 2, 29}, true},
		{"99991231", Date{9999, 12, 31}, true},
		{"20230229", Date{}, false},
		{"19901301", Date{}, false},
		{"19900100", Date{}, false},
		{"18991231", Date{}, false},
		{"00010101", Date{}, false},
		{"1990010", Date{}, false},
		{"01/01/1990", Date{}, false},
		{"1990-1-01", Date{}, false},
		{"", Date{}, false},
	} {
		got, err := ParseDate(c.in)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("ParseDate(%q) = %v, %v", c.in, got, err)
		}
	}
}

func TestAgeOn(t *testing.T) {
	for _, c := range []struct {
		birth, on Date
		want      int
	}{
		{Date{2005, 6, 15}, Date{2026, 6, 14}, 20},
		{Date{2005, 6, 15}, Date{2026, 6, 15}, 21},
		{Date{2005, 6, 15}, Date{2026, 5, 30}, 20},
		{Date{2005, 6, 15}, Date{2026, 7, 1}, 21},
		{Date{2004, 2, 29}, Date{2025, 2, 28}, 20},
		{Date{2004, 2, 29}, Date{2025, 3, 1}, 21},
		{Date{2004, 2, 29}, Date{2024, 2, 29}, 20},
		{Date{2026, 6, 15}, Date{2026, 6, 15}, 0},
		{Date{2027, 1, 1}, Date{2026, 6, 15}, 0},
		{Date{}, Date{2026, 6, 15}, 0},
		{Date{1990, 13, 1}, Date{2026, 6, 15}, 0},
		{Date{1990, 2, 30}, Date{2026, 6, 15}, 0},
		{Date{1990, 1, 1}, Date{}, 0},
	} {
		if got := c.birth.AgeOn(c.on); got != c.want {
			t.Errorf("born %v, on %v: %d, want %d", c.birth, c.on, got, c.want)
		}
	}
}

func TestDateOrder(t *testing.T) {
	a, b := Date{2026, 1, 31}, Date{2026, 2, 1}
	if !a.Before(b) || b.Before(a) || a.Before(a) || !b.After(a) || a.After(b) {
		t.Error("order is wrong")
	}
	if got := DateOf(time.Date(2026, 3, 4, 23, 59, 0, 0, time.FixedZone("", -8*3600))); got != (Date{2026, 3, 4}) {
		t.Errorf("DateOf = %v", got)
	}
	if (Date{2026, 3, 4}).String() != "2026-03-04" || (Date{}).String() != "unknown" || !(Date{}).IsZero() {
		t.Error("String or IsZero is wrong")
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"19900101", "2024-02-29", "", "0000-00-00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDate(s)
		if (err == nil) != d.Valid() {
			t.Fatalf("%q: %v, valid %v", s, err, d.Valid())
		}
		if again, err2 := ParseDate(d.String()); err == nil && (err2 != nil || again != d) {
			t.Fatalf("%q does not come back: %v", s, again)
		}
	})
}
