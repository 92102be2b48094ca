package send

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

func TestConnectionsGoToAllowedAddressesOnly(t *testing.T) {
	server := newRawReceiver(t, respond(ok))
	_, port, _ := strings.Cut(strings.TrimPrefix(server.url, "http://"), ":")
	// All of these are this machine, where they are anything at all.
	for _, host := range []string{
		"127.0.0.1", "localhost", "LOCALHOST.", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "0",
		"[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::1%25lo]", "127.0.0.1.",
	} {
		target := targetAt(t, "http://"+host+":"+port)
		target.Allow = config.Allowed{{Class: config.Private}, {Class: config.LinkLocal}}
		if result := send(newSender(t, target)); result.Outcome == Delivered {
			t.Errorf("%s: result is %+v", host, result)
		}
	}
	if n := server.count(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestARefusedAddressNamesTheClassToAllow(t *testing.T) {
	f := func(address, class string) {
		t.Helper()
		target := targetAt(t, "http://"+address)
		want := "refused to connect to a " + class + " address: if that is right, add " + class + " to allow"
		if got := send(newSender(t, target)); got.Outcome != Ours || got.Reason != want {
			t.Errorf("%s: result is %+v, want %q", address, got, want)
		}
	}
	f("169.254.169.254", "metadata")
	f("169.254.1.1", "link-local")
	f("[fe80::1%25eth0]", "link-local")
	f("0.0.0.0", "unspecified")
	f("224.0.0.1", "multicast")
	f("255.255.255.255", "reserved")
	f("[64:ff9b::a9fe:a9fe]", "reserved")
	f("[2002:7f00:1::]", "reserved")
}

func TestAddressesAreCheckedWhenTheyAreDialled(t *testing.T) {
	server := newRawReceiver(t, respondAndClose("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
	f := func(answers [][]string, want ...Outcome) {
		t.Helper()
		sender := newSender(t, targetAt(t, server.url))
		sender.url.Host = "crm.sidehook.test:" + sender.url.Port()
		dialer := newDialer(sender.connections.options.Target)
		dialer.Resolver = resolverOf(newNameServer(t, answers))
		sender.connections.current.DialContext = dialer.DialContext
		for i, outcome := range want {
			if got := send(sender); got.Outcome != outcome {
				t.Errorf("%v: attempt %d is %+v, want %s", answers, i+1, got, outcome)
			}
		}
	}
	// the name leads elsewhere by the second attempt
	f([][]string{{"127.0.0.1"}, {"169.254.169.254"}, {"127.0.0.1"}}, Delivered, Ours, Delivered)
	// one of its addresses will do
	f([][]string{{"169.254.169.254", "127.0.0.1"}}, Delivered)
	f([][]string{{"169.254.169.254", "169.254.170.2"}}, Ours)
}

// Addresses that answer nothing leave time for the others, however long the timeout is.
func TestAllAddressesOfANameAreTriedWithinTheTimeout(t *testing.T) {
	t.Parallel()
	server := newRawReceiver(t, respond("HTTP/1.1 204 No Content\r\n\r\n"))
	target := targetAt(t, server.url)
	target.Timeout = config.Duration(7 * time.Second)
	sender := newSender(t, target)
	for _, address := range []string{"127.0.0.2", "127.0.0.3"} {
		listenWithoutAccepting(t, address, sender.url.Port())
	}
	sender.url.Host = "crm.sidehook.test:" + sender.url.Port()
	dialer := newDialer(sender.connections.options.Target)
	dialer.Resolver = resolverOf(newNameServer(t, [][]string{{"127.0.0.2", "127.0.0.3", "127.0.0.1"}}))
	sender.connections.current.DialContext = dialer.DialContext
	if got := send(sender); got.Outcome != Delivered || got.Duration < sender.timeout/2 {
		t.Errorf("result is %+v, want delivered after two addresses that answer nothing", got)
	}
}

// listenWithoutAccepting listens with a queue that is full: further connections get no answer.
func listenWithoutAccepting(t *testing.T, address, port string) {
	t.Helper()
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	at := &syscall.SockaddrInet4{Port: number, Addr: netip.MustParseAddr(address).As4()}
	open := func(use func(fd int) error) {
		t.Helper()
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Close(fd) })
		if err := use(fd); err != nil {
			t.Fatal(err)
		}
	}
	open(func(fd int) error {
		return errors.Join(syscall.Bind(fd, at), syscall.Listen(fd, 0))
	})
	for range 3 {
		open(func(fd int) error {
			if err := syscall.Connect(fd, at); !errors.Is(err, syscall.EINPROGRESS) {
				return err
			}
			return nil
		})
	}
}
