package proxy

import (
	"bufio"
	"net"
	"net/netip"
	"slices"

	"github.com/sidehook/sidehook/rules/config"
)

// forwardedFor is the only field that the proxy adds. Host passes unchanged, so
// the app needs no X-Forwarded-Host, and only a load balancer knows whether the
// participant used TLS.
const forwardedFor = "x-forwarded-for"

// spoofable warns that an app that trusts loopback now trusts every participant.
const spoofable = "an app that trusts X-Forwarded-* from this host accepts any address, scheme and host that participants send; " +
	"list your load balancers in trusted_proxies (0.0.0.0/0 and ::/0 if nobody else can connect here)"

// forwarding is the policy for X-Forwarded-*, Forwarded and X-Real-IP.
type forwarding struct {
	way     config.Forwarded
	trusted []config.Network // nil when not configured, empty when nobody is trusted
}

// forwarded is that policy applied to one request.
type forwarded struct {
	// drops is set when the fields of the request must not reach the app.
	drops bool
	// peer is to be added to X-Forwarded-For; the zero Addr when nothing is.
	peer netip.Addr
	// left is the number of X-Forwarded-For lines still to be written; peer goes
	// on the last one.
	left int
}

// of applies the policy to a request from this address.
func (f *forwarding) of(client net.Addr) forwarded {
	adds := f.way == config.ForwardedAppend || f.way == config.ForwardedReplace
	if !adds && f.trusted == nil {
		return forwarded{}
	}
	peer := addressOf(client)
	result := forwarded{drops: !f.trusts(peer)}
	if f.way == config.ForwardedAppend || f.way == config.ForwardedReplace && result.drops {
		result.peer = peer
	}
	return result
}

func (f *forwarding) trusts(peer netip.Addr) bool {
	return f.isSpoofable() || slices.ContainsFunc(f.trusted, func(n config.Network) bool { return n.Contains(peer) })
}

// isSpoofable reports whether the fields of every participant reach the app.
func (f *forwarding) isSpoofable() bool { return f.trusted == nil && f.way != config.ForwardedReplace }

// addressOf returns the IP address of a TCP endpoint, without its zone; the zero
// Addr if there is none.
func addressOf(side net.Addr) netip.Addr {
	tcp, isTCP := side.(*net.TCPAddr)
	if !isTCP || tcp == nil {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

// begin counts the X-Forwarded-For lines of the head that is about to be written.
func (f *forwarded) begin(h *requestHead) {
	f.left = 0
	if !f.peer.IsValid() {
		return
	}
	for lines := (fields{h.raw}); ; {
		line, ok := lines.next()
		if !ok {
			return
		}
		if isNamed(line.name, forwardedFor) { // either all of them pass or none
			f.left++
		}
	}
}

// after is called between a field that passes and its line end.
func (f *forwarded) after(w *bufio.Writer, written field) {
	if f.left == 0 || !isNamed(written.name, forwardedFor) {
		return
	}
	if f.left--; f.left > 0 {
		return
	}
	if len(written.value) > 0 {
		w.WriteByte(',')
	}
	w.WriteByte(' ')
	w.Write(f.peer.AppendTo(w.AvailableBuffer()))
	f.peer = netip.Addr{}
}

// end is called after all fields.
func (f *forwarded) end(w *bufio.Writer) {
	if f.peer.IsValid() {
		w.WriteString("X-Forwarded-For: ")
		w.Write(f.peer.AppendTo(w.AvailableBuffer()))
		w.WriteString("\r\n")
	}
}

// isForwarded reports whether a field describes the hop before its sender. Some
// apps, CGI above all, read '_' as '-'.
func isForwarded(name []byte) bool {
	const start = "x-forwarded" // -For, -Proto, -Host, -Port, -Prefix, ...
	return isNamed(name, "forwarded") || isAlike(name, "x-real-ip") ||
		len(name) >= len(start) && isAlike(name[:len(start)], start)
}

// isAlike is isNamed, but '_' equals '-'.
func isAlike(text []byte, lower string) bool {
	if len(text) != len(lower) {
		return false
	}
	for i, c := range text {
		if isSame := c == lower[i] || c|0x20 == lower[i] || c == '_' && lower[i] == '-'; !isSame {
			return false
		}
	}
	return true
}
