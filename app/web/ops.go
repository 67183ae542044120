package web

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"idgate/app/ledger"
	"idgate/app/mail"
)

// counters are the figures of /metrics.
type counters struct {
	handler http.Handler
	refused *prometheus.CounterVec
	notices *prometheus.CounterVec
	dropped prometheus.Counter
	canary  *prometheus.CounterVec
}

func newCounters(s *Server) *counters {
	c := &counters{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "idgate_requests_refused_total", Help: "Requests that were refused, by code."}, []string{"code"}),
		notices: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "idgate_notices_total", Help: "Webhooks accepted, by scope and whether they came for the first time."}, []string{"scope", "first"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "idgate_notices_dropped_total", Help: "Webhooks for shops that are not installed here."}),
		canary:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "idgate_checkout_canary_total", Help: "Reports from checkout pages that no longer look as expected."}, []string{"missing"}),
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(c.refused, c.notices, c.dropped, c.canary, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), watched{s})
	c.handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	return c
}

// totals is how the whole house stands: all Shops together, so that it tells of none what is another's business.
type totals struct {
	Waiting ledger.Pending `json:"waiting"` // rows that wait for a loop
	Alarms  ledger.Alarms  `json:"alarms"`  // what needs somebody
	Shops   struct {
		Installed int `json:"installed"`
		Suspended int `json:"suspended"` // BigCommerce refuses our token for them
	} `json:"shops"`
	Quota struct {
		Shops   int     `json:"shops_waiting"`   // whose orders wait for BigCommerce's API quota now
		Longest float64 `json:"longest_seconds"` // of them
		Waited  float64 `json:"waited_seconds"`  // of all in all, since the start
	} `json:"quota"`
	Skew    float64 `json:"clock_skew_seconds"` // how far our clock is ahead of BigCommerce's: the largest difference seen by a Shop's answers
	Replica struct {
		Status   string  `json:"status"`         // off, pending, ok or error
		Behind   float64 `json:"behind_seconds"` // 0 while it is in step
		WALBytes int64   `json:"wal_bytes"`
	} `json:"replica"`
}

// totals reads how the house stands.
func (s *Server) totals(ctx context.Context) (t totals, err error) {
	if t.Waiting, err = s.Ledger.Pending(ctx); err != nil {
		return t, err
	}
	if t.Alarms, err = s.Ledger.Alarms(ctx); err != nil {
		return t, err
	}
	now, installed, suspended := s.Now(), s.Ledger.Shops(), s.Ledger.Suspended()
	t.Shops.Installed, t.Shops.Suspended = len(installed), len(suspended)
	for _, shop := range slices.Concat(installed, suspended) {
		pace := s.Relay.Pace(shop.Hash)
		t.Quota.Waited += pace.Waited.Seconds()
		if !pace.WaitingSince.IsZero() {
			t.Quota.Shops++
			t.Quota.Longest = max(t.Quota.Longest, now.Sub(pace.WaitingSince).Seconds())
		}
		if skew := pace.Skew.Round(time.Second).Seconds(); math.Abs(skew) > math.Abs(t.Skew) {
			t.Skew = skew
		}
	}
	st := s.replica()
	t.Replica.Status, t.Replica.Behind, t.Replica.WALBytes = replicaStatus(st), lag(st, now).Seconds(), st.WALBytes
	return t, nil
}

// watched collects the totals when asked.
type watched struct{ server *Server }

var (
	waitingDesc = prometheus.NewDesc("idgate_waiting", "Rows that wait for a loop.", []string{"queue"}, nil)
	stuckDesc   = prometheus.NewDesc("idgate_stuck", "Rows that do not get on without a person.", []string{"queue"}, nil)
	ordersDesc  = prometheus.NewDesc("idgate_orders", "Orders that were found gone unproven, or moved off our hold by hand.", []string{"found"}, nil)
	shopsDesc   = prometheus.NewDesc("idgate_shops", "Shops, by whether BigCommerce accepts our token for them.", []string{"state"}, nil)
	quotaDesc   = prometheus.NewDesc("idgate_quota_waiting_shops", "Shops whose orders wait for BigCommerce's API quota now.", nil, nil)
	longestDesc = prometheus.NewDesc("idgate_quota_waiting_seconds", "How long the longest of them has waited so far.", nil, nil)
	waitedDesc  = prometheus.NewDesc("idgate_quota_waited_seconds_total", "How long orders have waited for the quota in all.", nil, nil)
	skewDesc    = prometheus.NewDesc("idgate_clock_skew_seconds", "How far the clock is ahead of BigCommerce's, at most.", nil, nil)
	behindDesc  = prometheus.NewDesc("idgate_replica_behind_seconds", "How far the replica is behind; 0 while it is in step. Absent where none is configured.", nil, nil)
	failingDesc = prometheus.NewDesc("idgate_replica_failing", "1 while the replica cannot be reached or written. Absent where none is configured.", nil, nil)
	walDesc     = prometheus.NewDesc("idgate_wal_bytes", "Size of the ledger's write-ahead log.", nil, nil)
)

func (w watched) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{waitingDesc, stuckDesc, ordersDesc, shopsDesc, quotaDesc, longestDesc, waitedDesc, skewDesc, behindDesc, failingDesc, walDesc} {
		ch <- d
	}
}

func (w watched) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := opsContext()
	defer cancel()
	t, err := w.server.totals(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(waitingDesc, err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for queue, n := range map[string]int64{"notices": t.Waiting.Notices, "orders": t.Waiting.Orders, "writebacks": t.Waiting.Writebacks, "sessions": t.Waiting.Sessions, "deliveries": t.Waiting.Deliveries} {
		gauge(waitingDesc, float64(n), queue)
	}
	gauge(stuckDesc, float64(t.Alarms.StuckNotices), "notices")
	gauge(stuckDesc, float64(t.Alarms.StuckWritebacks), "writebacks")
	gauge(ordersDesc, float64(t.Alarms.Leaked), "leaked")
	gauge(ordersDesc, float64(t.Alarms.Moved), "moved")
	gauge(shopsDesc, float64(t.Shops.Installed), "installed")
	gauge(shopsDesc, float64(t.Shops.Suspended), "suspended")
	gauge(quotaDesc, float64(t.Quota.Shops))
	gauge(longestDesc, t.Quota.Longest)
	ch <- prometheus.MustNewConstMetric(waitedDesc, prometheus.CounterValue, t.Quota.Waited)
	gauge(skewDesc, t.Skew)
	gauge(walDesc, float64(t.Replica.WALBytes))
	if t.Replica.Status != "off" {
		failing := 0.0
		if t.Replica.Status == "error" {
			failing = 1
		}
		gauge(behindDesc, t.Replica.Behind)
		gauge(failingDesc, failing)
	}
}

// healthz says whether the ledger answers, and how the house stands. What needs a person is no failure of this process: it stays 200.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) error {
	t, err := s.totals(r.Context())
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "busy", "the ledger does not answer").because(err)
	}
	writeJSON(w, http.StatusOK, struct {
		OK bool `json:"ok"`
		totals
	}{true, t})
	return nil
}

// bounce takes a mail that came back, whole, as the mail server of the operator pipes it here. Only one that carries the id of a mail of
// ours, which is told to nobody but its addressee, changes anything, and that once.
func (s *Server) bounce(w http.ResponseWriter, r *http.Request) error {
	report, err := mail.ReadReport(r.Body)
	if err == nil {
		err = s.Relay.MailReturned(r.Context(), report)
	}
	switch {
	case errors.Is(err, mail.ErrNoReport):
		return refuse(http.StatusUnprocessableEntity, "no_report", mail.ErrNoReport.Error()).because(err)
	case errors.Is(err, ledger.ErrNotFound):
		return refuse(http.StatusUnprocessableEntity, "not_ours", "the report is about no mail of this idgate's").because(err)
	case err != nil:
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// jwks publishes the keys that verify our Receipts.
func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, _ = w.Write(s.Ledger.JWKS()) // the client may be gone
	return nil
}

func (s *Server) asset(w http.ResponseWriter, r *http.Request) error {
	a, ok := s.assets[r.URL.Path]
	if !ok {
		a, ok = s.accentSheet(r.URL.Path)
	}
	if !ok {
		return refuse(http.StatusNotFound, "not_found", "no such file")
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.body) // the client may be gone
	return nil
}

// front is what somebody sees who opens our bare address: where the door is.
func (s *Server) front(http.ResponseWriter, *http.Request) error {
	return refuse(http.StatusNotFound, "signed_out", "open the app from the control panel")
}

func (s *Server) nothing(http.ResponseWriter, *http.Request) error {
	return refuse(http.StatusNotFound, "not_found", "there is nothing here")
}

func (s *Server) crossOrigin(http.ResponseWriter, *http.Request) error {
	return refuse(http.StatusForbidden, "cross_site", "another site sent this form")
}

// qrSVG draws text as a QR code with a quiet zone, as an SVG of one path.
func qrSVG(text string) (string, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("drawing a QR code: %w", err)
	}
	n := code.Bounds().Dx()
	var path strings.Builder
	for y := range n {
		for x := range n {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+4, y+4)
			}
		}
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges"><rect width="%[1]d" height="%[1]d" fill="#fff"/><path d="%[2]s"/></svg>`, n+8, path.String()), nil
}

// opsContext bounds what the operator's listener may wait for.
func opsContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 2*time.Second)
}
