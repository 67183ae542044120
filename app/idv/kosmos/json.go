package kosmos

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxFields = 256 // per JSON object; the longest published one has about forty
	maxText   = 512 // bytes of one value we keep; longer ones are images or junk
)

var errJSON = errors.New("answer is not the JSON agreed on")

// object walks one JSON object. For each field it asks field where to put the value; nil skips the value unread, which is
// how images come and go without ever becoming a Go value. Unlike encoding/json it compares names exactly and refuses a
// name that comes twice: two readers must not be able to see two different verdicts in one answer.
func object(data []byte, field func(name string) any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errJSON
	}
	seen := make(map[string]bool)
	for dec.More() {
		t, err := dec.Token()
		name, isName := t.(string)
		if err != nil || !isName || seen[name] || len(seen) == maxFields {
			return errJSON
		}
		seen[name] = true
		into := field(name)
		if into == nil {
			into = &skipped{}
		}
		if err := dec.Decode(into); err != nil {
			return errJSON
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return errJSON
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) { // nothing may follow
		return errJSON
	}
	return nil
}

// skipped reads a value and keeps nothing of it.
type skipped struct{}

func (*skipped) UnmarshalJSON([]byte) error { return nil }

// text is a short string or number. Anything else, and anything long, reads as empty: it is no value we know.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	*t = ""
	if len(data) > 6*maxText { // the longest a string of maxText bytes can be written
		return nil
	}
	var s string
	switch {
	case len(data) > 0 && data[0] == '"':
		if err := json.Unmarshal(data, &s); err != nil {
			return errJSON
		}
	case len(data) > 0 && (data[0] == '-' || data[0] >= '0' && data[0] <= '9'):
		s = string(data)
	}
	s = strings.TrimSpace(s)
	if len(s) <= maxText && utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0 {
		*t = text(s)
	}
	return nil
}

// filled is whether a value is a string with something in it. The string itself, an image as a rule, is not kept.
type filled bool

func (f *filled) UnmarshalJSON(data []byte) error {
	*f = len(data) > len(`""`) && data[0] == '"'
	return nil
}

// instant is a time as epoch seconds, epoch milliseconds (either may be quoted) or RFC 3339. Others read as zero.
type instant time.Time

func (i *instant) UnmarshalJSON(data []byte) error {
	var s text
	if err := s.UnmarshalJSON(data); err != nil {
		return err
	}
	var t time.Time
	if n, err := strconv.ParseInt(string(s), 10, 64); err == nil {
		t = time.Unix(n, 0)
		if n > 100_000_000_000 { // in seconds that were the year 5138
			t = time.UnixMilli(n)
		}
	} else if t, err = time.Parse(time.RFC3339, string(s)); err != nil {
		t = time.Time{}
	}
	if y := t.UTC().Year(); y < 2000 || y > 2200 {
		t = time.Time{}
	} else {
		t = t.UTC()
	}
	*i = instant(t)
	return nil
}
