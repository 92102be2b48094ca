package proxy

import (
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
)

// difference is something in which the proxy may be told from the bare app.
type difference struct {
	name, why string
	// level takes the difference out of what both sides got.
	level func(k *talk, direct, through *transcript)
	// example is a conversation that shows it.
	example []*talk
}

// allowed is the whole list. What is not on it may not differ, and what is on
// it must (see TestEachAllowedDifferenceIsSeen).
var allowed = []difference{
	{
		name: "fields of the participant's connection",
		why:  "RFC 9110 section 7.6.1: what concerns one connection is not passed on; TE: trailers may be, and an upgrade must be",
		level: func(k *talk, direct, _ *transcript) {
			for i := range direct.App {
				direct.App[i].Head = withoutHops(direct.App[i].Head, k.fate == switches)
			}
		},
		example: []*talk{{request: get("Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: 5", "TE: gzip", "Upgrade: h2c"), answer: fine()}},
	},
	{
		name: "fields of the app's connection",
		why:  "RFC 9110 section 7.6.1, too; Upgrade stays, since 426 tells by it what to upgrade to",
		level: func(k *talk, direct, _ *transcript) {
			if k.fate != switches {
				direct.Client.Head = withoutHops(direct.Client.Head, false)
			}
		},
		example: []*talk{{request: get(), answer: fine("Connection: X-Hop, keep-alive", "X-Hop: 1", "Keep-Alive: timeout=5")}},
	},
	{
		name: "what becomes of the participant's connection",
		why:  "the participant's connection is ours to keep, so ours to tell of: close where we will close it, keep-alive for HTTP/1.0",
		level: func(k *talk, _, through *transcript) {
			r := &through.Client
			for _, ours := range []string{"\r\nConnection: close\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n"} {
				if head, found := strings.CutSuffix(r.Head, ours); found && k.fate != switches {
					r.Head = head + "\r\n\r\n"
				}
			}
		},
		example: []*talk{{request: get("Connection: close"), answer: fine()}},
	},
	{
		name: "the end of the app's connection",
		why:  "the app closing its connection after a whole answer does not end the participant's",
		level: func(k *talk, direct, through *transcript) {
			r := &direct.Client
			if isFramed(k, r) && isWhole(k, r) && r.End == "end" && through.Client.End == "" {
				r.End = ""
			}
		},
		example: []*talk{{request: get(), answer: fine("Connection: close")}},
	},
	{
		name: "HTTP/1.0 of the participant",
		why:  "RFC 9112 section 2.3: a proxy speaks its own version; HTTP/1.1 wants a Host",
		level: func(k *talk, direct, _ *transcript) {
			for i := range direct.App {
				direct.App[i].Head = asHTTP11(direct.App[i].Head)
			}
		},
		example: []*talk{{request: message{line: "GET / HTTP/1.0"}, answer: fine()}},
	},
	{
		name: "HTTP/1.0 of the app",
		why:  "RFC 9112 section 2.3 again",
		level: func(_ *talk, direct, _ *transcript) {
			direct.Client.Head = strings.Replace(direct.Client.Head, "HTTP/1.0", "HTTP/1.1", 1)
		},
		example: []*talk{{request: get(), answer: message{line: "HTTP/1.0 200 OK", fields: []string{"Content-Length: 2"}, framing: sized, pieces: []string{"ok"}}}},
	},
	{
		name: "a length beside chunks",
		why:  "RFC 9112 section 6.3: chunks go first, and a proxy removes the length",
		level: func(_ *talk, direct, _ *transcript) {
			if _, coded := fieldOf(direct.Client.Head, "Transfer-Encoding"); coded {
				direct.Client.Head = withoutField(direct.Client.Head, "Content-Length")
			}
		},
		example: []*talk{{request: get(), answer: message{line: "HTTP/1.1 200 OK", fields: []string{"Content-Length: 7", "Transfer-Encoding: chunked"}, framing: chunked}}},
	},
	{
		name: "no chunks for HTTP/1.0",
		why:  "RFC 9112 section 6.1: the app was asked in HTTP/1.1, so it may answer with chunks, trailers and interim answers that HTTP/1.0 does not know",
		level: func(k *talk, direct, _ *transcript) {
			r := &direct.Client
			if !k.isOld() {
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
			if r.End = "end"; k.fate == diesInBody { // or it would look whole
				r.End = "reset"
			}
		},
		example: []*talk{{request: message{line: "GET / HTTP/1.0"}, answer: chunks("ab", "c")}},
	},
	{
		name: "how a body is cut into chunks",
		why:  "RFC 9112 section 7.1: chunks and their extensions are of one connection; to chunk anew keeps from the app what it may misread (CVE-2025-55315)",
		level: func(_ *talk, direct, through *transcript) {
			for _, side := range []*transcript{direct, through} {
				side.Client.Chunks = ""
				for i := range side.App {
					side.App[i].Chunks = ""
				}
			}
		},
		example: []*talk{{request: get(), answer: message{line: "HTTP/1.1 200 OK", fields: []string{"Transfer-Encoding: chunked"}, framing: chunked, pieces: []string{"a"}, ends: ";x=1"}}},
	},
	{
		name: "the case of names in a request's trailer",
		why:  "RFC 9110 section 5.1: names have no case, and fasthttp has read this part already",
		level: func(_ *talk, direct, through *transcript) {
			for _, side := range []*transcript{direct, through} {
				for i := range side.App {
					side.App[i].Trailer = strings.ToLower(side.App[i].Trailer)
				}
			}
		},
		example: []*talk{{request: message{line: "POST / HTTP/1.1", fields: []string{"Host: h", "Transfer-Encoding: chunked"}, framing: chunked, trailer: "x-t: a\r\n"}, answer: fine()}},
	},
	{
		name: "fields in an answer's trailer that would frame it",
		why:  "RFC 9110 section 6.5.1: a recipient that merges trailers must not find framing or routing there",
		level: func(_ *talk, direct, _ *transcript) {
			direct.Client.Trailer = strings.TrimPrefix(withoutField("\r\n"+direct.Client.Trailer, "Content-Length"), "\r\n")
		},
		example: []*talk{{request: get(), answer: message{line: "HTTP/1.1 200 OK", fields: []string{"Transfer-Encoding: chunked"}, framing: chunked, trailer: "content-length: 3\r\n"}}},
	},
	{
		name: "Expect",
		why:  "we say 100 Continue ourselves; browsers never ask for it, and an app that would refuse may still answer early",
		level: func(_ *talk, direct, _ *transcript) {
			for i := range direct.App {
				direct.App[i].Head = withoutField(direct.App[i].Head, "Expect")
			}
		},
		example: []*talk{{
			request: message{line: "POST / HTTP/1.1", fields: []string{"Host: h", "Expect: 100-continue", "Content-Length: 1"}, framing: sized, pieces: []string{"x"}},
			answer:  fine(),
		}},
	},
	{
		name: "100 Continue of the app",
		why:  "nobody asked the app for it, since Expect is not passed on",
		level: func(_ *talk, direct, through *transcript) {
			for _, side := range []*transcript{direct, through} {
				side.Client.Interim = slices.DeleteFunc(side.Client.Interim, func(head string) bool { return statusOf(head) == 100 })
				if len(side.Client.Interim) == 0 {
					side.Client.Interim = nil
				}
			}
		},
		example: []*talk{{request: get(), answer: message{interim: []string{"HTTP/1.1 100 Continue\r\n\r\n"}, line: "HTTP/1.1 204 N"}}},
	},
	{
		name: "502 where the app says nothing",
		why:  "RFC 9110 section 15.6.3: the participant's connection is not the app's, so what went wrong is said",
		level: func(k *talk, direct, through *transcript) {
			ours := record{Interim: direct.Client.Interim, Head: badGateway.head, Body: badGateway.text, End: "end"}
			if k.isHead() {
				ours.Body = ""
			}
			isCut := direct.Client.End != "" && !isWholeHead(direct.Client.Head)
			if isCut && cmp.Equal(through.Client, ours) {
				direct.Client = ours
			}
		},
		example: []*talk{{request: post("x"), answer: fine(), fate: diesBefore, how: full}},
	},
	{
		name: "a GET or HEAD that is sent again",
		why:  "it asks for nothing but an answer, and the app closed a kept connection without a word: that was no answer to it",
		level: func(k *talk, direct, through *transcript) {
			isSafe := strings.HasPrefix(k.request.line, "GET ") || k.isHead()
			if n := len(direct.App); k.fate == diesBefore && isSafe && k.request.isEmpty() && n == 1 && len(through.App) == 2 {
				direct.App = append(direct.App, direct.App[0])
			}
		},
		example: []*talk{{request: get(), answer: fine()}, {request: get(), answer: fine(), fate: diesBefore, how: full}},
	},
	{
		name: "a reset is passed on as an end",
		why:  "both say that the message is cut, where it has a length or chunks; where it has none, the participant gets the reset",
		level: func(k *talk, direct, through *transcript) {
			for i := range min(len(direct.App), len(through.App)) {
				if direct.App[i].End == "reset" && through.App[i].End == "end" {
					direct.App[i].End = "end"
				}
			}
			if d := &direct.Client; d.End == "reset" && through.Client.End == "end" && isFramed(k, d) {
				d.End = "end"
			}
		},
		example: []*talk{{request: get(), answer: chunks("ab", "c"), fate: diesInBody, how: reset, after: 1}},
	},
	{
		name: "nothing of a request before its head is whole, and the first byte of a sized body is here",
		why:  "what is not whole can't be checked, and must not reach the app; fasthttp waits for the byte",
		level: func(k *talk, direct, through *transcript) {
			if k.isStub() && len(through.App) == 0 {
				direct.App = nil
			}
		},
		example: []*talk{{request: post("x"), answer: fine(), fate: leavesInHead, after: 9}},
	},
	{
		name: "a participant who leaves a watched exchange",
		why:  "closing the tab on Finish must not lose the completion: the app is let finish",
		level: func(k *talk, direct, through *transcript) {
			if last := len(direct.App) - 1; k.watched && (k.fate == leavesWaiting || k.fate == leavesListening) && last >= 0 {
				direct.App[last].End = ""
			}
		},
		example: []*talk{{request: get(), answer: fine(), watched: true, fate: leavesWaiting, how: full}},
	},
}

func get(fields ...string) message {
	return message{line: "GET / HTTP/1.1", fields: append([]string{"Host: h"}, fields...)}
}

func post(body string) message {
	return message{line: "POST / HTTP/1.1", fields: []string{"Host: h", "Content-Length: " + string('0'+rune(len(body)))}, framing: sized, pieces: []string{body}}
}

func fine(fields ...string) message {
	return message{line: "HTTP/1.1 200 OK", fields: append(fields, "Content-Length: 2"), framing: sized, pieces: []string{"ok"}}
}

func chunks(pieces ...string) message {
	return message{line: "HTTP/1.1 200 OK", fields: []string{"Transfer-Encoding: chunked"}, framing: chunked, pieces: pieces}
}

func (k *talk) isOld() bool { return strings.HasSuffix(k.request.line, "HTTP/1.0") }

func (k *talk) isHead() bool { return strings.HasPrefix(k.request.line, "HEAD ") }

// isEmpty tells whether the message has no body.
func (m *message) isEmpty() bool { return m.framing != chunked && m.size(len(m.pieces)) == 0 }

func isWholeHead(head string) bool { return strings.HasSuffix(head, "\r\n\r\n") }

// isFramed tells whether an answer shows its end by itself.
func isFramed(k *talk, r *record) bool {
	return framingOf(r.Head, false, k.isHead()).framing != untilClose
}

// isWhole tells whether an answer has come whole.
func isWhole(k *talk, r *record) bool {
	is := framingOf(r.Head, false, k.isHead())
	return isWholeHead(r.Head) && (is.framing != chunked || r.Trailer != "") && (is.framing != sized || len(r.Body) == is.length)
}

// asHTTP11 makes of a request in HTTP/1.0 what the app gets.
func asHTTP11(head string) string {
	line, fields, _ := strings.Cut(head, "\r\n")
	old, found := strings.CutSuffix(line, "HTTP/1.0")
	if !found {
		return head
	}
	if _, hasHost := fieldOf(head, "Host"); !hasHost {
		fields = "Host: \r\n" + fields
	}
	return old + "HTTP/1.1\r\n" + fields
}

// withoutField drops the lines of a field.
func withoutField(head, name string) string {
	return withoutFields(head, func(n, _ string) bool { return strings.EqualFold(n, name) })
}

// withoutHops drops what concerns one connection.
func withoutHops(head string, upgrade bool) string {
	isAnswer := strings.HasPrefix(head, "HTTP/")
	return withoutFields(head, func(name, value string) bool {
		switch strings.ToLower(name) {
		case "host", "content-length", "transfer-encoding":
			return false
		case "connection":
			return !upgrade
		case "upgrade":
			return !upgrade && !isAnswer
		case "te":
			return !isAnswer && !strings.EqualFold(value, "trailers")
		case "keep-alive", "proxy-connection":
			return true
		}
		return says(head, name)
	})
}

// withoutFields drops lines of a head, with what continues them.
func withoutFields(head string, drop func(name, value string) bool) string {
	lines := strings.Split(head, "\r\n")
	kept, dropping := lines[:1:1], false
	for _, line := range lines[1:] {
		if line == "" || line[0] != ' ' && line[0] != '\t' {
			name, value, _ := strings.Cut(line, ":")
			dropping = line != "" && drop(name, strings.Trim(value, " \t"))
		}
		if !dropping {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\r\n")
}
