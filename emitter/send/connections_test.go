package send

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// net/http puts a connection back before it hands over a response without a body,
// so that closing idle connections at that moment would lose the response: the
// receiver would get again what it has accepted.
func TestAResponseIsNotLostWhileAnotherAttemptMeetsADeadConnection(t *testing.T) {
	bothWarm, held, hangUp := make(chan struct{}), make(chan struct{}), make(chan struct{})
	server := newRawReceiver(t, func(conn net.Conn, connection, request int) bool {
		switch request {
		case 1: // until there is a second connection
			<-bothWarm
		case 2:
			close(bothWarm)
		case 3:
			close(held)
			<-hangUp
			return false
		}
		return respond("HTTP/1.1 204 No Content\r\n\r\n")(conn, connection, request)
	})
	sender := newSender(t, targetAt(t, server.url))
	inBackground := func() <-chan Result {
		result := make(chan Result, 1)
		go func() { result <- send(sender) }()
		return result
	}
	for first, second := inBackground(), inBackground(); first != nil; first = nil {
		<-first
		<-second
	}

	dying := inBackground()
	<-held
	died := make(chan Result, 1)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{PutIdleConn: func(error) {
		close(hangUp)
		died <- <-dying
	}})
	if result := sender.Send(ctx, newDelivery(), sentAt); result.Outcome != Delivered {
		t.Errorf("the delivery that was accepted ended with %+v", result)
	}
	if result := <-died; result.Outcome != Delivered {
		t.Errorf("the delivery that met a dead connection ended with %+v", result)
	}
	if server.count() != 5 {
		t.Errorf("the receiver saw %d requests, want 5", server.count())
	}
}

// h2Frame returns a frame of HTTP/2 (RFC 9113 section 4.1).
func h2Frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	frame := append([]byte{0, 0, byte(len(payload)), kind, flags}, binary.BigEndian.AppendUint32(nil, stream)...)
	return append(frame, payload...)
}

// A target that is being replaced takes no more requests over the connections that
// it has. What it has not processed is no failure.
func TestRequestThatMeetsAGOAWAYIsSentAgain(t *testing.T) {
	const settings, goAway, headers, endStreamAndHeaders = 4, 7, 1, 5
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certificate.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	defer serving.Wait()
	defer listener.Close()
	serving.Go(func() {
		for connection := 1; ; connection++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				answer := h2Frame(goAway, 0, 0, make([]byte, 8)...) // the last stream that was processed is 0
				if connection > 1 {
					answer = h2Frame(headers, endStreamAndHeaders, 1, 0x80|9) // HPACK's static entry for 204
				}
				conn.Write(h2Frame(settings, 0, 0))
				var got []byte
				for buf := make([]byte, 1<<10); !bytes.Contains(got, newDelivery().Body); {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					got = append(got, buf[:n]...)
				}
				conn.Write(answer)
				io.Copy(io.Discard, conn)
			})
		}
	})
	target := targetAt(t, "https://"+listener.Addr().String())
	target.TLS.Verify = false
	sender := newSender(t, target)
	if result := send(sender); result.Outcome != Delivered {
		t.Errorf("result is %+v", result)
	}
	sender.Close()
}

// A target's name may lead to another host by now.
func TestConnectionsAreReplacedUnderSteadyTraffic(t *testing.T) {
	var last atomic.Int64
	server := newRawReceiver(t, func(conn net.Conn, connection, request int) bool {
		last.Store(int64(connection))
		return respond("HTTP/1.1 204 No Content\r\n\r\n")(conn, connection, request)
	})
	sender := newSender(t, targetAt(t, server.url))
	f := func(want int64) {
		t.Helper()
		if result := send(sender); result.Outcome != Delivered || last.Load() != want {
			t.Errorf("%+v over connection %d, want %d", result, last.Load(), want)
		}
	}
	f(1)
	f(1)
	sender.connections.made = time.Now().Add(-maxAge - time.Second)
	f(2)
	f(2)
}
