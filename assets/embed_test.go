package assets_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"idgate/assets"
)

func TestGateIsTheWrittenFile(t *testing.T) {
	file, err := os.ReadFile("gate.js")
	if err != nil {
		t.Fatal(err)
	}
	if string(assets.Gate()) != string(file) {
		t.Error("the embedded gate.js is not the file beside it")
	}
	if got, want := assets.GateHash(), fmt.Sprintf("%x", sha256.Sum256(file))[:16]; got != want {
		t.Errorf("GateHash() = %s, want %s", got, want)
	}
	sum := sha512.Sum384(file)
	if got, want := assets.GateIntegrity(), "sha384-"+base64.StdEncoding.EncodeToString(sum[:]); got != want {
		t.Errorf("GateIntegrity() = %s, want %s", got, want)
	}
}

func TestGateCannotBeChangedByItsCallers(t *testing.T) {
	b := assets.Gate()
	b[0] ^= 0xff
	if assets.Gate()[0] == b[0] {
		t.Error("a caller changed the bytes that the next one gets")
	}
}

func TestLockIsTheWrittenFileInAnElement(t *testing.T) {
	file, err := os.ReadFile("lock.js")
	if err != nil {
		t.Fatal(err)
	}
	if len(file) > 1024 {
		t.Errorf("lock.js has %d bytes, more than 1024", len(file))
	}
	if strings.Contains(string(file), "</") || strings.Contains(string(file), "<!--") {
		t.Error("lock.js would end its element, or begin a comment")
	}
	for closed, want := range map[bool]string{false: "<script>" + string(file) + "</script>", true: `<script data-closed="true">` + string(file) + "</script>"} {
		if got := assets.Lock(closed); got != want {
			t.Errorf("Lock(%v) = %s", closed, got)
		}
	}
}

func TestAdminIsAFileSystem(t *testing.T) {
	var names []string
	err := fs.WalkDir(assets.Admin(), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Fatal("no admin files embedded")
	}
	for _, name := range names {
		if strings.HasPrefix(name, "admin/") {
			t.Errorf("%s: not rooted at the folder admin", name)
		}
	}
	if err := fstest.TestFS(assets.Admin(), names...); err != nil {
		t.Error(err)
	}
}
