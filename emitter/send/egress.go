package send

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// refusedAddress is an address that a target does not allow.
type refusedAddress struct{ class config.AddressClass }

func (e *refusedAddress) Error() string {
	return fmt.Sprintf("refused to connect to a %s address: if that is right, add %s to allow", e.class, e.class)
}

// newDialer returns a dialer that connects only to allowed addresses. It checks
// the very address that a socket is about to be connected to, after names were
// resolved, so it does not matter where a name leads or how an address is spelt. All
// addresses of a name share the time that an attempt has: net gives each its part, and
// two seconds at least. The context of a dial has no deadline in net/http.
func newDialer(target config.Target) *net.Dialer {
	guard := func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return &refusedAddress{config.Reserved}
		}
		if class, refused := target.Allow.Refuses(to.Addr()); refused {
			return &refusedAddress{class}
		}
		return nil
	}
	return &net.Dialer{Timeout: time.Duration(target.Timeout), ControlContext: guard}
}
