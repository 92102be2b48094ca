package send

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// maxRetryAfter bounds for how long a target can put us off.
const maxRetryAfter = outbox.LongestTold

// classifyAnswer says what a final response means for its delivery.
func classifyAnswer(response *http.Response, at time.Time) Result {
	status := response.StatusCode
	result := Result{Outcome: classifyStatus(status), Status: status, Disable: asksFor(response.Header, "disable")}
	switch {
	case result.Outcome == Delivered:
	case asksFor(response.Header, "abort-message"):
		result.Outcome = Aborted
	case result.Disable:
		result.Outcome = Gone
	}
	if result.Outcome != Delivered {
		result.Reason = "status " + strconv.Itoa(status)
		result.RetryAfter = retryAfter(response.Header.Get("Retry-After"), at)
	}
	return result
}

// classifyStatus sorts status codes. A 3xx is a refusal, since it is never
// followed: a redirect could carry answers to a host nobody configured.
func classifyStatus(status int) Outcome {
	switch {
	case status >= 200 && status <= 299:
		return Delivered
	case status == http.StatusTooManyRequests:
		return Throttled
	case status == http.StatusGone:
		return Gone
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		return Retry
	case status >= 300 && status <= 499:
		return Rejected
	default: // 5xx, and what is no final status of HTTP at all
		return Retry
	}
}

// asksFor tells whether a receiver says something to the sender beside its
// status: "disable" to be left alone from now on, "abort-message" to be spared
// this delivery.
func asksFor(header http.Header, wish string) bool {
	for _, value := range header.Values("webhook-delivery") {
		for part := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(part), wish) {
				return true
			}
		}
	}
	return false
}

// retryAfter reads a Retry-After header (RFC 9110 section 10.2.3): seconds, or
// a date, which counts from at. What is neither counts as nothing asked.
func retryAfter(value string, at time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if isDigits(value) {
		seconds, err := strconv.Atoi(value)
		if err != nil || seconds > int(maxRetryAfter/time.Second) {
			return maxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(at), 0), maxRetryAfter)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// classifyError says what the lack of a response means. Its reasons are all
// our own words: an error's text may hold addresses and what the target sent.
func classifyError(ctx context.Context, err error, reached phase) Result {
	if ctx.Err() != nil {
		return Result{Outcome: Ours, Reason: "shutting down"}
	}
	var byProxy *refusedByProxy
	if errors.As(err, &byProxy) {
		return classifyProxy(byProxy.status)
	}
	if reason := ourTrouble(err); reason != "" {
		return Result{Outcome: Ours, Reason: reason}
	}
	for _, explain := range []func(error, phase) string{dnsTrouble, timeoutTrouble, tlsTrouble, socketTrouble} {
		if reason := explain(err, reached); reason != "" {
			return Result{Outcome: Retry, Reason: reason}
		}
	}
	if reached == answering {
		return Result{Outcome: Retry, Reason: "broken response"}
	}
	return Result{Outcome: Retry, Reason: "network error"}
}

// classifyProxy tells a proxy that refuses us, which is for the operator to mend,
// from one that could not reach the target.
func classifyProxy(status int) Result {
	if status >= 400 && status <= 499 {
		return Result{Outcome: Ours, Reason: "refused by the proxy: status " + strconv.Itoa(status)}
	}
	return Result{Outcome: Retry, Reason: "not reached by the proxy: status " + strconv.Itoa(status)}
}

// ourTrouble names what is wrong on this machine or on its way out, where no
// target is to blame.
func ourTrouble(err error) string {
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

// resolverUnreachable tells whether our own name server could not be asked at
// all. The net package keeps of a socket's error only the text, which begins
// with the operation. A server that was asked and stays silent may be waiting
// for the target's, so a timeout is not meant.
func resolverUnreachable(err error) bool {
	var dns *net.DNSError
	if !errors.As(err, &dns) || dns.IsTimeout || dns.IsNotFound {
		return false
	}
	return strings.HasPrefix(dns.Err, "dial ") || strings.HasPrefix(dns.Err, "read ") || strings.HasPrefix(dns.Err, "write ")
}

func dnsTrouble(err error, _ phase) string {
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

func timeoutTrouble(err error, reached phase) string {
	var timeout net.Error
	if !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &timeout) || !timeout.Timeout()) {
		return ""
	}
	return "timeout " + reached.String()
}

func tlsTrouble(err error, reached phase) string {
	var (
		operation *net.OpError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &authority):
		return "tls: certificate not trusted"
	case errors.As(err, &name):
		return "tls: certificate of another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "tls: certificate expired"
	case errors.As(err, &invalid):
		return "tls: certificate not valid"
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

func socketTrouble(err error, reached phase) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "host unreachable"
	case reached < answering && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return "connection closed"
	default:
		return ""
	}
}
