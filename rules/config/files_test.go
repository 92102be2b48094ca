package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"math/big"
	"path/filepath"
	"sync"
	"time"
)

// readTestFile reads the files of the configurations in tests: those in testFolder,
// and keys, which are generated since none should be committed.
func readTestFile(path string) ([]byte, error) {
	name := filepath.Base(path)
	if name == "forbidden" {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
	}
	if filepath.Ext(name) != ".pem" {
		return readRegular(path)
	}
	if made, found := testKeys()[name]; found {
		return made, nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// testKeys generates cert.pem with its key.pem, and other-key.pem.
var testKeys = sync.OnceValue(func() map[string][]byte {
	key, other := newTestKey(), newTestKey()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return map[string][]byte{
		"cert.pem":      pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		"key.pem":       encodeTestKey(key),
		"other-key.pem": encodeTestKey(other),
	}
})

func newTestKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func encodeTestKey(key *ecdsa.PrivateKey) []byte {
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}
