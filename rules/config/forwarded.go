package config

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// Forwarded is what the app is told of who is in front of us, in
// X-Forwarded-For, and what becomes of what others told it there.
type Forwarded string

// The ways to deal with X-Forwarded-*.
const (
	// ForwardedPreserve adds nothing.
	ForwardedPreserve Forwarded = "preserve"
	// ForwardedAppend adds the address of who connected to us.
	ForwardedAppend Forwarded = "append"
	// ForwardedReplace puts that address in the place of what somebody who is not trusted said.
	ForwardedReplace Forwarded = "replace"
)

// Network is a range of IP addresses, or a single one.
type Network struct{ netip.Prefix }

// UnmarshalText takes the name of a way.
func (f *Forwarded) UnmarshalText(text []byte) (err error) {
	*f, err = strictyaml.OneOf(string(text), forwardedWords...)
	return err
}

// UnmarshalText takes an IP address, or a range of them in CIDR notation.
func (n *Network) UnmarshalText(text []byte) error {
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		var address netip.Addr
		address, err = netip.ParseAddr(string(text))
		prefix = netip.PrefixFrom(address, address.BitLen())
	}
	switch {
	case err != nil || strings.Contains(string(text), "%"): // an interface of this machine
		return fmt.Errorf("must be an IP address or a network, such as 10.0.0.7 or 10.0.0.0/8, not %s", strictyaml.Quoted(string(text)))
	case prefix.Addr().Is4In6():
		return fmt.Errorf("must be written as an IPv4 address or network, not %s", strictyaml.Quoted(string(text)))
	case prefix != prefix.Masked():
		return fmt.Errorf("must be %s for the whole network, or %s for one address", prefix.Masked(), prefix.Addr())
	}
	*n = Network{prefix}
	return nil
}
