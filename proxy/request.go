package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"slices"

	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/rules/config"
)

// errUnsafe means that two parties could read a request differently, or that it
// is not for an origin server.
var errUnsafe = errors.New("the request is not HTTP/1.1 that can be passed on safely")

// requestHead is the head of a request, as the participant wrote it. Its slices
// belong to fasthttp and are valid as long as the request.
type requestHead struct {
	method, target, raw []byte
	options             connectionOptions
	hasHost             bool
	// hasUpgrade is set if the request names a protocol that participants may switch to.
	hasUpgrade bool
	headPolicy
	// bound is set when the request authenticates its connection (NTLM,
	// Negotiate): no other request may use the connection to the app afterwards.
	bound bool
	// expectsContinue is set if the body comes once the app has sent 100 Continue.
	expectsContinue bool
	// id is that of the request, if the app is to get it.
	id string
	// forwarded decides what becomes of X-Forwarded-* and the like.
	forwarded forwarded
}

// headPolicy is what the heads of all requests have in common.
type headPolicy struct {
	// upgrades are the protocols that participants may switch to.
	upgrades []config.Protocol
	// defaultHost is the Host of requests that name none.
	defaultHost string
}

// parse parses a head that fasthttp has accepted. It refuses what fasthttp
// tolerates but two parties could read differently, since the app gets the very
// same bytes.
func (h *requestHead) parse(header *fasthttp.RequestHeader) error {
	*h = requestHead{method: header.Method(), target: header.RequestURI(), raw: header.RawHeaders(), headPolicy: h.headPolicy}
	if !isVersion(header.Protocol()) || !isToken(h.method) || !isTarget(h.method, h.target) {
		return errUnsafe
	}
	lengths, codings := 0, 0
	for lines := (fields{h.raw}); ; {
		f, ok := lines.next()
		if !ok {
			break
		}
		if !f.crlf || f.folded || !isToken(f.name) || bytes.IndexByte(f.line, '\r') >= 0 {
			return errUnsafe
		}
		switch nameOf(f.name) {
		case hostField:
			if h.hasHost || !h.targets(f.value) {
				return errUnsafe
			}
			h.hasHost = true
		case connectionField:
			h.options.add(f.value)
		case upgradeField:
			h.hasUpgrade = h.hasUpgrade || len(h.filter(f, true)) > 0
		case contentLengthField:
			if lengths++; !isLength(f.value) {
				return errUnsafe
			}
		case transferEncodingField:
			if codings++; !isNamed(f.value, "chunked") {
				return errUnsafe
			}
		case authorizationField:
			h.bound = h.bound || isConnectionAuth(f.value)
		}
	}
	if lengths+codings > 1 || h.options.tooMany {
		return errUnsafe
	}
	return nil
}

// isUpgrade reports whether the participant wants to switch to another protocol.
func (h *requestHead) isUpgrade() bool { return h.options.upgrade && h.hasUpgrade }

// write writes the head for the app: the same bytes, without the fields that
// concern the participant's connection only, and with what forwarded adds. An
// upgrade keeps Connection and Upgrade.
func (h *requestHead) write(w *bufio.Writer, upgrade bool) {
	w.Write(h.method)
	w.WriteByte(' ')
	w.Write(h.target)
	w.WriteString(" HTTP/1.1\r\n")
	if !h.hasHost {
		h.writeHost(w)
	}
	forwarded := h.forwarded
	forwarded.begin(h)
	for lines := (fields{h.raw}); ; {
		f, ok := lines.next()
		if !ok {
			break
		}
		if line := h.filter(f, upgrade); line != nil {
			w.Write(line)
			forwarded.after(w, f)
			w.WriteString("\r\n")
		}
	}
	forwarded.end(w)
	if h.id != "" {
		w.WriteString(requestIDField + ": ")
		w.WriteString(h.id)
		w.WriteString("\r\n")
	}
	w.WriteString("\r\n")
}

// writeHost writes the Host that HTTP/1.1 requires and HTTP/1.0 may lack: that of the
// target (RFC 9112 section 3.2.2) or, where it has none, the app's own.
func (h *requestHead) writeHost(w *bufio.Writer) {
	w.WriteString("Host: ")
	if authority, _ := splitTarget(h.target); authority != nil {
		w.Write(authority)
	} else {
		w.WriteString(h.defaultHost)
	}
	w.WriteString("\r\n")
}

// filter returns what the app gets of a field's line; nil for nothing.
// Transfer-Encoding passes, since a chunked body is chunked anew; so does whatever
// else frames or addresses the request, even if Connection lists it.
func (h *requestHead) filter(f field, upgrade bool) []byte {
	isDropped := false
	switch nameOf(f.name) {
	case hostField, contentLengthField, transferEncodingField:
	case connectionField:
		if !upgrade {
			return nil
		}
		return f.only(func(option []byte) bool { return !h.options.lists(option) })
	case upgradeField:
		if !upgrade {
			return nil
		}
		return f.only(h.mayUpgrade)
	case teField:
		return f.only(func(coding []byte) bool { return isNamed(coding, "trailers") })
	case keepAliveField, proxyConnectionField, http2SettingsField:
		isDropped = true
	case expectField:
		isDropped = !h.expectsContinue && isNamed(f.value, "100-continue")
	default:
		isDropped = h.forwarded.drops && isForwarded(f.name) || h.options.lists(f.name)
	}
	if isDropped {
		return nil
	}
	return f.line
}

// mayUpgrade reports whether participants may switch to a protocol, whatever its
// version.
func (h *requestHead) mayUpgrade(protocol []byte) bool {
	name, _, _ := bytes.Cut(protocol, []byte{'/'})
	return slices.ContainsFunc(h.upgrades, func(p config.Protocol) bool { return isNamed(name, string(p)) })
}

// origin returns the target in origin-form (RFC 9112 section 3.2.1).
func (h *requestHead) origin() []byte {
	_, path := splitTarget(h.target)
	return path
}

// targets reports whether the target agrees with the Host field. Only one in
// absolute-form names a host.
func (h *requestHead) targets(host []byte) bool {
	authority, _ := splitTarget(h.target)
	return authority == nil || bytes.EqualFold(authority, host)
}

// splitTarget splits a target in absolute-form (RFC 9112 section 3.2.2). For one
// in origin-form, authority is nil.
func splitTarget(target []byte) (authority, path []byte) {
	if target[0] == '/' || target[0] == '*' {
		return nil, target
	}
	_, rest, _ := bytes.Cut(target, []byte("://"))
	if slash := bytes.IndexAny(rest, "/?"); slash >= 0 {
		return rest[:slash:slash], rest[slash:]
	}
	return rest[:len(rest):len(rest)], rest[len(rest):]
}

func isVersion(protocol []byte) bool {
	return string(protocol) == "HTTP/1.1" || string(protocol) == "HTTP/1.0"
}

// isTarget reports whether the app may get a request with this target. CONNECT is
// for another kind of proxy, and some bytes have no place in RFC 3986. Others are
// up to the app.
func isTarget(method, target []byte) bool {
	if len(target) == 0 || string(method) == "CONNECT" {
		return false
	}
	for _, c := range target {
		if c <= ' ' || c == 0x7f || c == '#' {
			return false
		}
	}
	return true
}

// isLength reports whether everybody reads the same number from a Content-Length.
func isLength(value []byte) bool {
	for _, c := range value {
		if c < '0' || '9' < c {
			return false
		}
	}
	return len(value) == 1 || len(value) > 1 && value[0] != '0'
}

// isConnectionAuth reports whether credentials authenticate the connection rather
// than the request (RFC 4559 section 6).
func isConnectionAuth(value []byte) bool {
	scheme, _, _ := bytes.Cut(value, []byte{' '})
	return isNamed(scheme, "ntlm") || isNamed(scheme, "negotiate")
}
