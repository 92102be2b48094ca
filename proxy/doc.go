// Package proxy passes a participant's requests to the app and its responses
// back, as if there were no proxy.
//
//	participant                        exchange                         app
//	    │                                                                │
//	    │  clientConn ──► requestHead, checked ─► upload ────► appConn   │
//	    ├───────────────► body, piece by piece  ────────────────────────►│
//	    │                      │ copy, if watched                        │
//	    │                      ▼                                         │
//	    │                   capture ──► Watcher                          │
//	    │                      ▲                                         │
//	    │                      │ copy, if watched                        │
//	    │◄────────────────────────────── body, piece by piece  ◄─────────┤
//	    │  clientConn ◄── response ◄── responseHead, checked ◄── appConn │
//
// The proxy accepts connections, and fasthttp's server parses requests and keeps
// connections alive (server.go). Proxy.serve gives each request an exchange (exchange.go),
// which lets the upload (upload.go) send it: the bytes that came in, without
// what concerns one connection only (RFC 9110 section 7.6.1). Then the response
// (response.go) relays, on the same goroutine. If the rest of a body has to be
// waited for, a second goroutine relays meanwhile (full_duplex.go). A third one
// watches whether the participant leaves while the app takes its time
// (disconnect.go). upload and response are state machines (upload_state.go,
// response_state.go): each belongs to one goroutine, and others see its state only.
//
// Responses are written to the participant's connection directly, and what
// fasthttp's server would write in their place is dropped (client.go).
//
// A connection without a request is a goroutine that waits (Proxy.serveConn): fasthttp
// serves it from the first byte of a request until nothing more is there to read, and so
// gives back its buffers. What they and others took is returned to the system once there
// are few requests (reclaim.go).
//
// Nothing stays in a buffer while its goroutine waits: before a read of one side
// can block, what has been gathered for the other is sent. So whatever is there
// leaves in one write, and a stream is passed on as it comes.
//
// A request is sent to the app once. Connections to the app are kept for reuse
// and checked before each use; only a GET or HEAD on a kept connection that
// closed without a response is sent again (failure.go).
//
// A watched exchange is copied as it passes; Config.InspectLimit bounds the copies
// (capture.go). The end of its response is held back until the Watcher has returned;
// nothing that goes wrong in watching changes what the participant gets.
//
// Every read and write has a deadline, but for two kinds of read: deadline.go has
// the table.
package proxy
