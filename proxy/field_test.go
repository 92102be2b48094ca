package proxy

import (
	"testing"
)

func TestFieldNamesIgnoreCase(t *testing.T) {
	f := func(name string, want fieldName) {
		t.Helper()
		if got := nameOf([]byte(name)); got != want {
			t.Errorf("%q: got %d, want %d", name, got, want)
		}
	}
	f("TE", teField)
	f("hOST", hostField)
	f("Expect", expectField)
	f("UPGRADE", upgradeField)
	f("connection", connectionField)
	f("Keep-Alive", keepAliveField)
	f("proxy-connection", proxyConnectionField)
	f("Content-Encoding", contentEncodingField)
	f("CONTENT-LENGTH", contentLengthField)
	f("Transfer-Encoding", transferEncodingField)
	f("authorization", authorizationField)
	f("Hosts", otherField)
	f("X-Any", otherField)
	f("connection\x00", otherField)
	f("\x08ost", otherField) // differs from host only in the bit of upper and lower case
	f("", otherField)
}
