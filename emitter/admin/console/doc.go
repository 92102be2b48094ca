// Package console is what an operator sees with a browser: HTML pages on the admin
// listener, at / and below /console/.
//
//	browser ──► Console ──► the API of package admin, in the same process
//
// It is a client of the API, so that it can do what the API can and nothing else. Who
// may use it is decided here: people on this machine, or with the admin_token, which
// they enter in a form and which becomes a session. Every change is a POST that has
// the token of a page of that session.
//
// A page is a Go file with its data, and a template of the same name (*.qtpl, of
// quicktemplate) that go generate compiles to Go; its {%s } escapes what it shows. All
// pages can be read without script; assets/console.js keeps them up to date.
package console
