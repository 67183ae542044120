package bigcommerce

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
)

// ErrNotFound matches, by errors.Is, what the platform says does not exist, be it by 404 or by an empty list.
var ErrNotFound = errors.New("not found")

// Error is a call that did not succeed. Its text is safe to log and to show: it is bounded, free of control characters,
// and holds neither token nor secret nor cart id.
type Error struct {
	Method string
	Path   string // without the query; cart and checkout ids are replaced by {id}
	Status int    // 0 when no answer came
	Title  string
	Detail string
	Fields map[string]string // field path → complaint, from a v3 "errors" object
	// RetryAfter is how long the platform asks us to wait. Zero on a 429 means that the store is under load and said
	// nothing: back off exponentially.
	RetryAfter time.Duration

	cause     error
	temporary bool // decided where the cause is known
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: ", e.Method, e.Path)
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	b.WriteString(e.Title)
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	for _, k := range slices.Sorted(maps.Keys(e.Fields)) {
		fmt.Fprintf(&b, "; %s: %s", k, e.Fields[k])
	}
	return b.String()
}

// Unwrap gives the transport's or the decoder's error, if that was the trouble.
func (e *Error) Unwrap() error { return e.cause }

// Is makes a 404 match ErrNotFound.
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && e.Status == http.StatusNotFound
}

// Temporary says that the same call may succeed later without anybody changing anything: no answer, half an answer, too
// many requests, or trouble on the platform's side. 509 is the legacy form of 429.
func (e *Error) Temporary() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return e.temporary || e.Status >= 500
}

const (
	maxErrorTitle  = 200
	maxErrorDetail = 500
	maxErrorFields = 20
)

// parseErrorBody reads the shapes in which the platform complains:
//
//	v2     [{"status":404,"message":"…","details":{…}}]
//	v3     {"status":422,"title":"…","detail":"…","errors":{"field":"…"}}
//	       {"errors":[{"status":404,"title":"…","detail":"…"}]}, the same under "data"
//	others {"code":403,"message":"…"}, and OAuth's {"error":"…","error_description":"…"}
//
// Anything else, an HTML page for one, yields nothing: the status has to do. Secrets are removed before any text is cut
// to length, so that no half of one is left.
func parseErrorBody(body []byte, secrets []string) (title, detail string, fields map[string]string) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return "", "", nil
	}
	c := complaint{fields: map[string]string{}, secrets: secrets}
	c.read(v, 3)
	if len(c.texts) > 0 {
		title = clean(c.texts[0], maxErrorTitle)
		detail = clean(strings.Join(c.texts[1:], "; "), maxErrorDetail)
	}
	if len(c.fields) == 0 {
		c.fields = nil
	}
	return title, detail, c.fields
}

type complaint struct {
	texts   []string
	fields  map[string]string
	secrets []string
}

// read collects from v and at most depth levels beneath it.
func (c *complaint) read(v any, depth int) {
	if depth == 0 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, e := range v[:min(len(v), maxErrorFields)] {
			c.read(e, depth-1)
		}
	case map[string]any:
		for _, k := range []string{"title", "message", "error", "detail", "error_description"} {
			c.addText(v[k])
		}
		for _, k := range []string{"errors", "details", "data"} {
			if m, ok := v[k].(map[string]any); ok && k != "data" {
				c.readFields(m)
			} else {
				c.read(v[k], depth-1)
			}
		}
	case string:
		c.addText(v)
	}
}

func (c *complaint) addText(v any) {
	s, _ := v.(string)
	s = redact(s, c.secrets)
	if s != "" && !slices.Contains(c.texts, s) {
		c.texts = append(c.texts, s)
	}
}

func (c *complaint) readFields(m map[string]any) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if len(c.fields) == maxErrorFields {
			return
		}
		s, ok := m[k].(string)
		if !ok {
			b, _ := json.Marshal(m[k]) // what was decoded from JSON encodes again
			s = string(b)
		}
		c.fields[clean(redact(k, c.secrets), maxErrorTitle)] = clean(redact(s, c.secrets), maxErrorTitle)
	}
}

// clean makes vendor text fit for one line of a log: valid, printable, at most limit runes.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit-1]) + "…"
	}
	return strings.TrimSpace(s)
}

// redact removes secrets from vendor or transport text, in case either repeats what we sent. Very short values are left:
// they are no secrets, and removing them would tear words apart.
func redact(s string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= 6 {
			s = strings.ReplaceAll(s, secret, "[redacted]")
		}
	}
	return s
}

// decodeTrouble says whether an answer that could not be decoded may be whole next time: a torn body may, a body of
// another shape will not.
func decodeTrouble(err error) (temporary bool) {
	var syntax *json.SyntaxError
	return errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}
