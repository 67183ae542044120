package sim

import (
	"fmt"
	"slices"
)

func (s *Shop) hook(id int64) *Hook {
	return find(s.hooks, func(h *Hook) bool { return h.ID == id })
}

// Hooks lists the shop's webhooks, whoever made them.
func (s *Shop) Hooks() []Hook {
	return locked(s, func() []Hook {
		out := derefAll(s.hooks)
		for i := range out {
			out[i].Headers = cloneMap(out[i].Headers)
		}
		return out
	})
}

func cloneMap(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// SetHookActive switches a hook off, as the platform does after its last retry, or on again.
func (s *Shop) SetHookActive(id int64, active bool) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	h := s.hook(id)
	if h == nil {
		return fmt.Errorf("hook %d: %w", id, ErrNotFound)
	}
	if active {
		h.Active, h.Deactivated, h.Updated = true, false, s.w.now()
		return nil
	}
	s.w.deactivate(h)
	return nil
}

// DeactivateHook switches a hook off, as the platform does after its last retry.
func (s *Shop) DeactivateHook(id int64) error { return s.SetHookActive(id, false) }

func (s *Shop) deleteHook(id int64) {
	s.hooks = slices.DeleteFunc(s.hooks, func(h *Hook) bool { return h.ID == id })
	s.w.queue = slices.DeleteFunc(s.w.queue, func(d *delivery) bool { return d.hookID == id })
}
