// Package receive is a receiver of webhooks to develop and to test with: it verifies
// each one, prints it on a line, and explains a signature that does not match.
//
//	request ──► Verify ──► Summarise ──► a line ──► an answer, one's own or that of Forward
//
// It is the command `sidehook listen`, and what the demo sends its webhooks to.
package receive
