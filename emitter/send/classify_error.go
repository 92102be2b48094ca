package send

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
)

// classifyError classifies an attempt without a response. All reasons are our own
// words, and the host names of the target's certificate: an error's text may hold
// addresses, and bytes that the target sent.
func classifyError(ctx context.Context, err error, reached phase) Result {
	if ctx.Err() != nil {
		return Result{Outcome: Ours, Reason: "shutting down"}
	}
	var byProxy *refusedByProxy
	if errors.As(err, &byProxy) {
		return classifyProxy(byProxy.status)
	}
	if reason := ownFailure(err); reason != "" {
		return Result{Outcome: Ours, Reason: reason}
	}
	return Result{Outcome: Retry, Reason: networkFailure(err, reached), NoConnection: reached < sending}
}

// networkFailure returns the reason for a failure of the target or of the way to it.
func networkFailure(err error, reached phase) string {
	for _, explain := range []func(error, phase) string{dnsFailure, timeoutFailure, tlsFailure, socketFailure} {
		if reason := explain(err, reached); reason != "" {
			return reason
		}
	}
	if reached == receiving {
		return "broken response"
	}
	return "network error"
}

// classifyProxy distinguishes a forward proxy that refuses us, which the operator
// has to fix, from one that could not reach the target.
func classifyProxy(status int) Result {
	if status >= 400 && status <= 499 {
		return Result{Outcome: Ours, Reason: "refused by the proxy: status " + strconv.Itoa(status)}
	}
	return Result{Outcome: Retry, Reason: "not reached by the proxy: status " + strconv.Itoa(status), NoConnection: true}
}

// ownFailure returns the reason for a failure of this machine or its network, for
// which no target is to blame; empty for any other failure.
func ownFailure(err error) string {
	var operation *net.OpError
	var refused *refusedAddress
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "no file descriptors left"
	case errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.ENOBUFS):
		return "no memory left"
	case resolverUnreachable(err):
		return "resolver unreachable"
	case errors.As(err, &operation) && operation.Op == "proxyconnect":
		return "proxy unreachable"
	default:
		return ""
	}
}

// resolverUnreachable reports whether our own name server could not be queried at
// all. The net package keeps only the text of a socket's error, which begins with
// the operation. A timeout is not meant: a server that got the query and stays
// silent may be waiting for the target's name server.
func resolverUnreachable(err error) bool {
	var dns *net.DNSError
	if !errors.As(err, &dns) || dns.IsTimeout || dns.IsNotFound {
		return false
	}
	return strings.HasPrefix(dns.Err, "dial ") || strings.HasPrefix(dns.Err, "read ") || strings.HasPrefix(dns.Err, "write ")
}

func dnsFailure(err error, _ phase) string {
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return ""
	case dns.IsNotFound:
		return "dns: no such host"
	case dns.IsTimeout:
		return "dns: timeout"
	default:
		return "dns: lookup failed"
	}
}

func timeoutFailure(err error, reached phase) string {
	var timeout net.Error
	if !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &timeout) || !timeout.Timeout()) {
		return ""
	}
	return "timeout " + reached.String()
}

func tlsFailure(err error, reached phase) string {
	var (
		operation *net.OpError
		record    tls.RecordHeaderError
	)
	if reason := certificateFailure(err); reason != "" {
		return reason
	}
	switch {
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "tls: target speaks plain HTTP"
	case errors.As(err, &operation) && operation.Op == "remote error":
		return "tls: refused by the target"
	case reached == handshaking:
		return "tls: handshake failed"
	default:
		return ""
	}
}

func socketFailure(err error, reached phase) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "host unreachable"
	case reached < receiving && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return "connection closed"
	default:
		return ""
	}
}
