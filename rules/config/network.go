package config

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// Network is a range of IP addresses, or a single one.
type Network struct{ netip.Prefix }

// UnmarshalText reads an IP address, or a network in CIDR notation without host bits.
func (n *Network) UnmarshalText(text []byte) error {
	prefix, err := netip.ParsePrefix(string(text))
	if err != nil {
		var address netip.Addr
		address, err = netip.ParseAddr(string(text))
		prefix = netip.PrefixFrom(address, address.BitLen())
	}
	hasZone := strings.Contains(string(text), "%")
	switch {
	case err != nil || hasZone:
		return fmt.Errorf("must be an IP address or a network, such as 10.0.0.7 or 10.0.0.0/8, not %s", strictyaml.Quoted(string(text)))
	case prefix.Addr().Is4In6():
		return fmt.Errorf("must be written as an IPv4 address or network, not %s", strictyaml.Quoted(string(text)))
	case prefix != prefix.Masked():
		return fmt.Errorf("must be %s for the whole network, or %s for one address", prefix.Masked(), prefix.Addr())
	}
	*n = Network{prefix}
	return nil
}
