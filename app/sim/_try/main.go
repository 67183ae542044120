package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"

	"idgate/app/sim"
)

func main() {
	app := http.NewServeMux()
	app.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) { b, _ := io.ReadAll(r.Body); fmt.Fprintf(rw, "app %s %s", r.URL.Path, b) })
	go http.ListenAndServe("127.0.0.1:18080", app)
	w := sim.New(sim.Options{ClientID: "client", ClientSecret: "secret", AppURL: "http://app.localhost:18080", StoreURL: "http://store.localhost:18081", Seed: 1, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	s := w.AddShop(sim.ShopOptions{Hash: "abc123"})
	if err := sim.SeedDemo(s); err != nil {
		panic(err)
	}
	t := s.AddAPIAccount(sim.DefaultScopes...)
	fmt.Println(t.Value)
	go w.Run(context.Background())
	http.ListenAndServe("127.0.0.1:18081", w.StoreHandler())
}
