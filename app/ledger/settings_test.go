package ledger

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestChangeSettings: a change is made to the newest settings in its transaction, written down, and sets the scripts right soon.
func TestChangeSettings(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	to := func(n Settings, said string, err error) SettingsChange {
		return SettingsChange{To: func(Settings) (Settings, string, error) { return n, said, err }}
	}
	r.wait(time.Second)
	was, err := r.l.ChangeSettings(WithActor(ctx, "ada"), shopHash, to(Settings{InlineLock: true}, "inline lock: off → on", nil), r.now)
	if err != nil || !reflect.DeepEqual(was, Settings{}) || !r.shop().Settings.InlineLock || !r.shop().ReconcileAt.Equal(r.now) {
		t.Fatalf("%+v, %v: %+v", was, err, r.shop())
	}
	lines, err := r.l.ActivityPage(ctx, shopHash, 0, 1)
	if err != nil || lines[0].Action != ActSettingsSaved || lines[0].Actor != "ada" || lines[0].Detail != "inline lock: off → on" {
		t.Errorf("%+v, %v", lines, err)
	}
	refused := errors.New("no")
	for name, c := range map[string]SettingsChange{"the same again": to(Settings{InlineLock: true}, "nothing", nil), "refused": to(Settings{AlarmTo: "x"}, "", refused)} {
		r.changes(func() error {
			_, err := r.l.ChangeSettings(ctx, shopHash, c, r.now)
			if name == "refused" && errors.Is(err, refused) {
				return nil
			}
			return err
		})
	}
	if _, err := r.l.ChangeSettings(ctx, "nobody", to(Settings{}, "", nil), r.now); !errors.Is(err, ErrNotFound) {
		t.Errorf("a shop that is not there: %v", err)
	}
	at := r.shop().ReconcileAt
	r.wait(time.Minute)
	_, err = r.l.ChangeSettings(ctx, shopHash, to(Settings{InlineLock: true, AlarmTo: "a@b.example"}, "", nil), r.now)
	if r.ok(err); !r.shop().ReconcileAt.Equal(at) {
		t.Error("a change that is none of the scripts' has them looked at")
	}
}

// TestLogos: those in use and the newest are kept, each under its content's name and only in its Shop.
func TestLogos(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	r.install("other9")
	use := func(channel int64, body string) string {
		r.wait(time.Second)
		name := LogoName([]byte(body))
		_, err := r.l.ChangeSettings(ctx, shopHash, SettingsChange{Logo: []byte(body), To: func(n Settings) (Settings, string, error) {
			k := n.Own(channel)
			k.Branding.Logo = name
			return n.With(channel, k), "", nil
		}}, r.now)
		r.ok(err)
		return name
	}
	channels := use(7, "of a storefront")
	first := use(0, "the first")
	for i := range keepLogos {
		use(0, fmt.Sprint("another ", i))
	}
	last := r.shop().Settings.Branding.Logo
	for name, there := range map[string]bool{channels: true, last: true, first: false} {
		if _, err := r.l.Logo(ctx, shopHash, name); (err == nil) != there {
			t.Errorf("%s: %v, want it there: %v", name, err, there)
		}
	}
	if _, err := r.l.Logo(ctx, "other9", last); !errors.Is(err, ErrNotFound) {
		t.Errorf("another Shop has it: %v", err)
	}
	if b, err := r.l.Logo(ctx, shopHash, channels); string(b) != "of a storefront" || len(channels) != 32 {
		t.Errorf("%q, %v", b, err)
	}
}

// TestLook: what a storefront has counts there, else what the Shop has.
func TestLook(t *testing.T) {
	texts := func(key, text string) map[string]map[string]string {
		return map[string]map[string]string{"de": {key: text}}
	}
	n := Settings{Texts: texts("a", "shop"), Branding: Branding{Accent: "#111111", Contact: "us"}}
	n = n.With(7, Look{Texts: texts("b", "seven"), Branding: Branding{Accent: "#222222", Name: "Seven"}})
	s := &Shop{Name: "Shop", Settings: n}
	for channel, want := range map[int64]Branding{0: {"Shop", "us", "#111111", ""}, 3: {"Shop", "us", "#111111", ""}, 7: {"Seven", "us", "#222222", ""}} {
		if got := s.BrandingOn(channel); got != want {
			t.Errorf("%d: %+v, want %+v", channel, got, want)
		}
	}
	for _, c := range []struct {
		channel int64
		lang    string
		want    map[string]string
	}{{0, "de", map[string]string{"a": "shop"}}, {7, "de", map[string]string{"a": "shop", "b": "seven"}}, {3, "de", map[string]string{"a": "shop"}}, {7, "fr", nil}} {
		if got := n.TextsOn(c.channel, c.lang); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %v", c, got)
		}
	}
	own := n.Own(7)
	own.Texts["de"]["b"] = "changed"
	if n.Channels[7].Texts["de"]["b"] != "seven" {
		t.Error("what was given out is the settings' own")
	}
	delete(own.Texts["de"], "b")
	own.Branding = Branding{}
	if again := n.With(7, own); again.Channels != nil || len(n.Channels) != 1 {
		t.Errorf("a storefront with nothing of its own is still there: %+v, or the old settings were changed: %+v", again.Channels, n.Channels)
	}
	if strings.Contains(fmt.Sprint(n.With(0, Look{})), "#111111") {
		t.Error("the Shop's own branding is still there")
	}
}
