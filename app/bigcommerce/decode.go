package bigcommerce

import (
	"encoding/json"
	"reflect"
	"regexp"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
)

// The platform is not of one mind about scalars: money is a string in v2 and a number in v3, ids are numbers or strings,
// times are RFC 2822, RFC 3339 or empty. These types read every form met in its documents and examples, and nothing else.

// scalar is the text of a JSON string or number; null and "" are both "".
func scalar(b []byte) (string, error) {
	switch {
	case string(b) == "null":
		return "", nil
	case len(b) > 0 && b[0] == '"':
		var s string
		err := json.Unmarshal(b, &s)
		return s, err
	case len(b) > 0 && (b[0] == '-' || b[0] >= '0' && b[0] <= '9'):
		return string(b), nil
	}
	return "", mismatch[string]("something else than a string or number")
}

// mismatch has the type to which encoding/json adds the field's name. It never repeats the value.
func mismatch[T any](what string) error {
	return &json.UnmarshalTypeError{Value: what, Type: reflect.TypeFor[T]()}
}

// amount is money or a rate. The form bounds it: a sum of decimals costs memory in step with the largest exponent.
type amount struct {
	decimal.Decimal
	given bool
}

var amountForm = regexp.MustCompile(`^-?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,2})?$`)

func (a *amount) UnmarshalJSON(b []byte) error {
	s, err := scalar(b)
	if err != nil || s == "" {
		return err
	}
	if !amountForm.MatchString(s) {
		return mismatch[amount]("text")
	}
	a.Decimal, err = decimal.NewFromString(s)
	a.given = true
	return err
}

// integer is an id or a count; v3 calls some of them "number", so a zero fraction is let pass.
type integer int64

var zeroFraction = regexp.MustCompile(`\.0{1,20}$`)

func (i *integer) UnmarshalJSON(b []byte) error {
	s, err := scalar(b)
	if err != nil || s == "" {
		return err
	}
	n, err := strconv.ParseInt(zeroFraction.ReplaceAllString(s, ""), 10, 64)
	if err != nil {
		return mismatch[integer]("text")
	}
	*i = integer(n)
	return nil
}

// text is a string, or a number where a string was promised.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	s, err := scalar(b)
	*t = text(s)
	return err
}

// stamp is a time: RFC 2822 in v2, RFC 3339 in v3; empty is the zero time.
type stamp struct{ time.Time }

func (t *stamp) UnmarshalJSON(b []byte) error {
	s, err := scalar(b)
	if err != nil || s == "" {
		return err
	}
	for _, layout := range []string{time.RFC1123Z, "Mon, _2 Jan 2006 15:04:05 -0700", time.RFC3339, time.RFC1123} {
		if parsed, err := time.Parse(layout, s); err == nil {
			t.Time = parsed.UTC()
			return nil
		}
	}
	return mismatch[stamp]("text")
}
