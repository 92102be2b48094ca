package outbox

import (
	"context"
	"fmt"
)

// join puts a snapshot of the log in the place of the state file. The writer calls it
// without reading the log, and begins anew once it has returned nil; w.engine may be
// nil then.
func (w *writer) join(context.Context) error {
	return fmt.Errorf("%w: the log has no snapshot", errRefused)
}

// seed begins a log that is empty with the state file.
func (w *writer) seed(context.Context) error {
	return fmt.Errorf("%w: the log is empty", errRefused)
}

// noticed is called for entries about snapshots and scrubs.
func (w *writer) noticed(logEntry) {}
