package jetstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

const (
	// enoughServers is how many servers a cluster should have: one may be lost.
	enoughServers = 3
	// oldestMajor and oldestMinor are the oldest release whose cluster syncs fast enough.
	oldestMajor, oldestMinor = 2, 15
)

// Concern is a kind of what Inspect finds.
type Concern int

// The concerns, the gravest first.
const (
	// Unreachable: no server can be reached, or none lets us in.
	Unreachable Concern = iota
	// NoJetStream: the account has no JetStream.
	NoJetStream
	// Denied: the account may not use the streams.
	Denied
	// WrongStream: a stream is not as replicas make it.
	WrongStream
	// NoRoom: the servers or the account have too little room for the streams.
	NoRoom
	// NotSynced: a server acknowledges what is not on its disk.
	NotSynced
	// FewServers: losing one server stops all of them, or loses what it has.
	FewServers
	// OldServer: a server is older than the release that is needed.
	OldServer
	// SameServer: a server is named twice.
	SameServer
	// Unencrypted: what participants answer crosses a network as it is.
	Unencrypted
	// Unmonitored: the monitor of a server does not answer.
	Unmonitored
)

// String returns the concern's name.
func (c Concern) String() string {
	names := [...]string{"unreachable", "no JetStream", "denied", "wrong stream", "no room", "not synced", "few servers", "old server", "same server", "unencrypted", "unmonitored"}
	if c < 0 || int(c) >= len(names) {
		return fmt.Sprintf("Concern(%d)", int(c))
	}
	return names[c]
}

// Finding is what is not as it should be, in a sentence that says what to change.
type Finding struct {
	Concern Concern
	Text    string
}

// Report is what Inspect finds out of the servers.
type Report struct {
	// Version and Cluster are those of the server that answered; Cluster is empty for a
	// server of its own.
	Version, Cluster string
	// Findings are sorted by their concern.
	Findings []Finding
}

// Inspect connects, changes nothing, and reports what is not as it should be. The
// monitors are the URLs of the servers' monitoring, as http://nats:8222, where it is
// known whether they sync what they acknowledge. It returns soon after ctx has ended.
func Inspect(ctx context.Context, o Options, monitors []string) Report {
	i := &inspection{options: o}
	i.servers()
	i.connect(ctx)
	for _, monitor := range monitors {
		i.monitor(ctx, monitor)
	}
	slices.SortStableFunc(i.report.Findings, func(a, b Finding) int { return int(a.Concern) - int(b.Concern) })
	return i.report
}

type inspection struct {
	options Options
	report  Report
}

func (i *inspection) find(c Concern, format string, args ...any) {
	i.report.Findings = append(i.report.Findings, Finding{c, fmt.Sprintf(format, args...)})
}

// servers looks at the addresses alone.
func (i *inspection) servers() {
	known := map[string]bool{}
	for _, server := range i.options.Servers {
		u, err := url.Parse(server)
		if err != nil {
			continue // reported by connect
		}
		if known[u.Host] {
			i.find(SameServer, "the server %s is named twice", u.Host)
		}
		known[u.Host] = true
		ip := net.ParseIP(u.Hostname())
		isLocal := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
		if u.Scheme != "tls" && i.options.TLS == nil && !isLocal {
			i.find(Unencrypted, "the connection to %s is not encrypted: what participants answer crosses the network as it is; use tls://", u.Host)
		}
	}
}

// connect asks a server for what it, its cluster and the account can do.
func (i *inspection) connect(ctx context.Context) {
	settings, servers, err := i.options.settings()
	if err != nil {
		i.find(Unreachable, "%v", err)
		return
	}
	conn, err := dial(ctx, servers, settings)
	if err != nil {
		i.find(Unreachable, "cannot connect to NATS: %v", i.options.hide(err))
		return
	}
	defer conn.Close()
	i.report.Version, i.report.Cluster = conn.ConnectedServerVersion(), conn.ConnectedClusterName()
	if isOlder(i.report.Version) {
		i.find(OldServer, "the server has release %s, and %d.%d or later is needed", i.report.Version, oldestMajor, oldestMinor)
	}
	if n := countServers(ctx, conn.Servers()); i.report.Cluster == "" {
		i.find(FewServers, "this is one server: if it is lost, so is what was not told to anybody; a cluster of %d loses nothing with one", enoughServers)
	} else if n < enoughServers {
		i.find(FewServers, "the cluster has %d servers: with %d, one may be lost", n, enoughServers)
	}
	i.account(ctx, conn)
	i.publish(ctx, conn)
}

// publish looks whether the user may publish, by a message that nobody hears.
func (i *inspection) publish(ctx context.Context, conn *nats.Conn) {
	if conn.Publish(i.options.App+".tell.check", nil) != nil || conn.FlushWithContext(ctx) != nil {
		return // the connection ended, which others notice, too
	}
	// The server refuses a message before it answers the ping of the flush.
	if err := conn.LastError(); errors.Is(err, nats.ErrPermissionViolation) {
		i.find(Denied, "the user may not publish to subjects %s.>: %v", i.options.App, i.options.hide(err))
	}
}

// countServers returns how many servers URLs lead to. The client lists one that was
// given by its name once more by the IP address that the cluster tells.
func countServers(ctx context.Context, urls []string) (n int) {
	known := map[string]bool{}
	for _, server := range urls {
		u, err := url.Parse(server)
		if err != nil {
			continue
		}
		hosts, err := net.DefaultResolver.LookupHost(ctx, u.Hostname())
		if err != nil {
			hosts = []string{u.Hostname()}
		}
		isKnown := false
		for _, host := range hosts {
			address := net.JoinHostPort(host, u.Port())
			isKnown = isKnown || known[address]
			known[address] = true
		}
		if !isKnown {
			n++
		}
	}
	return n
}

// dial connects, until ctx ends.
func dial(ctx context.Context, servers string, settings []nats.Option) (conn *nats.Conn, err error) {
	type dialled struct {
		conn *nats.Conn
		err  error
	}
	done := make(chan dialled, 1)
	go func() {
		conn, err := nats.Connect(servers, append(settings, nats.MaxReconnects(0))...)
		done <- dialled{conn, err}
	}()
	select {
	case d := <-done:
		return d.conn, d.err
	case <-ctx.Done():
		go func() { // nats.Connect has a timeout of its own
			if d := <-done; d.err == nil {
				d.conn.Close()
			}
		}()
		return nil, errors.New("no server answers in time")
	}
}

// isOlder reports whether a release is older than the one that is needed.
func isOlder(version string) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 3 {
		return false
	}
	major, err := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	if err != nil || err2 != nil {
		return false
	}
	return major < oldestMajor || major == oldestMajor && minor < oldestMinor
}
