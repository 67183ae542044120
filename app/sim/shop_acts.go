package sim

import (
	"fmt"
	"slices"
)

// Attributes lists the customer attributes that are defined.
func (s *Shop) Attributes() []Attribute {
	return locked(s, func() []Attribute { return slices.Clone(s.attributes) })
}

// DeleteAttribute deletes a customer attribute's definition, and with it every customer's value, as
// anyone with the customers scope can. Writes to its id are 422 from then on.
func (s *Shop) DeleteAttribute(name string) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	i := slices.IndexFunc(s.attributes, func(a Attribute) bool { return a.Name == name })
	if i < 0 {
		return fmt.Errorf("attribute %s: %w", name, ErrNotFound)
	}
	id := s.attributes[i].ID
	s.attributes = slices.Delete(s.attributes, i, i+1)
	s.dropValues(func(v *AttributeValue) bool { return v.AttributeID == id })
	return nil
}

// SetTokenScopes replaces what a token may do: the app's (Installation().Token) or an API account's.
// What it no longer covers is 403.
func (s *Shop) SetTokenScopes(token string, scopes ...string) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	t := find(s.tokens, func(t *Token) bool { return t.Value == token })
	if t == nil {
		return fmt.Errorf("token: %w", ErrNotFound)
	}
	t.Scopes = slices.Clone(scopes)
	if s.app.Token == token {
		s.app.Scopes = slices.Clone(scopes)
	}
	return nil
}

// DeleteHook deletes a webhook that the platform lost; what was queued for it is lost too.
func (s *Shop) DeleteHook(id int64) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	if s.hook(id) == nil {
		return fmt.Errorf("hook %d: %w", id, ErrNotFound)
	}
	s.deleteHook(id)
	return nil
}

// UpdateScript changes a script as Script Manager, or whoever got hold of the shop, can: its source,
// its integrity hashes, whether it is enabled. Nothing is checked; its UUID and its client stay.
func (s *Shop) UpdateScript(uuid string, f func(*Script)) error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	sc := find(s.scripts, func(sc *Script) bool { return sc.UUID == uuid })
	if sc == nil {
		return fmt.Errorf("script %s: %w", uuid, ErrNotFound)
	}
	draft := *sc
	draft.IntegrityHashes = slices.Clone(sc.IntegrityHashes)
	f(&draft)
	draft.UUID, draft.ClientID, draft.Created, draft.Modified = sc.UUID, sc.ClientID, sc.Created, s.w.now()
	*sc = draft
	return nil
}
