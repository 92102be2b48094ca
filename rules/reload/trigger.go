package reload

// trigger is why the configuration is read again.
type trigger int

const (
	// signal means that an operator sent SIGHUP.
	signal trigger = iota
	// fileChange means that a watched file has changed.
	fileChange
	// newlyWatched means that files were read before they were watched, so that a
	// change in between would have gone unnoticed.
	newlyWatched
)

func (t trigger) String() string {
	switch t {
	case signal:
		return "signal"
	case fileChange:
		return "file change"
	case newlyWatched:
		return "newly watched file"
	}
	return "unknown"
}
