package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"idgate/queries"
)

// Branding is how a Shop looks to its shoppers. What is empty is as BigCommerce has it, or as idgate comes.
type Branding struct {
	Name    string `json:"name,omitempty"`    // instead of the Shop's own, one line
	Contact string `json:"contact,omitempty"` // whom shoppers may ask, one line: a mailbox, a telephone number
	Accent  string `json:"accent,omitempty"`  // #rrggbb in small letters; white text on it can be read
	Logo    string `json:"logo,omitempty"`    // LogoName of a PNG
}

// over is b where it says something, else under.
func (b Branding) over(under Branding) Branding {
	for _, f := range []struct{ mine, theirs *string }{{&b.Name, &under.Name}, {&b.Contact, &under.Contact}, {&b.Accent, &under.Accent}, {&b.Logo, &under.Logo}} {
		if *f.mine == "" {
			*f.mine = *f.theirs
		}
	}
	return b
}

// Look is how shoppers are spoken to: texts by language and key, and the branding.
type Look struct {
	Texts    map[string]map[string]string `json:"texts,omitempty"`
	Branding Branding                     `json:"branding,omitzero"`
}

// Empty reports whether it says nothing.
func (k Look) Empty() bool { return len(k.Texts) == 0 && k.Branding == Branding{} }

// Own is what is set for a channel itself, or for the Shop where channel is 0. It is the caller's own, to change.
func (n Settings) Own(channel int64) Look {
	k := Look{n.Texts, n.Branding}
	if channel != 0 {
		k = n.Channels[channel]
	}
	texts := make(map[string]map[string]string, len(k.Texts))
	for lang, own := range k.Texts {
		texts[lang] = maps.Clone(own)
	}
	k.Texts = texts
	return k
}

// With is n with another Look for a channel, or for the Shop where channel is 0. n itself stays as it is.
func (n Settings) With(channel int64, k Look) Settings {
	maps.DeleteFunc(k.Texts, func(_ string, own map[string]string) bool { return len(own) == 0 })
	if len(k.Texts) == 0 {
		k.Texts = nil
	}
	if channel == 0 {
		n.Texts, n.Branding = k.Texts, k.Branding
		return n
	}
	n.Channels = maps.Clone(n.Channels)
	if n.Channels == nil {
		n.Channels = map[int64]Look{}
	}
	n.Channels[channel] = k
	if k.Empty() {
		delete(n.Channels, channel)
	}
	if len(n.Channels) == 0 {
		n.Channels = nil
	}
	return n
}

// TextsOn are the texts in a language as shoppers of a channel read them, where they are not the standard ones. Not to be changed.
func (n Settings) TextsOn(channel int64, lang string) map[string]string {
	own := n.Channels[channel].Texts[lang]
	if len(own) == 0 {
		return n.Texts[lang]
	}
	out := maps.Clone(n.Texts[lang])
	if out == nil {
		return own
	}
	maps.Copy(out, own)
	return out
}

// BrandingOn is how the Shop looks to shoppers of a channel. Its Name is never empty where the Shop has one.
func (s *Shop) BrandingOn(channel int64) Branding {
	return s.Settings.Channels[channel].Branding.over(s.Settings.Branding.over(Branding{Name: s.Name}))
}

// SettingsChange is a change of a Shop's settings.
type SettingsChange struct {
	// To is given the settings as they are now, in the transaction, and returns what they become, and in words what was changed. Its error
	// ends the change and is returned as it is. It must not change what it is given.
	To   func(Settings) (Settings, string, error)
	Logo []byte // a PNG of our own making that the new settings name; nil: none is new
}

// Logos that are in use no longer are kept for the mails that show them, up to this many.
const keepLogos = 20

// ChangeSettings changes a Shop's settings, and returns what they were. Nothing is written down where nothing differs. Scripts that are
// wanted or unwanted by it are put right soon.
func (l *Ledger) ChangeSettings(ctx context.Context, hash string, c SettingsChange, now time.Time) (was Settings, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		was = Settings{}
		r, err := found(t.Shop(ctx, hash))
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(r.Settings), &was); err != nil {
			return fmt.Errorf("reading the settings of shop %s: %w", hash, err)
		}
		n, said, err := c.To(was)
		if err != nil {
			return err
		}
		b, err := json.Marshal(n)
		if err != nil || string(b) == r.Settings {
			return err
		}
		t.reload = append(t.reload, hash)
		if c.Logo != nil {
			if err := t.addLogo(ctx, hash, c.Logo, n, now); err != nil {
				return err
			}
		}
		if err := t.SaveSettings(ctx, queries.SaveSettingsParams{StoreHash: hash, Settings: string(b)}); err != nil {
			return err
		}
		if was.ScriptOnAllPages != n.ScriptOnAllPages || was.ConfirmationScript != n.ConfirmationScript || was.InlineLock != n.InlineLock {
			t.ring = append(t.ring, ShopBell)
			if err := t.ReconcileShopAt(ctx, queries.ReconcileShopAtParams{StoreHash: hash, At: millis(now)}); err != nil {
				return err
			}
		}
		if n.Staff.interval() != was.Staff.interval() { // what was before is in no digest
			_, err := t.SettleDigest(ctx, queries.SettleDigestParams{StoreHash: hash, DigestTo: millis(n.Staff.interval().lastDigest(now, zoneOf(r.Timezone)))})
			if err != nil {
				return err
			}
		}
		return t.act(ctx, hash, ActSettingsSaved, "", said, now)
	})
	return was, err
}

// addLogo keeps a logo, and drops the oldest that n does not name.
func (t *tx) addLogo(ctx context.Context, hash string, body []byte, n Settings, now time.Time) error {
	if err := t.AddLogo(ctx, queries.AddLogoParams{StoreHash: hash, Hash: LogoName(body), Body: body, Now: millis(now)}); err != nil {
		return err
	}
	used := []string{n.Branding.Logo}
	for _, k := range n.Channels {
		used = append(used, k.Branding.Logo)
	}
	all, err := t.Logos(ctx, hash)
	if err != nil {
		return err
	}
	for i, name := range all {
		if i < keepLogos || slices.Contains(used, name) {
			continue
		}
		if _, err := t.DropLogo(ctx, queries.DropLogoParams{StoreHash: hash, Hash: name}); err != nil {
			return err
		}
	}
	return nil
}

// LogoName names a logo by its content.
func LogoName(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}

// Logo is a logo that some page or mail of the Shop may show.
func (l *Ledger) Logo(ctx context.Context, hash, name string) ([]byte, error) {
	return found(l.read.Logo(ctx, queries.LogoParams{StoreHash: hash, Hash: name}))
}

// Kept is how long things are kept whose keeping no Policy decides.
type Kept struct {
	Traffic    time.Duration // Notices that were handled, Writebacks that were done
	Capability time.Duration // after it has run out
	AskedMails time.Duration
	Shop       time.Duration // a Shop's sealed data after its uninstallation
}

// KeptFor is how long things are kept whose keeping no Policy decides.
func KeptFor() Kept { return Kept{keepTraffic, keepCapability, keepAsked, keepShop} }
