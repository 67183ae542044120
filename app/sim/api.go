package sim

import (
	"bytes"
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
	var err error
	c.body, err = io.ReadAll(http.MaxBytesReader(rw, r.Body, maxAPIBody))
	if err != nil {
		w.finish(rw, c, c.fail(http.StatusRequestEntityTooLarge, "Request entity too large"), 0)
		return
	}
	w.mu.Lock()
	fault, a := w.admit(rw, c, hash, rest)
	slowFor := time.Duration(0)
	if c.shop != nil {
		slowFor = c.shop.faults.SlowFor
	}
	w.mu.Unlock()
	if a.status != 0 {
		w.finish(rw, c, a, fault)
		return
	}
	if fault == Slow {
		pause(r, slowFor, 2*time.Second)
	}
	w.mu.Lock()
	a = c.dispatch(rt)
	status, body := a.encode()
	w.mu.Unlock()
	switch fault {
	case DoneButTimeout:
		w.observe(c, status, body, fault)
		pause(r, slowFor, time.Minute)
		panic(http.ErrAbortHandler)
	case Cut:
		w.observe(c, status, body, fault)
		cut(rw, status, body)
	case DoneButError:
		w.finish(rw, c, c.fail(http.StatusInternalServerError, "Internal Server Error"), fault)
	default:
		w.send(rw, c, status, body, fault)
	}
}

// admit finds the shop and the token, spends quota and draws a fault. A zero answer lets the request in.
func (w *World) admit(rw http.ResponseWriter, c *call, hash, rest string) (Fault, answer) {
	c.shop = w.shopByHash(hash)
	if c.shop == nil {
		return 0, c.fail(http.StatusNotFound, "The store was not found.")
	}
	value := c.r.Header.Get("X-Auth-Token")
	c.token = find(c.shop.tokens, func(t *Token) bool { return t.Value == value })
	if c.token == nil {
		return 0, c.fail(http.StatusUnauthorized, "Unauthorized")
	}
	left, reset, ok := c.shop.limiter.take(w.now())
	fault := c.shop.drawFault(c.r.Method, rest)
	if fault != 0 {
		w.opt.Log.Info("API fault", "fault", fault.String(), "method", c.r.Method, "path", rest, "seed", w.opt.Seed)
	}
	if fault != TooManyBare {
		c.shop.limiter.setRateHeaders(rw.Header(), left, reset)
	}
	switch {
	case !ok || fault == TooMany:
		rw.Header().Set("X-Retry-After", strconv.Itoa(max(1, int((reset+time.Second-1)/time.Second))))
		return fault, c.fail(http.StatusTooManyRequests, "Too many requests")
	case fault == TooManyBare:
		return fault, c.fail(http.StatusTooManyRequests, "Too many requests")
	case fault == LegacyLimit:
		return fault, c.fail(509, "Bandwidth limit exceeded")
	case fault == ServerError:
		return fault, c.fail(http.StatusInternalServerError, "Internal Server Error")
	case fault == Unavailable:
		return fault, answer{http.StatusServiceUnavailable, html("<html><body><h1>503 Service Unavailable</h1></body></html>")}
	}
	return fault, answer{}
}

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

// pause waits for d, or def when d is 0, or until the caller is gone.
func pause(r *http.Request, d, def time.Duration) {
	if d == 0 {
		d = def
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

// page reads page and limit, bounded as the platform bounds them.
func (c *call) page(defaultLimit int) (page, limit int) {
	page, limit = 1, defaultLimit
	if n, err := strconv.Atoi(c.query.Get("page")); err == nil && n > 0 && n < 1_000_000 {
		page = n
	}
	if n, err := strconv.Atoi(c.query.Get("limit")); err == nil && n > 0 {
		limit = min(n, 250)
	}
	return page, limit
}

// cutPage is the page's part of a list.
func cutPage[T any](list []T, page, limit int) []T {
	from := min((page-1)*limit, len(list))
	return list[from:min(from+limit, len(list))]
}

// listV2 pages a bare v2 list; an empty one is 204 without a body.
func listV2(c *call, list []obj) answer {
	page, limit := c.page(50)
	if list = cutPage(list, page, limit); len(list) == 0 {
		return noContent
	}
	return answer{http.StatusOK, list}
}

// listV3 pages a v3 list and describes the page in meta.pagination.
func listV3(c *call, list []obj) answer {
	page, limit := c.page(50)
	total := len(list)
	list = cutPage(list, page, limit)
	if list == nil {
		list = []obj{}
	}
	pages := (total + limit - 1) / limit
	link := func(n int) string { return "?page=" + strconv.Itoa(n) + "&limit=" + strconv.Itoa(limit) }
	links := obj{"current": link(page)}
	if page > 1 {
		links["previous"] = link(page - 1)
	}
	if page < pages {
		links["next"] = link(page + 1)
	}
	return answer{http.StatusOK, obj{"data": list, "meta": obj{"pagination": obj{
		"total": total, "count": len(list), "per_page": limit, "current_page": page, "total_pages": pages, "links": links,
	}}}}
}

// ids reads a comma-separated filter; ok is false when it is absent.
func (c *call) ids(name string) (set map[int64]bool, ok bool) {
	raw := c.query.Get(name)
	if raw == "" {
		return nil, false
	}
	set = map[int64]bool{}
	for _, part := range strings.Split(raw, ",") {
		if n, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64); err == nil {
			set[n] = true
		}
	}
	return set, true
}

// words reads a comma-separated filter of texts, lower-cased.
func (c *call) words(name string) (set map[string]bool, ok bool) {
	raw := c.query.Get(name)
	if raw == "" {
		return nil, false
	}
	set = map[string]bool{}
	for _, part := range strings.Split(raw, ",") {
		set[strings.ToLower(strings.TrimSpace(part))] = true
	}
	return set, true
}

func stamp(t time.Time) string   { return t.UTC().Format(time.RFC3339) }
func rfc2822(t time.Time) string { return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700") }
