package deliver

// State is how a target is doing.
type State int

// The states of a target.
const (
	// Up: it is sent deliveries as they come.
	Up State = iota
	// Down: it failed too often, and gets nothing but probes.
	Down
	// Held: it asked for a pause.
	Held
	// Disabled: it gets nothing, see TargetStatus.Cause.
	Disabled
)

// States are all states, in the order of their declaration.
var States = []State{Up, Down, Held, Disabled}

// String returns the state's name in the API and in metrics.
func (s State) String() string { return [...]string{"up", "down", "held", "disabled"}[s] }
