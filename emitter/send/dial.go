package send

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
)

// dialFunc is DialContext or DialTLSContext of a transport.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// keepStatus makes the connections of dial keep the status.
func keepStatus(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &statusConn{Conn: conn}, nil
	}
}

// dialTLS returns a dialer for TLS. A connection of HTTP/1.1 keeps the status; one of
// HTTP/2 is a *tls.Conn, by which net/http recognizes it.
func dialTLS(dial dialFunc, settings *tls.Config) dialFunc {
	settings = settings.Clone()
	settings.NextProtos = []string{"h2", "http/1.1"}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		raw, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		conn, err := handshake(ctx, raw, address, settings)
		if err != nil {
			_ = raw.Close()
			return nil, err
		}
		if conn.ConnectionState().NegotiatedProtocol == "h2" {
			return conn, nil
		}
		return &statusConn{Conn: conn}, nil
	}
}

func handshake(ctx context.Context, raw net.Conn, address string, settings *tls.Config) (*tls.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	settings = settings.Clone()
	settings.ServerName = host
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.TLSHandshakeStart != nil {
		trace.TLSHandshakeStart()
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	conn := tls.Client(raw, settings)
	return conn, conn.HandshakeContext(ctx)
}
