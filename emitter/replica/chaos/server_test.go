package chaos

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
)

// server is a nats-server process with its folder.
type server struct {
	name, binary, dir       string
	clients, routes, health string
	process                 *rig.Process
}

// configure writes the configuration. Others reach the server at advertised, and it
// reaches them at peers. No client hears of addresses that are not relays.
func (s *server) configure(advertised string, peers []string) error {
	var routes []string
	for _, peer := range peers {
		routes = append(routes, "nats-route://"+peer)
	}
	text := fmt.Sprintf(`server_name: %s
listen: %q
http: %q
jetstream { store_dir: %q, sync_interval: always }
cluster {
  name: chaos
  listen: %q
  advertise: %q
  no_advertise: true
  routes: [%s]
}
ping_interval: "2s"
`, s.name, s.clients, s.health, filepath.Join(s.dir, "data"), s.routes, advertised, strings.Join(routes, ", "))
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(s.config(), []byte(text), 0o600)
}

func (s *server) config() string { return filepath.Join(s.dir, "nats.conf") }

func (s *server) start() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "nats.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(s.binary, "-c", s.config())
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = rig.Start(cmd); err != nil {
		return err
	}
	if err := s.process.Await(s.clients, time.Now().Add(startLimit)); err != nil {
		return fmt.Errorf("nats-server %s: %w", s.name, err)
	}
	return nil
}

func (s *server) kill() {
	if s.process != nil {
		s.process.Kill()
	}
}

func (s *server) pause() { s.process.Signal(syscall.SIGSTOP) }

func (s *server) resume() { s.process.Signal(syscall.SIGCONT) }

// isHealthy reports whether the server says that its streams are current.
func (s *server) isHealthy(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.health+"/healthz", nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}
