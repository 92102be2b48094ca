// Package logerrors has the errors that every log of the outbox returns: logs that the
// outbox's own tests use cannot import it.
package logerrors

import "errors"

// ErrOvertaken is outbox.ErrOvertaken.
var ErrOvertaken = errors.New("another replica has written to the log")

// ErrGone is outbox.ErrGone.
var ErrGone = errors.New("the log does not have it any more")
