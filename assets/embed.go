// Package assets holds the browser's files in the binary: the storefront script and what the admin pages load.
//
// The bytes served are the bytes in this folder; nothing is built. A published gate.js is immutable: its address carries
// GateHash and BigCommerce puts GateIntegrity beside it, so the two are computed from the very bytes that Gate returns.
package assets

import (
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
)

//go:embed gate.js
var gate string

//go:embed lock.js
var lock string

//go:embed all:admin
var admin embed.FS

// Gate returns gate.js, which is also widget.js. The slice is the caller's own.
func Gate() []byte { return []byte(gate) }

// GateHash returns the first 16 hexadecimal digits of the script's SHA-256: the name of this version in its address.
func GateHash() string {
	sum := sha256.Sum256([]byte(gate))
	return hex.EncodeToString(sum[:8])
}

// GateIntegrity returns the script's SRI hash ("sha384-" and base64), as the Scripts API takes it in integrity_hashes.
func GateIntegrity() string {
	sum := sha512.Sum384([]byte(gate))
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Lock returns the inline lock: the element to insert as a script_tag before gate.js. It holds the order call until gate.js has come
// and takes over, for ten seconds at most; then closed says whether orders fail (true) or go.
func Lock(closed bool) string {
	if closed {
		return `<script data-closed="true">` + lock + "</script>"
	}
	return "<script>" + lock + "</script>"
}

// Admin returns the files of the admin pages, rooted at the folder admin.
func Admin() fs.FS {
	sub, err := fs.Sub(admin, "admin")
	if err != nil {
		panic(fmt.Sprintf("assets: the embedded admin folder: %v", err)) // only for an invalid path constant
	}
	return sub
}
