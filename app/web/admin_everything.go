package web

import (
	"archive/zip"
	_ "embed"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"time"

	"idgate/app/ledger"
)

//go:embed everything.txt
var everythingReadMe string

// exportAll sends all that the Shop has as a ZIP file. It is written as it is read, in slices: it takes little memory however long it is, and
// holds up nobody. One that breaks off has no end, and no program opens it as a whole one.
func (s *Server) exportAll(w http.ResponseWriter, r *http.Request, v visit) error {
	if err := s.Ledger.RecordActivity(r.Context(), v.Shop.Hash, ledger.ActExported, "everything", "", s.Now()); err != nil {
		return err
	}
	s.Log.Info("everything exported", "shop", v.Shop.Hash, "by", v.User.Email)
	name := "idgate-" + v.Shop.Hash + "-" + s.Now().In(present(v.Shop).zone).Format("2006-01-02") + ".zip"
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	w.Header().Set("Cache-Control", "no-store")
	out := zip.NewWriter(&patient{w, http.NewResponseController(w)})
	err := s.writeEverything(r, v, out)
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		s.Log.Warn("an export broke off", "shop", v.Shop.Hash, "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (s *Server) writeEverything(r *http.Request, v visit, out *zip.Writer) error {
	file := func(name string) (io.Writer, error) {
		return out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: s.Now().UTC()})
	}
	readme, err := file("README.txt")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(readme, everythingReadMe); err != nil {
		return err
	}
	m, err := s.Ledger.Export(r.Context(), v.Shop, file, s.Now)
	if err != nil {
		return err
	}
	last, err := file("manifest.json")
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		_, err = last.Write(append(b, '\n'))
	}
	return err
}

// patient gives a reader some time for each piece, however long the whole takes.
type patient struct {
	w       io.Writer
	control *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(exportTime)) // where the connection knows none, the server's own stands
	return p.w.Write(b)
}
