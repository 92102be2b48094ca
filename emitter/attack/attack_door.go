package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// doorAttacks use up what every process has little of: connections, descriptors,
// and room behind standard error.
func doorAttacks() []attack {
	return []attack{
		{name: "admin-connections", play: func(b *battle) error {
			b.openIdle(b.side.admin, b.pick(80, 400), "/live")
			return nil
		}},
		{name: "few-descriptors", setup: setup{descriptors: 128}, play: func(b *battle) error {
			b.openIdle(b.side.participants, b.pick(200, 400), "/version")
			return nil
		}},
		{name: "stderr-stuck", setup: setup{stderr: stuckPipe}, play: logMuch},
		{name: "stderr-broken", setup: setup{stderr: brokenPipe}, play: logMuch},
	}
}

// openIdle opens connections, each of which makes one request and falls silent.
func (b *battle) openIdle(address string, n int, path string) {
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path)
	inParallel(8, n, func(int) {
		conn, err := b.dial(address)
		if err != nil {
			return // it refuses more
		}
		b.hold(conn)
		b.write(conn, request)
	})
	b.sleep(200 * time.Millisecond)
}

// logMuch makes the process log much more than a pipe holds, with reloads of a
// configuration that is wrong in many places.
func logMuch(b *battle) error {
	config, err := os.ReadFile(b.side.configPath())
	if err != nil {
		return err
	}
	wrong := append(config, strings.Repeat("  - to: [nobody]\n", 20)...)
	err = os.WriteFile(b.side.configPath(), wrong, 0o600)
	for range b.pick(20, 100) {
		b.side.Signal(syscall.SIGHUP)
		b.sleep(20 * time.Millisecond)
	}
	return errors.Join(err, os.WriteFile(b.side.configPath(), config, 0o600))
}
