package main

// knownFailures are the attacks that are known to succeed, with what they do.
// They do not fail the run, and one that no longer succeeds is reported.
var knownFailures = map[string]string{
	"deep-pages":         "trees of pages that are read at the same time take 40 times the pages' size, whatever limits.watched_bodies says",
	"many-attributes":    "as deep-pages",
	"many-fields":        "with -large: as deep-pages, with forms",
	"reopened-tags":      "a page of 15 KB becomes a tree of 900,000 elements",
	"repeated-questions": "the text of a question is repeated for each of its controls",
	"repeated-labels":    "the text of a label is repeated for each of its options, and that of labels in each other for each of them",
	"xml-bombs":          "an element's text is copied once for each element around it",
	"many-pages":         "once pages fill their share of the store, new ones are not kept, and with them the answers on them",
}
