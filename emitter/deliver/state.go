package deliver

// State is how a target is doing.
type State int

// The states of a target.
const (
	// Up: it is sent deliveries as they come.
	Up State = iota
	// Failing: it is sent deliveries as they come, and the last attempt that says
	// something about it failed.
	Failing
	// Down: it failed too often, and gets nothing but probes.
	Down
	// Held: it asked for a pause.
	Held
	// Disabled: it gets nothing, see TargetStatus.Cause.
	Disabled
)

// States are all states, in the order of their declaration.
var States = []State{Up, Failing, Down, Held, Disabled}

// String returns the state's name in the API and in metrics.
func (s State) String() string { return [...]string{"up", "failing", "down", "held", "disabled"}[s] }
