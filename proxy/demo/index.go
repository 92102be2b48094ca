package demo

import _ "embed"

// index is the page that participants see, style and script included.
//
//go:embed index.html
var index []byte
