package web

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"idgate/views"
)

func TestParseHost(t *testing.T) {
	for _, tc := range []struct {
		text     string
		loopback bool
		host     string
		code     string
	}{
		{"larkspur.1kosmos.net", false, "larkspur.1kosmos.net", ""},
		{"Larkspur.1Kosmos.NET.", false, "larkspur.1kosmos.net", ""},
		{"bücher.example", false, "xn--bcher-kva.example", ""},
		{"", false, "", "required"},
		{"https://larkspur.1kosmos.net", false, "", "not_a_host"},
		{"larkspur.1kosmos.net/path", false, "", "not_a_host"},
		{"larkspur.1kosmos.net?x", false, "", "not_a_host"},
		{"larkspur.1kosmos.net#x", false, "", "not_a_host"},
		{"user@larkspur.1kosmos.net", false, "", "not_a_host"},
		{"larkspur.1kosmos.net:8443", false, "", "not_a_host"},
		{"lark spur.net", false, "", "not_a_host"},
		{"lark_spur.net", false, "", "not_a_host"},
		{"-lark.net", false, "", "not_a_host"},
		{"lark..net", false, "", "not_a_host"},
		{"kosmos", false, "", "not_a_host"},
		{strings.Repeat("a", 64) + ".net", false, "", "not_a_host"},
		{strings.Repeat("a.", 130) + "net", false, "", "not_a_host"},
		{"127.0.0.1", false, "", "host_refused"},
		{"10.0.0.1", false, "", "host_refused"},
		{"8.8.8.8", false, "", "host_refused"},
		{"::1", false, "", "host_refused"},
		{"[2001:db8::1]", false, "", "host_refused"},
		{"127.1", false, "", "host_refused"},
		{"0x7f.0x1", false, "", "host_refused"},
		{"localhost", false, "", "host_refused"},
		{"kosmos.localhost", false, "", "host_refused"},
		{"kosmos.localhost:8082", false, "", "not_a_host"},
		{"metadata.google.internal", false, "", "host_refused"},
		{"printer.local", false, "", "host_refused"},
		{"kosmos.localhost", true, "kosmos.localhost", ""},
		{"Kosmos.localhost:8082", true, "kosmos.localhost:8082", ""},
		{"127.0.0.1:8082", true, "127.0.0.1:8082", ""},
		{"kosmos.localhost:0", true, "", "not_a_host"},
		{"kosmos.localhost:99999", true, "", "not_a_host"},
		{"kosmos.localhost:8082/x", true, "", "not_a_host"},
		{"larkspur.1kosmos.net", true, "larkspur.1kosmos.net", ""},
		{"10.0.0.1", true, "", "host_refused"},
	} {
		host, code := parseHost(tc.text, tc.loopback)
		if code != tc.code || code == "" && host != tc.host {
			t.Errorf("%.50q (loopback %v): %q, %q, want %q, %q", tc.text, tc.loopback, host, code, tc.host, tc.code)
		}
	}
}

func FuzzParseHost(f *testing.F) {
	for _, seed := range []string{"larkspur.1kosmos.net", "127.0.0.1", "[::1]", "xn--bcher-kva.example", "bücher.example", "localhost:80", "a.b:c", "１２７.0.0.1", "127。0。0。1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		host, code := parseHost(text, false)
		if code != "" {
			return
		}
		if again, code := parseHost(host, false); again != host || code != "" {
			t.Errorf("%q became %q, which is %q, %q", text, host, again, code)
		}
		if strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" || strings.HasSuffix(host, "localhost") {
			t.Errorf("%q became %q", text, host)
		}
	})
}

func TestReadTenant(t *testing.T) {
	stored := kosmosTenant{DNS: "larkspur.1kosmos.net", Community: "default", LicenseKey: "old-key", DVCID: "old-dvc", Curve: "secp256k1"}
	full := views.TenantForm{DNS: "new.1kosmos.net", Community: "eu", LicenseKey: "new-key", DVCID: "new-dvc", Curve: "prime256v1"}
	form := func(change func(*views.TenantForm)) views.TenantForm {
		f := full
		change(&f)
		return f
	}
	for _, tc := range []struct {
		name  string
		form  views.TenantForm
		had   kosmosTenant
		want  kosmosTenant // when nothing is wrong
		wrong map[string]string
	}{
		{"the first", full, kosmosTenant{}, kosmosTenant{"new.1kosmos.net", "eu", "new-key", "new-dvc", "prime256v1"}, nil},
		{"another, whole", full, stored, kosmosTenant{"new.1kosmos.net", "eu", "new-key", "new-dvc", "prime256v1"}, nil},
		{"another host without its keys", form(func(f *views.TenantForm) { f.LicenseKey, f.DVCID = "", "" }), stored, kosmosTenant{},
			map[string]string{"license_key": "enter_again", "dvc_id": "enter_again"}},
		{"a host that only begins like the old one", form(func(f *views.TenantForm) { f.DNS, f.LicenseKey = "larkspur.1kosmos.net.evil.example", "" }), stored, kosmosTenant{},
			map[string]string{"license_key": "enter_again"}},
		{"the same host, another community", form(func(f *views.TenantForm) { f.DNS, f.LicenseKey, f.DVCID = "Larkspur.1kosmos.net", "", "" }), stored,
			kosmosTenant{"larkspur.1kosmos.net", "eu", "old-key", "old-dvc", "prime256v1"}, nil},
		{"the same host, one new key", form(func(f *views.TenantForm) { f.DNS, f.DVCID = "larkspur.1kosmos.net", "" }), stored,
			kosmosTenant{"larkspur.1kosmos.net", "eu", "new-key", "old-dvc", "prime256v1"}, nil},
		{"nothing", views.TenantForm{}, kosmosTenant{}, kosmosTenant{},
			map[string]string{"dns": "required", "community": "required", "license_key": "required", "dvc_id": "required", "curve": "unknown_choice"}},
		{"unfit", views.TenantForm{DNS: "10.0.0.1", Community: strings.Repeat("c", 101), LicenseKey: strings.Repeat("k", 201), DVCID: "d\x00", Curve: "ed25519"}, stored, kosmosTenant{},
			map[string]string{"dns": "host_refused", "community": "too_long:100", "license_key": "too_long:200", "dvc_id": "copy it again, without control characters", "curve": "unknown_choice"}},
	} {
		got, wrong := readTenant(tc.form, tc.had, false)
		if !maps.Equal(wrong, tc.wrong) || len(wrong) == 0 && got != tc.want {
			t.Errorf("%s: %#v, refused %v, want %#v, %v", tc.name, got, wrong, tc.want, tc.wrong)
		}
		for field, code := range wrong {
			if strings.HasPrefix(views.FieldError(code), "This cannot be used") {
				t.Errorf("%s: %s has no words for %q", tc.name, field, code)
			}
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %s", stored, stored, stored, stored); strings.Contains(text, "old-") {
		t.Errorf("a printed tenant shows its keys: %s", text)
	}
}
