package gate

import (
	"slices"
)

// What names one thing that would help a Decision to pass.
type What string

// What may be needed. The first six are somebody's to do; the others are what a Proof must show.
const (
	NeedUnblock What = "unblock"  // staff: take the buyer off the block list
	NeedSignIn  What = "sign_in"  // the buyer: order while signed in
	NeedReview  What = "review"   // the reviewer: the Session's outcome
	NeedMailbox What = "mailbox"  // the buyer: show control of the mailbox (a code, or the mailed link)
	NeedMapping What = "evidence" // the merchant: say what a document counts as
	NeedProof   What = "proof"    // the buyer: prove identity anew, the Proof there is no longer counts

	NeedLevel  What = "ial"       // Amount: the least IAL
	NeedFresh  What = "fresh"     // Amount: the Proof's greatest age in days
	NeedSelfie What = "selfie"    // a live selfie
	NeedAge    What = "least_age" // Amount: the person's least age in years
	NeedName   What = "name"      // the name on the document is the billing name

	NeedAddress What = "address" // the address on the document is the billing address or one that is shipped to
)

// Need is one thing that would help a Decision to pass; all of them together do.
// NeedMailbox tells that something is known of a mailbox: it is for staff, and a shopper is offered that step whether it stands here or not.
type Need struct {
	What   What     `json:"what"`
	Amount int      `json:"amount,omitempty"`
	Rules  []string `json:"rules,omitempty"` // which rules ask for that much; none: it is asked of every guest
	Met    bool     `json:"met,omitempty"`   // the buyer's nearest Proof shows it already
}

// needs is what would turn a Decision that lacks a Proof.
func (q question) needs(d Decision, lacks []Reason) []Need {
	has := func(codes ...Code) bool {
		return slices.ContainsFunc(lacks, func(r Reason) bool { return slices.Contains(codes, r.Code) })
	}
	var out []Need
	add := func(wanted bool, w What) {
		if wanted {
			out = append(out, Need{What: w})
		}
	}
	add(q.f.InReview, NeedReview)
	add(has(MailboxUnproved) || q.f.Listed.Mailbox == OnAllowList && !q.f.Buyer.MailboxProved, NeedMailbox)
	add(has(EvidenceUnmapped), NeedMapping)
	add(has(ProofExpired, ProofRevoked, ProofTooOld), NeedProof)
	return append(out, d.proving(lacks)...)
}

// proving is what a Proof must show, and by lacks what the nearest one already does. Nil lacks: there is none.
func (d Decision) proving(lacks []Reason) []Need {
	none := lacks == nil
	for _, r := range lacks {
		none = none || r.Code == NoProof || r.Code == ProofExpired || r.Code == ProofRevoked
	}
	var out []Need
	add := func(what What, amount int, of func(Requirement) bool, missing ...Code) {
		if !of(d.Requirement) {
			return
		}
		n := Need{What: what, Amount: amount, Met: !none && !slices.ContainsFunc(lacks, func(r Reason) bool { return slices.Contains(missing, r.Code) })}
		for _, r := range d.Rules {
			if r.Counted && !r.Exempt && of(r.Require) {
				n.Rules = append(n.Rules, r.Name)
			}
		}
		out = append(out, n)
	}
	q := d.Requirement
	add(NeedLevel, int(q.IAL), func(r Requirement) bool { return r.IAL > 0 && r.IAL == q.IAL }, IALTooLow, EvidenceUnmapped)
	add(NeedSelfie, 0, func(r Requirement) bool { return r.Selfie }, SelfieMissing)
	add(NeedFresh, int(q.MaxAge), func(r Requirement) bool { return r.MaxAge > 0 && r.MaxAge == q.MaxAge }, ProofTooOld)
	add(NeedAge, q.LeastAge, func(r Requirement) bool { return r.LeastAge > 0 && r.LeastAge == q.LeastAge }, AgeTooLow, AgeUnknown)
	add(NeedName, 0, func(r Requirement) bool { return r.NameMatch }, NameDiffers, FirstNameDiffers, LastNameDiffers, NameUnknown)
	add(NeedAddress, 0, func(r Requirement) bool { return r.AddressMatch }, AddressDiffers, AddressUnknown)
	return out
}
