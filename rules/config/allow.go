package config

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// AddressClass is a class of special-purpose addresses, to which no webhook is sent
// unless its target allows it. It is empty for public addresses.
type AddressClass string

// Address classes.
const (
	// Private is for networks of one's own, and for carrier-grade NAT.
	Private AddressClass = "private"
	// Loopback is this machine.
	Loopback AddressClass = "loopback"
	// LinkLocal is the same network segment, and every address with a zone.
	LinkLocal AddressClass = "link-local"
	// Metadata is where clouds serve metadata, often credentials, to their machines.
	Metadata AddressClass = "metadata"
	// Multicast is for groups of machines.
	Multicast AddressClass = "multicast"
	// Unspecified is 0.0.0.0/8 and ::, which connect to this machine.
	Unspecified AddressClass = "unspecified"
	// Reserved is everything else that is not public.
	Reserved AddressClass = "reserved"
)

var addressClasses = []AddressClass{Private, Loopback, LinkLocal, Metadata, Multicast, Unspecified, Reserved}

// classRanges are the special-purpose addresses of the IANA registries
// (RFC 6890), and the metadata services of clouds. The first match wins.
var classRanges = []struct {
	class  AddressClass
	ranges []netip.Prefix
}{
	// AWS, Google and Azure; AWS ECS; Alibaba; Oracle; Azure's WireServer; AWS over IPv6.
	{Metadata, prefixes("169.254.169.254/32 169.254.170.2/32 100.100.100.200/32 192.0.0.192/32 168.63.129.16/32 fd00:ec2::254/128")},
	{Loopback, prefixes("127.0.0.0/8 ::1/128")},
	{Unspecified, prefixes("0.0.0.0/8 ::/128")},
	{LinkLocal, prefixes("169.254.0.0/16 fe80::/10")},
	{Private, prefixes("10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.168.0.0/16 fc00::/7")},
	{Multicast, prefixes("224.0.0.0/4 ff00::/8")},
	// Protocol assignments, documentation, benchmarks, 6to4 relays, future use and broadcast.
	{Reserved, prefixes("192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4")},
	// Teredo and other protocols, documentation, 6to4.
	{Reserved, prefixes("2001::/23 2001:db8::/32 2002::/16 3fff::/20")},
}

var (
	// publicIPv6 is all that was ever allocated; the rest is reserved, including NAT64 and site-local.
	publicIPv6 = netip.MustParsePrefix("2000::/3")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour  = netip.MustParsePrefix("2002::/16")
)

// Allowed is where a target's connections may go besides public addresses.
type Allowed []AllowedRange

// AllowedRange is a class of addresses, or a network if Class is empty.
type AllowedRange struct {
	Class   AddressClass
	Network Network
}

// Refuses reports whether no connection may go to an address, and its class. Ask
// it about the address that is about to be dialled: by then a name may have been
// resolved to anything.
func (a Allowed) Refuses(address netip.Addr) (class AddressClass, refused bool) {
	address = address.Unmap()
	class = classOf(address)
	if class != "" && !a.contains(address.WithZone(""), class) {
		return class, true
	}
	if inner, tunnelled := innerAddress(address); tunnelled {
		return a.Refuses(inner)
	}
	return "", false
}

// contains reports whether an address is allowed by its class or network. A
// network allows metadata only if it is that single address: whoever allows a
// network may not know what a cloud has put into it.
func (a Allowed) contains(address netip.Addr, class AddressClass) bool {
	for _, one := range a {
		if one.Class == class {
			return true
		}
		if one.Class == "" && one.Network.Contains(address) && (class != Metadata || one.Network.IsSingleIP()) {
			return true
		}
	}
	return false
}

// classOf returns the class of an address, empty for a public one.
func classOf(address netip.Addr) AddressClass {
	if address.Zone() != "" {
		return LinkLocal // nothing else has a zone (RFC 4007)
	}
	for _, one := range classRanges {
		for _, prefix := range one.ranges {
			if prefix.Contains(address) {
				return one.class
			}
		}
	}
	if !address.Is4() && !publicIPv6.Contains(address) {
		return Reserved
	}
	return ""
}

// innerAddress returns the IPv4 address inside a NAT64 (RFC 6052) or 6to4 (RFC 3056) address.
func innerAddress(address netip.Addr) (inner netip.Addr, tunnelled bool) {
	if nat64.Contains(address) {
		bytes := address.As16()
		return netip.AddrFrom4([4]byte(bytes[12:])), true
	}
	if sixToFour.Contains(address) {
		bytes := address.As16()
		return netip.AddrFrom4([4]byte(bytes[2:])), true
	}
	return netip.Addr{}, false
}

// UnmarshalText reads the name of a class, an address or a network.
func (r *AllowedRange) UnmarshalText(text []byte) error {
	if strings.ContainsAny(string(text), ".:/") {
		*r = AllowedRange{}
		return r.Network.UnmarshalText(text)
	}
	class, err := strictyaml.OneOf(string(text), addressClasses...)
	if err != nil {
		return fmt.Errorf("%w (or an address or network, such as 10.1.0.0/16)", err)
	}
	*r = AllowedRange{Class: class}
	return nil
}

// String returns the class or network as it is written in a configuration.
func (r AllowedRange) String() string {
	if r.Class != "" {
		return string(r.Class)
	}
	return r.Network.String()
}

func prefixes(texts string) (all []netip.Prefix) {
	for _, text := range strings.Fields(texts) {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}
