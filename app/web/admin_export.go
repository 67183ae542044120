package web

import (
	"cmp"
	"encoding/csv"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/views"
)

const (
	exportLength = 500             // lines read at a time
	exportTime   = 2 * time.Minute // for a reader to take them
)

// export is a list that is taken away as a CSV file.
type export struct {
	what   string   // orders, verifications
	kind   string   // more of its name
	taken  string   // which of them, for the activity log
	header []string // of its columns
	// next reads the lines at a place and the place that follows; zero at the end.
	next func(at ledger.Place) (lines [][]string, older ledger.Cursor, err error)
}

// send sends a list as a CSV file. It reads a page, sends it and forgets it, so that a list of any length takes as much memory as one page,
// and holds up nobody: between pages nothing is open in the ledger. A list that breaks off half-way is no whole file: the connection is cut,
// and the browser says so.
func (s *Server) send(w http.ResponseWriter, r *http.Request, v visit, e export) error {
	lines, older, err := e.next(ledger.Place{})
	if err != nil {
		return err
	}
	if err := s.Ledger.RecordActivity(r.Context(), v.Shop.Hash, ledger.ActExported, e.what, e.taken, s.Now()); err != nil {
		return err
	}
	s.Log.Info("a list was exported", "shop", v.Shop.Hash, "list", e.what, "which", e.taken, "by", v.User.Email)
	name := e.what + "-" + e.kind + "-" + v.Shop.Hash + "-" + s.Now().In(present(v.Shop).zone).Format("2006-01-02") + ".csv"
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "no-store")
	control, out := http.NewResponseController(w), csv.NewWriter(w)
	out.UseCRLF = true
	_, err = w.Write([]byte("\ufeff")) // without it Excel takes UTF-8 for the machine's own old encoding
	for header := e.header; err == nil; header = nil {
		_ = control.SetWriteDeadline(time.Now().Add(exportTime)) // where the connection knows none, the server's own stands
		err = writeLines(out, header, lines)
		if err == nil {
			err = control.Flush()
		}
		if err != nil || older == (ledger.Cursor{}) {
			break
		}
		lines, older, err = e.next(ledger.Place{Cursor: older})
	}
	if err != nil {
		s.Log.Warn("an export broke off", "shop", v.Shop.Hash, "list", e.what, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// writeLines writes the header, where there is one, and lines whose every cell no spreadsheet reckons with.
func writeLines(out *csv.Writer, header []string, lines [][]string) error {
	if header != nil {
		_ = out.Write(header) // what fails is told by Error
	}
	for _, l := range lines {
		for i := range l {
			l[i] = harmless(l[i])
		}
		_ = out.Write(l)
	}
	out.Flush()
	return out.Error()
}

// exportOrders sends the list of orders, as it is narrowed.
func (s *Server) exportOrders(w http.ResponseWriter, r *http.Request, v visit) error {
	p := present(v.Shop)
	n := narrowOrders(r.URL.Query(), p)
	f, number, err := n.orderFilter(v.Shop)
	if err != nil {
		return err
	}
	if len(n.errors) > 0 || n.moved {
		return refuse(http.StatusUnprocessableEntity, "bad_request", "a filter cannot be read")
	}
	next := s.exportedOrders(r, v.Shop, f)
	if number != 0 {
		next = s.withNumber(r, v.Shop, number, next)
	}
	return s.send(w, r, v, export{what: "orders", kind: cmp.Or(n.get("filter"), "all"), taken: n.taken(), header: p.exportHeader(), next: next})
}

// exportedOrders reads orders a page at a time.
func (s *Server) exportedOrders(r *http.Request, shop *ledger.Shop, f ledger.OrderFilter) func(ledger.Place) ([][]string, ledger.Cursor, error) {
	p := present(shop)
	return func(at ledger.Place) (lines [][]string, older ledger.Cursor, err error) {
		page, err := s.Ledger.OrdersBy(r.Context(), shop, f, at, exportLength)
		for _, l := range page.Rows {
			lines = append(lines, p.exportLine(l))
		}
		return lines, page.Older, err
	}
}

// withNumber puts the order of a number that was searched for before those of the customer of that number, as the page does.
func (s *Server) withNumber(r *http.Request, shop *ledger.Shop, number int64, next func(ledger.Place) ([][]string, ledger.Cursor, error)) func(ledger.Place) ([][]string, ledger.Cursor, error) {
	return func(at ledger.Place) ([][]string, ledger.Cursor, error) {
		lines, older, err := next(at)
		if err != nil || !at.Before.IsZero() {
			return lines, older, err
		}
		one, err := s.Ledger.OrderLine(r.Context(), shop, number)
		if errors.Is(err, ledger.ErrNotFound) || slices.ContainsFunc(lines, func(l []string) bool { return l[0] == orderNumber(number) }) {
			return lines, older, nil
		}
		return append([][]string{present(shop).exportLine(one)}, lines...), older, err
	}
}

// exportVerifications sends the list of Sessions, as it is narrowed.
func (s *Server) exportVerifications(w http.ResponseWriter, r *http.Request, v visit) error {
	p := present(v.Shop)
	n := narrowVerifications(r.URL.Query(), p)
	f, id, err := n.sessionFilter(v.Shop)
	if err != nil {
		return err
	}
	if len(n.errors) > 0 || n.moved || id != "" {
		return refuse(http.StatusUnprocessableEntity, "bad_request", "a filter cannot be read")
	}
	next := func(at ledger.Place) (lines [][]string, older ledger.Cursor, err error) {
		page, err := s.Ledger.SessionsBy(r.Context(), v.Shop, f, at, exportLength)
		if err != nil {
			return nil, older, err
		}
		orders, err := s.ordersBy(r.Context(), v.Shop, page.Rows)
		for _, l := range page.Rows {
			lines = append(lines, p.verificationLine(l, orders[l.SubjectID]))
		}
		return lines, page.Older, err
	}
	return s.send(w, r, v, export{what: "verifications", kind: cmp.Or(n.get("state"), "all"), taken: n.taken(), header: p.verificationHeader(), next: next})
}

func (p presenter) verificationHeader() []string {
	zone := " (" + p.zone.String() + ")"
	return []string{"Session", "Started" + zone, "State", "Reason", "Ended" + zone, "Took (seconds)", "Level", "Source of the level", "Proof good until" + zone, "Proof revoked",
		"Order", "Customer", "Customer number", "E-mail", "Value", "Currency"}
}

func (p presenter) verificationLine(l ledger.SessionLine, o ledger.Order) []string {
	row := p.verificationRow(l, o)
	out := []string{l.ID, p.cell(l.StartedAt), views.SessionWords(row.State).Short, "", "", "", row.IAL, "", p.cell(l.GoodUntil), yesOr(l.Revoked), row.Order, o.Buyer.Name, "", o.Buyer.Mailbox, "", ""}
	if l.State.Final() {
		out[3], out[4], out[5] = row.Why(), p.cell(l.ChangedAt), strconv.FormatInt(int64(l.ChangedAt.Sub(l.StartedAt)/time.Second), 10)
	}
	if row.Source != "" {
		out[7] = views.IALSourceWords(row.Source).Short
	}
	if id := cmp.Or(l.CustomerID, o.CustomerID); id != 0 {
		out[12] = strconv.FormatInt(id, 10)
	}
	if o.Value != (gate.Money{}) {
		out[14], out[15] = plainMoney(o.Value), o.Value.Currency
	}
	return out
}

func (p presenter) exportHeader() []string {
	zone := " (" + p.zone.String() + ")"
	return []string{"Order", "Placed" + zone, "Customer", "E-mail", "Guest", "Value", "Currency", "Status", "Status number", "Source", "Digital",
		"Decision", "Reasons", "Hold", "Held since" + zone, "Cancelled on" + zone}
}

func (p presenter) exportLine(l ledger.OrderLine) []string {
	row := p.orderRow(l)
	customer := row.Customer
	if row.Erased {
		customer = "Erased"
	}
	out := []string{row.Number, p.cell(l.PlacedAt), customer, l.Buyer.Mailbox, yesOr(row.Guest && !row.Erased), plainMoney(l.Value), l.Value.Currency,
		views.OrderStatusWords(l.StatusID).Short, strconv.Itoa(l.StatusID), l.Source, yesOr(l.Digital), "", "", views.HoldWords(row.Hold).Short,
		p.cell(l.HeldAt), p.cell(l.CancelAt)}
	if l.Value == (gate.Money{}) {
		out[5] = ""
	}
	if row.Outcome != "" {
		var why []string
		for _, r := range row.Reasons {
			why = append(why, views.ReasonWords(r).Short)
		}
		out[11], out[12] = views.AnswerWords(cmp.Or(l.Answer, row.Outcome)).Short, strings.Join(why, "; ")
	}
	return out
}

// cell is a moment in the Shop's zone as spreadsheets read one.
func (p presenter) cell(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(p.zone).Format("2006-01-02 15:04:05")
}

func yesOr(yes bool) string {
	if yes {
		return "yes"
	}
	return ""
}

// What begins a formula, as the first character of a cell: buyers write their own names. The wide ones count as the narrow ones where East
// Asian text is written.
const (
	formulaStarts = "=+-@＝＋－＠"
	blankStarts   = "\t\r\n" // only before the whole text
	cellEnds      = ";|\t\r\n"
	passedOver    = ` "`
)

// harmless is a cell's text that no spreadsheet reckons with: an apostrophe in front of a formula makes text of it. Where the separator of
// lists is another than ours a spreadsheet cuts cells in two, whatever quotes there are, so the rest of one is treated alike.
func harmless(text string) string {
	var b strings.Builder
	written, begins := 0, true
	for i, r := range text {
		if begins && strings.ContainsRune(formulaStarts, r) || i == 0 && strings.ContainsRune(blankStarts, r) {
			b.WriteString(text[written:i] + "'")
			written = i
		}
		begins = strings.ContainsRune(cellEnds, r) || begins && strings.ContainsRune(passedOver, r)
	}
	return b.String() + text[written:]
}
