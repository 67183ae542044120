package kosmos

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"idgate/app/dial"
	"idgate/app/idv"
)

const (
	directoryLife = 10 * time.Minute // as the vendor's helpers keep it
	keyLife       = 24 * time.Hour
	maxHosts      = 64 // in otherDNS
)

// directory is where the tenant's services are.
type directory struct {
	docuverify string          // base URL, without a slash at its end
	hosts      map[string]bool // normalised host[:port]: the tenant's DNS, its otherDNS and AllowedHosts
}

// directory returns the tenant's services, from memory for ten minutes.
func (c *Client) directory(ctx context.Context, op string) (directory, error) {
	d, err := c.services.get(ctx, c.now, directoryLife, c.discover)
	return d, c.during(op, err)
}

// discover asks the tenant which hosts are its own and where its services are. Both calls are plain, as published.
func (c *Client) discover(ctx context.Context) (directory, error) {
	const op = "discovering services"
	base := "https://" + c.tenant.DNS
	if c.loopback {
		base = "http://" + c.tenant.DNS
	}
	raw, err := c.post(ctx, op, base+"/api/r1/system/community_info/fetch", request{body: marshal(struct {
		DNS       string `json:"dns"`
		Community string `json:"communityName"`
		SkipLogos bool   `json:"skipLogos"`
	}{c.tenant.DNS, c.tenant.Community, true})}, maxSmall)
	if err != nil {
		return directory{}, err
	}
	known, others, err := parseCommunity(raw)
	if err != nil {
		return directory{}, c.fail(op, idv.Unreadable, "community_info: "+err.Error(), err)
	}
	if !known {
		return directory{}, c.fail(op, idv.Refused, "the tenant does not know this community", nil)
	}
	hosts := map[string]bool{c.tenant.DNS: true}
	for _, h := range append(others, c.tenant.AllowedHosts...) {
		hosts[h] = true
	}
	raw, err = c.get(ctx, op, base+"/caas/sd", maxSmall)
	if err != nil {
		return directory{}, err
	}
	service, err := parseServices(raw)
	if err != nil {
		return directory{}, c.fail(op, idv.Unreadable, "caas/sd: "+err.Error(), err)
	}
	docuverify, err := c.allowed(service, hosts)
	if err == nil && strings.Contains(docuverify, "?") {
		err = errors.New("not a base address")
	}
	if err != nil {
		return directory{}, c.fail(op, idv.Forbidden, "docuverify: "+err.Error(), err)
	}
	return directory{docuverify: strings.TrimRight(docuverify, "/"), hosts: hosts}, nil
}

// parseCommunity says whether tenant and community are there, and which further hosts the tenant calls its own. Entries
// that are no host names are left out.
func parseCommunity(raw []byte) (known bool, others []string, err error) {
	var tenant, community text
	var other []text
	err = object(raw, func(field string) any {
		switch field {
		case "tenant":
			return &nested{func(field string) any {
				switch field {
				case "id":
					return &tenant
				case "otherDNS":
					return &other
				}
				return nil
			}}
		case "community":
			return &nested{func(field string) any {
				if field == "id" {
					return &community
				}
				return nil
			}}
		}
		return nil
	})
	if err != nil {
		return false, nil, err
	}
	if len(other) > maxHosts {
		return false, nil, errors.New("too many host names")
	}
	for _, h := range other {
		if host, ok := normalHost(string(h)); ok {
			others = append(others, host)
		}
	}
	return tenant != "" && community != "", others, nil
}

// parseServices returns docuverify's base URL. The published directory names internal addresses beside public ones, so
// the others are not even looked at.
func parseServices(raw []byte) (string, error) {
	var docuverify text
	err := object(raw, func(field string) any {
		if field == "docuverify" {
			return &docuverify
		}
		return nil
	})
	if err == nil && docuverify == "" {
		err = errors.New("no docuverify service")
	}
	return string(docuverify), err
}

func parseServiceKey(curve string, raw []byte) (PublicKey, error) {
	var key text
	err := object(raw, func(field string) any {
		if field == "publicKey" {
			return &key
		}
		return nil
	})
	if err != nil {
		return PublicKey{}, err
	}
	return ParsePublicKey(curve, string(key))
}

// nested reads an object inside an object; null is an empty one.
type nested struct{ field func(string) any }

func (n *nested) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	return object(data, n.field)
}

// allowed returns the URL in its normal form if we may send a key, or a shopper, there.
func (c *Client) allowed(raw string, hosts map[string]bool) (string, error) {
	u, err := url.Parse(raw)
	if raw == "" || err != nil || u.Host == "" || u.User != nil || u.Opaque != "" || u.Fragment != "" {
		return "", errors.New("not a usable address")
	}
	if u.Scheme != "https" && !(c.loopback && u.Scheme == "http") {
		return "", errors.New("not https")
	}
	if c.loopback && !dial.LoopbackName(u.Hostname()) {
		return "", errors.New("not a loopback name")
	}
	host, ok := normalHost(u.Host)
	if !ok || !hosts[host] {
		return "", errors.New("its host is neither the tenant's nor allowed")
	}
	return u.String(), nil
}

var hostForm = regexp.MustCompile(`^[0-9a-z]([0-9a-z-]{0,62}[0-9a-z])?(\.[0-9a-z]([0-9a-z-]{0,62}[0-9a-z])?)*(:[0-9]{1,5})?$`)

// normalHost brings host names into the form in which they are compared: lower case, without https's own port.
func normalHost(h string) (string, bool) {
	h = strings.TrimSuffix(strings.ToLower(h), ":443")
	return h, len(hostOnly(h)) <= 253 && hostForm.MatchString(h)
}

func hostOnly(h string) string {
	h, _, _ = strings.Cut(h, ":")
	return h
}
