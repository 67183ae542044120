package kosmos

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"math/big"
	"testing"

	client "idgate/app/idv/kosmos"
)

// The simulator's curves against two implementations by others, through the client's package.
func TestCurves(t *testing.T) {
	for _, name := range []string{"secp256k1", "prime256v1"} {
		c, err := curveNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		if !c.contains(c.g) || c.times(c.n, c.g).x != nil {
			t.Fatalf("%s: wrong constants", name)
		}
		minus := c.times(new(big.Int).Sub(c.n, big.NewInt(1)), c.g)
		if minus.x.Cmp(c.g.x) != 0 || c.add(minus, c.g).x != nil || c.add(point{}, c.g) != c.g || c.add(c.g, point{}) != c.g {
			t.Errorf("%s: the group is broken", name)
		}
		for range 5 {
			ours, err := c.newPair()
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := client.GenerateKey(name, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			public, err := theirs.Public()
			if err != nil {
				t.Fatal(err)
			}
			a, err := ours.shared(public.Base64())
			if err != nil {
				t.Fatal(err)
			}
			peer, err := client.ParsePublicKey(name, ours.public)
			if err != nil {
				t.Fatal(err)
			}
			b, err := client.SharedKey(theirs, peer)
			if err != nil || !bytes.Equal(a, b[:]) {
				t.Errorf("%s: %x and %x, %v", name, a, b, err)
			}
		}
		for what, public := range map[string]string{
			"off the curve": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 64)),
			"over p":        base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 64)),
			"63 bytes":      base64.StdEncoding.EncodeToString(make([]byte, 63)),
			"no base64":     "!",
			"nothing":       "",
		} {
			if _, err := (pair{curve: c, private: big.NewInt(1)}).shared(public); err == nil {
				t.Errorf("%s: a key that is %s is taken", name, what)
			}
		}
	}
	if _, err := curveNamed("p-521"); err == nil {
		t.Error("unknown curve is taken")
	}
}

func TestP256AgainstTheStandardLibrary(t *testing.T) {
	c, err := curveNamed("prime256v1")
	if err != nil {
		t.Fatal(err)
	}
	ours, err := c.newPair()
	if err != nil {
		t.Fatal(err)
	}
	k, err := ecdh.P256().NewPrivateKey(ours.private.FillBytes(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	if got := base64.StdEncoding.EncodeToString(k.PublicKey().Bytes()[1:]); got != ours.public {
		t.Errorf("%s, want %s", ours.public, got)
	}
}

func TestMessages(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	msg, err := seal(key, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := client.Decrypt([32]byte(key), msg); err != nil || string(plain) != "hello" {
		t.Errorf("%q, %v", plain, err)
	}
	back, err := client.Encrypt([32]byte(key), rand.Reader, []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := open(key, back); err != nil || string(plain) != "hello" {
		t.Errorf("%q, %v", plain, err)
	}
	for _, bad := range []string{"", "!", "AAAA", base64.StdEncoding.EncodeToString(make([]byte, 40))} {
		if _, err := open(key, bad); err == nil {
			t.Errorf("%q opens", bad)
		}
	}
	if _, err := seal(key[:5], nil); err == nil {
		t.Error("sealed with a short key")
	}
}

func FuzzOpen(f *testing.F) {
	key := bytes.Repeat([]byte{7}, 32)
	msg, _ := seal(key, []byte("hello"))
	f.Add(msg)
	f.Add("")
	f.Fuzz(func(t *testing.T, msg string) {
		ours, err1 := open(key, msg)
		theirs, err2 := client.Decrypt([32]byte(key), msg)
		if err1 == nil && err2 == nil && !bytes.Equal(ours, theirs) || err2 == nil && err1 != nil {
			t.Fatalf("%q %v, %q %v", ours, err1, theirs, err2)
		}
	})
}
