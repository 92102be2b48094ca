package proxy

import (
	"strings"

	"github.com/google/go-cmp/cmp"
)

// difference is one respect in which the proxy may differ from a direct connection.
type difference struct {
	name, why string
	// normalize removes the difference from what both sides received.
	normalize func(s *step, direct, through *transcript)
	// example is a conversation in which it occurs.
	example conversation
}

// allowedDifferences is complete: nothing else may differ, and each of these does
// (see TestEachAllowedDifferenceOccurs).
var allowedDifferences = []difference{
	{
		name: "fields of the participant's connection",
		why:  "RFC 9110 section 7.6.1: hop-by-hop fields are not forwarded; TE: trailers may be, and those of an upgrade must be",
		normalize: func(s *step, direct, _ *transcript) {
			for i := range direct.App {
				direct.App[i].Head = withoutHopByHop(direct.App[i].Head, s.outcome == upgrades)
			}
		},
		example: conversation{{request: getRequest("Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: 5", "TE: gzip", "Upgrade: h2c"), response: okReply()}},
	},
	{
		name: "fields of the app's connection",
		why:  "RFC 9110 section 7.6.1; Upgrade stays, since 426 names the protocol in it",
		normalize: func(s *step, direct, _ *transcript) {
			if s.outcome != upgrades {
				direct.Client.Head = withoutHopByHop(direct.Client.Head, false)
			}
		},
		example: conversation{{request: getRequest(), response: okReply("Connection: X-Hop, keep-alive", "X-Hop: 1", "Keep-Alive: timeout=5")}},
	},
	{
		name: "persistence of the participant's connection",
		why:  "the proxy decides about the participant's connection, so it sends close where it will close it, and keep-alive to HTTP/1.0",
		normalize: func(s *step, _, through *transcript) {
			r := &through.Client
			for _, ours := range []string{"\r\nConnection: close\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n"} {
				if head, found := strings.CutSuffix(r.Head, ours); found && s.outcome != upgrades {
					r.Head = head + "\r\n\r\n"
				}
			}
		},
		example: conversation{{request: getRequest("Connection: close"), response: okReply()}},
	},
	{
		name: "the end of the app's connection",
		why:  "an app that closes its connection after a whole response does not end the participant's",
		normalize: func(s *step, direct, through *transcript) {
			r := &direct.Client
			if isFramed(s, r) && isWhole(s, r) && r.End == "end" && through.Client.End == "" {
				r.End = ""
			}
		},
		example: conversation{{request: getRequest(), response: okReply("Connection: close")}},
	},
	{
		name: "HTTP/1.0 of the participant",
		why:  "RFC 9112 section 2.3: a proxy sends its own version; HTTP/1.1 requires Host, which is that of the target or the app",
		normalize: func(s *step, direct, through *transcript) {
			for i := range direct.App {
				direct.App[i].Head = asHTTP11(direct.App[i].Head)
			}
			for i := range through.App {
				through.App[i].Head = withAppHost(through.App[i].Head)
			}
		},
		example: conversation{{request: message{line: "GET / HTTP/1.0"}, response: okReply()}},
	},
	{
		name: "HTTP/1.0 of the app",
		why:  "RFC 9112 section 2.3",
		normalize: func(_ *step, direct, _ *transcript) {
			direct.Client.Head = strings.Replace(direct.Client.Head, "HTTP/1.0", "HTTP/1.1", 1)
		},
		example: conversation{{request: getRequest(), response: message{line: "HTTP/1.0 200 OK", fields: []string{"Content-Length: 2"}, framing: sized, pieces: []string{"ok"}}}},
	},
	{
		name: "folded fields of the app",
		why:  "RFC 9112 section 5.2: a proxy replaces a fold by a space",
		normalize: func(_ *step, direct, _ *transcript) {
			direct.Client.Head = unfold(direct.Client.Head)
			for i, head := range direct.Client.Interim {
				direct.Client.Interim[i] = unfold(head)
			}
		},
		example: conversation{{request: getRequest(), response: okReply("X-Folded: a\r\n\tb")}},
	},
	{
		name: "Content-Length beside Transfer-Encoding",
		why:  "RFC 9112 section 6.3: Transfer-Encoding overrides Content-Length, which a proxy removes",
		normalize: func(_ *step, direct, _ *transcript) {
			if _, coded := fieldOf(direct.Client.Head, "Transfer-Encoding"); coded {
				direct.Client.Head = withoutField(direct.Client.Head, "Content-Length")
			}
		},
		example: conversation{{request: getRequest(), response: message{line: "HTTP/1.1 200 OK", fields: []string{"Content-Length: 7", "Transfer-Encoding: chunked"}, framing: chunked}}},
	},
	{
		name: "no chunks for HTTP/1.0",
		why:  "RFC 9112 section 6.1: the app got HTTP/1.1, so it may send chunks, trailers and interim responses, which HTTP/1.0 does not have",
		normalize: func(s *step, direct, _ *transcript) {
			r := &direct.Client
			if !s.isHTTP10() {
				return
			}
			r.Interim = nil
			if _, coded := fieldOf(r.Head, "Transfer-Encoding"); !coded {
				return
			}
			r.Head, r.Trailer = withoutField(r.Head, "Transfer-Encoding"), ""
			if r.Chunks == "" { // there was no body
				return
			}
			if r.End = "end"; s.outcome == appDiesInBody { // or it would look complete
				r.End = "reset"
			}
		},
		example: conversation{{request: message{line: "GET / HTTP/1.0"}, response: chunkedReply("ab", "c")}},
	},
	{
		name: "the sizes of chunks",
		why:  "RFC 9112 section 7.1: chunks and their extensions are hop-by-hop; rechunking keeps from the app what it may misread (CVE-2025-55315)",
		normalize: func(_ *step, direct, through *transcript) {
			for _, side := range []*transcript{direct, through} {
				side.Client.Chunks = ""
				for i := range side.App {
					side.App[i].Chunks = ""
				}
			}
		},
		example: conversation{{request: getRequest(), response: message{line: "HTTP/1.1 200 OK", fields: []string{"Transfer-Encoding: chunked"}, framing: chunked, pieces: []string{"a"}, chunkExtension: ";x=1"}}},
	},
	{
		name: "the case of names in a request's trailer",
		why:  "RFC 9110 section 5.1: field names ignore case, and fasthttp has parsed the trailer",
		normalize: func(_ *step, direct, through *transcript) {
			for _, side := range []*transcript{direct, through} {
				for i := range side.App {
					side.App[i].Trailer = strings.ToLower(side.App[i].Trailer)
				}
			}
		},
		example: conversation{{request: message{line: "POST / HTTP/1.1", fields: []string{"Host: h", "Transfer-Encoding: chunked"}, framing: chunked, trailer: "x-t: a\r\n"}, response: okReply()}},
	},
	{
		name: "framing fields in the trailer of a response",
		why:  "RFC 9110 section 6.5.1: a recipient that merges trailers must not find framing or routing fields there",
		normalize: func(_ *step, direct, _ *transcript) {
			direct.Client.Trailer = strings.TrimPrefix(withoutField("\r\n"+direct.Client.Trailer, "Content-Length"), "\r\n")
		},
		example: conversation{{request: getRequest(), response: message{line: "HTTP/1.1 200 OK", fields: []string{"Transfer-Encoding: chunked"}, framing: chunked, trailer: "content-length: 3\r\n"}}},
	},
	{
		name: "502 where the app sends no response",
		why:  "RFC 9110 section 15.6.3: the participant's connection is not the app's, so the failure needs a response",
		normalize: func(s *step, direct, through *transcript) {
			ours := received{Interim: direct.Client.Interim, Head: ownHead(badGateway), Body: badGateway.text, End: "end"}
			if s.isHead() {
				ours.Body = ""
			}
			isCut := direct.Client.End != "" && !isWholeHead(direct.Client.Head)
			if isCut && cmp.Equal(through.Client, ours) {
				direct.Client = ours
			}
		},
		example: conversation{{request: postRequest("x"), response: okReply(), outcome: appDiesBeforeHead, closing: closed}},
	},
	{
		name: "a GET or HEAD that is resent",
		why:  "RFC 9110 section 9.2.2: safe requests may be repeated, and the app closed a kept connection without a response",
		normalize: func(s *step, direct, through *transcript) {
			isSafe := strings.HasPrefix(s.request.line, "GET ") || s.isHead()
			if n := len(direct.App); s.outcome == appDiesBeforeHead && isSafe && s.request.isEmpty() && n == 1 && len(through.App) == 2 {
				direct.App = append(direct.App, direct.App[0])
			}
		},
		example: conversation{{request: getRequest(), response: okReply()}, {request: getRequest(), response: okReply(), outcome: appDiesBeforeHead, closing: closed}},
	},
	{
		name: "a reset that becomes an end",
		why:  "both mean that the message is truncated, where it has a length or chunks; where it has none, the participant gets the reset",
		normalize: func(s *step, direct, through *transcript) {
			for i := range min(len(direct.App), len(through.App)) {
				if direct.App[i].End == "reset" && through.App[i].End == "end" {
					direct.App[i].End = "end"
				}
			}
			if d := &direct.Client; d.End == "reset" && through.Client.End == "end" && isFramed(s, d) {
				d.End = "end"
			}
		},
		example: conversation{{request: getRequest(), response: chunkedReply("ab", "c"), outcome: appDiesInBody, closing: reset, after: 1}},
	},
	{
		name: "requests of which the head, or the first byte of a sized body, never arrives",
		why:  "a head must be whole to be checked before it reaches the app; fasthttp waits for the byte",
		normalize: func(s *step, direct, through *transcript) {
			if s.isIncomplete() && len(through.App) == 0 {
				direct.App = nil
			}
		},
		example: conversation{{request: postRequest("x"), response: okReply(), outcome: clientLeavesInHead, after: 9}},
	},
	{
		name: "a participant who leaves a watched exchange",
		why:  "closing the tab on Finish must not lose the completion, so the app may finish",
		normalize: func(s *step, direct, through *transcript) {
			if last := len(direct.App) - 1; s.watched && (s.outcome == clientLeavesWaiting || s.outcome == clientLeavesReading) && last >= 0 {
				direct.App[last].End = ""
			}
		},
		example: conversation{{request: getRequest(), response: okReply(), watched: true, outcome: clientLeavesWaiting, closing: closed}},
	},
}
