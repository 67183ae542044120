package kosmos

import (
	"context"
	"errors"
	"sync"
	"time"

	"idgate/app/dial"
	"idgate/app/idv"
)

// fetchTimeout bounds a shared fetch, which no single caller's context may end.
const fetchTimeout = 20 * time.Second

// cell remembers one fetched value. While it is being fetched, everybody who asks waits for the same fetch; errors are
// shared by those who waited and then forgotten.
type cell[T any] struct {
	mu      sync.Mutex
	value   T
	fetched time.Time // zero: nothing remembered
	flight  *flight[T]
}

type flight[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// get returns the value, at most life old. A caller that gives up leaves the fetch running for the others.
func (c *cell[T]) get(ctx context.Context, now func() time.Time, life time.Duration, fetch func(context.Context) (T, error)) (T, error) {
	c.mu.Lock()
	if age := now().Sub(c.fetched); !c.fetched.IsZero() && age >= 0 && age < life {
		defer c.mu.Unlock()
		return c.value, nil
	}
	f := c.flight
	if f == nil {
		f = &flight[T]{done: make(chan struct{})}
		c.flight = f
		shared, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		go func() {
			defer cancel()
			f.value, f.err = fetch(shared)
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.flight = nil; f.err == nil {
				c.value, c.fetched = f.value, now()
			}
			close(f.done)
		}()
	}
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// forget drops the value if it is older than age, so that the next get fetches.
func (c *cell[T]) forget(now time.Time, age time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.fetched) > age {
		c.fetched = time.Time{}
	}
}

// keyring holds the shared keys with the services, by base URL.
type keyring struct {
	mu   sync.Mutex
	keys map[string]*cell[[keySize]byte]
}

// maxKeys is far more than the services one tenant has; a directory that keeps changing starts the ring anew.
const maxKeys = 16

func (k *keyring) cell(service string) *cell[[keySize]byte] {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil || len(k.keys) >= maxKeys && k.keys[service] == nil {
		k.keys = make(map[string]*cell[[keySize]byte])
	}
	if k.keys[service] == nil {
		k.keys[service] = new(cell[[keySize]byte])
	}
	return k.keys[service]
}

// get returns the key that we share with a service, from memory for 24 hours.
func (k *keyring) get(ctx context.Context, c *Client, op, service string) ([keySize]byte, error) {
	key, err := k.cell(service).get(ctx, c.now, keyLife, func(ctx context.Context) ([keySize]byte, error) {
		const op = "fetching a service key"
		raw, err := c.get(ctx, op, service+"/publickeys", maxSmall)
		if err != nil {
			return [keySize]byte{}, err
		}
		public, err := parseServiceKey(c.tenant.Curve, raw)
		if err != nil {
			return [keySize]byte{}, c.fail(op, idv.Unreadable, err.Error(), err)
		}
		shared, err := SharedKey(c.private, public)
		if err != nil {
			return [keySize]byte{}, c.fail(op, idv.Unreadable, err.Error(), err)
		}
		return shared, nil
	})
	return key, c.during(op, err)
}

// distrust makes the next call fetch the service's key again: it may have been changed.
func (k *keyring) distrust(c *Client, service string) { k.cell(service).forget(c.now(), minKeyAge) }

// during turns what came out of a shared fetch into an error of the call that waited for it.
func (c *Client) during(op string, err error) error {
	var known *idv.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		e := *known // shared with the others who waited
		e.Op = op + ": " + e.Op
		return &e
	default:
		return c.fail(op, idv.Unreachable, dial.Word(err), err)
	}
}
