package sim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxAPIBody   = 1 << 20
	statusesPage = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
)

// obj is a JSON object.
type obj = map[string]any

// route is one operation of the REST API.
type route struct {
	method string
	path   string   // after /stores/{hash}, with {wildcards}
	scopes []string // any one of them is enough; empty: any token
	serve  func(*call) answer
}

// call is one authenticated request. Handlers run with World.mu held and never wait.
type call struct {
	w     *World
	shop  *Shop
	token *Token
	r     *http.Request
	v2    bool
	query url.Values
	body  []byte

	operation string // where only so many may run at once
	gauge     *gauge // of the operation; nil: there is no such limit
	running   bool   // counted as running there
}

// answer is what a handler decides; a nil body is sent as no body at all.
type answer struct {
	status int
	body   any
}

// Exchange is one API request and its answer, for contract tests.
type Exchange struct {
	Method   string
	URL      string // path and query, /stores/{hash} included
	Header   http.Header
	Body     []byte
	Status   int
	Response []byte
	Fault    Fault // 0: an honest answer
}

// apiRoutes is the whole of the simulated REST API.
func apiRoutes() []route {
	return slices.Concat(storeRoutes(), orderRoutes(), customerRoutes(), scriptRoutes(), hookRoutes(), metafieldRoutes(), cartRoutes(), catalogRoutes())
}

// Operations lists the REST operations that the simulator serves: "GET /v3/hooks/{hook}".
func Operations() []string {
	var out []string
	for _, rt := range apiRoutes() {
		out = append(out, rt.method+" "+rt.path)
	}
	return out
}

func (w *World) apiHandler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range apiRoutes() {
		mux.HandleFunc(rt.method+" /stores/{hash}"+rt.path, func(rw http.ResponseWriter, r *http.Request) { w.serveAPI(rw, r, &rt) })
	}
	mux.HandleFunc("/stores/", func(rw http.ResponseWriter, r *http.Request) { w.serveAPI(rw, r, nil) })
	return mux
}

// serveAPI guards one request: token, quota, faults, scope, content type; then the route answers.
func (w *World) serveAPI(rw http.ResponseWriter, r *http.Request, rt *route) {
	hash, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/stores/"), "/")
	rest = "/" + rest
	c := &call{w: w, r: r, v2: strings.HasPrefix(rest, "/v2"), query: r.URL.Query()}
	rw.Header().Set("Date", w.now().Format(http.TimeFormat))
	var err error
	c.body, err = io.ReadAll(http.MaxBytesReader(rw, r.Body, maxAPIBody))
	if err != nil {
		w.finish(rw, c, c.fail(http.StatusRequestEntityTooLarge, "Request entity too large"), 0)
		return
	}
	w.mu.Lock()
	in := w.admit(rw, c, hash, rest, rt)
	w.mu.Unlock()
	defer c.leave()
	if in.latency > 0 && !pause(r, in.latency) {
		panic(http.ErrAbortHandler)
	}
	if in.refusal.status != 0 {
		w.finish(rw, c, in.refusal, in.fault)
		return
	}
	if in.fault == Slow {
		pause(r, cmp.Or(in.slowFor, 2*time.Second))
	}
	w.mu.Lock()
	a := c.dispatch(rt)
	status, body := a.encode()
	w.mu.Unlock()
	switch in.fault {
	case DoneButTimeout:
		w.observe(c, status, body, in.fault)
		pause(r, cmp.Or(in.slowFor, time.Minute))
		panic(http.ErrAbortHandler)
	case Cut:
		w.observe(c, status, body, in.fault)
		cut(rw, status, body)
	case DoneButError:
		w.finish(rw, c, c.fail(http.StatusInternalServerError, "Internal Server Error"), in.fault)
	default:
		w.send(rw, c, status, body, in.fault)
	}
}

// admission is what is decided about a request before any work is done.
type admission struct {
	refusal answer // with a status: nothing is done
	fault   Fault
	latency time.Duration
	slowFor time.Duration
}

// admit finds the shop and the token, spends quota, draws a fault and counts the request where only
// so many may run at once.
func (w *World) admit(rw http.ResponseWriter, c *call, hash, rest string, rt *route) (in admission) {
	refuse := func(status int, title string) admission {
		in.refusal = c.fail(status, title)
		return in
	}
	c.shop = w.shopByHash(hash)
	if c.shop == nil {
		return refuse(http.StatusNotFound, "The store was not found.")
	}
	in.latency, in.slowFor = c.shop.latency, c.shop.faults.SlowFor
	value := c.r.Header.Get("X-Auth-Token")
	c.token = find(c.shop.tokens, func(t *Token) bool { return t.Value == value })
	if c.token == nil {
		return refuse(http.StatusUnauthorized, "Unauthorized")
	}
	c.arrive(rt)
	l := &c.shop.limiter
	left, reset, ok := l.take(w.now(), c.ours())
	in.fault = c.shop.drawFault(c.r.Method, rest)
	if !ok && in.fault != TooManyBare {
		in.fault = 0 // a request without quota is refused honestly
	}
	in.refusal = c.refusal(in.fault, ok)
	if in.refusal.status == 0 && c.crowded() {
		in.fault, in.refusal = 0, c.fail(http.StatusTooManyRequests, "Too many requests")
	}
	if in.fault != 0 {
		w.opt.Log.Info("API fault", "fault", in.fault.String(), "method", c.r.Method, "path", rest, "seed", w.opt.Seed)
	}
	if in.fault == TooMany {
		left = 0
	}
	if in.fault != TooManyBare {
		l.setRateHeaders(rw.Header(), left, reset)
	}
	if in.fault == TooMany || !ok && in.fault == 0 {
		rw.Header().Set("X-Retry-After", strconv.Itoa(max(1, int((reset+time.Second-1)/time.Second))))
	}
	if in.refusal.status == http.StatusTooManyRequests && c.ours() {
		l.window.Refused++
	}
	return in
}

// refusal is the answer that a fault gives before any work; a zero one lets the request in.
func (c *call) refusal(f Fault, quotaLeft bool) answer {
	switch {
	case !quotaLeft, f == TooMany, f == TooManyBare:
		return c.fail(http.StatusTooManyRequests, "Too many requests")
	case f == LegacyLimit:
		return c.fail(509, "Bandwidth limit exceeded")
	case f == ServerError:
		return c.fail(http.StatusInternalServerError, "Internal Server Error")
	case f == Unavailable:
		return answer{http.StatusServiceUnavailable, html("<html><body><h1>503 Service Unavailable</h1></body></html>")}
	}
	return answer{}
}

// ours tells whether the app itself calls, and not another client with a token for this shop.
func (c *call) ours() bool { return c.token.ClientID == c.w.opt.ClientID }

// dispatch checks scope and content type and runs the route.
func (c *call) dispatch(rt *route) answer {
	if rt == nil {
		return c.notFound()
	}
	if len(rt.scopes) > 0 && !slices.ContainsFunc(rt.scopes, c.token.has) {
		return c.fail(http.StatusForbidden, "You don't have a required scope to access the endpoint")
	}
	if len(c.body) > 0 {
		if kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
			return c.fail(http.StatusUnsupportedMediaType, "Unsupported Media Type")
		}
	}
	return rt.serve(c)
}

func (t *Token) has(scope string) bool { return slices.Contains(t.Scopes, scope) }

// readOrWrite is a read operation's scope: name or name_read_only.
func readOrWrite(names ...string) []string {
	var out []string
	for _, n := range names {
		out = append(out, n, n+"_read_only")
	}
	return out
}

// fail is an error in the version's own shape: an array in v2, an object in v3.
func (c *call) fail(status int, title string) answer {
	return c.invalid(status, title, obj{})
}

// invalid is an error that names fields.
func (c *call) invalid(status int, title string, fields obj) answer {
	if c.v2 {
		return answer{status, []obj{{"status": status, "message": title}}}
	}
	return answer{status, obj{"status": status, "title": title, "type": statusesPage, "errors": fields}}
}

// unprocessable is v3's 422 for one field.
func (c *call) unprocessable(field, why string) answer {
	return c.invalid(http.StatusUnprocessableEntity, "Missing or invalid data: "+field, obj{field: why})
}

// notFound leaves v3's errors out: the documents make it a list for some resources and an object for others.
func (c *call) notFound() answer {
	a := c.fail(http.StatusNotFound, "The requested resource was not found.")
	if body, ok := a.body.(obj); ok {
		delete(body, "errors")
	}
	return a
}

// decode reads the JSON body into v; an answer with a status means it could not.
func (c *call) decode(v any) answer {
	dec := json.NewDecoder(bytes.NewReader(c.body))
	if err := dec.Decode(v); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && !c.v2 {
			return c.unprocessable(wrong.Field, "wrong type: "+wrong.Value)
		}
		return c.fail(http.StatusBadRequest, "Input is invalid.")
	}
	return answer{}
}

// id is a numeric path value; 0 never matches anything.
func (c *call) id(name string) int64 {
	n, err := strconv.ParseInt(c.r.PathValue(name), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// data is v3's envelope around one thing.
func data(v any) answer { return answer{http.StatusOK, obj{"data": v, "meta": obj{}}} }

var noContent = answer{status: http.StatusNoContent}

// html is a body that is not JSON.
type html string

// encode renders a body; a 204 or a nil body is empty.
func (a answer) encode() (int, []byte) {
	switch v := a.body.(type) {
	case nil:
		return a.status, nil
	case html:
		return a.status, []byte(v)
	}
	b, err := json.Marshal(a.body)
	if err != nil {
		return http.StatusInternalServerError, []byte(`{"status":500,"title":"encoding the answer"}`)
	}
	return a.status, b
}

func (w *World) finish(rw http.ResponseWriter, c *call, a answer, f Fault) {
	if _, ok := a.body.(html); ok {
		rw.Header().Set("Content-Type", "text/html")
	}
	status, body := a.encode()
	w.send(rw, c, status, body, f)
}

func (w *World) send(rw http.ResponseWriter, c *call, status int, body []byte, f Fault) {
	if body != nil && rw.Header().Get("Content-Type") == "" {
		rw.Header().Set("Content-Type", "application/json")
	}
	w.observe(c, status, body, f)
	rw.WriteHeader(status)
	_, _ = rw.Write(body)
}

func (w *World) observe(c *call, status int, body []byte, f Fault) {
	w.opt.Log.Debug("API", "method", c.r.Method, "path", c.r.URL.Path, "status", status)
	if w.opt.Observe != nil {
		w.opt.Observe(Exchange{
			Method: c.r.Method, URL: c.r.URL.RequestURI(), Header: c.r.Header.Clone(), Body: c.body,
			Status: status, Response: body, Fault: f,
		})
	}
}

// cut promises the whole body, sends half of it and closes the connection.
func cut(rw http.ResponseWriter, status int, body []byte) {
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	rw.WriteHeader(status)
	_, _ = rw.Write(body[:len(body)/2])
	if f, ok := rw.(http.Flusher); ok {
		f.Flush()
	}
	panic(http.ErrAbortHandler)
}

// pause waits for d of real time; false means that the caller left before it was over.
func pause(r *http.Request, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func stamp(t time.Time) string   { return t.UTC().Format(time.RFC3339) }
func rfc2822(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700") }
