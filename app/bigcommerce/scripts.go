package bigcommerce

import (
	"context"
	"net/http"
)

// Values of Script's fields that idgate uses (S: scripts.v3).
const (
	ScriptKindSrc          = "src"
	ScriptKindTag          = "script_tag" // HTML of one script element, which gets the page's nonce and has no integrity hash
	ScriptLoadDefault      = "default"
	ScriptLocationHead     = "head"
	ScriptOnCheckout       = "checkout"
	ScriptOnAllPages       = "all_pages"
	ScriptConsentEssential = "essential" // any other category is not rendered until the shopper consents
	MaxScriptsPerApp       = 10
	MaxIntegrityHashes     = 5
)

// Script is one entry of the shop's Script Manager. Only those made with our client id are visible to us; the merchant
// can delete or edit them at any time. The platform refuses ":" in names and a change of Kind.
type Script struct {
	UUID            string   `json:"uuid,omitempty"`
	Name            string   `json:"name"`
	Description     string   `json:"description"`
	Kind            string   `json:"kind,omitempty"`
	Src             string   `json:"src,omitempty"`
	HTML            string   `json:"html,omitempty"`
	LoadMethod      string   `json:"load_method,omitempty"`
	Location        string   `json:"location,omitempty"`
	Visibility      string   `json:"visibility,omitempty"`
	ConsentCategory string   `json:"consent_category,omitempty"`
	ChannelID       int64    `json:"channel_id,omitempty"`
	IntegrityHashes []string `json:"integrity_hashes,omitempty"` // sha256-…, sha384-… or sha512-…; kind src only
	Enabled         bool     `json:"enabled"`
	AutoUninstall   bool     `json:"auto_uninstall"`
}

// Scripts lists our scripts in all channels.
func (s *Store) Scripts(ctx context.Context) ([]Script, error) {
	return listV3[Script](ctx, s, request{path: "/v3/content/scripts"})
}

// CreateScript adds a script; c.UUID is ignored. Pages show it within about 20 seconds.
func (s *Store) CreateScript(ctx context.Context, c Script) (Script, error) {
	return s.writeScript(ctx, http.MethodPost, "/v3/content/scripts", c)
}

// UpdateScript replaces the script's fields; empty ones are left as they are.
func (s *Store) UpdateScript(ctx context.Context, uuid string, c Script) (Script, error) {
	path, err := uuidPath("/v3/content/scripts/", uuid)
	if err != nil {
		return Script{}, err
	}
	return s.writeScript(ctx, http.MethodPut, path, c)
}

// DeleteScript removes a script. One that is not there is no error.
func (s *Store) DeleteScript(ctx context.Context, uuid string) error {
	path, err := uuidPath("/v3/content/scripts/", uuid)
	if err != nil {
		return err
	}
	return s.delete(ctx, path)
}

func (s *Store) writeScript(ctx context.Context, method, path string, c Script) (Script, error) {
	c.UUID = "" // read-only; omitted when empty
	r := request{method: method, path: path, body: c}
	var e envelope[Script]
	if err := s.object(ctx, r, &e); err != nil {
		return Script{}, err
	}
	if !uuidForm.MatchString(e.Data.UUID) {
		return Script{}, r.trouble(http.StatusOK, "the answer holds no script", nil)
	}
	return e.Data, nil
}
