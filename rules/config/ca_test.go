package config

import (
	"bytes"
	"strings"
	"testing"
)

func TestEveryCertificateOfACAFileIsReadOrTheFileIsRefused(t *testing.T) {
	whole := string(testKeys()["cert.pem"])
	f := func(content, want string) {
		t.Helper()
		pool, err := ParseCA([]byte(content))
		switch {
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("error %v, want %q", err, want)
		case want == "" && err != nil:
			t.Error(err)
		case want == "" && len(pool.Subjects()) != strings.Count(content, beginCertificate): //nolint:staticcheck // deprecated for system pools only
			t.Errorf("%d certificates are trusted, want all of the file", len(pool.Subjects())) //nolint:staticcheck // as above
		}
	}
	damaged := strings.Replace(whole, "M", "!", 1)
	key := string(testKeys()["key.pem"])

	f(whole, "")
	f("\ufeff"+whole, "")
	f(strings.ReplaceAll(whole, "\n", "\r\n"), "")
	f("# our own\n"+whole+"# and the key\n"+key, "")
	f("", "no PEM certificate")
	f(key, "no PEM certificate")
	f(damaged, "number 1 is damaged")
	f(whole+damaged, "2 certificates, of which number 2 is damaged")
	f(damaged+whole, "number 1 is damaged")
	f(whole[:len(whole)/2], "number 1 is damaged")
	f(whole[:len(whole)/2]+"\n"+whole, "number 1 is damaged")
	f(beginCertificate+"\nMDEy\n-----END CERTIFICATE-----\n", "number 1 is damaged")
	f(string(bytes.Join(bytes.Split([]byte(whole), nil), []byte{0})), "no PEM certificate") // UTF-16
}
