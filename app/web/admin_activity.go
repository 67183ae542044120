package web

import (
	"bufio"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"idgate/app/ledger"
	"idgate/views"
)

// activity lists what people did, newest first.
func (s *Server) activity(w http.ResponseWriter, r *http.Request, v visit) error {
	d := views.ActivityData{Layout: s.layout(v, r), CanExport: v.has(ledger.Manager)}
	var below int64
	if text := r.URL.Query().Get("before"); text != "" {
		var err error
		if below, err = parseID(text); err != nil {
			return refuse(http.StatusBadRequest, "bad_request", "this is no place in the list").at("before")
		}
		d.Paged = true
	}
	lines, err := s.Ledger.ActivityPage(r.Context(), v.Shop.Hash, below, pageLength+1)
	if err != nil {
		return err
	}
	newest := lines
	if d.Paged {
		if newest, err = s.Ledger.ActivityPage(r.Context(), v.Shop.Hash, 0, 1); err != nil {
			return err
		}
	}
	if len(newest) > 0 {
		d.Head, d.HeadLine = newest[0].Hash, strconv.FormatInt(newest[0].Seq, 10)
		d.Verify = "idgate audit verify -shop " + v.Shop.Hash + " -head " + d.Head + " " + s.activityFile(v)
	}
	if len(lines) > pageLength {
		lines = lines[:pageLength]
		d.Older = strconv.FormatInt(lines[pageLength-1].Seq, 10)
	}
	p := present(v.Shop)
	for _, l := range lines {
		d.Lines = append(d.Lines, p.activityLine(l))
	}
	return render(w, r, http.StatusOK, views.Activity(d))
}

func (p presenter) activityLine(a ledger.Activity) views.ActivityLine {
	out := views.ActivityLine{Number: strconv.FormatInt(a.Seq, 10), When: p.when(a.At), Who: a.Actor, Action: string(a.Action), Subject: a.Subject, Detail: a.Detail}
	switch {
	case strings.HasPrefix(string(a.Action), "order."):
		if _, err := parseID(a.Subject); err == nil {
			out.Order = a.Subject
		}
	case strings.HasPrefix(string(a.Action), "cart."):
		out.Subject = "a cart"
	case a.Action == ledger.ActAcknowledged:
		if _, err := parseID(a.Subject); err == nil {
			out.Order = a.Subject
		} else {
			out.Subject = "a cart"
		}
		if kind, why, ok := strings.Cut(a.Detail, ": "); ok {
			out.Detail = views.ReviewWords(kind).Short + ": " + why
		}
	case a.Action == ledger.ActPolicySaved:
		out.Subject = "version " + a.Subject
	case a.Action == ledger.ActRoleChanged || a.Action == ledger.ActUserRemoved:
		out.Subject = "user " + a.Subject
	case strings.HasPrefix(string(a.Action), "endpoint."):
		out.Subject = "endpoint " + a.Subject
	case a.Action == ledger.ActListed || a.Action == ledger.ActUnlisted:
		out.Subject = views.ListWords(a.Subject).Short
	}
	return out
}

func (s *Server) activityFile(v visit) string {
	return "activity-" + v.Shop.Hash + "-" + s.Now().In(present(v.Shop).zone).Format("2006-01-02") + ".jsonl"
}

// exportActivity sends every line as JSON lines, the first one first. It is streamed; one that breaks off is cut, so that it is seen.
func (s *Server) exportActivity(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := s.Ledger.RecordActivity(r.Context(), v.Shop.Hash, ledger.ActExported, "activity", "", s.Now()); err != nil {
		return err
	}
	s.Log.Info("activity exported", "shop", v.Shop.Hash, "by", v.User.Email)
	w.Header().Set("Content-Type", "application/jsonl; charset=utf-8")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": s.activityFile(v)}))
	w.Header().Set("Cache-Control", "no-store")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportTime)) // where the connection knows none, the server's own stands
	out := bufio.NewWriterSize(w, 64<<10)
	_, err := s.Ledger.ExportActivity(r.Context(), v.Shop.Hash, out)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		s.Log.Warn("an export broke off", "shop", v.Shop.Hash, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}
