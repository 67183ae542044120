package sim

import (
	"net/http"
)

// StoreHandler is everything the platform serves, under one host: the token endpoint of
// login.bigcommerce.com, the REST API of api.bigcommerce.com, each shop's control panel under
// /manage/ and, for every other path, its storefront. The Host header picks the shop; localhost,
// 127.0.0.1 and any unknown host get the default one.
func (w *World) StoreHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth2/token", w.serveToken)
	mux.Handle("/stores/", w.apiHandler())
	mux.Handle("/manage/", w.panelHandler())
	mux.Handle("/", w.storefrontHandler())
	return mux
}
