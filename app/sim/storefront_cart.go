package sim

import (
	"fmt"
	"net/http"
)

// cartRoutes are the storefront's cart operations. The platform answers under carts and under cart.
func (f *storefront) cartRoutes(api func(string, pageFunc)) {
	for _, base := range []string{"/api/storefront/carts", "/api/storefront/cart"} {
		api("GET "+base, f.listCarts)
		api("POST "+base, f.createCart)
		api("GET "+base+"/{cart}", f.readCart)
		api("DELETE "+base+"/{cart}", f.deleteCart)
		api("POST "+base+"/{cart}/items", f.addItems)
		api("PUT "+base+"/{cart}/items/{item}", f.updateItem)
		api("DELETE "+base+"/{cart}/items/{item}", f.removeItem)
		api("POST "+base+"/{cart}/currency", f.setCurrency)
	}
	api("PUT /api/storefront/checkouts/{cart}/carts/{same}/items/{item}", f.updateItem)
	api("DELETE /api/storefront/checkouts/{cart}/carts/{same}/items/{item}", f.removeItem)
}

// itemsRequest is the body of creating a cart and of adding to one.
type itemsRequest struct {
	LineItems []struct {
		ProductID int64 `json:"productId"`
		Quantity  int   `json:"quantity"`
	} `json:"lineItems"`
	Version *int `json:"version"`
}

// maxLines bounds one request's line items.
const maxLines = 100

// namedCart is the session's cart, if that is the one in the path. Anybody else's is not found.
func (f *storefront) namedCart(q *visit) (Cart, error) {
	c, err := f.checkoutCart(q)
	if err != nil {
		return Cart{}, err
	}
	if c.ID != q.PathValue("cart") {
		return Cart{}, fmt.Errorf("cart %s: %w", q.PathValue("cart"), ErrNotFound)
	}
	return c, nil
}

// sameVersion is the optimistic lock: a caller that names another version than the cart's is told so.
func sameVersion(c Cart, version *int) error {
	if version != nil && *version != c.Version {
		return refuse(http.StatusConflict, "The request cannot be processed due to a possible conflict. Please review the changes and try again.", "")
	}
	return nil
}

func (f *storefront) listCarts(rw http.ResponseWriter, q *visit) error {
	list := []cartJSON{}
	if c, err := f.cart(q); err == nil {
		list = append(list, q.cartJSON(c, q.askedFor(false)))
	}
	return writeJSON(rw, http.StatusOK, list)
}

func (f *storefront) readCart(rw http.ResponseWriter, q *visit) error {
	c, err := f.namedCart(q)
	if err != nil {
		return err
	}
	return writeJSON(rw, http.StatusOK, q.cartJSON(c, q.askedFor(false)))
}

func (f *storefront) createCart(rw http.ResponseWriter, q *visit) error {
	var body itemsRequest
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	if len(body.LineItems) == 0 || len(body.LineItems) > maxLines {
		return refuse(http.StatusUnprocessableEntity, "Missing or invalid data", "lineItems: want 1 to 100 of them.")
	}
	c, err := f.needCart(rw, q)
	if err != nil {
		return err
	}
	return f.addLines(rw, q, c, body)
}

func (f *storefront) addItems(rw http.ResponseWriter, q *visit) error {
	var body itemsRequest
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	if len(body.LineItems) == 0 || len(body.LineItems) > maxLines {
		return refuse(http.StatusUnprocessableEntity, "Missing or invalid data", "lineItems: want 1 to 100 of them.")
	}
	c, err := f.namedCart(q)
	if err != nil {
		return err
	}
	if err := sameVersion(c, body.Version); err != nil {
		return err
	}
	return f.addLines(rw, q, c, body)
}

func (f *storefront) addLines(rw http.ResponseWriter, q *visit, c Cart, body itemsRequest) error {
	for _, line := range body.LineItems {
		var err error
		if c, err = q.shop.AddToCart(c.ID, line.ProductID, line.Quantity); err != nil {
			return err
		}
	}
	return writeJSON(rw, http.StatusOK, q.cartJSON(c, q.askedFor(false)))
}

func (f *storefront) updateItem(rw http.ResponseWriter, q *visit) error {
	var body struct {
		LineItem struct {
			Quantity int `json:"quantity"`
		} `json:"lineItem"`
		Version *int `json:"version"`
	}
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	if body.LineItem.Quantity < 1 {
		return refuse(http.StatusUnprocessableEntity, "Missing or invalid data", "lineItem.quantity: want 1 or more.")
	}
	return f.setQuantity(rw, q, body.LineItem.Quantity, body.Version)
}

func (f *storefront) removeItem(rw http.ResponseWriter, q *visit) error {
	var body struct {
		Version *int `json:"version"`
	}
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	return f.setQuantity(rw, q, 0, body.Version)
}

// setQuantity changes a line; a cart whose last line goes is deleted with it.
func (f *storefront) setQuantity(rw http.ResponseWriter, q *visit, quantity int, version *int) error {
	c, err := f.namedCart(q)
	if err != nil {
		return err
	}
	if err := sameVersion(c, version); err != nil {
		return err
	}
	c, err = q.shop.SetCartQuantity(c.ID, q.PathValue("item"), quantity)
	if err != nil {
		return err
	}
	if len(c.Items) == 0 {
		f.dropCart(q, c.ID)
		rw.WriteHeader(http.StatusNoContent)
		return nil
	}
	if q.PathValue("same") != "" {
		return f.writeCheckout(rw, q, c, q.askedFor(true))
	}
	return writeJSON(rw, http.StatusOK, q.cartJSON(c, q.askedFor(false)))
}

func (f *storefront) deleteCart(rw http.ResponseWriter, q *visit) error {
	c, err := f.namedCart(q)
	if err != nil {
		return err
	}
	if c.OrderID != 0 {
		return fmt.Errorf("cart %s: %w", c.ID, ErrConverted)
	}
	f.dropCart(q, c.ID)
	rw.WriteHeader(http.StatusNoContent)
	return nil
}

// dropCart deletes an open cart and forgets it.
func (f *storefront) dropCart(q *visit, id string) {
	f.w.mu.Lock()
	if c := q.shop.carts[id]; c != nil && c.OrderID == 0 {
		delete(q.shop.carts, id)
		q.shop.emit("store/cart/deleted", obj{"type": "cart", "id": id})
	}
	f.w.mu.Unlock()
	f.mu.Lock()
	q.session.cartID = ""
	f.mu.Unlock()
}

// setCurrency knows one currency: the shop's. It answers with a list, as documented.
func (f *storefront) setCurrency(rw http.ResponseWriter, q *visit) error {
	var body struct {
		CurrencyCode string `json:"currencyCode"`
	}
	if err := q.readJSON(rw, &body); err != nil {
		return err
	}
	c, err := f.namedCart(q)
	if err != nil {
		return err
	}
	if body.CurrencyCode != c.Currency {
		return refuse(http.StatusNotFound, "Currency not found", "This shop sells in "+c.Currency+" only.")
	}
	return writeJSON(rw, http.StatusOK, []cartJSON{q.cartJSON(c, q.askedFor(false))})
}
