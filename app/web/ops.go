package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/boombuler/barcode/qr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"idgate/app/ledger"
)

// counters are the figures of /metrics.
type counters struct {
	handler http.Handler
	refused *prometheus.CounterVec
	notices *prometheus.CounterVec
	dropped prometheus.Counter
	canary  *prometheus.CounterVec
}

func newCounters(l *ledger.Ledger) *counters {
	c := &counters{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "idgate_requests_refused_total", Help: "Requests that were refused, by code."}, []string{"code"}),
		notices: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "idgate_notices_total", Help: "Webhooks accepted, by scope and whether they came for the first time."}, []string{"scope", "first"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "idgate_notices_dropped_total", Help: "Webhooks for shops that are not installed here."}),
		canary:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "idgate_checkout_canary_total", Help: "Reports from checkout pages that no longer look as expected."}, []string{"missing"}),
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(c.refused, c.notices, c.dropped, c.canary, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), waiting{l})
	c.handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
	return c
}

// waiting collects the lengths of the durable queues when asked.
type waiting struct{ ledger *ledger.Ledger }

var waitingDesc = prometheus.NewDesc("idgate_waiting", "Rows that wait for a loop.", []string{"queue"}, nil)

func (w waiting) Describe(ch chan<- *prometheus.Desc) { ch <- waitingDesc }

func (w waiting) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := opsContext()
	defer cancel()
	p, err := w.ledger.Pending(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(waitingDesc, err)
		return
	}
	for queue, n := range map[string]int64{"notices": p.Notices, "orders": p.Orders, "writebacks": p.Writebacks, "sessions": p.Sessions} {
		ch <- prometheus.MustNewConstMetric(waitingDesc, prometheus.GaugeValue, float64(n), queue)
	}
}

// healthz says whether the ledger answers.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) error {
	p, err := s.Ledger.Pending(r.Context())
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "busy", "the ledger does not answer").because(err)
	}
	writeJSON(w, http.StatusOK, map[string]any{"ok": true, "waiting": p})
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
