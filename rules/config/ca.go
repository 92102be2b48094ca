package config

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// beginCertificate is how each certificate of a PEM file begins (RFC 7468, section 5).
const beginCertificate = "-----BEGIN CERTIFICATE-----"

// ParseCA returns the certificates in the content of tls.ca, which is PEM (RFC 7468),
// with or without a byte order mark. It fails if there is none or one is damaged:
// the ones that are left would be trusted, and the target would fail for no
// visible reason.
func ParseCA(content []byte) (*x509.CertPool, error) {
	content = bytes.TrimPrefix(content, []byte(byteOrderMark))
	blocks := bytes.Split(content, []byte(beginCertificate))[1:]
	if len(blocks) == 0 {
		return nil, errors.New("has no PEM certificate, which begins with " + beginCertificate)
	}
	pool := x509.NewCertPool()
	for i, encoded := range blocks {
		certificate, err := parseCertificate(append([]byte(beginCertificate), encoded...))
		if err != nil {
			return nil, fmt.Errorf("has %d certificates, of which number %d is damaged: %w", len(blocks), i+1, err)
		}
		pool.AddCert(certificate)
	}
	return pool, nil
}

// parseCertificate parses the one that encoded begins with.
func parseCertificate(encoded []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(encoded)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("its PEM cannot be decoded")
	}
	return x509.ParseCertificate(block.Bytes)
}
