package demo

import _ "embed" // for the page

// index is the participant's page, with its style and script inside.
//
//go:embed index.html
var index []byte
