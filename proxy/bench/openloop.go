package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

// lanes is how many participants send requests in turn. Each has a connection of their own.
const lanes = 100

// lane is a participant who sends a request when it is their turn, and waits for each response.
type lane struct {
	name  string
	conn  net.Conn
	in    *bufio.Reader
	turns chan time.Time
	waits []time.Duration
	err   error
}

// send sends watched requests at the pace, for the duration of a round. It
// returns how long each response took since its request was due.
func (r *rig) send(address string) (waits []time.Duration, err error) {
	all, err := dialLanes(address)
	defer closeLanes(all)
	if err != nil {
		return nil, err
	}
	var sending sync.WaitGroup
	for i, l := range all {
		sending.Go(func() { l.take(r.watchedSteps(), i) })
	}
	r.giveTurns(all)
	sending.Wait()
	for _, l := range all {
		waits = append(waits, l.waits...)
		if l.err != nil {
			return nil, l.err
		}
	}
	return waits, nil
}

func dialLanes(address string) (all []*lane, err error) {
	for i := range lanes {
		conn, err := net.DialTimeout("tcp", address, patience)
		if err != nil {
			return all, fmt.Errorf("cannot connect: %w", err)
		}
		all = append(all, &lane{
			name: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), conn: conn, in: bufio.NewReader(conn),
			turns: make(chan time.Time, pace),
		})
	}
	return all, nil
}

func closeLanes(all []*lane) {
	for _, l := range all {
		l.conn.Close()
	}
}

// giveTurns paces the lanes. It sleeps by a system call, which is accurate to a
// few microseconds; Go's timers are not.
func (r *rig) giveTurns(all []*lane) {
	begin := time.Now()
	turns := int(r.options.duration.Seconds() * pace)
	for n := range turns {
		due := begin.Add(time.Duration(n) * time.Second / pace)
		if wait := time.Until(due); wait > 0 {
			pause := syscall.NsecToTimespec(int64(wait))
			_ = syscall.Nanosleep(&pause, nil)
		}
		if r.ctx.Err() != nil {
			break
		}
		all[n%len(all)].turns <- due
	}
	for _, l := range all {
		close(l.turns)
	}
}

// watchedSteps are the requests of the session that sidehook records.
func (r *rig) watchedSteps() (requests []string) {
	for n, s := range r.session {
		if s.isWatched() {
			requests = append(requests, s.request(n))
		}
	}
	return requests
}

// take replays the session from a place that differs from lane to lane.
func (l *lane) take(requests []string, place int) {
	at := place * len(requests) / lanes
	for due := range l.turns {
		if l.err != nil {
			continue
		}
		l.err = l.exchange(strings.ReplaceAll(requests[at%len(requests)], participant, l.name))
		l.waits = append(l.waits, time.Since(due))
		at++
	}
}

func (l *lane) exchange(request string) error {
	_ = l.conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(l.conn, request); err != nil {
		return fmt.Errorf("cannot send: %w", err)
	}
	response, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return fmt.Errorf("cannot read a response: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return fmt.Errorf("the response is %s", response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
