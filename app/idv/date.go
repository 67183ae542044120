package idv

import (
	"fmt"
	"time"
)

// Date is a day of the civil calendar, without a time zone. The zero Date means that the day is not known.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day that t falls on in t's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// ParseDate reads YYYYMMDD or YYYY-MM-DD. It refuses days that do not exist, and years before 1900, which on a document
// of a living person are a reading error.
func ParseDate(s string) (Date, error) {
	layout := "20060102"
	if len(s) == len("2006-01-02") {
		layout = time.DateOnly
	}
	t, err := time.Parse(layout, s)
	if err != nil || t.Year() < 1900 {
		return Date{}, fmt.Errorf("not a date: %d bytes, want YYYYMMDD", len(s)) // the text itself may be a birth date
	}
	return DateOf(t), nil
}

// IsZero says whether the day is not known.
func (d Date) IsZero() bool { return d == Date{} }

// Valid says whether the day exists in the calendar.
func (d Date) Valid() bool {
	return d.Month >= time.January && d.Day >= 1 && DateOf(d.midnight()) == d
}

// Before says whether d comes before e.
func (d Date) Before(e Date) bool { return d.midnight().Before(e.midnight()) }

// After says whether d comes after e.
func (d Date) After(e Date) bool { return e.Before(d) }

// AddDays returns the day so many days after d.
func (d Date) AddDays(n int) Date { return DateOf(d.midnight().AddDate(0, 0, n)) }

// String returns YYYY-MM-DD, or "unknown".
func (d Date) String() string {
	if d.IsZero() {
		return "unknown"
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

// AgeOn returns how many whole years a person born on d has lived on the given day. Someone born on 29 February completes
// a year on 1 March where the year has no 29th, the later of the two days that laws choose. Where the birth is unknown,
// impossible or later than the day, the age is 0: it satisfies no least age.
func (d Date) AgeOn(on Date) int {
	if !d.Valid() || !on.Valid() || on.Before(d) {
		return 0
	}
	age := on.Year - d.Year
	if on.Month < d.Month || on.Month == d.Month && on.Day < d.Day {
		age--
	}
	return age
}

func (d Date) midnight() time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}
