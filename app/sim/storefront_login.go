package sim

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// loginTokenLife is how far a Customer Login token's iat may be from now, either way.
const loginTokenLife = 30 * time.Second

// loginClaims is a Customer Login token's payload.
type loginClaims struct {
	Issuer     string `json:"iss"`
	IssuedAt   int64  `json:"iat"`
	ID         string `json:"jti"`
	Operation  string `json:"operation"`
	StoreHash  string `json:"store_hash"`
	CustomerID int64  `json:"customer_id"`
	ChannelID  int64  `json:"channel_id"`
	RedirectTo string `json:"redirect_to"`
	RequestIP  string `json:"request_ip"`
	jwt.RegisteredClaims
}

// loginByToken is the Customer Login API's door: it signs a browser in to the account that an app with the login scope names. A
// refused token leads to the sign-in page, which says no more than that it did not work. Each token is good for one visit.
func (f *storefront) loginByToken(rw http.ResponseWriter, q *visit) error {
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("Referrer-Policy", "no-referrer")
	c, to, ok := f.readLoginToken(q)
	if !ok {
		return f.renderLogin(rw, q, http.StatusForbidden, loginForm{Error: "Your login attempt was not successful. Please try again."})
	}
	if err := f.signIn(rw, q, c); err != nil {
		return err
	}
	http.Redirect(rw, q.Request, to, http.StatusFound)
	return nil
}

func (f *storefront) readLoginToken(q *visit) (who Customer, to string, ok bool) {
	var c loginClaims
	if _, err := jwt.NewParser(jwt.WithValidMethods([]string{"HS256"}), jwt.WithoutClaimsValidation()).ParseWithClaims(q.PathValue("token"), &c,
		func(*jwt.Token) (any, error) {
			secret, ok := f.clientSecret(q.shop, c.Issuer)
			if !ok {
				return nil, jwt.ErrTokenInvalidIssuer
			}
			return []byte(secret), nil
		}); err != nil {
		return who, "", false
	}
	age := f.w.now().Sub(time.Unix(c.IssuedAt, 0))
	switch {
	case c.Operation != "customer_login", c.StoreHash != q.shop.Hash, c.ID == "", age.Abs() > loginTokenLife, !q.shop.mayLogIn(c.Issuer):
		return who, "", false
	case c.RequestIP != "" && !sameIP(c.RequestIP, remoteIP(q.Request)):
		return who, "", false
	case c.ChannelID != 0 && c.ChannelID != q.channel:
		return who, "", false
	}
	f.mu.Lock()
	used := f.logins[c.Issuer+" "+c.ID]
	f.logins[c.Issuer+" "+c.ID] = true
	f.mu.Unlock()
	who, err := q.shop.Customer(c.CustomerID)
	if to = c.RedirectTo; to == "" {
		to = "/account.php"
	}
	return who, to, err == nil && !used && localPath(to) == to
}

func sameIP(a, b string) bool {
	x, err1 := netip.ParseAddr(a)
	y, err2 := netip.ParseAddr(strings.TrimSpace(b))
	return err1 == nil && err2 == nil && x.Unmap() == y.Unmap()
}

// mayLogIn reports whether a client of the shop's has been granted the login scope.
func (s *Shop) mayLogIn(clientID string) bool {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return find(s.tokens, func(t *Token) bool { return t.ClientID == clientID && t.has("store_v2_customers_login") }) != nil
}
