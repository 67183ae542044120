package sim

import (
	"strconv"
	"strings"
)

func catalogRoutes() []route {
	read := readOrWrite("store_v2_products")
	return []route{
		{"GET", "/v3/catalog/products", read, listProducts},
		{"GET", "/v3/catalog/products/{product}", read, getProduct},
		{"GET", "/v3/catalog/categories", read, listCategories},
		{"GET", "/v3/catalog/brands", read, listBrands},
	}
}

func productV3(p *Product) obj {
	kind := "physical"
	if p.Digital {
		kind = "digital"
	}
	return obj{
		"id": p.ID, "name": p.Name, "type": kind, "sku": p.SKU, "description": p.Description, "price": p.Price, "calculated_price": p.Price,
		"sale_price": 0, "retail_price": 0, "cost_price": 0, "weight": 0.5, "categories": append([]int64{}, p.Categories...), "brand_id": p.BrandID,
		"is_visible": true, "availability": "available", "inventory_tracking": "none", "inventory_level": 0,
		"custom_url":   obj{"url": "/products/" + strconv.FormatInt(p.ID, 10) + "/", "is_customized": false},
		"date_created": stamp(p.Created), "date_modified": stamp(p.Created),
	}
}

func listProducts(c *call) answer {
	ids, byID := c.ids("id:in")
	categories, byCategory := c.ids("categories:in")
	like := strings.ToLower(c.query.Get("name:like"))
	fields, some := c.words("include_fields")
	var out []obj
	for _, p := range c.shop.products {
		if (byID && !ids[p.ID]) || (byCategory && !anyOf(categories, p.Categories)) || !strings.Contains(strings.ToLower(p.Name), like) {
			continue
		}
		v := productV3(p)
		if some {
			for k := range v {
				if k != "id" && !fields[k] {
					delete(v, k)
				}
			}
		}
		out = append(out, v)
	}
	return listV3(c, out)
}

func anyOf(set map[int64]bool, ids []int64) bool {
	for _, id := range ids {
		if set[id] {
			return true
		}
	}
	return false
}

func getProduct(c *call) answer {
	p := c.shop.product(c.id("product"))
	if p == nil {
		return c.notFound()
	}
	return data(productV3(p))
}

func listCategories(c *call) answer {
	ids, byID := c.ids("id:in")
	var out []obj
	for _, k := range c.shop.categories {
		if !byID || ids[k.ID] {
			out = append(out, obj{
				"id": k.ID, "parent_id": 0, "name": k.Name, "description": "", "sort_order": 0, "is_visible": true,
				"custom_url": obj{"url": "/" + strings.ToLower(k.Name) + "/", "is_customized": false},
			})
		}
	}
	return listV3(c, out)
}

func listBrands(c *call) answer {
	ids, byID := c.ids("id:in")
	var out []obj
	for _, b := range c.shop.brands {
		if !byID || ids[b.ID] {
			out = append(out, obj{"id": b.ID, "name": b.Name, "page_title": "", "meta_keywords": []any{}, "image_url": ""})
		}
	}
	return listV3(c, out)
}
