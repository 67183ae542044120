package spec

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Extras names the fields of an answer that its schema does not mention, as dotted paths. Few
// schemas forbid them, so CheckResponse cannot: but a simulator that makes fields up teaches its
// clients to rely on them.
func (o *Operation) Extras(status int, body []byte) []string {
	ref := o.op.Responses.Status(status)
	if ref == nil || ref.Value == nil {
		return nil
	}
	media := ref.Value.Content.Get("application/json")
	var v any
	if media == nil || media.Schema == nil || json.Unmarshal(body, &v) != nil {
		return nil
	}
	found := map[string]bool{}
	extras([]*openapi3.SchemaRef{media.Schema}, v, "", found)
	out := make([]string, 0, len(found))
	for path := range found {
		out = append(out, path)
	}
	slices.Sort(out)
	return out
}

// extras walks a value along every schema that may describe it.
func extras(refs []*openapi3.SchemaRef, v any, path string, found map[string]bool) {
	refs = flatten(refs)
	switch v := v.(type) {
	case []any:
		var items []*openapi3.SchemaRef
		for _, r := range refs {
			if r.Value.Items != nil {
				items = append(items, r.Value.Items)
			}
		}
		for _, item := range v {
			extras(items, item, path, found)
		}
	case map[string]any:
		if open(refs) {
			return
		}
		for name, value := range v {
			var sub []*openapi3.SchemaRef
			for _, r := range refs {
				if p := r.Value.Properties[name]; p != nil {
					sub = append(sub, p)
				}
			}
			at := strings.TrimPrefix(path+"."+name, ".")
			if len(sub) == 0 {
				found[at] = true
				continue
			}
			extras(sub, value, at, found)
		}
	}
}

// flatten replaces combinations by their parts.
func flatten(refs []*openapi3.SchemaRef) []*openapi3.SchemaRef {
	var out []*openapi3.SchemaRef
	for _, r := range refs {
		if r == nil || r.Value == nil {
			continue
		}
		out = append(out, r)
		out = append(out, flatten(r.Value.AllOf)...)
		out = append(out, flatten(r.Value.OneOf)...)
		out = append(out, flatten(r.Value.AnyOf)...)
	}
	return out
}

// open tells whether the schemas describe no fields at all, or say that any may come.
func open(refs []*openapi3.SchemaRef) bool {
	described := false
	for _, r := range refs {
		more := r.Value.AdditionalProperties
		if more.Schema != nil || (more.Has != nil && *more.Has && len(r.Value.Properties) == 0) {
			return true
		}
		described = described || len(r.Value.Properties) > 0
	}
	return !described
}
