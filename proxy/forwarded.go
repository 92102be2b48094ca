package proxy

import (
	"bufio"
	"net"
	"net/netip"
	"slices"

	"github.com/sidehook/sidehook/rules/config"
)

// forwardedFor is the one field that we write. The app's scheme and host are
// what they were without us: Host passes, and where TLS ended is not known here.
const forwardedFor = "x-forwarded-for"

// spoofable warns of what a sidecar changes for an app that believes its own host only.
const spoofable = "participants can tell the app any address, scheme and host in X-Forwarded-*, if it believes what this host says; " +
	"name your load balancers in trusted_proxies (0.0.0.0/0 and ::/0 if nobody else can connect here)"

// forwarding is what becomes of the fields that tell who is in front of us.
type forwarding struct {
	way     config.Forwarded
	trusted []config.Network // nil when it is not known whom to trust
}

// forwarded is what becomes of those fields in one request.
type forwarded struct {
	// drops tells whether the participant's go no further.
	drops bool
	// peer is added to X-Forwarded-For; the zero Addr when nothing is.
	peer netip.Addr
	// left is how many lines of X-Forwarded-For are still to be written: the last one takes the peer.
	left int
}

// of returns what becomes of the fields of a request of the client at this address.
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

// isSpoofable tells whether anybody can tell the app anything.
func (f *forwarding) isSpoofable() bool { return f.trusted == nil && f.way != config.ForwardedReplace }

// addressOf returns the IP address of one side, the zero Addr when it has none.
func addressOf(side net.Addr) netip.Addr {
	tcp, isTCP := side.(*net.TCPAddr)
	if !isTCP || tcp == nil {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}

// begin looks at the head that is to be written.
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
		if isNamed(line.name, forwardedFor) { // all of them go on, or none
			f.left++
		}
	}
}

// after is called between a field that goes on and its line end.
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

// end is called behind the fields.
func (f *forwarded) end(w *bufio.Writer) {
	if f.peer.IsValid() {
		w.WriteString("X-Forwarded-For: ")
		w.Write(f.peer.AppendTo(w.AvailableBuffer()))
		w.WriteString("\r\n")
	}
}

// isForwarded tells whether a field says who was in front of its sender. Some
// apps take '_' for '-'.
func isForwarded(name []byte) bool {
	const start = "x-forwarded" // -For, -Proto, -Host, -Port, -Prefix, ...
	return isNamed(name, "forwarded") || isAlike(name, "x-real-ip") ||
		len(name) >= len(start) && isAlike(name[:len(start)], start)
}

// isAlike is isNamed, where '_' is a '-'.
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
