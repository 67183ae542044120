// Package settings reads what `idgate serve` is told: flags, environment and secret files, and names everything that is wrong at once.
//
// A flag wins over the environment. Secrets have no flag of their own, since a process's arguments can be read by others: they come
// from the environment or from a file that -NAME-file or NAME_FILE names.
package settings

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Serve is every setting of `idgate serve`.
type Serve struct {
	AppURL         string
	Data           string
	Listen         string
	OpsListen      string
	Autocert       bool
	TrustedProxies []netip.Prefix
	ClientID       string
	ClientSecret   string
	StoreHash      string // single-shop mode
	AccessToken    string // single-shop mode
	LegacyPayload  bool
	OperatorKey    string // text of the keyring; empty means the file of that name in the data directory
	KosmosDNS      string
	KosmosName     string // community
	KosmosLicense  string
	KosmosDVC      string
	KosmosCurve    string
	KosmosResult   string
	Litestream     string // path of litestream.yml
	ReplicaURL     string
	SMTP           string // mail server: smtp://user:password@host:587?from=no-reply@example.com
	LogLevel       string
}

// setting is one of them: where it comes from, what it means and how it is checked.
type setting struct {
	flag   string
	env    string
	def    string
	help   string
	secret bool
	parse  func(*Serve, string) error
}

// Problems is everything that is wrong, each with its remedy.
type Problems []string

func (p Problems) Error() string {
	return fmt.Sprintf("%d problem(s) with the settings:\n  - %s", len(p), strings.Join(p, "\n  - "))
}

func text(field func(*Serve) *string) func(*Serve, string) error {
	return func(s *Serve, v string) error { *field(s) = v; return nil }
}

func oneOf(field func(*Serve) *string, choices ...string) func(*Serve, string) error {
	return func(s *Serve, v string) error {
		for _, c := range choices {
			if v == c {
				*field(s) = v
				return nil
			}
		}
		return fmt.Errorf("%q is none of %s", v, strings.Join(choices, ", "))
	}
}

func yes(field func(*Serve) *bool) func(*Serve, string) error {
	return func(s *Serve, v string) error {
		switch v {
		case "true", "1", "yes":
			*field(s) = true
		case "false", "0", "no", "":
			*field(s) = false
		default:
			return fmt.Errorf("%q is neither true nor false", v)
		}
		return nil
	}
}

// table lists every setting. The README's list of settings is made from it, and a test compares the two.
var table = []setting{
	{"app-url", "APP_URL", "", "Public https address of this idgate, without a path: https://idgate.example.com", false, parseAppURL},
	{"data", "IDGATE_DATA", "", "Data directory: the ledger, the operator key unless given, certificates", false, text(func(s *Serve) *string { return &s.Data })},
	{"listen", "IDGATE_LISTEN", ":8080", "Address to listen on; with -autocert use :443", false, text(func(s *Serve) *string { return &s.Listen })},
	{"ops-listen", "IDGATE_OPS_LISTEN", "127.0.0.1:9090", "Address of /healthz, /metrics and /bounces, or none. Keep it off the internet", false, parseOps},
	{"autocert", "IDGATE_AUTOCERT", "false", "Get a TLS certificate for APP_URL's host from Let's Encrypt (true or false)", false, yes(func(s *Serve) *bool { return &s.Autocert })},
	{"trusted-proxy", "IDGATE_TRUSTED_PROXY", "", "Networks (CIDR, comma separated) of the proxy that ends TLS; only its X-Forwarded-For is believed", false, parseProxies},
	{"bc-client-id", "BC_CLIENT_ID", "", "Client ID of the BigCommerce app, or of the API account in single-shop mode", false, text(func(s *Serve) *string { return &s.ClientID })},
	{"bc-client-secret", "BC_CLIENT_SECRET", "", "Client secret that goes with it", true, text(func(s *Serve) *string { return &s.ClientSecret })},
	{"bc-store-hash", "BC_STORE_HASH", "", "Single-shop mode: the shop's store hash", false, parseHash},
	{"bc-access-token", "BC_ACCESS_TOKEN", "", "Single-shop mode: the API account's access token, instead of OAuth", true, text(func(s *Serve) *string { return &s.AccessToken })},
	{"legacy-signed-payload", "IDGATE_LEGACY_PAYLOAD", "false", "Also accept the legacy signed_payload (true or false)", false, yes(func(s *Serve) *bool { return &s.LegacyPayload })},
	{"operator-key", "IDGATE_KEY", "", "Operator key: seals every shop's key. Unset: the file operator.key in the data directory, made on the first start", true, text(func(s *Serve) *string { return &s.OperatorKey })},
	{"kosmos-dns", "KOSMOS_DNS", "", "Host name of the 1Kosmos tenant that shops without one of their own use; empty: each shop enters its own", false, text(func(s *Serve) *string { return &s.KosmosDNS })},
	{"kosmos-community", "KOSMOS_COMMUNITY", "", "1Kosmos community name", false, text(func(s *Serve) *string { return &s.KosmosName })},
	{"kosmos-license-key", "KOSMOS_LICENSE_KEY", "", "1Kosmos licence key", true, text(func(s *Serve) *string { return &s.KosmosLicense })},
	{"kosmos-dvc-id", "KOSMOS_DVC_ID", "", "1Kosmos dvcID: the verification configuration", true, text(func(s *Serve) *string { return &s.KosmosDVC })},
	{"kosmos-curve", "KOSMOS_CURVE", "secp256k1", "Curve of the tenant: secp256k1 or prime256v1", false, oneOf(func(s *Serve) *string { return &s.KosmosCurve }, "secp256k1", "prime256v1")},
	{"kosmos-result", "KOSMOS_RESULT", "v1", "Result endpoint of the tenant: v1 or v3", false, oneOf(func(s *Serve) *string { return &s.KosmosResult }, "v1", "v3")},
	{"litestream", "IDGATE_LITESTREAM", "litestream.yml", "Replication configuration; where the default file is missing, the one built in", false, text(func(s *Serve) *string { return &s.Litestream })},
	{"replica-url", "IDGATE_REPLICA_URL", "", "Where litestream.yml replicates to: file:///path or s3://bucket/path; empty: nowhere", false, text(func(s *Serve) *string { return &s.ReplicaURL })},
	{"smtp", "IDGATE_SMTP", "", "Mail server that mails are sent through: smtp://user:password@host:587?from=no-reply@example.com, or smtps://…; empty: no mails are sent", true, text(func(s *Serve) *string { return &s.SMTP })},
	{"log-level", "IDGATE_LOG", "info", "debug, info, warn or error", false, oneOf(func(s *Serve) *string { return &s.LogLevel }, "debug", "info", "warn", "error")},
}

func parseAppURL(s *Serve, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return errors.New("it must be an https address without a path, such as https://idgate.example.com")
	}
	if p := u.Port(); p != "" && p != "443" {
		return fmt.Errorf("BigCommerce sends webhooks to port 443 only, not to %s", p)
	}
	s.AppURL = "https://" + strings.ToLower(u.Hostname())
	return nil
}

func parseOps(s *Serve, v string) error {
	if s.OpsListen = v; v == "none" {
		s.OpsListen = ""
	}
	return nil
}

func parseProxies(s *Serve, v string) error {
	for part := range strings.SplitSeq(v, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil {
			return fmt.Errorf("%q is not a network such as 10.0.0.0/8", strings.TrimSpace(part))
		}
		s.TrustedProxies = append(s.TrustedProxies, p)
	}
	return nil
}

var hashForm = regexp.MustCompile(`^[a-z0-9]{1,32}$`)

func parseHash(s *Serve, v string) error {
	if !hashForm.MatchString(v) {
		return fmt.Errorf("%q is no store hash; it is the part after /stores/ in the API path of your API account", v)
	}
	s.StoreHash = v
	return nil
}

// Read reads the settings of a command from its arguments and the environment. need says which settings the command cannot do
// without; usage is printed for -h, whose error is flag.ErrHelp.
func Read(name, usage string, args []string, env func(string) string, out io.Writer, need func(*Serve) []string) (Serve, error) {
	return ReadWith(name, usage, args, env, out, need, func(*flag.FlagSet) {})
}

// ReadWith is Read for a command that has flags of its own besides.
func ReadWith(name, usage string, args []string, env func(string) string, out io.Writer, need func(*Serve) []string, own func(*flag.FlagSet)) (Serve, error) {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(out)
	own(fs)
	given := map[string]*string{}
	for _, t := range table {
		if t.secret {
			given[t.flag] = fs.String(t.flag+"-file", "", fmt.Sprintf("%s. File that holds it; or set %s or %s_FILE", t.help, t.env, t.env))
			continue
		}
		given[t.flag] = fs.String(t.flag, "", fmt.Sprintf("%s (%s; default %q)", t.help, t.env, t.def))
	}
	fs.Usage = func() {
		_, _ = fmt.Fprintln(out, usage)
		fs.PrintDefaults()
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return Serve{}, err
	case err != nil:
		return Serve{}, Problems{err.Error()}
	case fs.NArg() > 0:
		return Serve{}, Problems{fmt.Sprintf("unexpected argument %q; see idgate %s -h", fs.Arg(0), name)}
	}
	var s Serve
	var problems Problems
	for _, t := range table {
		v, err := value(t, *given[t.flag], env)
		if err == nil && v != "" {
			err = t.parse(&s, v)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", t.env, err))
		}
	}
	problems = append(problems, need(&s)...)
	if len(problems) > 0 {
		return s, problems
	}
	return s, nil
}

func value(t setting, given string, env func(string) string) (string, error) {
	if !t.secret {
		for _, v := range []string{given, env(t.env), t.def} {
			if v != "" {
				return v, nil
			}
		}
		return "", nil
	}
	file := given
	if file == "" {
		file = env(t.env + "_FILE")
	}
	if file == "" {
		return env(t.env), nil
	}
	if given == "" && env(t.env) != "" {
		return "", fmt.Errorf("%s and %s_FILE are both set; keep one", t.env, t.env)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the file that holds it: %w", err)
	}
	v := strings.TrimSpace(string(b))
	if v == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return v, nil
}

// NeedServe names what serve cannot do without.
func NeedServe(s *Serve) []string {
	var out []string
	want := func(missing bool, env, remedy string) {
		if missing {
			out = append(out, env+": "+remedy)
		}
	}
	want(s.AppURL == "", "APP_URL", "set it to the public https address of this idgate")
	want(s.Data == "", "IDGATE_DATA", "set it to a directory on a disk that is kept, such as /var/lib/idgate")
	want(s.ClientID == "", "BC_CLIENT_ID", "copy it from the app's profile in BigCommerce's developer portal, or from the API account")
	want(s.ClientSecret == "", "BC_CLIENT_SECRET", "copy it from the same place, or name a file in BC_CLIENT_SECRET_FILE")
	want((s.StoreHash == "") != (s.AccessToken == ""), "BC_STORE_HASH", "single-shop mode needs both BC_STORE_HASH and BC_ACCESS_TOKEN; the app mode needs neither")
	want(!s.Autocert && len(s.TrustedProxies) == 0, "IDGATE_TRUSTED_PROXY", "name the network of the proxy that ends TLS, or set IDGATE_AUTOCERT=true to end it here")
	some := s.KosmosDNS != "" || s.KosmosName != "" || s.KosmosLicense != "" || s.KosmosDVC != ""
	want(some && s.KosmosDNS == "", "KOSMOS_DNS", "set it too: a tenant is configured whole or not at all")
	want(some && s.KosmosName == "", "KOSMOS_COMMUNITY", "set it too: a tenant is configured whole or not at all")
	want(some && s.KosmosLicense == "", "KOSMOS_LICENSE_KEY", "set it too: a tenant is configured whole or not at all")
	want(some && s.KosmosDVC == "", "KOSMOS_DVC_ID", "set it too: a tenant is configured whole or not at all")
	return out
}

// NeedData names what the commands beside serve cannot do without.
func NeedData(s *Serve) []string {
	if s.Data == "" {
		return []string{"IDGATE_DATA: set it to the data directory of the server"}
	}
	return nil
}

// Real lists the variables that hold real credentials, for the demo to refuse.
func Real() []string {
	var out []string
	for _, t := range table {
		if t.secret {
			out = append(out, t.env, t.env+"_FILE")
		}
	}
	return append(out, "BC_CLIENT_ID", "BC_STORE_HASH", "KOSMOS_DNS")
}

// LedgerPath is the ledger's file.
func (s Serve) LedgerPath() string { return filepath.Join(s.Data, "idgate.db") }

// KeyPath is the operator key's file, where none is given.
func (s Serve) KeyPath() string { return filepath.Join(s.Data, "operator.key") }

// Names lists the environment names of all settings, for the README's test.
func Names() []string {
	out := make([]string, len(table))
	for i, t := range table {
		out[i] = t.env
	}
	return out
}
