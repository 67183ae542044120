package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const goodHash = "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC"

func TestScriptValidation(t *testing.T) {
	b := newBench(t, 1)
	src := b.app.srv.URL + "/gate.js"
	for _, tc := range []struct {
		name, body string
		status     int
	}{
		{"src with everything", `{"name":"gate","description":"d","kind":"src","src":"` + src + `","load_method":"default","location":"head","visibility":"all_pages","consent_category":"essential","enabled":true,"auto_uninstall":true,"channel_id":1,"integrity_hashes":["` + goodHash + `"]}`, 200},
		{"https anywhere", `{"name":"gate","src":"https://cdn.example/x.js"}`, 200},
		{"html", `{"name":"gate","kind":"script_tag","html":"<script>1</script>"}`, 200},
		{"kind follows html", `{"name":"gate","html":"<script>1</script>"}`, 200},
		{"no name", `{"src":"` + src + `"}`, 422},
		{"colon in name", `{"name":"idgate: gate","src":"` + src + `"}`, 422},
		{"plain http elsewhere", `{"name":"gate","src":"http://cdn.example/x.js"}`, 422},
		{"src and html", `{"name":"gate","kind":"src","src":"` + src + `","html":"<script></script>"}`, 422},
		{"html and src", `{"name":"gate","kind":"script_tag","src":"` + src + `","html":"<script></script>"}`, 422},
		{"neither", `{"name":"gate"}`, 422},
		{"html without a tag", `{"name":"gate","html":"hello"}`, 422},
		{"six tags", `{"name":"gate","html":"` + strings.Repeat("<script></script>", 6) + `"}`, 422},
		{"html deferred", `{"name":"gate","html":"<script></script>","load_method":"defer"}`, 422},
		{"html with hashes", `{"name":"gate","html":"<script></script>","integrity_hashes":["` + goodHash + `"]}`, 422},
		{"six hashes", `{"name":"gate","src":"` + src + `","integrity_hashes":["` + strings.Repeat(goodHash+`","`, 5) + goodHash + `"]}`, 422},
		{"md5", `{"name":"gate","src":"` + src + `","integrity_hashes":["md5-x"]}`, 422},
		{"nowhere", `{"name":"gate","src":"` + src + `","location":"body"}`, 422},
		{"no such page", `{"name":"gate","src":"` + src + `","visibility":"cart"}`, 422},
		{"no such consent", `{"name":"gate","src":"` + src + `","consent_category":"yes"}`, 422},
		{"no such method", `{"name":"gate","src":"` + src + `","load_method":"later"}`, 422},
		{"no such kind", `{"name":"gate","src":"` + src + `","kind":"css"}`, 422},
		{"no such channel", `{"name":"gate","src":"` + src + `","channel_id":77}`, 422},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := b.api("POST", "/v3/content/scripts", tc.body)
			if a.status != tc.status {
				t.Errorf("%d %s, want %d", a.status, a.raw, tc.status)
			}
			if errs, _ := a.at("errors").(map[string]any); tc.status == 422 && len(errs) != 1 {
				t.Errorf("no field is named: %s", a.raw)
			}
		})
	}
}

func TestScriptsBelongToTheirClient(t *testing.T) {
	b := newBench(t, 1)
	other := b.s.AddAPIAccount("store_v2_content")
	body := `{"name":"gate %d","src":"https://a.example/x.js","visibility":"%s"}`
	var uuid string
	for i := range 10 {
		a := b.want(200, "POST", "/v3/content/scripts", fmt.Sprintf(body, i, "checkout"))
		uuid, _ = a.at("data", "uuid").(string)
	}
	b.want(422, "POST", "/v3/content/scripts", fmt.Sprintf(body, 11, "checkout"))
	if a := b.apiAs(other.Value, "GET", "/v3/content/scripts", ""); a.status != 200 || len(a.list("data")) != 0 {
		t.Errorf("another client sees %s", a.raw)
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		if a := b.apiAs(other.Value, method, "/v3/content/scripts/"+uuid, ""); a.status != 404 {
			t.Errorf("another client's %s: %d", method, a.status)
		}
	}
	if a := b.apiAs(other.Value, "POST", "/v3/content/scripts", fmt.Sprintf(body, 1, "checkout")); a.status != 403 {
		t.Errorf("checkout without its scope: %d", a.status)
	}
	if a := b.apiAs(other.Value, "POST", "/v3/content/scripts", fmt.Sprintf(body, 1, "storefront")); a.status != 200 {
		t.Errorf("storefront with its scope: %d %s", a.status, a.raw)
	}
	a := b.want(200, "GET", "/v3/content/scripts?sort=name&direction=desc&channel_id:in=1", "")
	if len(a.list("data")) != 10 || a.at("data", 0, "name") != "gate 9" {
		t.Errorf("%s", a.raw)
	}
	b.want(200, "PUT", "/v3/content/scripts/"+uuid, `{"enabled":false,"src":"https://a.example/y.js"}`)
	a = b.want(200, "GET", "/v3/content/scripts/"+uuid, "")
	if a.at("data", "enabled") != false || a.at("data", "src") != "https://a.example/y.js" || a.at("data", "visibility") != "checkout" {
		t.Errorf("%s", a.raw)
	}
	b.want(422, "PUT", "/v3/content/scripts/"+uuid, `{"kind":"script_tag","html":"<script></script>"}`)
	b.want(204, "DELETE", "/v3/content/scripts/"+uuid, "")
	b.want(404, "DELETE", "/v3/content/scripts/"+uuid, "")
}

func TestScriptsOnPages(t *testing.T) {
	b := newBench(t, 1)
	for _, v := range []string{"all_pages", "checkout", "order_confirmation", "storefront"} {
		b.want(200, "POST", "/v3/content/scripts", `{"name":"`+v+`","src":"https://a.example/x.js","visibility":"`+v+`","location":"head"}`)
	}
	b.want(200, "POST", "/v3/content/scripts", `{"name":"off","src":"https://a.example/x.js","visibility":"all_pages","location":"head","enabled":false}`)
	b.want(200, "POST", "/v3/content/scripts", `{"name":"foot","src":"https://a.example/x.js","visibility":"all_pages","location":"footer"}`)
	for page, want := range map[string]string{"checkout": "all_pages checkout", "order_confirmation": "all_pages order_confirmation", "home": "all_pages storefront"} {
		var names []string
		for _, sc := range b.s.ScriptsFor(1, page, "head") {
			names = append(names, sc.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s carries %q, want %q", page, got, want)
		}
	}
	if n := len(b.s.ScriptsFor(2, "checkout", "head")); n != 0 {
		t.Errorf("another channel carries %d", n)
	}
	b.s.BlockScripts(true)
	if n := len(b.s.ScriptsFor(1, "checkout", "head")); n != 0 || !b.s.ScriptsBlocked() {
		t.Errorf("a blocked page carries %d", n)
	}
	uuid := b.s.Scripts()[0].UUID
	if err := b.s.SetScriptConsent(uuid, "targeting"); err != nil || b.s.Scripts()[0].ConsentCategory != "targeting" {
		t.Error(err)
	}
	if err := b.s.DeleteScript(uuid); err != nil || b.s.DeleteScript(uuid) == nil || b.s.SetScriptConsent(uuid, "essential") == nil {
		t.Error("deleting", err)
	}
}

func TestHookValidation(t *testing.T) {
	b := newBench(t, 1)
	hook := func(scope, destination string) string {
		return `{"scope":"` + scope + `","destination":"` + destination + `","headers":{"Idgate-Hook-Secret":"s"}}`
	}
	app := b.app.srv.URL
	for _, tc := range []struct {
		name, body string
		status     int
	}{
		{"good", hook("store/order/created", app+"/hooks"), 200},
		{"https", hook("store/order/created", "https://a.example/hooks"), 200},
		{"port 443", hook("store/order/created", "https://b.example:443/hooks"), 200},
		{"same again", hook("store/order/created", app+"/hooks"), 409},
		{"another port", hook("store/order/created", "https://a.example:8443/hooks"), 422},
		{"plain http", hook("store/order/created", "http://a.example/hooks"), 422},
		{"no url", hook("store/order/created", "hooks"), 422},
		{"no scope", hook("", app+"/hooks"), 422},
		{"unknown scope", hook("store/weather/changed", app+"/hooks"), 422},
		{"wildcard", hook("store/customer/*", app+"/hooks"), 200},
		{"headers are text", `{"scope":"store/order/updated","destination":"` + app + `/hooks","headers":{"a":1}}`, 422},
		{"null headers", `{"scope":"store/order/updated","destination":"` + app + `/hooks","headers":null}`, 200},
		{"exceptions at a used destination", hook(deliveryExceptionScope, app+"/hooks"), 422},
		{"exceptions", hook(deliveryExceptionScope, app+"/exceptions"), 200},
		{"exceptions twice", hook(deliveryExceptionScope, app+"/more"), 409},
		{"at the exceptions' destination", hook("store/cart/converted", app+"/exceptions"), 422},
	} {
		if a := b.api("POST", "/v3/hooks", tc.body); a.status != tc.status {
			t.Errorf("%s: %d %s, want %d", tc.name, a.status, a.raw, tc.status)
		}
	}
	for i := range 7 { // three are there already
		b.want(200, "POST", "/v3/hooks", hook("store/order/created", fmt.Sprintf("https://c%d.example/", i)))
	}
	b.want(422, "POST", "/v3/hooks", hook("store/order/created", "https://d.example/"))
}

func TestHooksOfAClient(t *testing.T) {
	b := newBench(t, 1)
	other := b.s.AddAPIAccount()
	id := b.hookUp("store/order/created")
	path := fmt.Sprintf("/v3/hooks/%d", id)
	if a := b.apiAs(other.Value, "GET", path, ""); a.status != 404 {
		t.Errorf("another client reads it: %d", a.status)
	}
	if a := b.apiAs(other.Value, "POST", "/v3/hooks", `{"scope":"store/order/created","destination":"`+b.app.srv.URL+`/hooks"}`); a.status != 200 {
		t.Errorf("another client's same hook: %d %s", a.status, a.raw)
	}
	for query, want := range map[string]int{"": 1, "?is_active=true": 1, "?is_active=false": 0, "?scope=store/order/created": 1, "?scope=store/order/updated": 0, "?destination=x": 0} {
		if n := len(b.want(200, "GET", "/v3/hooks"+query, "").list("data")); n != want {
			t.Errorf("%q: %d, want %d", query, n, want)
		}
	}
	a := b.want(200, "PUT", path, `{"is_active":false}`)
	if a.at("data", "is_active") != false || a.at("data", "headers", "Idgate-Hook-Secret") != "s3" {
		t.Errorf("%s", a.raw)
	}
	if got := b.want(200, "GET", "/v3/hooks/admin", "").at("data", "hooks_list", 0, "status"); got != "inactive" {
		t.Errorf("status %v", got)
	}
	if err := b.s.DeactivateHook(id); err != nil {
		t.Fatal(err)
	}
	if got := b.want(200, "GET", "/v3/hooks/admin?is_active=false", "").at("data", "hooks_list", 0, "status"); got != "deactivated" {
		t.Errorf("status %v", got)
	}
	b.clock.add(time.Hour)
	if got := b.want(200, "PUT", path, `{"is_active":true}`).at("data", "updated_at"); got != float64(b.clock.now().Unix()) {
		t.Errorf("updated_at %v", got)
	}
	if got := b.s.Hooks()[0].Status(); got != "active" {
		t.Errorf("status %v", got)
	}
	b.want(204, "PUT", "/v3/hooks/admin", `{"emails":["ops@example.com"]}`)
	b.want(422, "PUT", "/v3/hooks/admin", `{"emails":["nobody"]}`)
	if got := b.want(200, "GET", "/v3/hooks/admin", "").at("data", "emails", 0); got != "ops@example.com" {
		t.Errorf("emails %v", got)
	}
	b.want(200, "DELETE", path, "")
	b.want(404, "GET", path, "")
}
