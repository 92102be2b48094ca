package config

import "testing"

func TestAnAddressLeadsToSidehookOnlyIfItListensThere(t *testing.T) {
	f := func(what, listens, host string, want bool) {
		t.Helper()
		if got := isReached(listens, host); got != want {
			t.Errorf("%s: isReached(%q, %q) = %v", what, listens, host, got)
		}
	}
	f("the same name", "survey.example.org", "Survey.example.org", true)
	f("another name", "survey.example.org", "app.example.org", false)
	f("a name that may be another machine", "", "app.example.org", false)
	f("all addresses, and one of loopback", "", "127.0.0.1", true)
	f("all addresses, and another of loopback", "0.0.0.0", "127.0.0.2", true)
	f("all addresses, and a name of loopback", "::", "localhost", true)
	f("all addresses, and one of the network", "", "192.0.2.7", false)
	f("the same address of loopback", "127.0.0.1", "127.0.0.1", true)
	f("the same, written as IPv6", "127.0.0.1", "::ffff:127.0.0.1", true)
	f("another address of loopback", "127.0.0.1", "127.0.0.2", false)
	f("that of the other family", "127.0.0.1", "::1", false)
	f("a name of loopback", "127.0.0.1", "localhost", true)
	f("listening at a name of loopback", "localhost", "::1", true)
	f("no address of its own, which the system takes for loopback", "127.0.0.1", "0.0.0.0", true)
	f("an address of the network, from loopback", "192.0.2.7", "127.0.0.1", false)
}
