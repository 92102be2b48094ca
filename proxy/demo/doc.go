// Package demo is a small survey app that says on the wire what Decsys says:
// something to try sidehook on, and something for tests to stand behind a
// proxy. It keeps everything in memory and knows nothing of sidehook.
//
// What it answers was compared with recordings of Decsys 2.6.0. It has one
// survey with one instance, repeatable and anonymous; no accounts, no studies
// and no typed ids.
package demo
