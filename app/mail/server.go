package mail

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// How the connection to the server is protected.
const (
	StartTLS    = "starttls" // it begins in the clear and is upgraded before anything is said; never left as it was
	ImplicitTLS = "implicit" // TLS from the first byte
	NoTLS       = "none"     // in the clear: this machine only, without a user
)

// DefaultTimeout bounds one Send where the Server says nothing else.
const DefaultTimeout = 30 * time.Second

// Server is the operator's SMTP server. However it is printed, logged or marshalled, user and password stay out.
type Server struct {
	Host           string
	Port           int // 0: 465 with ImplicitTLS, else 587
	User, Password string
	TLS            string        // StartTLS (also when empty), ImplicitTLS or NoTLS
	From           string        // the address that all mails come from, and that bounces go to
	Timeout        time.Duration // of one Send, from dialling to the answer; 0: DefaultTimeout
}

// What can be wrong with a Server. The texts hold nothing of the setting: in a mistyped one, any part may be the password.
var (
	errForm = errors.New("it is no address of a mail server; write smtp://user:password@mail.example.com:587?from=no-reply@example.com, " +
		"with %XX for each character of user or password that is not a letter, a digit or one of - . _ ~")
	errScheme   = errors.New("it must begin with smtp:// (STARTTLS, usually port 587) or smtps:// (TLS from the start, usually port 465)")
	errHost     = errors.New("its host must be a name or an address, such as mail.example.com")
	errPort     = errors.New("its port must be a number from 1 to 65535, such as 587")
	errPort465  = errors.New("port 465 speaks TLS from the start: write smtps:// instead of smtp://")
	errParam    = errors.New("after its ? there may be one from=address and, for a server on this machine, tls=none")
	errFrom     = errors.New("it must name the address that mails come from, such as ?from=no-reply@example.com: in plain letters, %2B for a plus sign")
	errUser     = errors.New("user and password must be given together, or neither, without control characters")
	errTLS      = errors.New("its TLS must be starttls, implicit or none; none goes with smtp:// only")
	errClear    = errors.New("mail in the clear is for a server on this machine (127.0.0.1, [::1], localhost): leave tls=none out")
	errClearKey = errors.New("a password is not sent in the clear: leave user and password out, or tls=none")
	errTimeout  = errors.New("its timeout must not be negative")
)

// maxSetting bounds the text of a Server, in bytes.
const maxSetting = 2000

// ParseServer reads a setting such as smtp://user:password@mail.example.com:587?from=no-reply@example.com; smtps:// for
// implicit TLS; tls=none among the parameters for a server on this machine. An error says what is wrong and what to
// write instead, and repeats no part of the setting.
func ParseServer(setting string) (Server, error) {
	u, err := url.Parse(setting) // its error repeats the setting
	if err != nil || len(setting) > maxSetting {
		return Server{}, errForm
	}
	s := Server{Host: u.Hostname(), TLS: StartTLS}
	switch u.Scheme {
	case "smtp":
	case "smtps":
		s.TLS = ImplicitTLS
	default:
		return Server{}, errScheme
	}
	if u.Opaque != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return Server{}, errForm
	}
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil || s.Port == 0 {
			return Server{}, errPort
		}
	}
	if u.User != nil {
		s.User = u.User.Username()
		s.Password, _ = u.User.Password()
	}
	if err := s.parameters(u.RawQuery); err != nil {
		return Server{}, err
	}
	return s.complete()
}

func (s *Server) parameters(query string) error {
	q, err := url.ParseQuery(query)
	if err != nil {
		return errParam
	}
	for name, values := range q {
		switch {
		case len(values) != 1:
			return errParam
		case name == "from":
			s.From = values[0]
		case name == "tls" && values[0] == NoTLS && s.TLS == StartTLS:
			s.TLS = NoTLS
		case name == "tls":
			return errTLS
		default:
			return errParam
		}
	}
	return nil
}

var hostForm = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?$`)

// complete checks the Server and fills in what it leaves open.
func (s Server) complete() (Server, error) {
	if s.TLS == "" {
		s.TLS = StartTLS
	}
	if s.Port == 0 && s.TLS == ImplicitTLS {
		s.Port = 465
	} else if s.Port == 0 {
		s.Port = 587
	}
	if s.Timeout == 0 {
		s.Timeout = DefaultTimeout
	}
	ip, err := netip.ParseAddr(s.Host)
	isAddress := err == nil && ip.Zone() == ""
	from, err := mailbox(s.From)
	switch {
	case s.TLS != StartTLS && s.TLS != ImplicitTLS && s.TLS != NoTLS:
		return Server{}, errTLS
	case !isAddress && !hostForm.MatchString(s.Host):
		return Server{}, errHost
	case s.Port < 1 || s.Port > 65535:
		return Server{}, errPort
	case s.Port == 465 && s.TLS == StartTLS:
		return Server{}, errPort465
	case err != nil || !isASCII(from):
		return Server{}, errFrom
	case (s.User == "") != (s.Password == "") || strings.ContainsFunc(s.User+s.Password, unicode.IsControl):
		return Server{}, errUser
	case s.TLS == NoTLS && s.User != "":
		return Server{}, errClearKey
	case s.TLS == NoTLS && !strings.EqualFold(s.Host, "localhost") && !(isAddress && ip.Unmap().IsLoopback()):
		return Server{}, errClear
	case s.Timeout < 0:
		return Server{}, errTimeout
	}
	s.From = from
	return s, nil
}

// domain is what stands after the @ of From.
func (s Server) domain() string { return s.From[strings.LastIndexByte(s.From, '@')+1:] }

func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// String writes the Server as a setting, with stars for user and password.
func (s Server) String() string {
	scheme, user, clear := "smtp", "", ""
	if s.TLS == ImplicitTLS {
		scheme = "smtps"
	}
	if s.User != "" || s.Password != "" {
		user = "***@"
	}
	if s.TLS == NoTLS {
		clear = "&tls=none"
	}
	return scheme + "://" + user + s.address() + "?from=" + strings.ReplaceAll(url.QueryEscape(s.From), "%40", "@") + clear
}

// Format makes every verb, %#v and %d included, print what String says.
func (s Server) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// MarshalText keeps the secrets out of JSON, alone or inside something else.
func (s Server) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue leaves the secrets out.
func (s Server) LogValue() slog.Value { return slog.StringValue(s.String()) }
