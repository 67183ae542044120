package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"idgate/app/gate"
	"idgate/app/ledger"
	"idgate/app/mail"
	"idgate/app/sim"
	simkosmos "idgate/app/sim/kosmos"
)

// sent lists the mails that have come since the last asking, as addressee and subject.
func (w *world) sent(seen *int) []string {
	var out []string
	for _, m := range w.mailbox.Mails() {
		if m.Number > *seen {
			out = append(out, m.To+": "+m.Subject)
			*seen = m.Number
		}
	}
	slices.Sort(out)
	return out
}

func TestMailsOfAnOrderOnHold(t *testing.T) {
	day := 24 * time.Hour
	w := newWorld(t, func(p *gate.Policy) { p.CancelAfter = 4 })
	seen := 0
	step := func(d time.Duration, want ...string) {
		t.Helper()
		w.clock.pass(d)
		w.settle()
		w.clock.pass(time.Minute)
		w.settle()
		if got := w.sent(&seen); !slices.Equal(got, want) {
			t.Errorf("after %s: %q, want %q", d, got, want)
		}
	}
	o := w.api()
	about := func(text string) string { return fmt.Sprintf("ada@example.com: "+text, o.ID) }
	step(10*time.Second, about("One step left for your order %d at Test Shop"))
	if m := w.mailbox.Mails()[0]; len(m.Links) != 1 || !strings.HasPrefix(m.Links[0], w.app.URL+"/v/mail.") || m.Links[0] == w.link(o.ID) || m.FromName != "Test Shop" || !strings.Contains(m.Text, m.Links[0]) {
		t.Errorf("the first mail: %+v", m)
	}
	step(time.Hour)
	step(day, about("Your order %d at Test Shop is waiting for you"))
	step(day, about("Your order %d at Test Shop is waiting for you"))
	step(day, about("Your order %d at Test Shop will soon be cancelled"))
	step(day, about("Your order %d at Test Shop was cancelled"))
	w.check()
}

func TestMailsAfterAProofAndByHand(t *testing.T) {
	w := newWorld(t)
	seen := 0
	first, second := w.api(), w.api()
	w.clock.pass(10 * time.Second)
	w.settle()
	w.sent(&seen)
	w.openLinkAndVerify(w.link(first.ID), simkosmos.PassesWithSelfie)
	w.override(second.ID, true)
	w.clock.pass(10 * time.Second)
	w.settle()
	want := []string{fmt.Sprintf("ada@example.com: Your order %d at Test Shop goes on", first.ID), fmt.Sprintf("ada@example.com: Your order %d at Test Shop goes on", second.ID)}
	if got := w.sent(&seen); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	w.clock.pass(100 * time.Hour)
	w.settle()
	if got := w.sent(&seen); len(got) != 0 {
		t.Errorf("reminded of a released order: %q", got)
	}
	w.check()
}

// TestMailTrouble: what the mail server does shows where the merchant looks, and nothing is sent twice.
func TestMailTrouble(t *testing.T) {
	stuck := func(w *world, order int64) ledger.StoredWriteback {
		ws, err := w.ledger.OrderWritebacks(context.Background(), hash, order)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(ws, func(x ledger.StoredWriteback) bool { return x.Kind == ledger.Mail })
		if i < 0 {
			t.Fatal("no mail is owed")
		}
		return ws[i]
	}
	t.Run("refused for good", func(t *testing.T) {
		w := newWorld(t)
		w.mailbox.Refuse("ada@example.com", 550)
		o := w.api()
		w.clock.pass(10 * time.Second)
		w.settle()
		if x := stuck(w, o.ID); x.State != "stuck" || x.Handed || !strings.Contains(x.Reason, "refused") || strings.Contains(x.Reason, "@") {
			t.Fatalf("%+v", x) // the server's words name the mailbox; ours are kept for longer than it
		}
		w.mailbox.Refuse("ada@example.com", 0)
		if err := w.ledger.RetryWriteback(context.Background(), hash, stuck(w, o.ID).ID, w.clock.now()); err != nil {
			t.Fatal(err)
		}
		w.settle()
		if x := stuck(w, o.ID); x.State != "done" || len(w.mailbox.Mails()) != 1 {
			t.Errorf("%+v, %d mails", x, len(w.mailbox.Mails()))
		}
		w.check()
	})
	t.Run("come back", func(t *testing.T) {
		w := newWorld(t)
		o := w.api()
		w.clock.pass(10 * time.Second)
		w.settle()
		id, _, _ := strings.Cut(w.mailbox.Mails()[0].ID, "@")
		back := func(p mail.Report, want error) {
			t.Helper()
			if err := w.relay.MailReturned(context.Background(), p); !errors.Is(err, want) {
				t.Errorf("%+v: %v, want %v", p, err, want)
			}
		}
		back(mail.Report{ID: id + "0", Failed: true}, ledger.ErrNotFound)
		back(mail.Report{ID: id}, nil) // late
		if x := stuck(w, o.ID); x.State != "done" {
			t.Errorf("%+v", x)
		}
		back(mail.Report{ID: id, Failed: true, Reason: "550 no such mailbox"}, nil)
		x := stuck(w, o.ID)
		if want := "The mail came back: 550 no such mailbox. Correct the mailbox in the order, or tell the customer in another way."; x.State != "stuck" || x.Handed || x.Reason != want {
			t.Errorf("%+v, want %q", x, want)
		}
		if s, err := w.ledger.CountStuck(context.Background(), hash); err != nil || s.Writebacks != 1 {
			t.Errorf("%+v, %v", s, err)
		}
		back(mail.Report{ID: id, Failed: true, Reason: "once more"}, nil)
		if again := stuck(w, o.ID); again != x {
			t.Errorf("said twice: %+v", again)
		}
		w.check()
		if err := w.ledger.RetryWriteback(context.Background(), hash, x.ID, w.clock.now()); err != nil {
			t.Fatal(err)
		}
		back(mail.Report{ID: id, Failed: true, Reason: "while it waits"}, nil)
		w.settle()
		if x := stuck(w, o.ID); x.State != "done" || len(w.mailbox.Mails()) != 2 {
			t.Errorf("sent again: %+v, %d mails", x, len(w.mailbox.Mails()))
		}
		back(mail.Report{ID: id, Failed: true, Reason: "550 again"}, nil)
		if x := stuck(w, o.ID); x.State != "stuck" || !strings.Contains(x.Reason, "550 again") {
			t.Errorf("come back again: %+v", x)
		}
	})
	t.Run("put off, and down", func(t *testing.T) {
		w := newWorld(t)
		w.mailbox.Refuse("ada@example.com", 450)
		o := w.api()
		w.clock.pass(10 * time.Second)
		w.settle()
		w.mailbox.Refuse("ada@example.com", 0)
		w.mailbox.SetDown(true)
		w.clock.pass(time.Minute)
		w.settle()
		if x := stuck(w, o.ID); x.State != "pending" {
			t.Errorf("%+v", x)
		}
		w.mailbox.SetDown(false)
		w.clock.pass(20 * time.Minute)
		w.settle()
		if x := stuck(w, o.ID); x.State != "done" || len(w.mailbox.Mails()) != 1 {
			t.Errorf("%+v, %d mails", x, len(w.mailbox.Mails()))
		}
		w.check()
	})
	t.Run("no answer after it was handed over", func(t *testing.T) {
		w := newWorld(t)
		w.mailbox.CutAfterData(1)
		o := w.api()
		w.clock.pass(10 * time.Second)
		w.settle()
		if x := stuck(w, o.ID); x.State != "stuck" || !x.Handed || !strings.Contains(x.Reason, "may have been sent") {
			t.Errorf("%+v", x)
		}
		w.clock.pass(time.Hour)
		w.settle()
		if n := len(w.mailbox.Mails()); n != 1 {
			t.Errorf("%d mails", n)
		}
		w.check()
	})
	t.Run("switched off", func(t *testing.T) {
		w := newWorld(t, func(p *gate.Policy) { p.Mails = false })
		o := w.api()
		w.clock.pass(10 * time.Second)
		w.settle()
		if x := stuck(w, o.ID); x.State != "dropped" || len(w.mailbox.Mails()) != 0 {
			t.Errorf("%+v, %d mails", x, len(w.mailbox.Mails()))
		}
		w.check()
	})
}

// TestAlarms: the staff who are named are told of leaks and of orders that somebody moved.
func TestAlarms(t *testing.T) {
	w := newWorld(t, func(p *gate.Policy) { p.Mails = false })
	w.settings(ledger.Settings{AlarmTo: "staff@example.com"})
	seen, ten := 0, 10
	leak := w.api(func(a *sim.APIOrder) { a.StatusID = &ten })
	moved := w.api()
	w.clock.pass(2 * time.Second)
	w.setStatus(moved.ID, 11)
	w.settle()
	w.clock.pass(2 * time.Second)
	w.setStatus(moved.ID, 11)
	w.settle()
	w.clock.pass(10 * time.Second)
	w.settle()
	got := w.sent(&seen)
	if len(got) != 3 {
		t.Fatalf("%q", got)
	}
	for i, order := range []int64{leak.ID, moved.ID, moved.ID} {
		if !slices.ContainsFunc(got, func(s string) bool {
			return strings.HasPrefix(s, "staff@example.com: ") && strings.Contains(s, fmt.Sprint(order))
		}) {
			t.Errorf("alarm %d is not about order %d: %q", i, order, got)
		}
	}
	w.check()
}
