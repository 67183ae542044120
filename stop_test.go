package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asCommand makes the test binary be idgate, for what only a process of its own can show.
const asCommand = "IDGATE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

func loopback(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestDrain: told to stop, the server finishes what it was asked, and its loops what they were at; then it returns.
func TestDrain(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	asked, answer, looped := make(chan struct{}), make(chan struct{}), false
	l := loopback(t)
	ended := make(chan error)
	go func() {
		loop := func(ctx context.Context) { <-ctx.Done(); <-answer; looped = true }
		ended <- runAll(ctx, slog.New(slog.DiscardHandler), time.Hour, []func(context.Context){loop},
			listener{Listener: l, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(asked)
				<-answer
				_, _ = io.WriteString(w, "whole")
			})})
	}()
	got := make(chan string)
	go func() {
		res, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			got <- err.Error()
			return
		}
		defer func() { _ = res.Body.Close() }()
		b, _ := io.ReadAll(res.Body)
		got <- string(b)
	}()
	<-asked
	cancel()
	close(answer)
	if s := <-got; s != "whole" {
		t.Errorf("in flight: %s", s)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !looped {
		t.Error("it ended before its loop had")
	}
	if _, err := http.Get("http://" + l.Addr().String()); err == nil {
		t.Error("it still answers")
	}
}

// TestDrainEnds: what cannot be finished is left when the time is over, and that is said.
func TestDrainEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	never := make(chan struct{})
	defer close(never)
	var log bytes.Buffer
	err := runAll(ctx, slog.New(slog.NewTextHandler(&log, nil)), time.Millisecond, []func(context.Context){func(context.Context) { <-never }}, listener{Listener: loopback(t), handler: http.NotFoundHandler()})
	if err != nil || !strings.Contains(log.String(), "could not be finished in time") {
		t.Errorf("%v, %s", err, &log)
	}
}

// TestServerThatFails: one listener lost ends all, with its reason.
func TestServerThatFails(t *testing.T) {
	a, b := loopback(t), loopback(t)
	_ = b.Close()
	err := runAll(context.Background(), slog.New(slog.DiscardHandler), time.Hour, nil, listener{Listener: a, handler: http.NotFoundHandler()}, listener{Listener: b, handler: http.NotFoundHandler()})
	if err == nil || !strings.Contains(err.Error(), "serving "+b.Addr().String()) {
		t.Errorf("%v", err)
	}
}

// TestSecondInterrupt: the first ^C drains, and waits for a request whose body is still to come; the second ends the process at once.
func TestSecondInterrupt(t *testing.T) {
	c := exec.CommandContext(t.Context(), os.Args[0], "demo", "-app-port", "0", "-store-port", "0", "-kosmos-port", "0", "-mail-port", "0", "-plain")
	c.Env = append(os.Environ(), asCommand+"=1")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	address, said := "", bufio.NewScanner(out)
	for inApp := regexp.MustCompile(`itself answers at http://(localhost:\d+)`); address == "" && said.Scan(); {
		if m := inApp.FindStringSubmatch(said.Text()); m != nil {
			address = strings.Replace(m[1], "localhost", "127.0.0.1", 1)
		}
	}
	if address == "" {
		t.Fatal("it does not say where the app is")
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST /storefront/v1/canary HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the server does not read: %q, %v", line, err)
	}
	_ = c.Process.Signal(os.Interrupt)
	for { // draining: nobody new is let in
		n, err := net.Dial("tcp", address)
		if err != nil {
			break
		}
		_ = n.Close()
		time.Sleep(time.Millisecond)
	}
	_ = c.Process.Signal(os.Interrupt)
	_ = c.Wait()
	if s := c.ProcessState.Sys().(syscall.WaitStatus); !s.Signaled() || s.Signal() != syscall.SIGINT {
		t.Errorf("it ended with %v", c.ProcessState)
	}
}
