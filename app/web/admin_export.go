package web

import (
	"encoding/csv"
	"mime"
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

const (
	exportLength = 500             // lines read at a time
	exportTime   = 2 * time.Minute // for a reader to take them
)

// exportOrders sends a list of orders as a CSV file. It reads a page, sends it and forgets it, so that a list of any length takes as much
// memory as one page, and holds up nobody: between pages nothing is open in the ledger. A list that breaks off half-way is no whole file:
// the connection is cut, and the browser says so.
func (s *Server) exportOrders(w http.ResponseWriter, r *http.Request, v visit) error {
	filter := r.URL.Query().Get("filter")
	if filter == "" {
		filter = "all"
	}
	lines, next, err := s.orderLines(r.Context(), v.Shop, filter, 0, exportLength)
	if err != nil {
		return err
	}
	if err := s.Ledger.RecordActivity(r.Context(), v.Shop.Hash, ledger.ActExported, "orders", filter, s.Now()); err != nil {
		return err
	}
	s.Log.Info("orders exported", "shop", v.Shop.Hash, "filter", filter, "by", v.User.Email)
	p := present(v.Shop)
	name := "orders-" + filter + "-" + v.Shop.Hash + "-" + s.Now().In(p.zone).Format("2006-01-02") + ".csv"
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "no-store")
	control, out := http.NewResponseController(w), csv.NewWriter(w)
	out.UseCRLF = true
	_, err = w.Write([]byte("\ufeff")) // without it Excel takes UTF-8 for the machine's own old encoding
	for header := p.exportHeader(); err == nil; header = nil {
		_ = control.SetWriteDeadline(time.Now().Add(exportTime)) // where the connection knows none, the server's own stands
		err = writeLines(out, header, p, lines)
		if err == nil {
			err = control.Flush()
		}
		if err != nil || next == 0 {
			break
		}
		lines, next, err = s.orderLines(r.Context(), v.Shop, filter, next, exportLength)
	}
	if err != nil {
		s.Log.Warn("an export broke off", "shop", v.Shop.Hash, "filter", filter, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func writeLines(out *csv.Writer, header []string, p presenter, lines []ledger.OrderLine) error {
	if header != nil {
		_ = out.Write(header) // what fails is told by Error
	}
	for _, l := range lines {
		_ = out.Write(p.exportLine(l))
	}
	out.Flush()
	return out.Error()
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
		out[11], out[12] = views.OutcomeWords(row.Outcome).Short, strings.Join(why, "; ")
	}
	for i := range out {
		out[i] = harmless(out[i])
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

// formulaStarts are the first characters by which a spreadsheet may take a cell for a formula: buyers write their own names. The wide ones
// count as the narrow ones where East Asian text is written.
var formulaStarts = []rune("=+-@\t\r\n＝＋－＠")

// harmless is a cell's text that no spreadsheet reckons with: an apostrophe in front makes text of it.
func harmless(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); text != "" && slices.Contains(formulaStarts, first) {
		return "'" + text
	}
	return text
}
