package views

// EraseData is the erasure of a person, before, between and after its two steps.
type EraseData struct {
	Layout
	Who      string // as it was typed
	Errors   map[string]string
	Preview  *ErasePreview // what would be erased; nil on the first step
	Under    []Erasure     // that are under way, the oldest first
	Erasures []Erasure     // of before, the newest first
}

// EraseRefresh is after how many seconds the page looks again while somebody is being erased.
const EraseRefresh = "3"

// ErasePreview says how much of each kind would be erased, and what else is known of whom.
type ErasePreview struct {
	Mailbox   bool    // else a customer
	Kinds     []Tally // none: nothing is known
	More      bool    // Kinds counts the first only: there is too much to count it in one go
	Customers string  // how many customers have proved identity under the mailbox; empty: none
	Exists    bool    // BigCommerce has the customer still
	Unknown   bool    // BigCommerce could not be asked
	Clear     string  // on: clear what was written to their record
}

// Tally is how much there is of a kind.
type Tally struct{ N, One, Many string }

// Erasure is one that was done, or is under way.
type Erasure struct {
	When When
	By   string // empty: BigCommerce, which has the customer no more
	What string // customer or mailbox
	How  string // how much of each kind
}

// Fields of the erasure's forms.
const (
	WhoField   = "who"
	AgainField = "again"
	ClearField = "clear"
)
