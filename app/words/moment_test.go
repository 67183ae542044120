package words

import (
	"strings"
	"testing"
	"time"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// All months, as ICU writes the 22nd of each.
func TestMonthsAsCLDR(t *testing.T) {
	said := readCLDR(t)
	each(t, func(t *testing.T, w Words) {
		for i, want := range said[w.Lang()].Dates {
			got := w.Moment(time.Date(2026, time.Month(i+1), 22, 15, 4, 0, 0, time.UTC))
			if rest, ok := strings.CutPrefix(got, want); !ok || strings.TrimSpace(rest) == "" {
				t.Errorf("month %d: %q, want it to begin with %q", i+1, got, want)
			}
		}
	})
}

func TestMoment(t *testing.T) {
	afternoon := time.Date(2026, time.November, 22, 14, 4, 0, 0, time.UTC)
	first := time.Date(2026, time.May, 1, 0, 30, 0, 0, time.UTC)
	noon := time.Date(2026, time.July, 5, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		tag  string
		at   time.Time
		zone string
		want string
	}{
		{"en", afternoon, "UTC", "22 November 2026, 2:04 pm (UTC)"},
		{"en", afternoon, "America/New_York", "22 November 2026, 9:04 am (EST)"},
		{"en", first, "UTC", "1 May 2026, 12:30 am (UTC)"},
		{"en", noon, "UTC", "5 July 2026, 12:00 pm (UTC)"},
		{"en", afternoon, "Pacific/Kiritimati", "23 November 2026, 4:04 am (UTC+14:00)"},
		{"es", afternoon, "Europe/Madrid", "22 de noviembre de 2026, 15:04 (CET)"},
		{"es", first, "UTC", "1 de mayo de 2026, 00:30 (UTC)"},
		{"fr", afternoon, "Europe/Paris", "22 novembre 2026 à 15:04 (CET)"},
		{"fr", first, "UTC", "1er mai 2026 à 00:30 (UTC)"},
		{"de", noon, "Europe/Berlin", "5. Juli 2026, 14:00 Uhr (CEST)"},
		{"de", first, "UTC", "1. Mai 2026, 00:30 Uhr (UTC)"},
		{"nl", afternoon, "Europe/Amsterdam", "22 november 2026, 15:04 uur (CET)"},
		{"it", afternoon, "Europe/Rome", "22 novembre 2026, 15:04 (CET)"},
		{"it", first, "UTC", "1º maggio 2026, 00:30 (UTC)"},
		{"pt", afternoon, "America/Sao_Paulo", "22 de novembro de 2026, 11:04 (UTC-03:00)"},
		{"pt", first, "UTC", "1º de maio de 2026, 00:30 (UTC)"},
		{"ja", afternoon, "Asia/Tokyo", "2026年11月22日 23:04（JST）"},
		{"ja", first, "UTC", "2026年5月1日 00:30（UTC）"},
		{"ar", afternoon, "Asia/Riyadh", "22 نوفمبر 2026، 17:04 (UTC+03:00)"},
		{"ar", first, "UTC", "1 مايو 2026، 00:30 (UTC)"},
	} {
		if got := For(Match(c.tag), nil).Moment(c.at.In(zone(t, c.zone))); got != c.want {
			t.Errorf("%s in %s: %q, want %q", c.tag, c.zone, got, c.want)
		}
	}
	if got := For(Match("en"), nil).Moment(afternoon.In(time.FixedZone("", 3600))); got != "22 November 2026, 3:04 pm (UTC+01:00)" {
		t.Errorf("a zone without a name: %q", got)
	}
}

func TestDuration(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		d       time.Duration
		en, ar  string
		de, jpn string
	}{
		{-time.Hour, "1 minute", "دقيقة واحدة", "1 Minute", "1分"},
		{30 * time.Second, "1 minute", "دقيقة واحدة", "1 Minute", "1分"},
		{2 * time.Minute, "2 minutes", "دقيقتان", "2 Minuten", "2分"},
		{10*time.Minute + 59*time.Second, "10 minutes", "10 دقائق", "10 Minuten", "10分"},
		{119 * time.Minute, "119 minutes", "119 دقيقة", "119 Minuten", "119分"},
		{2 * time.Hour, "2 hours", "ساعتان", "2 Stunden", "2時間"},
		{47*time.Hour + 59*time.Minute, "47 hours", "47 ساعة", "47 Stunden", "47時間"},
		{2 * day, "2 days", "يومان", "2 Tage", "2日"},
		{3*day + 23*time.Hour, "3 days", "3 أيام", "3 Tage", "3日"},
		{11 * day, "11 days", "11 يومًا", "11 Tage", "11日"},
		{100 * day, "100 days", "100 يوم", "100 Tage", "100日"},
	} {
		for tag, want := range map[string]string{"en": c.en, "ar": c.ar, "de": c.de, "ja": c.jpn} {
			if got := For(Match(tag), nil).Duration(c.d); got != want {
				t.Errorf("%s %s: %q, want %q", tag, c.d, got, want)
			}
		}
	}
}

// The forms by number, each language's own way of counting.
func TestTriesLeft(t *testing.T) {
	for _, c := range []struct {
		tag  string
		n    int
		want string
	}{
		{"en", 1, "You have 1 try left."}, {"en", 2, "You have 2 tries left."},
		{"es", 1, "Le queda 1 intento."}, {"es", 5, "Le quedan 5 intentos."},
		{"fr", 0, "Il vous reste 0 essai."}, {"fr", 1, "Il vous reste 1 essai."}, {"fr", 2, "Il vous reste 2 essais."},
		{"de", 1, "Sie haben noch 1 Versuch."}, {"de", 3, "Sie haben noch 3 Versuche."},
		{"nl", 1, "U hebt nog 1 poging."}, {"nl", 2, "U hebt nog 2 pogingen."},
		{"it", 1, "Le resta 1 tentativo."}, {"it", 2, "Le restano 2 tentativi."},
		{"pt", 1, "Resta 1 tentativa."}, {"pt", 2, "Restam 2 tentativas."},
		{"ja", 1, "あと1回お試しいただけます。"}, {"ja", 2, "あと2回お試しいただけます。"},
		{"ar", 0, "لم تبقَ لديك أي محاولة."}, {"ar", 1, "بقيت لديك محاولة واحدة."}, {"ar", 2, "بقيت لديك محاولتان."},
		{"ar", 3, "بقيت لديك 3 محاولات."}, {"ar", 11, "بقيت لديك 11 محاولة."}, {"ar", 100, "بقيت لديك 100 محاولة."},
	} {
		if got := For(Match(c.tag), nil).Text("dialog.tries_left", Data{"count": c.n}); got != c.want {
			t.Errorf("%s %d: %q, want %q", c.tag, c.n, got, c.want)
		}
	}
}
