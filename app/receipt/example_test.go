package receipt_test

import (
	"bytes"
	"fmt"
	"time"

	"idgate/app/receipt"
)

// A customer receipt is signed here, written to the customer's attribute, and verified elsewhere with nothing but the
// published keys. Read off another customer's record, it says whose it is.
func Example() {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	key, err := receipt.NewKey(bytes.NewReader(make([]byte, 32))) // use crypto/rand.Reader
	if err != nil {
		fmt.Println(err)
		return
	}
	signer := receipt.Signer{Key: key, Issuer: "https://idgate.example"}
	token, err := signer.SignCustomer(receipt.CustomerReceipt{
		Shop: "abc123", CustomerID: 42, IAL: 2, ExpiresAt: now.AddDate(1, 0, 0),
	}, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(token) <= receipt.MaxCustomerToken)

	jwks, err := receipt.JWKS([]receipt.PublicKey{key.Public()})
	if err != nil {
		fmt.Println(err)
		return
	}
	claims, err := receipt.Verify(jwks, token, now.AddDate(0, 6, 0))
	fmt.Println(claims.Kind, claims.Customer.IAL, err)
	fmt.Println(claims.Names("abc123", 42))
	fmt.Println(claims.Names("abc123", 43))

	_, err = receipt.Verify(jwks, token, now.AddDate(2, 0, 0))
	fmt.Println(err)
	// Output:
	// true
	// customer 2 <nil>
	// <nil>
	// the receipt names somebody else: it was copied, do not trust it (it names customer 42 of shop abc123)
	// verifying receipt: the receipt has expired: the person must verify again (on 2027-03-01T12:00:00Z)
}
