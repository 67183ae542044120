package views

// HealthData is how the installation stands.
type HealthData struct {
	Layout
	CheckedAt  When // when wished and present state were last compared
	Hooks      []HookRow
	Scripts    []ScriptRow
	Attributes []AttributeRow
	Scopes     []ScopeRow
	Sweep      SweepData
	Queue      QueueData
	Stuck      []StuckRow
	Provider   ProviderData
	Replica    ReplicaData
	Problems   []string // what the last comparison could not put right, in words
}

// HookRow is one webhook.
type HookRow struct {
	Scope    string
	Status   string // one of StatusCodes
	LastSeen When
}

// ScriptRow is the checkout script of one channel.
type ScriptRow struct {
	Channel string
	Status  string // one of StatusCodes
	Hash    string
	Note    string // what the script last missed on the page, or whatever else is known
}

// AttributeRow is one customer attribute.
type AttributeRow struct{ Name, Status string }

// ScopeRow is one permission we ask for.
type ScopeRow struct {
	Name    string
	Granted bool
}

// SweepData is the loop that finds what no webhook told.
type SweepData struct {
	Status string // one of StatusCodes
	Last   When
	Found  string // orders it found that no webhook had told of, last 7 days
}

// QueueData is what waits to be read or written.
type QueueData struct {
	Notices    string
	Writebacks string
	Oldest     When // of either; zero when nothing waits
}

// WritebackField carries the id of the change to try again.
const WritebackField = "writeback"

// StuckRow is one outside change that needs a person.
type StuckRow struct {
	ID       string
	Kind     string // one of WritebackKinds
	Subject  string // "Order 1042", "Customer 7"
	Code     string // one of StuckCodes, or empty
	Said     string // what BigCommerce said, or the whole reason where there is no code
	Attempts string
	Since    When
}

// ProviderData is the connection to 1Kosmos.
type ProviderData struct {
	Status     string // one of StatusCodes
	DNS        string
	Community  string
	Own        bool // this shop's tenant rather than the operator's
	Discovered When
	Said       string // the last error, if any
}

// ReplicaData is Litestream's replica.
type ReplicaData struct {
	Status string // one of StatusCodes; off when none is configured
	Target string
	Synced When
	Said   string
}

func (d HealthData) scopesMissing() bool {
	for _, s := range d.Scopes {
		if !s.Granted {
			return true
		}
	}
	return false
}

func tenantOwner(p ProviderData) string {
	switch {
	case p.DNS == "":
		return ""
	case p.Own:
		return "this shop"
	}
	return "the operator of this idgate"
}
