// Package logerrors has the errors that every log of the outbox returns: logs that the
// outbox's own tests use cannot import it.
package logerrors

import "errors"

// Overtaken is outbox.ErrOvertaken.
var Overtaken = errors.New("another replica has written to the log")

// Gone is outbox.ErrGone.
var Gone = errors.New("the log does not have it any more")
