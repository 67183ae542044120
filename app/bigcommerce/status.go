package bigcommerce

// Order statuses (status_id) of the platform. Their labels can be renamed by the merchant; the numbers cannot.
const (
	StatusIncomplete          = 0 // a cart at the payment page: not an order yet
	StatusPending             = 1 // started checkout, did not complete
	StatusShipped             = 2
	StatusPartiallyShipped    = 3
	StatusRefunded            = 4
	StatusCancelled           = 5
	StatusDeclined            = 6
	StatusAwaitingPayment     = 7 // where authorise-only gateways leave an order
	StatusAwaitingPickup      = 8
	StatusAwaitingShipment    = 9
	StatusCompleted           = 10 // at once, for a paid digital order: its download is open
	StatusAwaitingFulfillment = 11
	StatusManualVerification  = 12 // "on hold while some aspect needs to be manually confirmed"
	StatusDisputed            = 13
	StatusPartiallyRefunded   = 14
)

// StatusClass is what a status means to the order gate.
type StatusClass string

const (
	ClassWatch   StatusClass = "watch"   // not an order yet; never written
	ClassGate    StatusClass = "gate"    // can still be held
	ClassHeld    StatusClass = "held"    // 12: ours if our hold was the last write, otherwise somebody else's
	ClassGone    StatusClass = "gone"    // shipped or handed over: unproven, it is a leak, never undone
	ClassClosed  StatusClass = "closed"  // left alone
	ClassUnknown StatusClass = "unknown" // a status the platform did not have when this was written
)

// ClassOf is the one table of order statuses.
func ClassOf(statusID int) StatusClass {
	switch statusID {
	case StatusIncomplete, StatusPending:
		return ClassWatch
	case StatusAwaitingPayment, StatusAwaitingPickup, StatusAwaitingShipment, StatusAwaitingFulfillment:
		return ClassGate
	case StatusManualVerification:
		return ClassHeld
	case StatusShipped, StatusPartiallyShipped, StatusCompleted, StatusPartiallyRefunded:
		return ClassGone
	case StatusRefunded, StatusCancelled, StatusDeclined, StatusDisputed:
		return ClassClosed
	}
	return ClassUnknown
}
