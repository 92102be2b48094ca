package pipeline

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/sidehook/sidehook/emitter/outbox"
)

const user, password = "sidehook", "s3cretpass"

// refused is how long a server has that must not be connected to.
const refused = 300 * time.Millisecond

// newCertificate returns a certificate for loopback, and a file to trust it by.
func newCertificate(t *testing.T) (certificate tls.Certificate, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestServersAreConnectedToWithTLSAndCredentials(t *testing.T) {
	certificate, ca := newCertificate(t)
	s := runServer(t, func(o *server.Options) {
		o.Username, o.Password = user, password
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}
		o.TLSTimeout = patience.Seconds()
	})
	f := func(scheme, userinfo, ca string, verify, isConnected bool) {
		t.Run(fmt.Sprintf("%s, %d bytes of credentials, ca %t, verify %t", scheme, len(userinfo), ca != "", verify), func(t *testing.T) {
			c := replicasAt(t, fmt.Sprintf("%s://%s%s", scheme, userinfo, s.Addr()))
			c.TLS.CA, c.TLS.Verify = ca, verify
			var log bytes.Buffer
			connection, err := connect(c, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			if isConnected {
				await(t, "it is connected", connection.IsConnected)
				if _, _, err := connection.Extent(t.Context()); err != nil {
					t.Error(err)
				}
			} else {
				wait(t.Context(), refused, connection.IsConnected)
				if connection.IsConnected() {
					t.Error("it is connected")
				}
				asking, cancel := context.WithTimeout(t.Context(), refused)
				defer cancel()
				if _, _, err := connection.Extent(asking); err == nil || strings.Contains(err.Error(), password) {
					t.Errorf("the log was asked with error %v", err)
				}
			}
			connection.Close()
			if strings.Contains(log.String(), password) {
				t.Errorf("the log has the password: %s", &log)
			}
		})
	}
	const right, wrong = user + ":" + password + "@", user + ":another@"
	f("tls", right, ca, true, true)
	f("nats", right, ca, true, true)  // the server demands TLS
	f("tls", right, "", true, false)  // unknown authority
	f("tls", right, "", false, true)  // which nobody asks for
	f("nats", right, "", true, false) // the system's authorities do not know it
	f("tls", wrong, ca, true, false)
	f("tls", "", ca, true, false)
}

func TestAPipelineThatIsNotStartedEndsItsConnection(t *testing.T) {
	s := runServer(t, func(*server.Options) {})
	p := newPipeline(t, newReceiver(), func(o *Options) { o.Config.Replicas = replicasAt(t, s.ClientURL()) })
	await(t, "it is connected", func() bool { return s.NumClients() == 1 })
	p.Stop()
	await(t, "the connection ends", func() bool { return s.NumClients() == 0 })
	if role := p.Store.Replica().Role; role == outbox.RoleLeading {
		t.Error("it leads")
	}
}
