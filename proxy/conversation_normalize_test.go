package proxy

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

func isWholeHead(head string) bool { return strings.HasSuffix(head, "\r\n\r\n") }

// isFramed reports whether the end of a response shows without that of the
// connection.
func isFramed(s *step, r *received) bool {
	return framingOf(r.Head, false, s.isHead()).framing != untilClose
}

// isWhole reports whether a response is complete.
func isWhole(s *step, r *received) bool {
	is := framingOf(r.Head, false, s.isHead())
	return isWholeHead(r.Head) && (is.framing != chunked || r.Trailer != "") && (is.framing != sized || len(r.Body) == is.length)
}

// asHTTP11 turns the head of an HTTP/1.0 request into what the app gets.
func asHTTP11(head string) string {
	line, fields, _ := strings.Cut(head, "\r\n")
	old, found := strings.CutSuffix(line, "HTTP/1.0")
	if !found {
		return head
	}
	if _, hasHost := fieldOf(head, "Host"); !hasHost {
		host := "app"
		if _, target, ok := strings.Cut(line, "://"); ok {
			host = target[:strings.IndexAny(target, "/? ")]
		}
		fields = "Host: " + host + "\r\n" + fields
	}
	return old + "HTTP/1.1\r\n" + fields
}

// appHost is the Host of a request that named none.
var appHost = regexp.MustCompile("\r\nHost: 127\\.0\\.0\\.1:\\d+\r\n")

// withAppHost replaces the address of the app.
func withAppHost(head string) string { return appHost.ReplaceAllString(head, "\r\nHost: app\r\n") }

// withoutField removes a field.
func withoutField(head, name string) string {
	return withoutFields(head, func(n, _ string) bool { return strings.EqualFold(n, name) })
}

// withoutHopByHop removes hop-by-hop fields (RFC 9110 section 7.6.1).
func withoutHopByHop(head string, upgrade bool) string {
	isResponse := strings.HasPrefix(head, "HTTP/")
	return withoutFields(head, func(name, value string) bool {
		switch strings.ToLower(name) {
		case "host", "content-length", "transfer-encoding":
			return false
		case "connection":
			return !upgrade
		case "upgrade":
			return !upgrade && !isResponse
		case "te":
			return !isResponse && !strings.EqualFold(value, "trailers")
		case "keep-alive", "proxy-connection":
			return true
		}
		return hasConnectionOption(head, name)
	})
}

// ownHead is the head of a response of the proxy's own, in plain text.
func ownHead(own ownResponse) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nConnection: close\r\n%sCache-Control: no-store\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n",
		own.status, http.StatusText(own.status), own.field, len(own.text))
}

// fold is where a field goes on in the next line.
var fold = regexp.MustCompile("\r\n[ \t]+")

// unfold makes one line of each field.
func unfold(head string) string { return fold.ReplaceAllString(head, " ") }

// withoutFields removes fields, with the continuations of folded ones.
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
