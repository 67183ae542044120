package kosmos

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type vectorFile struct {
	Curves map[string]struct {
		ECDH []struct {
			Name, PrivateKeyB64, OwnPublicKeyB64, PeerPublicKeyB64, SharedKeyB64, SharedKeyHex string
		}
		Encrypt []struct {
			Name, SharedKeyB64, IVHex, CiphertextB64, TagHex, Plaintext string
			CiphertextLen                                               int
		}
		Decrypt []struct {
			Name, RecipientPrivateKeyB64, SenderPublicKeyB64, CiphertextB64, Plaintext string
		}
		Negative []struct {
			Name, SharedKeyB64, CiphertextB64, Expect string
		}
		NegativeECDH []struct {
			Name, PrivateKeyB64, PeerPublicKeyB64, Expect string
		}
	}
}

// vectors reads the shared vectors, which were made with the vendor's own helper. They live beside the repository: on a
// machine without them the test says so, in CI it fails.
func vectors(t *testing.T) vectorFile {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "..", "shared", "vectors", "onekosmos.json"))
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip("NOT TESTED AGAINST THE VENDOR'S VECTORS: ../shared/vectors/onekosmos.json is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	var v vectorFile
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	for _, c := range []string{Secp256k1, Prime256v1} {
		if v := v.Curves[c]; len(v.ECDH)*len(v.Encrypt)*len(v.Decrypt)*len(v.Negative)*len(v.NegativeECDH) == 0 {
			t.Fatalf("%s: a kind of vector is missing", c)
		}
	}
	return v
}

func keyOf(t *testing.T, b64 string) (k [32]byte) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(b64)
	if err != nil || len(raw) != 32 {
		t.Fatalf("vector key: %d bytes, %v", len(raw), err)
	}
	return [32]byte(raw)
}

func TestVectorsECDH(t *testing.T) {
	for curve, v := range vectors(t).Curves {
		for _, c := range v.ECDH {
			t.Run(curve+"/"+c.Name, func(t *testing.T) {
				priv, err := ParsePrivateKey(curve, c.PrivateKeyB64)
				if err != nil {
					t.Fatal(err)
				}
				peer, err := ParsePublicKey(curve, c.PeerPublicKeyB64)
				if err != nil {
					t.Fatal(err)
				}
				own, err := priv.Public()
				if err != nil || own.Base64() != c.OwnPublicKeyB64 {
					t.Errorf("own public key %s, %v; want %s", own.Base64(), err, c.OwnPublicKeyB64)
				}
				if peer.Base64() != c.PeerPublicKeyB64 {
					t.Error("peer's public key does not come back")
				}
				key, err := SharedKey(priv, peer)
				if err != nil || hex.EncodeToString(key[:]) != c.SharedKeyHex || key != keyOf(t, c.SharedKeyB64) {
					t.Errorf("shared key %x, %v; want %s", key, err, c.SharedKeyHex)
				}
			})
		}
		for _, c := range v.NegativeECDH {
			t.Run(curve+"/"+c.Name, func(t *testing.T) {
				if _, err := ParsePrivateKey(curve, c.PrivateKeyB64); err != nil {
					t.Fatal(err)
				}
				if _, err := ParsePublicKey(curve, c.PeerPublicKeyB64); err == nil || c.Expect != "error" {
					t.Errorf("bad public key taken; expected %s", c.Expect)
				}
			})
		}
	}
}

func TestVectorsMessages(t *testing.T) {
	for curve, v := range vectors(t).Curves {
		for _, c := range v.Encrypt {
			t.Run(curve+"/encrypt/"+c.Name, func(t *testing.T) {
				iv, err := hex.DecodeString(c.IVHex)
				if err != nil {
					t.Fatal(err)
				}
				got, err := Encrypt(keyOf(t, c.SharedKeyB64), bytes.NewReader(iv), []byte(c.Plaintext))
				if err != nil || got != c.CiphertextB64 {
					t.Fatalf("%s, %v; want %s", got, err, c.CiphertextB64)
				}
				raw, err := base64.StdEncoding.DecodeString(got)
				if err != nil || len(raw) != c.CiphertextLen || hex.EncodeToString(raw[len(raw)-16:]) != c.TagHex {
					t.Errorf("%d bytes, tag %x, %v", len(raw), raw[len(raw)-16:], err)
				}
				plain, err := Decrypt(keyOf(t, c.SharedKeyB64), got)
				if err != nil || string(plain) != c.Plaintext {
					t.Errorf("comes back as %q, %v", plain, err)
				}
			})
		}
		for _, c := range v.Decrypt {
			t.Run(curve+"/decrypt/"+c.Name, func(t *testing.T) {
				priv, err := ParsePrivateKey(curve, c.RecipientPrivateKeyB64)
				if err != nil {
					t.Fatal(err)
				}
				sender, err := ParsePublicKey(curve, c.SenderPublicKeyB64)
				if err != nil {
					t.Fatal(err)
				}
				key, err := SharedKey(priv, sender)
				if err != nil {
					t.Fatal(err)
				}
				if plain, err := Decrypt(key, c.CiphertextB64); err != nil || string(plain) != c.Plaintext {
					t.Errorf("%q, %v", plain, err)
				}
			})
		}
		for _, c := range v.Negative {
			t.Run(curve+"/negative/"+c.Name, func(t *testing.T) {
				if plain, err := Decrypt(keyOf(t, c.SharedKeyB64), c.CiphertextB64); err == nil || c.Expect != "error" {
					t.Errorf("decrypted to %q; expected %s", plain, c.Expect)
				}
			})
		}
	}
}

var orders = map[string]string{
	Secp256k1:  "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141",
	Prime256v1: "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
}

func TestParsePrivateKey(t *testing.T) {
	for curve, hexOrder := range orders {
		n, _ := new(big.Int).SetString(hexOrder, 16)
		less := new(big.Int).Sub(n, big.NewInt(1)).Bytes()
		more := new(big.Int).Add(n, big.NewInt(1)).Bytes()
		for _, c := range []struct {
			name string
			raw  []byte
			ok   bool
		}{
			{"one byte", []byte{1}, true},
			{"31 bytes", bytes.Repeat([]byte{7}, 31), true},
			{"32 bytes", bytes.Repeat([]byte{7}, 32), true},
			{"sign byte", append([]byte{0}, bytes.Repeat([]byte{7}, 32)...), true},
			{"order less one", less, true},
			{"order", n.Bytes(), false},
			{"order plus one", more, false},
			{"all ones", bytes.Repeat([]byte{0xff}, 32), false},
			{"zero", make([]byte, 32), false},
			{"zero byte", []byte{0}, false},
			{"33 zeros", make([]byte, 33), false},
			{"33 bytes", bytes.Repeat([]byte{1}, 33), false},
			{"34 bytes", append([]byte{0, 0}, bytes.Repeat([]byte{7}, 32)...), false},
			{"nothing", nil, false},
		} {
			k, err := ParsePrivateKey(curve, base64.StdEncoding.EncodeToString(c.raw))
			if (err == nil) != c.ok {
				t.Errorf("%s, %s: %v", curve, c.name, err)
			}
			if want := new(big.Int).SetBytes(c.raw); c.ok && new(big.Int).SetBytes(k.scalar[:]).Cmp(want) != 0 {
				t.Errorf("%s, %s: scalar has changed", curve, c.name)
			}
			if !c.ok && k != (PrivateKey{}) {
				t.Errorf("%s, %s: refused, yet returned", curve, c.name)
			}
		}
		for _, b64 := range []string{"AQ", "A_-=", "!!!!", strings.Repeat("A", 1<<20)} {
			if _, err := ParsePrivateKey(curve, b64); err == nil {
				t.Errorf("%s: %.10q taken", curve, b64)
			}
		}
	}
	if _, err := ParsePrivateKey("ed25519", "AQ=="); err == nil {
		t.Error("unknown curve taken")
	}
}

func TestParsePublicKey(t *testing.T) {
	for curve := range orders {
		priv, err := GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		good, err := priv.Public()
		if err != nil {
			t.Fatal(err)
		}
		flipped := good.xy
		flipped[63] ^= 1
		for name, raw := range map[string][]byte{
			"nothing": nil, "63 bytes": good.xy[1:], "33 bytes, compressed": append([]byte{2}, good.xy[:32]...),
			"65 bytes": append([]byte{4}, good.xy[:]...), "infinity": make([]byte, 64), "off the curve": flipped[:],
			"coordinates over the field": bytes.Repeat([]byte{0xff}, 64), "DER": make([]byte, 91),
		} {
			if k, err := ParsePublicKey(curve, base64.StdEncoding.EncodeToString(raw)); err == nil || k != (PublicKey{}) {
				t.Errorf("%s, %s: %v", curve, name, err)
			}
		}
		for _, b64 := range []string{"", "AA", strings.TrimRight(good.Base64(), "="), "!" + good.Base64()[1:]} {
			if _, err := ParsePublicKey(curve, b64); err == nil {
				t.Errorf("%s: %q taken", curve, b64)
			}
		}
		for other := range orders {
			if _, err := ParsePublicKey(other, good.Base64()); (err == nil) != (other == curve) {
				t.Errorf("key of %s read on %s: %v", curve, other, err)
			}
		}
	}
	if _, err := ParsePublicKey("p-521", base64.StdEncoding.EncodeToString(make([]byte, 64))); err == nil {
		t.Error("unknown curve taken")
	}
}

func TestSharedKeyIsMutual(t *testing.T) {
	for curve := range orders {
		a, err := GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		b, err := GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		pa, _ := a.Public()
		pb, _ := b.Public()
		ab, err1 := SharedKey(a, pb)
		ba, err2 := SharedKey(b, pa)
		if err1 != nil || err2 != nil || ab != ba || ab == ([32]byte{}) {
			t.Errorf("%s: %v %v, equal: %v", curve, err1, err2, ab == ba)
		}
		for other := range orders {
			c, _ := GenerateKey(other, rand.Reader)
			if _, err := SharedKey(c, pa); (err == nil) != (other == curve) {
				t.Errorf("%s with %s: %v", other, curve, err)
			}
		}
		if _, err := SharedKey(PrivateKey{curve: curve}, PublicKey{curve: curve}); err == nil {
			t.Errorf("%s: no keys at all share one", curve)
		}
	}
	if _, err := SharedKey(PrivateKey{}, PublicKey{}); err == nil {
		t.Error("zero keys share one")
	}
	if _, err := (PrivateKey{}).Public(); err == nil {
		t.Error("the zero key has a public half")
	}
}

func TestGenerateKeyUsesItsReader(t *testing.T) {
	seed := bytes.Repeat([]byte{9}, 32)
	for curve := range orders {
		over := bytes.Repeat([]byte{0xff}, 32) // out of range: the next draw counts
		k, err := GenerateKey(curve, io.MultiReader(bytes.NewReader(over), bytes.NewReader(seed)))
		if err != nil || !bytes.Equal(k.scalar[:], seed) {
			t.Errorf("%s: %v", curve, err)
		}
		if _, err := GenerateKey(curve, bytes.NewReader(seed[:31])); err == nil {
			t.Errorf("%s: a short read made a key", curve)
		}
		if _, err := GenerateKey(curve, zeros{}); err == nil {
			t.Errorf("%s: zeros made a key", curve)
		}
	}
	if _, err := GenerateKey("none", rand.Reader); err == nil {
		t.Error("unknown curve made a key")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDecryptRefuses(t *testing.T) {
	key := [32]byte{1}
	good, err := Encrypt(key, rand.Reader, []byte("message!"))
	if err != nil {
		t.Fatal(err)
	}
	for name, msg := range map[string]string{
		"short":        base64.StdEncoding.EncodeToString(make([]byte, 31)),
		"IV only":      base64.StdEncoding.EncodeToString(make([]byte, 16)),
		"no padding":   strings.TrimRight(good, "="),
		"URL alphabet": "-_" + good[2:],
		"trailing":     good + "AAAA",
		"too long":     strings.Repeat("A", maxMessage+4),
		"not base64":   "\x00\xff",
	} {
		if plain, err := Decrypt(key, msg); err == nil || plain != nil {
			t.Errorf("%s: decrypted", name)
		} else if err.Error() != errMessage.Error() {
			t.Errorf("%s: told apart: %v", name, err)
		}
	}
	if _, err := Decrypt([32]byte{2}, good); err == nil {
		t.Error("another key opens it")
	}
	if _, err := Encrypt(key, strings.NewReader("15 bytes only.."), nil); err == nil {
		t.Error("encrypted under a short IV")
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	client, err := New(Tenant{DNS: "tenant.example.net", Community: "default", LicenseKey: "licence-secret", DVCID: "dvc-secret"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{client, client.tenant, &client.tenant, client.private, client.tenant.LogValue()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			text := fmt.Sprintf(verb, v)
			for _, secret := range []string{"licence-secret", "dvc-secret", fmt.Sprint(client.private.scalar[:4])} {
				if strings.Contains(text, strings.Trim(secret, "[]")) {
					t.Errorf("%s of %T shows %s", verb, v, text)
				}
			}
		}
	}
}
