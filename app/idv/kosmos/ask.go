package kosmos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"idgate/app/idv"
)

const (
	maxSmall  = 1 << 20    // bytes of every answer but a result
	maxResult = maxMessage // bytes of a result
	// A key younger than this is not fetched again because an answer could not be read: a provider that talks nonsense
	// must not double our calls.
	minKeyAge = time.Minute
)

// answer is the inside of a response.
type answer struct {
	plain  []byte
	sealed bool            // it came encrypted under the service's key
	hosts  map[string]bool // where the tenant's pages and services may be
}

// ask posts one encrypted request to docuverify and opens the response.
func (c *Client) ask(ctx context.Context, op, path string, body any, limit int64) (answer, error) {
	dir, err := c.directory(ctx, op)
	if err != nil {
		return answer{}, err
	}
	key, err := c.keys.get(ctx, c, op, dir.docuverify)
	if err != nil {
		return answer{}, err
	}
	request, err := c.seal(key, body)
	if err != nil {
		return answer{}, c.fail(op, idv.Invalid, "request cannot be encrypted", err)
	}
	raw, err := c.post(ctx, op, dir.docuverify+path, request, limit)
	if err != nil {
		if errors.Is(err, errStaleKey) {
			c.keys.distrust(c, dir.docuverify)
		}
		return answer{}, err
	}
	a, err := open(key, raw)
	if errors.Is(err, errMessage) {
		c.keys.distrust(c, dir.docuverify)
	}
	if err != nil {
		return answer{}, c.fail(op, idv.Unreadable, err.Error(), err)
	}
	a.hosts = dir.hosts
	return a, nil
}

// request is what goes over the wire.
type request struct {
	body   []byte
	header map[string]string
}

// seal encrypts the body and makes the headers, each under an IV of its own.
func (c *Client) seal(key [keySize]byte, body any) (request, error) {
	var id [16]byte
	if _, err := io.ReadFull(c.rand, id[:]); err != nil {
		return request{}, fmt.Errorf("drawing request id: %w", err)
	}
	stamp := struct {
		TS    int64  `json:"ts"` // seconds; the service takes 60 either way
		AppID string `json:"appid"`
		UUID  string `json:"uuid"`
	}{c.now().Unix(), "idgate", formatUUID(id, 4)}
	var sealed [3]string
	for i, plain := range [][]byte{marshal(body), []byte(c.tenant.LicenseKey), marshal(stamp)} {
		var err error
		if sealed[i], err = Encrypt(key, c.rand, plain); err != nil {
			return request{}, err
		}
	}
	return request{
		body: marshal(map[string]string{"data": sealed[0]}),
		header: map[string]string{
			"publickey":  c.public.Base64(),
			"licensekey": sealed[1],
			"requestid":  sealed[2],
		},
	}, nil
}

// open takes a response out of its envelope, if it has one. The publicKey in the envelope is not looked at: whoever forged
// the message would have put his own there.
func open(key [keySize]byte, raw []byte) (answer, error) {
	var data envelope
	err := object(raw, func(field string) any {
		if field == "data" {
			return &data
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	if !data.present {
		return answer{plain: raw}, nil
	}
	plain, err := Decrypt(key, data.text)
	if err != nil {
		return answer{}, err
	}
	return answer{plain: plain, sealed: true}, nil
}

// envelope is the value of "data": a string of any length, or null, which is as good as absent.
type envelope struct {
	present bool
	text    string
}

func (e *envelope) UnmarshalJSON(data []byte) error {
	e.present = string(data) != "null"
	return json.Unmarshal(data, &e.text)
}
