package record

import (
	"fmt"
	"reflect"
)

// MayMove tells whether a delivery that was made for one target may be sent to
// another: its body has all that the first may see, and never changes.
func (r *Recorder) MayMove(from, to string) error {
	recipients := r.routing.Load().recipients
	other, known := recipients[to]
	if !known {
		return fmt.Errorf("there is no target %q in the configuration", to)
	}
	if from == to || other.redaction == nil || reflect.DeepEqual(recipients[from].redaction, other.redaction) {
		return nil
	}
	return fmt.Errorf("the deliveries of %q may hold what %q must not see (only, redact, pseudonymise)", from, to)
}
