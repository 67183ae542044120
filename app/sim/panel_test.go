package sim

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// see opens a page of the control panel and returns its HTML.
func (b *bench) see(path string) (int, string) {
	b.t.Helper()
	resp, err := http.Get(b.store.URL + path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// submit posts a form and returns where it leads to.
func (b *bench) submit(path string, form url.Values) string {
	b.t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(b.store.URL+path, form)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("POST %s: %d", path, resp.StatusCode)
	}
	return resp.Header.Get("Location")
}

func TestPanelPages(t *testing.T) {
	b := newBench(t, 1)
	b.hookUp("store/order/created")
	b.want(200, "POST", "/v3/content/scripts", `{"name":"gate","src":"`+b.app.srv.URL+`/gate.js","visibility":"checkout"}`)
	b.want(200, "POST", "/v3/content/scripts", `{"name":"inline","html":"<script>1</script>"}`)
	b.want(200, "POST", "/v3/orders/101/metafields", `{"permission_set":"read","namespace":"blockid","key":"decision","value":"<b>allow</b>"}`)
	ada := b.s.Customers()[0].ID
	b.s.AcceptV2CustomFields(true)
	b.want(200, "PUT", fmt.Sprintf("/v2/customers/%d", ada), cardBody)
	b.want(200, "POST", "/v3/customers/attributes", `[{"name":"blockid_ial","type":"number"}]`)
	b.want(200, "PUT", "/v3/customers/attribute-values", fmt.Sprintf(`[{"attribute_id":1,"customer_id":%d,"value":"2"}]`, ada))
	b.w.Deliver(t.Context())
	for path, marks := range map[string][]string{
		"/manage/":                               {"Latest orders", "open it"},
		"/manage/apps":                           {`id="load-app"`, `id="install-app"`, `id="uninstall-app"`, `id="remove-user"`, `data-installed="true"`},
		"/manage/apps/idgate/install":            {`id="app-frame"`, b.app.srv.URL + "/auth?account_uuid="},
		"/manage/apps/idgate/load?url=%2Forder":  {`id="app-frame"`, b.app.srv.URL + "/load?signed_payload_jwt="},
		"/manage/orders":                         {`data-order-id="109"`, `id="place-api-order-link"`},
		"/manage/orders?status_id=4":             {`data-order-id="104"`},
		"/manage/orders/new":                     {`id="place-api-order"`, "Ada Lovelace", "Single malt whisky"},
		"/manage/orders/101":                     {`id="set-status"`, `id="save-notes"`, `id="order-history"`, "blockid.decision", "&lt;b&gt;allow&lt;/b&gt;", `data-status-id="2"`},
		"/manage/customers":                      {`id="create-customer"`, `id="custom-fields-switch"`, "ada@example.com"},
		fmt.Sprintf("/manage/customers/%d", ada): {`data-name="blockid_ial"`, `id="customer-custom-fields"`, `id="delete-customer"`},
		"/manage/products":                       {"Diver&#39;s watch", "899.00 USD", "background:#1f3a5f"},
		"/manage/scripts":                        {`data-test="delete-script"`, `data-test="set-consent"`, `id="block-script"`, "/gate.js", "&lt;script&gt;"},
		"/manage/webhooks":                       {`data-test="deactivate-hook"`, `id="drop-webhooks"`, "store/order/created"},
		"/manage/faults":                         {`id="save-faults"`, "500 but done", "seed 1"},
		"/manage/static/panel.css":               {"max-width: 720px"},
	} {
		status, page := b.see(path)
		if status != 200 {
			t.Errorf("%s: %d", path, status)
		}
		for _, m := range marks {
			if !strings.Contains(page, m) {
				t.Errorf("%s lacks %q", path, m)
			}
		}
	}
	for _, path := range []string{"/manage/nothing", "/manage/orders/4711", "/manage/orders/x", "/manage/customers/4711"} {
		if status, page := b.see(path); status != 404 || !strings.Contains(page, "nothing at this address") {
			t.Errorf("%s: %d", path, status)
		}
	}
}

func TestPanelForms(t *testing.T) {
	b := newBench(t, 1)
	ok := func(path string, form url.Values, to string) {
		t.Helper()
		if got := b.submit(path, form); !strings.HasPrefix(got, to+"?ok=") {
			t.Errorf("%s leads to %s", path, got)
		}
	}
	ok("/manage/orders/101/status", url.Values{"status_id": {"12"}, "user_id": {fmt.Sprint(b.s.Users()[1].ID)}}, "/manage/orders/101")
	ok("/manage/orders/101/notes", url.Values{"staff_notes": {"a\r\nb"}}, "/manage/orders/101")
	o, _ := b.s.Order(101)
	if o.StatusID != 12 || o.StaffNotes != "a\nb" || o.History[len(o.History)-1].Actor != "Sam Staff" {
		t.Errorf("%+v", o)
	}
	ok("/manage/orders/new", url.Values{"customer_id": {"0"}, "product_id": {"81", "82"}, "quantity": {"2", ""}, "first_name": {"Eve"}, "last_name": {"Guest"}, "email": {"eve@example.net"}}, "/manage/orders/110")
	o, _ = b.s.Order(110)
	if o.CustomerID != 0 || o.Billing.FirstName != "Eve" || o.Pieces() != 3 || o.StatusID != 11 || o.Source != "external" {
		t.Errorf("%+v", o)
	}
	ada := b.s.Customers()[0]
	ok("/manage/orders/new", url.Values{"customer_id": {fmt.Sprint(ada.ID)}, "product_id": {"88"}, "status_id": {"1"}}, "/manage/orders/111")
	if o, _ = b.s.Order(111); o.Billing.Email != ada.Email || o.StatusID != 1 {
		t.Errorf("%+v", o)
	}
	ok("/manage/customers", url.Values{"first_name": {"New"}, "last_name": {"Person"}, "email": {"new@example.com"}}, "/manage/customers/36")
	ok("/manage/customers/36/delete", nil, "/manage/customers")
	ok("/manage/customers/switch", url.Values{"on": {"true"}}, "/manage/customers")
	if !b.s.AcceptsV2CustomFields() {
		t.Error("the switch is off")
	}
	id := b.hookUp("store/order/created")
	ok(fmt.Sprintf("/manage/webhooks/%d/active", id), url.Values{"on": {"false"}}, "/manage/webhooks")
	ok("/manage/webhooks/drop", url.Values{"on": {"true"}}, "/manage/webhooks")
	if b.s.Hooks()[0].Active || !b.s.WebhooksDropped() {
		t.Error("webhooks are as before")
	}
	uuid, _ := b.want(200, "POST", "/v3/content/scripts", `{"name":"gate","src":"https://a.example/x.js"}`).at("data", "uuid").(string)
	ok("/manage/scripts/"+uuid+"/consent", url.Values{"category": {"essential"}}, "/manage/scripts")
	ok("/manage/scripts/block", url.Values{"on": {"true"}}, "/manage/scripts")
	if b.s.Scripts()[0].ConsentCategory != "essential" || !b.s.ScriptsBlocked() {
		t.Error("scripts are as before")
	}
	ok("/manage/scripts/"+uuid+"/delete", nil, "/manage/scripts")
	ok("/manage/faults", url.Values{"api_4": {"25"}, "duplicate": {"100"}, "quota": {"450"}}, "/manage/faults")
	if f := b.s.Faults(); f.API[ServerError] != .25 || f.Duplicate != 1 || b.s.Quota() != 450 {
		t.Errorf("%+v", f)
	}
	b.app.take()
	ok("/manage/apps/idgate/remove-user", url.Values{"user_id": {fmt.Sprint(b.s.Users()[2].ID)}}, "/manage/apps")
	ok("/manage/apps/idgate/uninstall", nil, "/manage/apps")
	if got := b.app.take(); len(got) != 2 || got[0].path != "/remove_user" || got[1].path != "/uninstall" {
		t.Errorf("the app got %v", got)
	}
}

func TestPanelRefusals(t *testing.T) {
	b := newBench(t, 1)
	for path, form := range map[string]url.Values{
		"/manage/orders/101/status":       {"status_id": {"77"}},
		"/manage/orders/4711/notes":       {},
		"/manage/orders/new":              {"customer_id": {"0"}, "product_id": {"81"}},
		"/manage/customers":               {"email": {"ada@example.com"}},
		"/manage/customers/4711/delete":   {},
		"/manage/scripts/none/delete":     {},
		"/manage/scripts/none/consent":    {"category": {"odd"}},
		"/manage/webhooks/4711/active":    {},
		"/manage/faults":                  {"api_1": {"101"}},
		"/manage/apps/idgate/remove-user": {"user_id": {"4711"}},
	} {
		if got := b.submit(path, form); !strings.HasPrefix(got, "/manage/?err=") {
			t.Errorf("%s leads to %s", path, got)
		}
	}
	req, _ := http.NewRequest(http.MethodPost, b.store.URL+"/manage/webhooks/drop", strings.NewReader("on=true"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://app.localhost:8080")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden || b.s.WebhooksDropped() {
		t.Errorf("a form of another site: %d", resp.StatusCode)
	}
}
