package demo

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"regexp"
)

// index is the page that participants see, style and script included.
//
//go:embed index.html
var index []byte

// indexWithWebhooks is the page with webhooks beside the survey.
var indexWithWebhooks = bytes.Replace(index, []byte(`<aside id="webhooks" hidden`), []byte(`<aside id="webhooks"`), 1)

// pagePolicy lets the page run its own script, and nothing that an answer or a page of
// the survey might bring (Content Security Policy Level 3).
var pagePolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; connect-src 'self'; img-src data:" +
	"; style-src " + digestOf("style") + "; script-src " + digestOf("script")

// digestOf returns the source expression of the page's one element of a name.
func digestOf(element string) string {
	content := regexp.MustCompile("(?s)<" + element + ">(.*)</" + element + ">").FindSubmatch(index)
	digest := sha256.Sum256(content[1])
	return "'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'"
}
