// Package proxy is the participant's way to the app and back, as if nobody
// stood in between.
//
//	participant                        exchange                         app
//	    │                                                                │
//	    │  clientConn ──► request head, checked ──► toApp ──► appConn    │
//	    ├───────────────► body, piece by piece  ────────────────────────►│
//	    │                      │ copy, if watched                        │
//	    │                      ▼                                         │
//	    │                   capture ──► Watcher                          │
//	    │                      ▲                                         │
//	    │                      │ copy, if watched                        │
//	    │◄────────────────────────────── body, piece by piece  ◄─────────┤
//	    │  clientConn ◄── toClient ◄── answer head, checked ◄── appConn  │
//
// fasthttp's server accepts connections, parses requests and keeps connections
// alive; the bytes that go on are the ones that came in, minus what concerns
// one connection only (RFC 9110 section 7.6.1). The answer is written straight
// to the participant's connection, and what fasthttp's server would say in its
// place is dropped (see clientConn).
//
// Nothing waits in a buffer while we wait for more: before a read of one side
// can block, what has been gathered for the other side is sent. So whatever is
// there leaves in one write, and a stream is passed on as it comes.
//
// A request is sent to the app once. Connections to the app are kept for reuse
// and looked at before each use; only a GET or HEAD on a kept connection that
// closed before it said anything is sent again.
//
// A watched exchange is copied as it passes. The end of its answer is held
// back until the Watcher has taken note; nothing that goes wrong in watching
// changes what the participant gets.
package proxy
