package main

import (
	"slices"
	"time"
)

// attack is what is configured and what is sent.
type attack struct {
	name string
	setup
	// play attacks, and returns once the attacker's bytes have passed.
	play func(*battle) error
	// check notes with battle.miss what went wrong beside the bars of all attacks. It
	// is called once honest events have arrived, and may be nil.
	check func(*battle)
}

// setup is what differs from the usual configuration.
type setup struct {
	// app makes the app that the attack plays with; nil means the demo app.
	app func() app
	// size is retention.size in MiB; 0 means 256.
	size int64
	// breaker and retry replace those of the target lake.
	breaker, retry string
	// respond replaces the response of the target lake where it returns true.
	respond reaction
	// hasCRM adds a second target, which is down until battle.revive. Honest events
	// must arrive there, too, with the exceptions below.
	hasCRM bool
	// crmRefuses makes every delivery to crm dead at once, so that none arrives.
	crmRefuses bool
	// crmMayFill is set where many participants fill the share of crm, which may then
	// lose its newest; honest events are not expected there, either.
	crmMayFill bool
	// hasHung adds a target that never responds.
	hasHung bool
	// honestHaveOwnIDs is set where honest participants come with an id, whose past is read from the app.
	honestHaveOwnIDs bool
	// descriptors is the limit of open files; 0 leaves it.
	descriptors int
	// stderr is what is behind the standard error of the process.
	stderr stderr
}

// makeApp makes the app that the attack plays with.
func (s *setup) makeApp() app {
	if s.app == nil {
		return newDemoApp()
	}
	return s.app()
}

// attacks returns all attacks in the order in which they are played; those that
// take longest are first.
func attacks() []attack {
	return slices.Concat(storeAttacks(), formAttacks(), memoryAttacks(), floodAttacks(), targetAttacks(), doorAttacks(), wireAttacks())
}

// sizes are what depends on -large.
type sizes struct {
	isLarge bool
	// walkers is the number of honest participants at a time, pause their time between
	// requests, and calm how long they walk before and after an attack.
	walkers     int
	pause, calm time.Duration
	// longest bounds an attack, catchUp the wait for honest events afterwards.
	longest, catchUp time.Duration
	// stopping bounds the time from SIGTERM to the end of the process. Kubernetes kills after 30 s.
	stopping time.Duration
}

// sizesOf returns the sizes of an attack. Where failure is known, waiting for it is short.
func sizesOf(isLarge, isKnown bool) sizes {
	s := sizes{walkers: 4, pause: 5 * time.Millisecond, calm: 300 * time.Millisecond, longest: 20 * time.Second, catchUp: 30 * time.Second, stopping: 30 * time.Second}
	if isLarge {
		s.isLarge, s.walkers, s.pause, s.calm, s.longest = true, 16, 10*time.Millisecond, 3*time.Second, time.Minute
	}
	switch {
	case isKnown && isLarge:
		s.longest, s.catchUp, s.stopping = 30*time.Second, 10*time.Second, 5*time.Second
	case isKnown:
		s.longest, s.catchUp, s.stopping = 6*time.Second, 2*time.Second, 2*time.Second
	}
	return s
}

// pick returns the number for the size of the run.
func (s sizes) pick(small, large int) int {
	if s.isLarge {
		return large
	}
	return small
}
