// Package assets holds the files that browsers get: the storefront script, as it is written, and the admin pages' style and script.
package assets

import (
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
)

//go:embed gate.js
var gate []byte

//go:embed all:admin
var admin embed.FS

// Gate is the storefront script. Callers must not change it.
func Gate() []byte { return gate }

// GateHash is the first 16 hex digits of the script's SHA-256; it stands in the script's URL.
func GateHash() string {
	sum := sha256.Sum256(gate)
	return hex.EncodeToString(sum[:8])
}

// GateIntegrity is the script's Subresource Integrity value (W3C SRI), SHA-384.
func GateIntegrity() string {
	sum := sha512.Sum384(gate)
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Admin holds admin.css and admin.js.
func Admin() fs.FS {
	sub, err := fs.Sub(admin, "admin")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return sub
}
