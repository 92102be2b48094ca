package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

const (
	post   = "POST /upload HTTP/1.1\r\nHost: app\r\n"
	get    = "GET /events HTTP/1.1\r\nHost: app\r\n\r\n"
	events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	event  = "9\r\ndata: x\n\n\r\n"
)

// timed is a time that a participant or the app feels.
type timed struct {
	title string
	bar   time.Duration
	take  func(x *exchange) (time.Duration, error)
	// request has been sent when take begins.
	request string
}

var timings = []timed{
	{"head at the app, before any body (chunked)", 50 * time.Millisecond, untilHead, post + "Transfer-Encoding: chunked\r\n\r\n"},
	{"head at the app, after the first byte (of 10)", 50 * time.Millisecond, untilHead, post + "Content-Length: 10\r\n\r\n0"},
	{"first event at the client", 50 * time.Millisecond, untilEvent, get},
	{"slowest of 10 single bytes at the client", 50 * time.Millisecond, untilByte, get},
	{"abort seen by the app: no response yet", 200 * time.Millisecond, (*exchange).abort, get},
	{"abort seen by the app: idle events", 200 * time.Millisecond, abortIdle, get},
	{"abort seen by the app: in a download", 200 * time.Millisecond, abortDownload, get},
	{"abort seen by the app: in an upload", 200 * time.Millisecond, (*exchange).abort, post + "Content-Length: 1000000\r\n\r\n" + strings.Repeat("0", 100_000)},
}

// times prints the timings of each peer in front of a scripted app.
func (r *rig) times(peers []peer, out io.Writer) error {
	s, err := newScripted()
	if err != nil {
		return err
	}
	defer s.close()
	rows := make([][]string, len(timings))
	header := []string{fmt.Sprintf("worst of %d, ms", r.options.tries), "bar"}
	for i, t := range timings {
		rows[i] = []string{t.title, millis(t.bar)}
	}
	for _, p := range withoutUnwatched(peers) {
		header = append(header, p.name)
		if err := r.timePeer(s, p, rows); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\ntimes: what a participant and the app feel\n")
	t := newTable(out)
	t.row(header...)
	for _, row := range rows {
		t.row(row...)
	}
	t.end()
	return nil
}

// timePeer appends a cell to each row. It is an error if sidehook never does what
// is timed; for a peer that is a result.
func (r *rig) timePeer(s *scripted, p peer, rows [][]string) error {
	proxy, err := r.launch(r.ctx, p, s.address())
	if err != nil {
		return err
	}
	defer proxy.end()
	for i, t := range timings {
		worst, err := r.worst(s, proxy, t)
		cell := millis(worst)
		switch {
		case !p.isSidehook() && (errors.Is(err, errNever) || errors.Is(err, os.ErrDeadlineExceeded)):
			cell = fmt.Sprintf("> %v", patience)
		case err != nil:
			return fmt.Errorf("%s, %s: %w", p.name, t.title, err)
		}
		rows[i] = append(rows[i], cell)
	}
	return nil
}

func (r *rig) worst(s *scripted, proxy *running, t timed) (worst time.Duration, err error) {
	for range r.options.tries {
		x, err := s.begin(r.ctx, proxy.Listen, t.request)
		if err != nil {
			return 0, err
		}
		took, err := t.take(x)
		x.close()
		if err != nil {
			return 0, err
		}
		worst = max(worst, took)
	}
	return worst, nil
}

func untilHead(x *exchange) (time.Duration, error) { return x.app.at.Sub(x.sent), nil }

// untilEvent waits for the head first, so that only the event is timed.
func untilEvent(x *exchange) (time.Duration, error) {
	if err := x.respond(events); err != nil {
		return 0, err
	}
	if err := x.awaitHead(); err != nil {
		return 0, err
	}
	return x.pass(event, '\n')
}

func untilByte(x *exchange) (worst time.Duration, err error) {
	if err := x.respond("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"); err != nil {
		return 0, err
	}
	if err := x.awaitHead(); err != nil {
		return 0, err
	}
	for range 10 {
		took, err := x.pass("0", '0')
		if err != nil {
			return 0, err
		}
		worst = max(worst, took)
	}
	return worst, nil
}

// pass sends a piece of the response and times it until the client has read up to a byte of it.
func (x *exchange) pass(piece string, until byte) (time.Duration, error) {
	at := time.Now()
	if err := x.respond(piece); err != nil {
		return 0, err
	}
	_, err := x.reply.ReadSlice(until)
	return time.Since(at), err
}

func abortIdle(x *exchange) (time.Duration, error) {
	if _, err := untilEvent(x); err != nil {
		return 0, err
	}
	return x.abort()
}

// abortDownload aborts while the app has more to send than any buffer holds.
func abortDownload(x *exchange) (time.Duration, error) {
	if err := x.respond("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"); err != nil {
		return 0, err
	}
	failed := make(chan time.Time)
	go func() {
		piece := make([]byte, 64<<10)
		for err := error(nil); err == nil; {
			_, err = x.app.conn.Write(piece)
		}
		failed <- time.Now()
	}()
	err := x.awaitHead()
	at := time.Now()
	x.client.Close()
	took := (<-failed).Sub(at)
	if took >= patience {
		return 0, errNever
	}
	return took, err
}

// abort closes the client's side and waits for the app to notice.
func (x *exchange) abort() (time.Duration, error) {
	at := time.Now()
	x.client.Close()
	_ = x.app.conn.SetReadDeadline(at.Add(patience))
	_, err := io.Copy(io.Discard, x.app.in)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, errNever
	}
	return time.Since(at), nil
}
