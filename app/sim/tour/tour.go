// Package tour plays the demo's story, steps 1 to 8, over HTTP and nothing else: a merchant's browser, shoppers' browsers and a
// phone, against the app, the simulated BigCommerce and the simulated 1Kosmos that Options names.
//
// It knows what a person in front of those pages knows: addresses, what stands on a page, the fields of a form. It imports none of
// the parts that it visits, so it cannot believe what a page does not show. A form is posted as the page offers it, a cookie is
// kept where a browser that blocks third-party cookies keeps it, and a cross-origin answer is read only if CORS lets the page.
//
// Each step prints what each party saw, one line for each party; Run ends at the first step that went otherwise, and its error says
// what was expected and what came. The package is long because three browsers' worth of behaviour is in it.
package tour

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options says where the three parties are.
type Options struct {
	AppURL, StoreURL, KosmosURL string // origins, without a slash at the end
	HTTP                        *http.Client
	Out                         io.Writer
}

// patience is how long the tour waits for what happens by itself: longer than a window of BigCommerce's API quota (30 s), after which
// paced work goes on. glance is how often it looks.
const (
	patience = 40 * time.Second
	glance   = 75 * time.Millisecond
)

// tour is the story so far.
type tour struct {
	app, store, kosmos *url.URL
	client             *http.Client
	out                io.Writer
	step               int
	said               int // the step of the last line, so that a step's number is printed once

	merchant *browser
	shop     string  // store hash, learned when the app is opened
	frame    *page   // the app in the control panel's iframe
	ada      member  // the shopper with an account
	held     []int64 // orders on hold that wait for the merchant's word
}

// Run plays the story. It may be run on a demo that has just begun; nothing else may use that demo meanwhile.
func Run(ctx context.Context, o Options) error {
	t, err := begin(o)
	if err != nil {
		return err
	}
	began := time.Now()
	steps := []struct {
		title string
		play  func(context.Context) error
	}{
		{"installing the app", t.install}, {"opening the app", t.load}, {"setting the policy", t.policy}, {"going to the checkout", t.checkout},
		{"verifying at the checkout", t.verify}, {"finding the outcome", t.outcome}, {"ordering round the script", t.roundTheScript}, {"deciding by hand", t.byHand},
	}
	for i, s := range steps {
		t.step = i + 1
		if err := s.play(ctx); err != nil {
			return fmt.Errorf("the tour ends at step %d, %s: %w", t.step, s.title, err)
		}
	}
	_, err = fmt.Fprintf(t.out, "\nSteps 1 to %d went as the story says, in %s.\n", len(steps), seconds(time.Since(began)))
	return err
}

func begin(o Options) (*tour, error) {
	if o.HTTP == nil || o.Out == nil {
		return nil, errors.New("a tour needs an HTTP client and somewhere to print")
	}
	client := *o.HTTP
	client.Jar = nil // cookies and redirects are the browsers' business
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t := &tour{client: &client, out: o.Out}
	for _, to := range []struct {
		address string
		is      **url.URL
	}{{o.AppURL, &t.app}, {o.StoreURL, &t.store}, {o.KosmosURL, &t.kosmos}} {
		u, err := url.Parse(to.address)
		if err != nil || u.Host == "" || u.Path != "" {
			return nil, fmt.Errorf("%q is not an origin such as http://app.localhost:8080", to.address)
		}
		*to.is = u
	}
	t.merchant = t.newBrowser()
	return t, nil
}

func (t *tour) newBrowser() *browser { return &browser{client: t.client, jar: map[cookieKey]string{}} }

// say prints what a party saw.
func (t *tour) say(party, format string, args ...any) {
	number := "  "
	if t.said != t.step {
		t.said, number = t.step, fmt.Sprintf("%2d", t.step)
	}
	_, _ = fmt.Fprintf(t.out, "%s  %-9s %s\n", number, party, fmt.Sprintf(format, args...)) // a reader who left is no reason to stop
}

// differs is the error of a step whose outcome is not the story's.
func differs(what string, expected, came any) error {
	return fmt.Errorf("%s: expected %v, came %v", what, expected, came)
}

// until looks again and again until done, and returns how long that took. seen is what there was to be seen, for the error.
func (t *tour) until(ctx context.Context, what string, look func(context.Context) (done bool, seen string, err error)) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	again := time.NewTicker(glance)
	defer again.Stop()
	last := "nothing"
	for {
		done, seen, err := look(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			return 0, fmt.Errorf("waiting for %s: %w", what, err)
		case err == nil && done:
			return time.Since(began), nil
		case err == nil:
			last = seen
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return 0, differs("waiting "+patience.String(), what, last)
			}
			return 0, ctx.Err()
		case <-again.C:
		}
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// at is a path on an origin.
func at(origin *url.URL, path string) string { return origin.String() + path }

// clip shortens what came for an error.
func clip(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
