package spec_test

import (
	"net/url"
	"strings"
	"testing"

	"idgate/app/sim/spec"
)

func TestRequestsAgainstDocuments(t *testing.T) {
	book, err := spec.Load(sharedFiles(t))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(book.Operations()); n < 200 {
		t.Errorf("only %d operations were loaded", n)
	}
	for _, tc := range []struct {
		method, path, query, body string
		complaint                 string // empty: none
	}{
		{"POST", "/v3/hooks", "", `{"scope":"store/order/created","destination":"https://a.example","is_active":true,"headers":{"a":"b"}}`, ""},
		{"POST", "/v3/hooks", "", `{"destination":"https://a.example"}`, `property "scope" is missing`},
		{"GET", "/v3/hooks", "limit=50&is_active=true", "", ""},
		{"GET", "/v3/hooks", "limit=many", "", "is not a number"},
		{"GET", "/v3/hooks", "colour=blue", "", "colour is not documented"},
		{"GET", "/v3/hooks", "is_active=perhaps", "", "is not a boolean"},
		{"GET", "/v3/hooks/12", "", `{"a":1}`, "a body is not documented"},
		{"PUT", "/v3/customers/attribute-values", "", `[{"attribute_id":1,"customer_id":3,"value":"2"}]`, ""},
		{"PUT", "/v3/customers/attribute-values", "", `[{"attribute_id":1,"customer_id":3,"value":"` + strings.Repeat("x", 256) + `"}]`, "maximum string length is 255"},
		{"GET", "/v3/customers", "id:in=1,2&include=addresses", "", ""},
		{"GET", "/v3/customers", "include=shoes", "", "not one of the allowed values"},
		{"DELETE", "/v3/customers/attribute-values", "", "", "id:in is missing"},
		{"PUT", "/v2/orders/101", "", `{"status_id":12,"staff_notes":"held"}`, ""},
		{"PUT", "/v2/orders/101", "", `{"status_id":"12"}`, "status_id"},
	} {
		q, err := url.ParseQuery(tc.query)
		if err != nil {
			t.Fatal(err)
		}
		op := book.Find(tc.method, tc.path)
		if op == nil {
			t.Errorf("%s %s is not found", tc.method, tc.path)
			continue
		}
		err = op.CheckRequest(q, []byte(tc.body))
		if (err == nil) != (tc.complaint == "") || (err != nil && !strings.Contains(err.Error(), tc.complaint)) {
			t.Errorf("%s %s?%s %.40s: %v, want %q", tc.method, tc.path, tc.query, tc.body, err, tc.complaint)
		}
	}
	for _, path := range []string{"/v3/nothing", "/v3/hooks/1/2/3"} {
		if book.Find("GET", path) != nil {
			t.Errorf("%s is found", path)
		}
	}
	if op := book.Find("GET", "/v3/hooks/admin"); op == nil || op.Name != "GET /v3/hooks/admin" {
		t.Errorf("a literal segment loses to a wildcard: %v", op)
	}
	if _, err := spec.Load(t.TempDir()); err == nil {
		t.Error("an empty directory is a book")
	}
}
