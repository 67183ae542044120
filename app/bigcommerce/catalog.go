package bigcommerce

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Product is what rules may ask about a catalog product.
type Product struct {
	ID         int64   `json:"id"`
	Name       string  `json:"name"`
	Categories []int64 `json:"categories"`
	BrandID    int64   `json:"brand_id"` // 0: none
}

// Products fetches the given products, in no particular order and each once; deleted ones are missing from the answer.
func (s *Store) Products(ctx context.Context, ids []int64) ([]Product, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	var all []Product
	for batch := range slices.Chunk(ids, perPage) {
		list := make([]string, len(batch))
		for i, id := range batch {
			if id <= 0 {
				return nil, fmt.Errorf("product %d: the id must be positive", id)
			}
			list[i] = strconv.FormatInt(id, 10)
		}
		page, err := listV3[Product](ctx, s, request{
			path:  "/v3/catalog/products",
			query: url.Values{"id:in": {strings.Join(list, ",")}, "include_fields": {"name,categories,brand_id"}},
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
	}
	return all, nil
}
