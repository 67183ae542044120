// Package spec checks API exchanges against BigCommerce's published OpenAPI files.
//
// The files have no licence and are not part of this repository: tests read them where they are
// at hand, and only tests import this package. The documents are loaded but not validated as
// documents, since several of them break the OpenAPI rules that their users don't depend on.
package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// ErrUndocumented means that the operation does not list the answer's status.
var ErrUndocumented = errors.New("the status is not documented")

// Book is a set of documents, searched by method and path.
type Book struct{ operations []*Operation }

// Operation is one documented call.
type Operation struct {
	Name     string // GET /v3/hooks/{webhook_id}
	File     string
	method   string
	segments []string
	op       *openapi3.Operation
	shared   openapi3.Parameters
}

// Load reads every *.v2*.yml and *.v3*.yml of a directory; the version in the name is the path's prefix.
func Load(dir string) (*Book, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yml"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("looking for OpenAPI files in %s: none found", dir)
	}
	b := &Book{}
	for _, file := range files {
		name := filepath.Base(file)
		prefix := "/v3"
		switch {
		case strings.Contains(name, ".v2"):
			prefix = "/v2"
		case !strings.Contains(name, ".v3"):
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		doc, err := openapi3.NewLoader().LoadFromData(raw)
		if err != nil {
			return nil, fmt.Errorf("loading %s: %w", name, err)
		}
		b.add(name, prefix, doc)
	}
	slices.SortStableFunc(b.operations, func(x, y *Operation) int { return strings.Compare(x.Name, y.Name) })
	return b, nil
}

func (b *Book) add(file, prefix string, doc *openapi3.T) {
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			b.operations = append(b.operations, &Operation{
				Name: method + " " + prefix + path, File: file, method: method, op: op, shared: item.Parameters,
				segments: strings.Split(strings.Trim(prefix+path, "/"), "/"),
			})
		}
	}
}

// Find matches a path after /stores/{hash}; a literal segment is preferred to a wildcard. It is nil
// when nothing is documented.
func (b *Book) Find(method, path string) *Operation {
	want := strings.Split(strings.Trim(path, "/"), "/")
	var best *Operation
	wild := 1 << 10
	for _, o := range b.operations {
		if o.method != method || len(o.segments) != len(want) {
			continue
		}
		if n, ok := match(o.segments, want); ok && n < wild {
			best, wild = o, n
		}
	}
	return best
}

func match(pattern, path []string) (wildcards int, ok bool) {
	for i, seg := range pattern {
		if strings.HasPrefix(seg, "{") {
			wildcards++
			continue
		}
		if seg != path[i] {
			return 0, false
		}
	}
	return wildcards, true
}

// CheckRequest compares a query and a body with what the operation documents. Query parameters
// that it does not document are errors: the platform would ignore them in silence.
func (o *Operation) CheckRequest(query url.Values, body []byte) error {
	var errs []error
	known := map[string]*openapi3.Parameter{}
	for _, p := range append(slices.Clone(o.shared), o.op.Parameters...) {
		if p.Value == nil || p.Value.In != "query" {
			continue
		}
		known[p.Value.Name] = p.Value
		if p.Value.Required && !query.Has(p.Value.Name) {
			errs = append(errs, fmt.Errorf("query parameter %s is missing", p.Value.Name))
		}
	}
	for name := range query {
		p := known[name]
		if p == nil {
			errs = append(errs, fmt.Errorf("query parameter %s is not documented", name))
			continue
		}
		if err := checkQuery(p, query.Get(name)); err != nil {
			errs = append(errs, fmt.Errorf("query parameter %s: %w", name, err))
		}
	}
	if err := o.checkRequestBody(body); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func checkQuery(p *openapi3.Parameter, raw string) error {
	if p.Schema == nil || p.Schema.Value == nil {
		return nil
	}
	s := p.Schema.Value
	if s.Type.Is("array") && s.Items != nil {
		for _, part := range strings.Split(raw, ",") {
			if err := checkScalar(s.Items.Value, part); err != nil {
				return err
			}
		}
		return nil
	}
	return checkScalar(s, raw)
}

func checkScalar(s *openapi3.Schema, raw string) error {
	var v any = raw
	switch {
	case s.Type.Is("integer") || s.Type.Is("number"):
		n, err := strconv.ParseFloat(raw, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", raw)
		}
		v = n
	case s.Type.Is("boolean"):
		b, err := strconv.ParseBool(raw)
		if err != nil {
			return fmt.Errorf("%q is not a boolean", raw)
		}
		v = b
	}
	return s.VisitJSON(v, openapi3.MultiErrors())
}

func (o *Operation) checkRequestBody(body []byte) error {
	documented := o.op.RequestBody != nil && o.op.RequestBody.Value != nil
	switch {
	case len(body) == 0 && (!documented || !o.op.RequestBody.Value.Required):
		return nil
	case len(body) == 0:
		return errors.New("the body is missing")
	case !documented:
		return errors.New("a body is not documented")
	}
	return checkJSON(o.op.RequestBody.Value.Content, body, openapi3.VisitAsRequest())
}

// CheckResponse compares an answer with what the operation documents for its status.
func (o *Operation) CheckResponse(status int, body []byte) error {
	ref := o.op.Responses.Status(status)
	if ref == nil {
		ref = o.op.Responses.Default()
	}
	if ref == nil || ref.Value == nil {
		return fmt.Errorf("%s: %d: %w", o.Name, status, ErrUndocumented)
	}
	if len(body) == 0 && (status == 204 || len(ref.Value.Content) == 0) {
		return nil
	}
	if err := checkJSON(ref.Value.Content, body, openapi3.VisitAsResponse()); err != nil {
		return fmt.Errorf("%s: %d: %w", o.Name, status, err)
	}
	return nil
}

func checkJSON(content openapi3.Content, body []byte, as openapi3.SchemaValidationOption) error {
	media := content.Get("application/json")
	if media == nil || media.Schema == nil || media.Schema.Value == nil {
		return nil // documented without a schema
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	return media.Schema.Value.VisitJSON(v, openapi3.MultiErrors(), as)
}

// Operations lists the names of everything documented.
func (b *Book) Operations() []string {
	out := make([]string, len(b.operations))
	for i, o := range b.operations {
		out[i] = o.Name
	}
	return out
}
