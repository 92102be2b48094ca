package send

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"time"
)

const (
	// maxNames is how many names of a certificate a reason shows.
	maxNames = 3
	// maxName is the longest name in the DNS, in bytes (RFC 1035, section 2.3.4).
	maxName = 253
)

// certificateFailure returns why the target's certificate was refused; empty for
// any other failure.
func certificateFailure(err error) string {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		all       *tls.CertificateVerificationError
	)
	switch {
	case errors.As(err, &authority) && errors.As(err, &all):
		return "tls: " + untrusted(all.UnverifiedCertificates)
	case errors.As(err, &authority):
		return "tls: certificate not trusted"
	case errors.As(err, &name):
		return "tls: " + otherHost(name.Certificate)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "tls: " + outsideItsTime(invalid.Cert, time.Now())
	case errors.As(err, &invalid):
		return "tls: certificate not valid"
	default:
		return ""
	}
}

// untrusted says why nothing trusted has signed the first of sent, the
// certificates that the target sent.
func untrusted(sent []*x509.Certificate) string {
	for i, certificate := range sent {
		isRoot := i > 0 && isSelfSigned(certificate) // whose signature nobody checks
		if !isRoot && isWeak(certificate.SignatureAlgorithm) {
			return "certificate not trusted: signed with " + certificate.SignatureAlgorithm.String() + ", which is not safe"
		}
	}
	switch {
	case isSelfSigned(sent[0]):
		return "certificate not trusted: it is self-signed, and not in tls.ca"
	case len(sent) == 1:
		return "certificate not trusted: the target sends no intermediate certificate, or its authority is unknown"
	default:
		return "certificate not trusted: its authority is unknown"
	}
}

func isSelfSigned(c *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, c.RawSubject) }

func isWeak(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return true
	default:
		return false
	}
}

// otherHost says for which hosts a certificate is. The common name counts for
// nothing (RFC 9525, section 2).
func otherHost(c *x509.Certificate) string {
	if len(c.DNSNames) == 0 && len(c.IPAddresses) == 0 {
		return "certificate names no host: it has a common name only"
	}
	names := make([]string, 0, len(c.DNSNames)+len(c.IPAddresses))
	for _, name := range c.DNSNames {
		if isHostName(name) {
			names = append(names, name)
		}
	}
	for _, address := range c.IPAddresses {
		names = append(names, address.String())
	}
	if len(names) == 0 {
		return "certificate of another host"
	}
	more := ""
	if len(names) > maxNames {
		names, more = names[:maxNames], ", ..."
	}
	return "certificate of another host: " + strings.Join(names, ", ") + more
}

// isHostName reports whether name can be shown: the target has chosen it.
func isHostName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._*"
	return len(name) <= maxName && strings.Trim(name, allowed) == ""
}

func outsideItsTime(c *x509.Certificate, now time.Time) string {
	if now.Before(c.NotBefore) {
		return "certificate not valid before " + c.NotBefore.UTC().Format(time.RFC3339)
	}
	return "certificate expired on " + c.NotAfter.UTC().Format(time.RFC3339)
}
