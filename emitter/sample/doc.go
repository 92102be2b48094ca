// Package sample sends test events to targets, so that the developer of a receiver
// need not take a survey to see one.
//
//	Event, or the events of a HAR file ──► record.ForTarget ──► send.Sender ──► target
//
// A test event is made, signed and sent as real ones are, but for the header
// webhook-test. It is in no queue: it is sent once, and nothing of it is stored.
package sample
