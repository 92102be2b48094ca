package config

import (
	"errors"
	"strings"
)

// Protocol is the name of a protocol that participants may switch to, in lower
// case (RFC 9110 section 7.8).
type Protocol string

// WebSocket is the protocol of RFC 6455.
const WebSocket Protocol = "websocket"

var (
	errProtocol = errors.New("must be the name of a protocol, such as websocket")
	errH2C      = errors.New("cannot be h2c: participants would send requests to the app that sidehook neither sees nor checks")
)

// UnmarshalText reads the name of a protocol, without a version.
func (p *Protocol) UnmarshalText(text []byte) error {
	name := strings.ToLower(string(text))
	isName := name != "" && strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || 'z' < r) && (r < '0' || '9' < r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}) < 0
	switch {
	case !isName:
		return errProtocol
	case name == "h2c":
		return errH2C
	}
	*p = Protocol(name)
	return nil
}
