package send

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"
)

func TestRefusedCertificateHasItsCauseAsReason(t *testing.T) {
	own, unknown := newAuthority(t), newAuthority(t)
	now := time.Now().Truncate(time.Second)
	good := func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(127, 0, 0, 1)} }
	f := func(name string, by *authority, change func(*x509.Certificate), withAuthority bool, want string) {
		t.Helper()
		template := &x509.Certificate{
			SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "127.0.0.1"},
			NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		}
		change(template)
		key, parent, signer := newKey(t), template, any(nil)
		if signer = key; by != nil {
			parent, signer = by.cert, by.key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		chain := [][]byte{der}
		if withAuthority {
			chain = append(chain, by.cert.Raw)
		}
		server := newTLSReceiver(t, &tls.Config{Certificates: []tls.Certificate{{Certificate: chain, PrivateKey: key}}})
		target := targetAt(t, server.URL)
		target.TLS.CA = own.file
		if got := send(newSender(t, target)); got.Reason != want || got.NoConnection == (want == "") {
			t.Errorf("%s: result is %+v, want %q", name, got, want)
		}
	}

	f("trusted", own, good, false, "")
	f("leaf alone", unknown, good, false, "tls: certificate not trusted: the target sends no intermediate certificate, or its authority is unknown")
	f("with its authority", unknown, good, true, "tls: certificate not trusted: its authority is unknown")
	f("self-signed", nil, good, false, "tls: certificate not trusted: it is self-signed, and not in tls.ca")
	f("common name only", own, func(*x509.Certificate) {}, false, "tls: certificate names no host: it has a common name only")
	f("two names", own, func(c *x509.Certificate) { c.DNSNames = []string{"a.test", "*.b.test"} }, false, "tls: certificate of another host: a.test, *.b.test")
	f("many names", own, func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = []string{"a.test", "b.test", "c.test"}, []net.IP{net.IPv4(10, 0, 0, 1)}
	}, false, "tls: certificate of another host: a.test, b.test, c.test, ...")
	f("expired", own, func(c *x509.Certificate) { good(c); c.NotAfter = now.Add(-time.Minute) }, false,
		"tls: certificate expired on "+now.Add(-time.Minute).UTC().Format(time.RFC3339))
	f("not yet valid", own, func(c *x509.Certificate) { good(c); c.NotBefore = now.Add(time.Minute) }, false,
		"tls: certificate not valid before "+now.Add(time.Minute).UTC().Format(time.RFC3339))
}

func TestCertificateSignedWithSHA1IsCalledSo(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "leaf"}, NotAfter: time.Now().Add(time.Hour)}
	authority := &x509.Certificate{Subject: pkix.Name{CommonName: "authority"}}
	der, err := x509.CreateCertificate(rand.Reader, template, authority, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	leaf.SignatureAlgorithm = x509.SHA1WithRSA // crypto/x509 makes none of these
	if got := untrusted([]*x509.Certificate{leaf}); got != "certificate not trusted: signed with SHA1-RSA, which is not safe" {
		t.Errorf("reason %q", got)
	}
}

func TestForeignNameThatIsNoHostIsNotShown(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := otherHost(&x509.Certificate{DNSNames: []string{name}}); got != want {
			t.Errorf("%q: reason %q, want %q", name, got, want)
		}
	}
	f("www.example.org", "certificate of another host: www.example.org")
	f("a\x1b[31m.example", "certificate of another host")
	f("a b", "certificate of another host")
}
