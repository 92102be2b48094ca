package outbox

import (
	"fmt"
	"runtime/debug"
)

// guard turns a panic into an error. Code that reads the file uses it as
//
//	defer guard(&err)()
//
// bbolt maps the file into memory and panics on pages that make no sense, and a
// page that the disk cannot read raises a fault, which would end the process.
func guard(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if p := recover(); p != nil {
			// The panic's value may hold a record, so the error has only its type.
			*err = fmt.Errorf("%w (%T)", errCorrupt, p)
		}
	}
}
