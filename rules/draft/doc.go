// Package draft proposes a profile for an app from one recorded session of it:
//
//	Recorded ─► readExchanges ─► findItems ─► findIDs ─► route for each kind of request ─► YAML
//
// It goes by what a session shows: a value that the app issues and the browser then
// sends again with every answer tells who the participant is; a list of things with
// ids and texts is what is asked; and what only the last request has says that the
// survey is complete. Each line of the YAML has a comment that says why it is there, so
// that whoever knows the app can see what to correct.
package draft
