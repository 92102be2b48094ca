package config

import (
	"net/netip"
	"strings"
	"testing"
)

// specialAddresses has the first and last address of each range that must not be
// reached by accident.
var specialAddresses = map[AddressClass]string{
	Unspecified: "0.0.0.0 0.255.255.255 :: ::ffff:0.0.0.0",
	Private: "10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255 " +
		"fc00:: fd00::1 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ::ffff:10.0.0.1 ::ffff:c0a8:1",
	Loopback:  "127.0.0.0 127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 ::ffff:7f00:1",
	LinkLocal: "169.254.0.0 169.254.255.255 fe80:: febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe80::1%eth0 fd00::1%eth0 ::ffff:169.254.1.1",
	Metadata: "169.254.169.254 169.254.170.2 100.100.100.200 192.0.0.192 168.63.129.16 fd00:ec2::254 " +
		"::ffff:169.254.169.254 ::ffff:a9fe:a9fe ::ffff:100.100.100.200",
	Multicast: "224.0.0.0 239.255.255.255 ff00:: ff02::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ::ffff:224.0.0.1",
	Reserved: "192.0.0.0 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.0 192.88.99.255 198.18.0.0 198.19.255.255 " +
		"198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 240.0.0.0 255.255.255.254 255.255.255.255 " +
		"::2 ::127.0.0.1 ::ffff:0:7f00:1 64:ff9b:: 64:ff9b::8.8.8.8 64:ff9b::ffff:ffff 64:ff9b:1:: 64:ff9b:1:ffff:ffff:ffff:ffff:ffff " +
		"100:: 100::ffff:ffff:ffff:ffff 2001:: 2001:0:ffff:ffff:ffff:ffff:ffff:ffff 2001:1ff:: 2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff " +
		"2002:: 2002:7f00:1:: 2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:: 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff 4000:: 5f00:: 5f00:ffff:: fec0:: feff:: ::ffff:255.255.255.255",
}

func TestEverySpecialAddressIsRefusedUnlessItsClassIsNamed(t *testing.T) {
	for class, texts := range specialAddresses {
		for _, text := range strings.Fields(texts) {
			address := netip.MustParseAddr(text)
			if got, refused := (Allowed{}).Refuses(address); got != class || !refused {
				t.Errorf("%s: class %q, refused %t; want %s refused", text, got, refused, class)
			}
			for other := range specialAddresses {
				_, refused := Allowed{{Class: other}}.Refuses(address)
				if _, tunnelled := innerAddress(address.Unmap()); !tunnelled && refused != (other != class) {
					t.Errorf("%s with %s allowed: refused is %t", text, other, refused)
				}
			}
		}
	}
}

func TestPublicAddressesAreNotRefused(t *testing.T) {
	const neighbours = "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 " +
		"172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 " +
		"198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 8.8.8.8 168.63.129.15 ::ffff:8.8.8.8 " +
		"2000:: 2001:200:: 2001:db7:ffff:: 2001:db9:: 2003:: 2606:4700:4700::1111 2a00:1450:4001:: 3ffe:ffff:: 3fff:1000::"
	for _, text := range strings.Fields(neighbours) {
		if class, refused := (Allowed{}).Refuses(netip.MustParseAddr(text)); refused {
			t.Errorf("%s is refused as %s", text, class)
		}
	}
}

func TestTheDefaultAllowsOnlyPrivateAndLoopback(t *testing.T) {
	var target Target
	target.SetDefaults()
	for class, texts := range specialAddresses {
		open := class == Private || class == Loopback
		for _, text := range strings.Fields(texts) {
			if _, refused := target.Allow.Refuses(netip.MustParseAddr(text)); refused == open {
				t.Errorf("%s (%s): refused is %t", text, class, refused)
			}
		}
	}
}

func TestANetworkAllowsWhatIsInItAndNothingElse(t *testing.T) {
	f := func(allow, address string, want AddressClass) {
		t.Helper()
		var allowed Allowed
		for _, text := range strings.Fields(allow) {
			var one AllowedRange
			if err := one.UnmarshalText([]byte(text)); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(one.String(), text) {
				t.Errorf("%s prints as %s", text, one)
			}
			allowed = append(allowed, one)
		}
		if class, refused := allowed.Refuses(netip.MustParseAddr(address)); class != want && refused || refused != (want != "") {
			t.Errorf("%s with %q allowed: %q, refused %t; want %q", address, allow, class, refused, want)
		}
	}
	f("10.1.0.0/16", "10.1.255.255", "")
	f("10.1.0.0/16", "::ffff:10.1.2.3", "")
	f("10.1.0.0/16", "10.2.0.0", Private)
	f("10.1.2.3", "::ffff:10.1.2.3", "")
	f("fe80::/10", "fe80::1%eth0", "")
	f("10.1.2.3 169.254.7.7", "169.254.7.7", "")

	// a network allows no metadata address, unless it is that single address
	f("169.254.0.0/16", "169.254.169.254", Metadata)
	f("private", "fd00:ec2::254", Metadata)
	f("fd00::/8", "fd00:ec2::254", Metadata)
	f("100.64.0.0/10 private", "100.100.100.200", Metadata)
	f("169.254.169.254", "169.254.169.254", "")
	f("metadata", "169.254.169.254", "")

	// an address that leads to an IPv4 address needs that to be allowed, too
	f("64:ff9b::/96", "64:ff9b::8.8.8.8", "")
	f("64:ff9b::/96", "64:ff9b::169.254.169.254", Metadata)
	f("64:ff9b::/96 private", "64:ff9b::127.0.0.1", Loopback)
	f("64:ff9b::/96 private", "64:ff9b::10.0.0.1", "")
	f("reserved", "64:ff9b::127.0.0.1", Loopback)
	f("reserved", "2002:a9fe:a9fe::1", Metadata)
	f("2002::/16 loopback", "2002:7f00:1::", "")
}

func FuzzNoSpellingOfALocalAddressIsPublic(f *testing.F) {
	for _, texts := range specialAddresses {
		for _, text := range strings.Fields(texts) {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, err := netip.ParseAddr(text)
		if err != nil {
			return
		}
		_, refused := Allowed{}.Refuses(address)
		plain := address.Unmap().WithZone("")
		if !refused && (plain.IsLoopback() || plain.IsPrivate() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified()) {
			t.Errorf("%s counts as a public address", text)
		}
	})
}
