package views

// EraseData is the erasure of a person, before, between and after its two steps.
type EraseData struct {
	Layout
	Who      string // as it was typed
	Errors   map[string]string
	Preview  *ErasePreview // what would be erased; nil on the first step
	Erasures []Erasure     // of before, the newest first
}

// ErasePreview says how much of each kind would be erased, and what else is known of whom.
type ErasePreview struct {
	Mailbox   bool    // else a customer
	Kinds     []Tally // none: nothing is known
	Customers string  // how many customers have proved identity under the mailbox; empty: none
	Exists    bool    // BigCommerce has the customer still
	Unknown   bool    // BigCommerce could not be asked
	Clear     string  // on: clear what was written to their record
}

// Tally is how much there is of a kind.
type Tally struct{ N, One, Many string }

// Erasure is one that was done.
type Erasure struct {
	When When
	By   string
	What string // customer or mailbox
	How  string // how much of each kind
}

// Fields of the erasure's forms.
const (
	WhoField   = "who"
	AgainField = "again"
	ClearField = "clear"
)
