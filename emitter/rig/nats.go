package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// natsReady bounds the time until a NATS server accepts connections.
const natsReady = 20 * time.Second

// NATS is a cluster of NATS servers with JetStream, which syncs each message.
type NATS struct {
	// Addresses are where clients connect, one of each server.
	Addresses []string
	processes []*Process
}

// BuildNATS compiles the NATS server to a file. The working folder must be inside the
// source tree.
func BuildNATS(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "github.com/nats-io/nats-server/v2")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build the NATS server; run this inside sidehook's tree: %w\n%s", err, out)
	}
	return nil
}

// StartNATS starts servers that keep what they have below dir, and waits until
// clients can connect to each. One is a server of its own, several are a cluster.
func StartNATS(ctx context.Context, binary, dir string, servers int) (n *NATS, err error) {
	addresses, err := FreeAddresses(2 * servers)
	if err != nil {
		return nil, err
	}
	n = &NATS{Addresses: addresses[:servers]}
	defer func() {
		if err != nil {
			n.Kill()
		}
	}()
	var routes []string
	for _, address := range addresses[servers:] {
		routes = append(routes, "nats://"+address)
	}
	for i, address := range n.Addresses {
		name := fmt.Sprintf("nats-%d", i)
		text := fmt.Sprintf("server_name: %s\nlisten: %q\njetstream {store_dir: %q, sync_interval: always}\n", name, address, filepath.Join(dir, name))
		if servers > 1 {
			text += fmt.Sprintf("cluster {name: rig, listen: %q, routes: [%s]}\n", addresses[servers+i], strings.Join(routes, ", "))
		}
		if err := n.start(ctx, binary, filepath.Join(dir, name+".conf"), text); err != nil {
			return n, err
		}
	}
	deadline := time.Now().Add(natsReady)
	for i, p := range n.processes {
		if err := p.Await(n.Addresses[i], deadline); err != nil {
			return n, fmt.Errorf("NATS server %d: %w", i, err)
		}
	}
	return n, nil
}

func (n *NATS) start(ctx context.Context, binary, path, config string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return err
	}
	p, err := Start(exec.CommandContext(ctx, binary, "-c", path))
	if err != nil {
		return fmt.Errorf("cannot start the NATS server: %w", err)
	}
	n.processes = append(n.processes, p)
	return nil
}

// URL is what the key replicas of a configuration has for an app.
func (n *NATS) URL(app string) string { return "nats://" + strings.Join(n.Addresses, ",") + "/" + app }

// Pause has all servers stand still until Resume: clients stay connected to them, and
// nothing is answered.
func (n *NATS) Pause() { n.signal(syscall.SIGSTOP) }

// Resume has them go on.
func (n *NATS) Resume() { n.signal(syscall.SIGCONT) }

func (n *NATS) signal(signal os.Signal) {
	for _, p := range n.processes {
		p.Signal(signal)
	}
}

// Kill ends all servers at once.
func (n *NATS) Kill() {
	for _, p := range n.processes {
		p.Kill()
	}
}
