package web

import (
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

// Bounds of an import.
const (
	maxImport      = 1 << 20 // bytes
	maxImportLines = 5_000
	importBatch    = 500 // entries stored at once, so that others wait no longer than for those
	shownImport    = 200 // lines of the report; all that are wrong come first
	maxListNote    = 200 // characters
	maxImportBody  = maxImport + 64<<10
)

func listInForm(text string) (gate.Listing, error) {
	switch l := gate.Listing(text); l {
	case gate.OnAllowList, gate.OnBlockList:
		return l, nil
	}
	return "", refuse(http.StatusBadRequest, "bad_request", "no such list").at("list")
}

// lists shows who is on a list.
func (s *Server) lists(w http.ResponseWriter, r *http.Request, v visit) error {
	list := gate.OnAllowList
	if text := r.URL.Query().Get("list"); text != "" {
		var err error
		if list, err = listInForm(text); err != nil {
			return err
		}
	}
	return s.showLists(w, r, v, http.StatusOK, list, r.URL.Query().Get("before"), views.ListsData{})
}

func (s *Server) showLists(w http.ResponseWriter, r *http.Request, v visit, status int, list gate.Listing, before string, d views.ListsData) error {
	d.Layout, d.List, d.ReadOnly, d.Paged = s.layout(v, r), string(list), !v.may(ledger.Manager), before != ""
	var from ledger.ListPlace
	if before != "" {
		var err error
		if from, err = parsePlace(before); err != nil {
			return refuse(http.StatusBadRequest, "bad_request", "this is no place in the list").at("before").because(err)
		}
	}
	entries, next, err := s.Ledger.ListPage(r.Context(), v.Shop, list, from, pageLength)
	if err != nil {
		return err
	}
	if len(entries) == pageLength {
		more, _, err := s.Ledger.ListPage(r.Context(), v.Shop, list, next, 1)
		if err != nil {
			return err
		}
		if len(more) > 0 {
			d.Older = placeText(next)
		}
	}
	p := present(v.Shop)
	for _, e := range entries {
		d.Entries = append(d.Entries, views.ListEntry{Customer: unlessZero(int(e.CustomerID)), Mailbox: e.Mailbox, Hash: e.Hash, Note: e.Note, By: e.AddedBy, When: p.when(e.AddedAt)})
	}
	return render(w, r, status, views.Lists(d))
}

// placeText and parsePlace write a place in a list into an address and read it back.
func placeText(p ledger.ListPlace) string {
	return strconv.FormatInt(p.AddedAt.UnixMilli(), 10) + "." + strconv.FormatInt(p.CustomerID, 10) + "." + p.Mailbox
}

var errPlace = errors.New("not a place in a list")

func parsePlace(text string) (ledger.ListPlace, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return ledger.ListPlace{}, errPlace
	}
	ms, err1 := strconv.ParseInt(parts[0], 10, 64)
	customer, err2 := strconv.ParseInt(parts[1], 10, 64)
	mailbox := parts[2]
	isHash := len(mailbox) == 64 && strings.Trim(mailbox, "0123456789abcdef") == ""
	p := ledger.ListPlace{AddedAt: time.UnixMilli(ms), CustomerID: customer, Mailbox: mailbox}
	if err1 != nil || err2 != nil || ms <= 0 || customer < 0 || (customer == 0) != isHash || customer != 0 && mailbox != "" || placeText(p) != text {
		return ledger.ListPlace{}, errPlace
	}
	return p, nil
}

// listedAs reads who is to be on a list: a customer's id, or one mailbox. code is what views.FieldError takes.
func listedAs(text string) (e ledger.Listed, code string) {
	if id, err := parseID(text); err == nil {
		return ledger.Listed{CustomerID: id}, ""
	}
	switch {
	case text == "":
		return e, "required"
	case !strings.Contains(text, "@"):
		return e, "enter a customer's id, digits only, or an e-mail address"
	case !oneMailbox(text):
		return e, "not_a_mailbox"
	}
	return ledger.Listed{Mailbox: text}, ""
}

// listNote reads why somebody is on a list.
func listNote(text string) (note, code string) {
	note = strings.Join(strings.Fields(text), " ")
	switch {
	case note == "":
		return "", "say why in a few words"
	case utf8.RuneCountInString(note) > maxListNote:
		return note, "too_long:" + strconv.Itoa(maxListNote)
	case spoilt(note):
		return note, "write it without control characters"
	}
	return note, ""
}

// addListed puts one customer or mailbox on a list.
func (s *Server) addListed(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	list, err := listInForm(values.Get("list"))
	if err != nil {
		return err
	}
	form := views.ListForm{Who: strings.TrimSpace(values.Get("who")), Note: strings.TrimSpace(values.Get("note"))}
	wrong := map[string]string{}
	e, code := listedAs(form.Who)
	policyReader{wrong}.refuse("who", code)
	e.Note, code = listNote(form.Note)
	policyReader{wrong}.refuse("note", code)
	if len(wrong) > 0 {
		return s.showLists(w, r, v, http.StatusUnprocessableEntity, list, "", views.ListsData{Form: form, Errors: wrong})
	}
	e.List = list
	if err := s.Ledger.List(r.Context(), v.Shop, []ledger.Listed{e}, s.Now()); err != nil {
		return err
	}
	s.Log.Info("list changed", "shop", v.Shop.Hash, "list", list, "entries", 1, "by", v.User.Email)
	return backToList(w, r, v, list, views.Flash{Code: "listed", Value: "1"})
}

// backToList is back, to the list that was changed.
func backToList(w http.ResponseWriter, r *http.Request, v visit, list gate.Listing, f views.Flash) error {
	http.Redirect(w, r, base(v.Shop)+"/lists?list="+string(list)+"&"+f.Query(), http.StatusSeeOther)
	return nil
}

// removeListed takes one off a list. Whoever is on none is off it already; whoever was put on the other meanwhile stays there.
func (s *Server) removeListed(w http.ResponseWriter, r *http.Request, v visit) error {
	values, err := posted(r)
	if err != nil {
		return err
	}
	list, err := listInForm(values.Get("list"))
	if err != nil {
		return err
	}
	who := values.Get("mailbox")
	if who == "" {
		who = values.Get("customer")
	}
	e, code := listedAs(who)
	if hash := values.Get("hash"); who == "" && len(hash) == 64 && strings.Trim(hash, "0123456789abcdef") == "" {
		e, code = ledger.Listed{Hash: hash}, "" // of somebody who was erased no more is known
	}
	if code != "" {
		return refuse(http.StatusNotFound, "not_found", "nobody such is on the list")
	}
	e.List = list
	switch err := s.Ledger.Unlist(r.Context(), v.Shop, e, s.Now()); {
	case errors.Is(err, ledger.ErrNotFound):
		return backToList(w, r, v, list, views.Flash{Code: "off_list", Value: "1"})
	case errors.Is(err, ledger.ErrOtherList):
		return backToList(w, r, v, list, views.Flash{Code: "other_list", Value: "1"})
	case err != nil:
		return err
	}
	s.Log.Info("list changed", "shop", v.Shop.Hash, "list", list, "by", v.User.Email)
	return backToList(w, r, v, list, views.Flash{Code: "unlisted", Value: "1"})
}

// importListed checks or imports many. Unless asked to leave lines out, it imports nothing while one is wrong.
func (s *Server) importListed(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := r.ParseMultipartForm(maxImportBody); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return err
		}
		return refuse(http.StatusBadRequest, "bad_request", "the form could not be read").because(err)
	}
	values := r.PostForm
	list, err := listInForm(values.Get("list"))
	if err != nil {
		return err
	}
	form := views.ImportForm{Text: values.Get("text"), Note: strings.TrimSpace(values.Get("import_note")), Leave: values.Get("leave")}
	if file, _, err := r.FormFile("file"); err == nil {
		b, err := io.ReadAll(file)
		if err != nil {
			return err
		}
		if len(b) > 0 {
			form.Text = string(b)
		}
	}
	wrong := map[string]string{}
	note, code := listNote(form.Note)
	policyReader{wrong}.refuse("import_note", code)
	entries, lines, code := parseImport(form.Text, list, note)
	form.Error = code
	d := views.ListsData{Import: form, Errors: wrong}
	check := values.Get("do") != "import"
	if code == "" {
		d.Report = importReport(lines, len(entries))
	}
	bad := code != "" || len(wrong) > 0 || len(entries) == 0 || d.Report.Wrong != "0" && form.Leave == ""
	switch {
	case bad:
		return s.showLists(w, r, v, http.StatusUnprocessableEntity, list, "", d)
	case check:
		return s.showLists(w, r, v, http.StatusOK, list, "", d)
	}
	for batch := range slices.Chunk(entries, importBatch) {
		if err := s.Ledger.List(r.Context(), v.Shop, batch, s.Now()); err != nil {
			return err // what is stored stays; importing again changes nothing of it
		}
	}
	s.Log.Info("list changed", "shop", v.Shop.Hash, "list", list, "entries", len(entries), "by", v.User.Email)
	return backToList(w, r, v, list, views.Flash{Code: "listed", Value: strconv.Itoa(len(entries))})
}

// parseImport reads an import: a line is a customer's id or a mailbox, and perhaps a note. Each entry counts once. lines says of every line
// that holds something what it is; code, what is wrong with the whole.
func parseImport(text string, list gate.Listing, note string) (entries []ledger.Listed, lines []views.ImportLine, code string) {
	text = strings.TrimPrefix(text, "\ufeff")
	switch {
	case strings.TrimSpace(text) == "":
		return nil, nil, "choose a file, or paste its text"
	case len(text) > maxImport:
		return nil, nil, "keep it to 1 MB, and import the rest in a second step"
	case !utf8.ValidString(text):
		return nil, nil, "save the file as UTF-8 text and try again"
	}
	seen := map[string]bool{}
	n := 0
	for raw := range strings.Lines(text) {
		n++
		raw = strings.TrimSpace(raw)
		if raw == "" {
			continue
		}
		if len(lines) >= maxImportLines {
			return nil, nil, "too_many_lines:" + strconv.Itoa(maxImportLines)
		}
		e, outcome, wrong := parseImportLine(raw, len(lines) == 0)
		who := strconv.FormatInt(e.CustomerID, 10) + strings.ToLower(e.Mailbox)
		if outcome == "customer" || outcome == "mailbox" {
			if seen[who] {
				outcome = "repeated"
			} else {
				seen[who] = true
				e.List = list
				if e.Note == "" {
					e.Note = note
				}
				entries = append(entries, e)
			}
		}
		lines = append(lines, views.ImportLine{Number: strconv.Itoa(n), Text: clipLine(raw), Outcome: outcome, Error: wrong})
	}
	return entries, lines, ""
}

// headings are what the first column of an export may be called.
var headings = []string{"who", "customer", "customer id", "customer_id", "id", "mailbox", "email", "e-mail", "email address"}

// parseImportLine reads one line; wrong is what views.FieldError takes.
func parseImportLine(raw string, first bool) (e ledger.Listed, outcome, wrong string) {
	reader := csv.NewReader(strings.NewReader(raw))
	if strings.Contains(raw, ";") && !strings.Contains(raw, ",") {
		reader.Comma = ';'
	}
	reader.FieldsPerRecord = -1
	cells, err := reader.Read()
	if err != nil || len(cells) == 0 {
		return e, "", "put the quotation marks right: a cell begins and ends with one, and one inside is doubled"
	}
	who := strings.TrimSpace(cells[0])
	if first && slices.Contains(headings, strings.ToLower(who)) {
		return e, "header", ""
	}
	e, wrong = listedAs(who)
	if wrong != "" {
		return ledger.Listed{}, "", wrong
	}
	for _, extra := range cells[min(2, len(cells)):] {
		if strings.TrimSpace(extra) != "" {
			return ledger.Listed{}, "", "keep it to two columns, and put a note with commas in quotation marks"
		}
	}
	if len(cells) > 1 && strings.TrimSpace(cells[1]) != "" {
		if e.Note, wrong = listNote(cells[1]); wrong != "" {
			return ledger.Listed{}, "", wrong
		}
	}
	if e.CustomerID != 0 {
		return e, "customer", ""
	}
	return e, "mailbox", ""
}

// clipLine is a line as the report shows it, whatever it holds.
func clipLine(raw string) string {
	raw = strings.Map(func(r rune) rune {
		if spoilt(string(r)) {
			return '\ufffd'
		}
		return r
	}, raw)
	if r := []rune(raw); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return raw
}

// importReport puts the lines that are wrong first, and shows so many of them as a page can.
func importReport(lines []views.ImportLine, good int) *views.ImportReport {
	out := &views.ImportReport{Good: strconv.Itoa(good)}
	wrong := 0
	var right []views.ImportLine
	for _, l := range lines {
		if l.Error == "" {
			right = append(right, l)
			continue
		}
		wrong++
		out.Lines = append(out.Lines, l)
	}
	room := max(0, shownImport-len(out.Lines))
	if len(right) > room {
		out.More = strconv.Itoa(len(right) - room)
		right = right[:room]
	}
	out.Lines, out.Wrong = append(out.Lines, right...), strconv.Itoa(wrong)
	return out
}
