package main

import (
	"context"
	"os"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/emitter/rig"
)

// play plays an attack in a folder of its own. An error means that it could not
// be played.
func play(ctx context.Context, o options, dir string, a attack) (out outcome, err error) {
	began := time.Now()
	out.attack = a.name
	defer func() { out.took = time.Since(began) }()
	_, isKnown := knownFailures[a.name]
	b := &battle{sizes: sizesOf(o.isLarge, isKnown), attack: a, ctx: ctx}
	b.side = &sidecar{binary: o.binary, dir: dir, setup: a.setup}
	defer os.RemoveAll(dir)
	if o.hasCgroup {
		if b.side.cgroup, err = makeCgroup(a.name); err != nil {
			return out, err
		}
		defer removeCgroup(b.side.cgroup)
	}
	stop, err := b.open()
	defer stop()
	if err != nil {
		return out, err
	}
	defer func() { b.side.Kill() }()
	if err := b.fight(&out); err != nil {
		return out, err
	}
	return out, ctx.Err()
}

// open starts the app, the receivers and sidehook.
func (b *battle) open() (stop func(), err error) {
	var closers []func()
	stop = func() {
		for _, f := range closers {
			f()
		}
	}
	b.app = b.attack.makeApp()
	behind, err := serveApp(b.app)
	if err != nil {
		return stop, err
	}
	closers = append(closers, func() { _ = behind.Close() })
	ledgers := []*ledger{newLedger(b.app)}
	if b.lake, err = newReceiver(ledgers[0], b.attack.respond); err != nil {
		return stop, err
	}
	closers = append(closers, b.lake.Close)
	if b.attack.hasCRM {
		crm := newLedger(b.app)
		if b.crm, err = newReceiver(crm, nil); err != nil {
			return stop, err
		}
		b.crm.isDown.Store(true)
		closers = append(closers, b.crm.Close)
		if !b.attack.crmRefuses && !b.attack.crmMayFill {
			ledgers = append(ledgers, crm)
		}
	}
	if b.attack.hasHung {
		ended := make(chan struct{})
		if b.hung, err = rig.NewServer(func(*fasthttp.RequestCtx) { <-ended }); err != nil {
			return stop, err
		}
		closers = append(closers, func() { close(ended); b.hung.Close() })
	}
	return stop, b.openSidecar(behind.url, ledgers)
}

func (b *battle) openSidecar(url string, ledgers []*ledger) error {
	addresses, err := rig.FreeAddresses(2)
	if err != nil {
		return err
	}
	b.side.participants, b.side.admin = addresses[0], addresses[1]
	b.crowd = newCrowd(b.sizes, b.app, b.side.participants, ledgers...)
	b.crowd.haveOwnIDs = b.attack.honestHaveOwnIDs
	if err := os.MkdirAll(b.side.dir, 0o700); err != nil {
		return err
	}
	if err := b.configure(url); err != nil {
		return err
	}
	return b.side.start(b.ctx)
}
