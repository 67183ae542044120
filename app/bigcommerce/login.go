package bigcommerce

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// CustomerLogin asks BigCommerce to sign a browser in to a customer's account.
type CustomerLogin struct {
	StoreHash  string
	CustomerID int64
	RedirectTo string     // path on the storefront's own origin
	RequestIP  netip.Addr // of the browser: BigCommerce refuses any other
	IssuedAt   time.Time  // by BigCommerce's clock: good for 30 s from then
}

// LoginPath is where a storefront takes a Customer Login token (docs: start/authentication/customer-login). The token is in the path because
// BigCommerce reads it there; it is good for 30 s, one visit and one address. Who puts it into a Location must log it nowhere.
const LoginPath = "/login/token/"

// LoginAddress reports whether BigCommerce can compare a with a browser's address: the documentation asks for "the expected IP address",
// whole, of either version. One with a zone means nothing on another machine.
func LoginAddress(a netip.Addr) bool {
	return a.IsValid() && a.Zone() == "" && !a.Is4In6() && !a.IsUnspecified() && !a.IsMulticast()
}

// SignCustomerLogin makes a token for LoginPath: HS256 with the client secret, for one customer of one shop. The scope
// store_v2_customers_login must have been granted.
func (a *App) SignCustomerLogin(c CustomerLogin) (string, error) {
	switch err := a.credentials(); {
	case err != nil:
		return "", err
	case !ValidStoreHash(c.StoreHash):
		return "", errors.New("signing a customer in: a malformed store hash")
	case c.CustomerID <= 0:
		return "", errors.New("signing a customer in: no customer")
	case !LoginAddress(c.RequestIP):
		return "", errors.New("signing a customer in: the browser's address is not known")
	case !strings.HasPrefix(c.RedirectTo, "/") || localURL(c.RedirectTo) != c.RedirectTo:
		return "", errors.New("signing a customer in: not a path of the shop's own")
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": a.ClientID, "iat": c.IssuedAt.Unix(), "jti": uuid.NewString(), "operation": "customer_login",
		"store_hash": c.StoreHash, "customer_id": c.CustomerID, "redirect_to": c.RedirectTo, "request_ip": c.RequestIP.String(),
	}).SignedString([]byte(a.ClientSecret))
	if err != nil {
		return "", fmt.Errorf("signing a customer in: %w", err)
	}
	return token, nil
}
