package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"idgate/queries"
)

// MailName is which mail of ours one is.
type MailName struct {
	Shop    string
	Subject int64  // order; 0 for one to staff that is about none
	Ref     string // the Writeback's
	Asked   int64  // instead of Subject and Ref: an [AskedMail]
}

const (
	askedMail = "asked" // stands in the place of the Subject
	refMark   = "__"    // stands for # in a Ref, which has no such run itself
	nameMAC   = 10      // bytes
)

// MailID is a mail's name as the left side of its Message-ID. It is of what the mail says, not of its row: should the ledger lose the row,
// the same mail has the same id. Its end is an HMAC, so that only whoever got the mail can say that it came back.
func (l *Ledger) MailID(n MailName) string {
	name := fmt.Sprintf("%s.%d.%s", n.Shop, n.Subject, strings.ReplaceAll(n.Ref, "#", refMark))
	if n.Asked != 0 {
		name = fmt.Sprintf("%s.%s.%d", n.Shop, askedMail, n.Asked)
	}
	return name + "." + l.mailMAC(name, 0)
}

func (l *Ledger) mailMAC(name string, key int) string {
	m := hmac.New(sha256.New, l.macKeys[key])
	m.Write([]byte("mail id\x00" + name))
	return hex.EncodeToString(m.Sum(nil)[:nameMAC])
}

// OpenMailID reads what MailID made, under any of the operator's keys; ErrNotFound for anything else.
func (l *Ledger) OpenMailID(id string) (n MailName, err error) {
	end := strings.LastIndexByte(id, '.')
	if end < 0 {
		return n, ErrNotFound
	}
	name, good := id[:end], false
	for i := range l.macKeys {
		good = hmac.Equal([]byte(id[end+1:]), []byte(l.mailMAC(name, i))) || good
	}
	parts := strings.SplitN(name, ".", 3)
	if !good || len(parts) != 3 {
		return MailName{}, ErrNotFound
	}
	n.Shop = parts[0]
	if parts[1] == askedMail {
		n.Asked, err = strconv.ParseInt(parts[2], 10, 64)
	} else {
		n.Ref = strings.ReplaceAll(parts[2], refMark, "#")
		n.Subject, err = strconv.ParseInt(parts[1], 10, 64)
	}
	if err != nil {
		return MailName{}, ErrNotFound
	}
	return n, nil
}

// ReturnMail records that a mail came back which the mail server had taken: its Writeback is stuck, and may be tried again. Said twice, or of
// a mail that is forgotten, it changes nothing: it reports false.
func (l *Ledger) ReturnMail(ctx context.Context, n MailName, reason string, now time.Time) (news bool, err error) {
	err = l.do(ctx, func(ctx context.Context, t *tx) error {
		if n.Asked != 0 {
			k, err := t.ReturnAskedMail(ctx, queries.ReturnAskedMailParams{ID: n.Asked, StoreHash: n.Shop, Now: millis(now)})
			news = k > 0
			return err
		}
		key := fmt.Sprintf("%s/%d/%s", Mail, n.Subject, n.Ref)
		rows, err := t.ReturnMail(ctx, queries.ReturnMailParams{StoreHash: n.Shop, Key: key, Reason: reason, Now: millis(now)})
		news = len(rows) > 0
		for _, r := range rows {
			if err := t.alarmStuck(ctx, Writeback{ID: r.ID, Shop: n.Shop, Kind: Mail, Subject: n.Subject, Ref: n.Ref, Attempt: r.Attempt}, now); err != nil {
				return err
			}
		}
		return err
	})
	return news, err
}

// ReturnedMails counts the mails that shoppers asked for and that never came, of the time that they are kept: refused, or come back.
// Above CountCap it means "more".
func (l *Ledger) ReturnedMails(ctx context.Context, hash string, now time.Time) (int64, error) {
	return l.read.CountReturnedMails(ctx, queries.CountReturnedMailsParams{StoreHash: hash, Since: millis(now.Add(-keepAsked))})
}
