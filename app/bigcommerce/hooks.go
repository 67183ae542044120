package bigcommerce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Hook is one webhook subscription of our client id. The platform allows one per scope and destination, keeps Headers
// (our secret is among them) and gives them back when asked; it switches a hook off after 48 hours of failed deliveries
// or 90 days of silence.
type Hook struct {
	ID          int64             `json:"id,omitempty"`
	Scope       string            `json:"scope"`
	Destination string            `json:"destination"` // https, port 443
	Active      bool              `json:"is_active"`
	Headers     map[string]string `json:"headers"`
}

// String leaves out the headers.
func (h Hook) String() string {
	return fmt.Sprintf("hook %d %s → %s (active %t)", h.ID, h.Scope, h.Destination, h.Active)
}

// Hooks lists the hooks made with our client id, inactive ones included.
func (s *Store) Hooks(ctx context.Context) ([]Hook, error) {
	return listV3[Hook](ctx, s, request{path: "/v3/hooks"})
}

// CreateHook subscribes; h.ID is ignored. Deliveries may begin a minute later. List first: the platform refuses a second
// hook of the same scope and destination.
func (s *Store) CreateHook(ctx context.Context, h Hook) (Hook, error) {
	return s.writeHook(ctx, http.MethodPost, "/v3/hooks", h)
}

// UpdateHook replaces scope, destination, headers and is_active; active true also revives a deactivated hook.
func (s *Store) UpdateHook(ctx context.Context, id int64, h Hook) (Hook, error) {
	path, err := numericPath("/v3/hooks/", id, "")
	if err != nil {
		return Hook{}, err
	}
	return s.writeHook(ctx, http.MethodPut, path, h)
}

// DeleteHook unsubscribes. A hook that is not there is no error.
func (s *Store) DeleteHook(ctx context.Context, id int64) error {
	path, err := numericPath("/v3/hooks/", id, "")
	if err != nil {
		return err
	}
	return s.delete(ctx, path)
}

func (s *Store) writeHook(ctx context.Context, method, path string, h Hook) (Hook, error) {
	h.ID = 0 // read-only; omitted when 0
	r := request{method: method, path: path, body: h}
	for _, v := range h.Headers {
		r.secrets = append(r.secrets, v)
	}
	var e envelope[Hook]
	if err := s.object(ctx, r, &e); err != nil {
		return Hook{}, err
	}
	if e.Data.ID <= 0 {
		return Hook{}, r.trouble(http.StatusOK, "the answer holds no hook", nil)
	}
	return e.Data, nil
}

// delete removes what is at path; the wished state is reached also when nothing was there.
func (s *Store) delete(ctx context.Context, path string) error {
	_, err := s.call(ctx, request{method: http.MethodDelete, path: path}, nil)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
