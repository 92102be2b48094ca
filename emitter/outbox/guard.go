package outbox

import (
	"fmt"
	"runtime/debug"
)

// guard turns a panic into an error; it is for code that reads the file, as
//
//	defer guard(&err)()
//
// bbolt maps the file into memory and panics where a page makes no sense, and a
// disk that can't read a page raises a fault that would end the process.
func guard(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if p := recover(); p != nil {
			// What it panics with may hold a record, so only its type is told.
			*err = fmt.Errorf("%w (%T)", errCorrupt, p)
		}
	}
}
