// Package tour plays the demo's story over HTTP.
package tour

import (
	"context"
	"io"
	"net/http"
)

// Options says where the three parties are.
type Options struct {
	AppURL, StoreURL, KosmosURL string
	HTTP                        *http.Client
	Out                         io.Writer
}

// Run plays the story.
func Run(ctx context.Context, o Options) error { return ctx.Err() }
