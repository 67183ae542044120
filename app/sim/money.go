package sim

import (
	"fmt"
	"strconv"
	"strings"
)

// Money is an amount in ten-thousandths of a currency's unit: the four decimals that v2 prints.
type Money int64

const moneyUnit = 10_000

// ParseMoney reads "12", "12.5" or "12.0000"; at most four decimals.
func ParseMoney(s string) (Money, error) {
	digits, neg := strings.CutPrefix(s, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	if whole == "" || len(whole) > 12 || len(frac) > 4 || strings.ContainsAny(digits, "+-") {
		return 0, fmt.Errorf("parsing amount %q: want digits and at most four decimals", s)
	}
	n, err := strconv.ParseInt(whole+(frac + "0000")[:4], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("parsing amount %q: want digits and at most four decimals", s)
	}
	if neg {
		n = -n
	}
	return Money(n), nil
}

// Cents is n hundredths.
func Cents(n int64) Money { return Money(n * moneyUnit / 100) }

// String is the v2 form: "12.0000".
func (m Money) String() string {
	sign, n := "", int64(m)
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%04d", sign, n/moneyUnit, n%moneyUnit)
}

// Short is the form a person reads: "12.00".
func (m Money) Short() string { s := m.String(); return s[:len(s)-2] }

// MarshalJSON is the v3 form: the number 12 or 12.5.
func (m Money) MarshalJSON() ([]byte, error) {
	s := strings.TrimRight(strings.TrimRight(m.String(), "0"), ".")
	return []byte(s), nil
}

// Times is m for n pieces.
func (m Money) Times(n int) Money { return m * Money(n) }
