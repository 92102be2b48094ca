package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// rig is what all sections share: the app, sidehook's binary and a folder.
type rig struct {
	ctx      context.Context
	options  options
	dir      string
	self     string
	sidehook string
	app      *process
	appAt    string
	session  []step
}

// newRig builds sidehook and starts the app.
func newRig(ctx context.Context, o options) (r *rig, err error) {
	r = &rig{ctx: ctx, options: o}
	if r.dir, err = os.MkdirTemp("/var/tmp", "sidehook-bench-"); err != nil {
		return nil, fmt.Errorf("cannot make a folder on disk: %w", err)
	}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if err := os.Chmod(r.dir, 0o755); err != nil {
		return nil, err
	}
	if r.self, err = os.Executable(); err != nil {
		return nil, fmt.Errorf("cannot find this program: %w", err)
	}
	if r.session, err = loadSession(); err != nil {
		return nil, err
	}
	if err := r.writeScripts(); err != nil {
		return nil, err
	}
	if err := r.build(); err != nil {
		return nil, err
	}
	return r, r.startApp()
}

// build makes sidehook as the image does.
func (r *rig) build() error {
	r.sidehook = filepath.Join(r.dir, "sidehook")
	build := exec.CommandContext(r.ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", r.sidehook, "github.com/sidehook/sidehook")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build sidehook; run this inside its tree: %w\n%s", err, output)
	}
	return nil
}

func (r *rig) startApp() (err error) {
	if r.appAt, err = freeAddress(); err != nil {
		return err
	}
	if r.app, err = start(r.dir, nil, r.self, serveCommand, "app", r.appAt, ""); err != nil {
		return err
	}
	return r.app.await(r.ctx, r.appAt)
}

// close stops the app and removes all files.
func (r *rig) close() {
	if r.app != nil {
		r.app.stop()
	}
	os.RemoveAll(r.dir)
}
