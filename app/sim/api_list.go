package sim

import (
	"net/http"
	"strconv"
	"strings"
)

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
