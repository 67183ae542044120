package words

import (
	"strconv"
	"time"

	"golang.org/x/text/language"
)

// calendar is how a language writes a date with the time of day. Months are named, since 3/4 is two days in the world; they are
// in the form that stands within a date.
type calendar struct {
	moment string // {day} {month} {year} {time} {zone}
	months [12]string
	first  string // the first of a month, where it is not just 1
	halves bool   // 3:04 pm; the others count to 24
}

var calendars = map[language.Tag]calendar{
	language.English: {moment: "{day} {month} {year}, {time} ({zone})", halves: true, months: [12]string{
		"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}},
	language.Spanish: {moment: "{day} de {month} de {year}, {time} ({zone})", months: [12]string{
		"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"}},
	language.French: {moment: "{day} {month} {year} à {time} ({zone})", first: "1er", months: [12]string{
		"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}},
	language.German: {moment: "{day}. {month} {year}, {time} Uhr ({zone})", months: [12]string{
		"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}},
	language.Dutch: {moment: "{day} {month} {year}, {time} uur ({zone})", months: [12]string{
		"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"}},
	language.Italian: {moment: "{day} {month} {year}, {time} ({zone})", first: "1º", months: [12]string{
		"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"}},
	language.BrazilianPortuguese: {moment: "{day} de {month} de {year}, {time} ({zone})", first: "1º", months: [12]string{
		"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"}},
	language.Japanese: {moment: "{year}年{month}月{day}日 {time}（{zone}）", months: [12]string{
		"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}},
	language.Arabic: {moment: "{day} {month} {year}، {time} ({zone})", months: [12]string{
		"يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"}},
}

// Moment writes a date with the time of day and the zone: “22 November 2026, 3:04 pm (CET)”. The zone is t's own.
func (w Words) Moment(t time.Time) string { return moment(w.in.Tag, t) }

func moment(tag language.Tag, t time.Time) string {
	c := calendars[tag]
	day, clock := strconv.Itoa(t.Day()), t.Format("15:04")
	if c.first != "" && t.Day() == 1 {
		day = c.first
	}
	if c.halves {
		clock = t.Format("3:04 pm")
	}
	parts := map[string]string{"day": day, "month": c.months[t.Month()-1], "year": strconv.Itoa(t.Year()), "time": clock, "zone": zoneName(t)}
	return expand(c.moment, func(name string) (string, bool) { return parts[name], true })
}

// zoneName is the zone's abbreviation; for zones that have none, which Go calls by their offset, that with UTC before it.
func zoneName(t time.Time) string {
	name, _ := t.Zone()
	if name == "" || name[0] == '+' || name[0] == '-' {
		return t.Format("UTC-07:00")
	}
	return name
}

// Duration writes how long something lasts or is still good for, rounded down: in days from two days on, in hours from two hours
// on, else in minutes. Less than a minute is a minute.
func (w Words) Duration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return w.Text("duration.days", Data{"count": int(d / day)})
	case d >= 2*time.Hour:
		return w.Text("duration.hours", Data{"count": int(d / time.Hour)})
	}
	return w.Text("duration.minutes", Data{"count": max(1, int(d/time.Minute))})
}
