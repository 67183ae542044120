package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"idgate/app/gate"
	"idgate/queries"
)

// Listed is a customer or a mailbox that a Shop lets through or refuses, whatever its rules say.
type Listed struct {
	CustomerID int64  // or Mailbox
	Mailbox    string // as it was typed; looked up by its keyed hash
	Hash       string // the keyed hash instead, in hex: of somebody who was erased no more is known
	List       gate.Listing
	Note       string
	AddedBy    string
	AddedAt    time.Time
}

func listName(l gate.Listing) (string, error) {
	switch l {
	case gate.OnAllowList:
		return "allow", nil
	case gate.OnBlockList:
		return "block", nil
	}
	return "", fmt.Errorf("list %q: it is allowed or blocked", l)
}

func listing(name string) gate.Listing {
	if name == "block" {
		return gate.OnBlockList
	}
	return gate.OnAllowList
}

// List puts customers or mailboxes on a list, and takes them off the other; their orders that wait are decided again.
func (l *Ledger) List(ctx context.Context, s *Shop, entries []Listed, now time.Time) error {
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		for _, e := range entries {
			name, err := listName(e.List)
			if err != nil {
				return err
			}
			p := queries.AddListedParams{StoreHash: s.Hash, CustomerID: e.CustomerID, Mailbox: []byte{}, List: name, Shown: []byte{}, Note: e.Note, AddedBy: t.actor, Now: millis(now)}
			if e.CustomerID == 0 {
				if p.Mailbox = unhex(s.MailboxHash(e.Mailbox)); len(p.Mailbox) == 0 {
					return errors.New("an entry of a list names a customer or a mailbox")
				}
				if p.Shown, err = s.key.Seal("listed", hex.EncodeToString(p.Mailbox), []byte(e.Mailbox)); err != nil {
					return err
				}
			}
			if err := t.AddListed(ctx, p); err != nil {
				return err
			}
			if err := l.dueListed(ctx, t, s, e.CustomerID, p.Mailbox, now); err != nil {
				return err
			}
		}
		if len(entries) == 0 {
			return nil
		}
		many := "1 entry: "
		if len(entries) > 1 {
			many = strconv.Itoa(len(entries)) + " entries: "
		}
		return t.act(ctx, s.Hash, ActListed, string(entries[0].List), many+entries[0].Note, now)
	})
}

// ErrOtherList is for what is on the other list than the one that was named.
var ErrOtherList = errors.New("it is on the other list")

// Unlist takes one off e.List. ErrNotFound when it is on no list, ErrOtherList when it is on the other.
func (l *Ledger) Unlist(ctx context.Context, s *Shop, e Listed, now time.Time) error {
	name, err := listName(e.List)
	if err != nil {
		return err
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		mailbox := []byte{}
		if e.CustomerID == 0 {
			mailbox = unhex(s.MailboxHash(e.Mailbox))
		}
		if e.Hash != "" {
			mailbox = unhex(e.Hash)
		}
		n, err := t.RemoveListed(ctx, queries.RemoveListedParams{StoreHash: s.Hash, CustomerID: e.CustomerID, Mailbox: mailbox, List: name})
		if err == nil && n == 0 {
			err = t.whereListed(ctx, s.Hash, e.CustomerID, mailbox)
		}
		if err != nil {
			return err
		}
		if err := l.dueListed(ctx, t, s, e.CustomerID, mailbox, now); err != nil {
			return err
		}
		return t.act(ctx, s.Hash, ActUnlisted, string(e.List), "1 entry", now)
	})
}

// whereListed is ErrOtherList where somebody who is not on the list that was named is on a list, and ErrNotFound where not.
func (t *tx) whereListed(ctx context.Context, hash string, customerID int64, mailbox []byte) (err error) {
	if customerID != 0 {
		_, err = found(t.ListedCustomer(ctx, queries.ListedCustomerParams{StoreHash: hash, CustomerID: customerID}))
	} else {
		_, err = found(t.ListedMailbox(ctx, queries.ListedMailboxParams{StoreHash: hash, Mailbox: mailbox}))
	}
	if err == nil {
		err = ErrOtherList
	}
	return err
}

func (l *Ledger) dueListed(ctx context.Context, t *tx, s *Shop, customerID int64, mailbox []byte, now time.Time) error {
	t.ring = append(t.ring, OrderBell)
	if customerID != 0 {
		return t.DueWaitingOrdersOfCustomer(ctx, queries.DueWaitingOrdersOfCustomerParams{StoreHash: s.Hash, CustomerID: customerID, DueAt: millis(now)})
	}
	return t.DueOrdersOfMailbox(ctx, queries.DueOrdersOfMailboxParams{StoreHash: s.Hash, Mailbox: mailbox, DueAt: millis(now)})
}

// ListedAs is what the Shop's lists say of a buyer, by customer id (0: a guest) and by the mailbox's keyed hash.
func (l *Ledger) ListedAs(ctx context.Context, s *Shop, customerID int64, mailbox string) (gate.Listed, error) {
	var out gate.Listed
	if customerID != 0 {
		name, err := found(l.read.ListedCustomer(ctx, queries.ListedCustomerParams{StoreHash: s.Hash, CustomerID: customerID}))
		switch {
		case err == nil:
			out.Customer = listing(name)
		case !errors.Is(err, ErrNotFound):
			return out, err
		}
	}
	if mailbox != "" {
		name, err := found(l.read.ListedMailbox(ctx, queries.ListedMailboxParams{StoreHash: s.Hash, Mailbox: unhex(mailbox)}))
		switch {
		case err == nil:
			out.Mailbox = listing(name)
		case !errors.Is(err, ErrNotFound):
			return out, err
		}
	}
	return out, nil
}

// ListPlace is a place in a list; the zero place is its top. Many entries may have come at the same moment.
type ListPlace struct {
	AddedAt    time.Time
	CustomerID int64
	Mailbox    string // keyed hash
}

// ListPage lists who is on a list, newest first, below a place, and returns the place of the last of them.
func (l *Ledger) ListPage(ctx context.Context, s *Shop, list gate.Listing, below ListPlace, count int) ([]Listed, ListPlace, error) {
	name, err := listName(list)
	if err != nil {
		return nil, below, err
	}
	top := int64(math.MaxInt64)
	if !below.AddedAt.IsZero() {
		top = millis(below.AddedAt)
	}
	rows, err := l.read.ListedPage(ctx, queries.ListedPageParams{StoreHash: s.Hash, List: name, Before: top, CustomerID: below.CustomerID, Mailbox: unhex(below.Mailbox), Count: int64(count)})
	out := make([]Listed, len(rows))
	for i, r := range rows {
		out[i] = Listed{CustomerID: r.CustomerID, List: listing(r.List), Note: r.Note, AddedBy: r.AddedBy, AddedAt: instant(r.AddedAt)}
		if len(r.Shown) > 0 {
			plain, err := s.key.Open("listed", hex.EncodeToString(r.Mailbox), r.Shown)
			if err != nil {
				return nil, below, fmt.Errorf("opening an entry of the %s list: %w", name, err)
			}
			out[i].Mailbox = string(plain)
		} else if r.CustomerID == 0 {
			out[i].Hash = hex.EncodeToString(r.Mailbox)
		}
	}
	if n := len(rows); n > 0 {
		below = ListPlace{instant(rows[n-1].AddedAt), rows[n-1].CustomerID, hex.EncodeToString(rows[n-1].Mailbox)}
	}
	return out, below, err
}

// SetRole changes what a user may do. The owner is whom BigCommerce calls so, and stays it. ErrNotFound when the Shop has no such user
// besides.
func (l *Ledger) SetRole(ctx context.Context, hash string, userID int64, role Role, now time.Time) error {
	if role != Manager && role != Reviewer && role != Viewer {
		return fmt.Errorf("role %q: a user is manager, reviewer or viewer; BigCommerce says who is owner", role)
	}
	return l.do(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.SetUserRole(ctx, queries.SetUserRoleParams{StoreHash: hash, UserID: userID, Role: string(role)})
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		return t.act(ctx, hash, ActRoleChanged, strconv.FormatInt(userID, 10), string(role), now)
	})
}
