package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// The PROXY protocol (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt):
// a load balancer that passes on bytes begins each connection with a header that
// has the address of the participant.
const (
	// proxySignature begins a header of version 2, in binary.
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
	// proxyWord begins a header of version 1, a line of text.
	proxyWord = "PROXY "
	// proxyLineLimit is how long that line may be, in bytes, with its end.
	proxyLineLimit = 107
	// proxyBlockLimit is how long the addresses and extensions of version 2 may be,
	// in bytes. Load balancers send a few hundred at most.
	proxyBlockLimit = 4 << 10
)

// errNoProxyHeader means that a connection does not begin with a PROXY header.
var errNoProxyHeader = errors.New("it does not begin with a header of the PROXY protocol")

// errMalformedProxyHeader means that it begins with one that is malformed.
var errMalformedProxyHeader = errors.New("its header of the PROXY protocol is malformed")

// takeProxyHeader reads the PROXY header of a connection from a trusted proxy, and
// reports whether the connection can be served. Nobody else is read from: what
// looks like a header there is no request.
func (p *Proxy) takeProxyHeader(client *clientConn) bool {
	if !p.config.ProxyProtocol || !p.forwarded.trusts(addressOf(client.TCPConn.RemoteAddr())) {
		return true
	}
	client.SetReadDeadline(time.Now().Add(p.config.HeaderTimeout))
	participant, err := readProxyHeader(client.TCPConn)
	switch {
	case errors.Is(err, errNoProxyHeader), errors.Is(err, errMalformedProxyHeader):
		p.counters.refused.Add(1)
		p.warnings.log(warnProxyHeader, "error", err)
		return false
	case err != nil: // it closed, as health checks do
		return false
	}
	if participant.IsValid() {
		client.participant = net.TCPAddrFromAddrPort(participant)
	}
	return true
}

// readProxyHeader reads a PROXY header and nothing beyond. It returns the
// participant's address; the zero value where the connection is the proxy's own, or
// not of TCP.
func readProxyHeader(r io.Reader) (netip.AddrPort, error) {
	start := make([]byte, len(proxySignature), proxyLineLimit)
	if n, err := io.ReadFull(r, start); err != nil {
		if isNoProxyHeader(start[:n]) {
			err = errNoProxyHeader
		}
		return netip.AddrPort{}, err
	}
	switch {
	case string(start) == proxySignature:
		return readProxyBlock(r)
	case strings.HasPrefix(string(start), proxyWord):
		return readProxyLine(r, start)
	}
	return netip.AddrPort{}, errNoProxyHeader
}

// isNoProxyHeader reports whether what has come can't become a PROXY header.
func isNoProxyHeader(start []byte) bool {
	return !strings.HasPrefix(proxySignature, string(start)) && !strings.HasPrefix(proxyWord, string(start)) && !bytes.HasPrefix(start, []byte(proxyWord))
}

// readProxyLine reads the rest of a header of version 1.
func readProxyLine(r io.Reader, line []byte) (netip.AddrPort, error) {
	for !bytes.HasSuffix(line, []byte("\r\n")) {
		if len(line) == proxyLineLimit {
			return netip.AddrPort{}, errMalformedProxyHeader
		}
		line = line[:len(line)+1]
		if _, err := io.ReadFull(r, line[len(line)-1:]); err != nil {
			return netip.AddrPort{}, err
		}
	}
	words := strings.Split(strings.TrimSuffix(string(line), "\r\n"), " ")
	if words[1] == "UNKNOWN" {
		return netip.AddrPort{}, nil
	}
	if len(words) != 6 {
		return netip.AddrPort{}, errMalformedProxyHeader
	}
	source, err := netip.ParseAddr(words[2])
	destination, err2 := netip.ParseAddr(words[3])
	port, err3 := strconv.ParseUint(words[4], 10, 16)
	_, err4 := strconv.ParseUint(words[5], 10, 16)
	isRight := words[1] == "TCP4" && source.Is4() && destination.Is4() || words[1] == "TCP6" && source.Is6() && destination.Is6()
	if errors.Join(err, err2, err3, err4) != nil || !isRight || source.Zone() != "" {
		return netip.AddrPort{}, errMalformedProxyHeader
	}
	return netip.AddrPortFrom(source, uint16(port)), nil
}

// readProxyBlock reads the rest of a header of version 2.
func readProxyBlock(r io.Reader) (netip.AddrPort, error) {
	var fixed [4]byte // version and command, family and transport, length
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return netip.AddrPort{}, err
	}
	command, length := fixed[0], int(binary.BigEndian.Uint16(fixed[2:]))
	if command>>4 != 2 || command&0xf > 1 || length > proxyBlockLimit {
		return netip.AddrPort{}, errMalformedProxyHeader
	}
	block := make([]byte, length)
	if _, err := io.ReadFull(r, block); err != nil {
		return netip.AddrPort{}, err
	}
	const isLocal, tcp4, tcp6 = 0, 0x11, 0x21
	size := map[byte]int{tcp4: 4, tcp6: 16}[fixed[1]]
	if command&0xf == isLocal || size == 0 {
		return netip.AddrPort{}, nil
	}
	if length < 2*size+4 { // two addresses, two ports
		return netip.AddrPort{}, errMalformedProxyHeader
	}
	source, _ := netip.AddrFromSlice(block[:size])
	return netip.AddrPortFrom(source, binary.BigEndian.Uint16(block[2*size:])), nil
}
