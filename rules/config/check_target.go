package config

import (
	"crypto/tls"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

const (
	minTimeout  = Duration(time.Millisecond)
	maxTimeout  = Duration(time.Minute)
	maxWait     = Duration(30 * 24 * time.Hour)
	maxOpenTime = Duration(24 * time.Hour)
	// maxRetries is the longest retry schedule.
	maxRetries = 50
	// maxConcurrency is the most attempts in flight to one target.
	maxConcurrency = 1024
	// maxHeader is the longest value of an added header, in bytes.
	maxHeader = 4096
)

// ownHeaders are those that sidehook or HTTP sets, in lower case; webhook-* is one, too.
var ownHeaders = []string{
	"connection", "content-length", "content-type", "host", "te", "traceparent",
	"transfer-encoding", "upgrade", "user-agent", "x-decsys-signature",
}

func (c *checker) checkTarget(name string) {
	target, path := c.config.Targets[name], strictyaml.KeyPath("targets", name)
	if !c.Usable(path) {
		return
	}
	c.required(path+".url", "say where to send: https://crm.example.org/hooks")
	c.checkSecrets(path+".secret", target.Secret)
	c.checkDecsysSecret(path+".secret", &target)
	if c.Has(path+".tls") && target.URL.isPlain() {
		c.Wrong(path+".tls", "needs a url that begins with https://")
	}
	c.checkTLS(path+".tls", &target.TLS)
	c.checkAddressOf(path+".url", &target)
	c.checkHeaders(path+".headers", target.Headers)
	between(c, path+".timeout", target.Timeout, minTimeout, maxTimeout, Duration.String)
	c.checkRetry(path+".retry", target.Retry)
	c.checkBreaker(path+".breaker", target.Breaker)
	if target.Concurrency < 1 || target.Concurrency > maxConcurrency {
		c.Wrong(path+".concurrency", "must be 1 to %d, not %d", maxConcurrency, target.Concurrency)
	}
	c.checkPrivacy(path, &target)
	c.config.Targets[name] = target
}

// checkSecrets replaces the references by the secrets they refer to.
func (c *checker) checkSecrets(path string, secrets Secrets) {
	const advice = `make one with: echo "whsec_$(openssl rand -base64 32)", and refer to it as env:NAME or file:PATH`
	if c.required(path, advice) && len(secrets) == 0 {
		c.Wrong(path, "is empty; %s", advice)
	}
	for i, reference := range secrets {
		at := strictyaml.ItemPath(path, i)
		if !c.Has(at) {
			at = path // a single secret without brackets
		}
		secret, usable := c.checkSecret(at, reference)
		secrets[i] = secret
		if err := secret.checkKey(); usable && err != nil {
			c.Wrong(at, "the secret %s", err)
		}
	}
}

// checkDecsysSecret demands a secret that X-Decsys-Signature can be made with: an HMAC needs a shared key.
func (c *checker) checkDecsysSecret(path string, target *Target) {
	isShared := func(s Secret) bool { return s.PrivateKey() == nil }
	if target.Format == FormatDecsys && len(target.Secret) > 0 && !slices.ContainsFunc(target.Secret, isShared) {
		c.Wrong(path, "must include a secret that does not begin with %s, since X-Decsys-Signature needs a shared key; or choose another format", ed25519Prefix)
	}
}

// checkTLS resolves the paths of certificates and reads the files once, so that a
// wrong one is found before anything is sent.
func (c *checker) checkTLS(path string, files *TLS) {
	if (files.Cert == "") != (files.Key == "") {
		c.Wrong(path, "must have both cert and key, or neither")
	}
	files.CA, files.Cert, files.Key = c.path(files.CA), c.path(files.Cert), c.path(files.Key)
	if ca := c.readPEM(path+".ca", files.CA); ca != nil {
		if _, err := ParseCA(ca); err != nil {
			c.Wrong(path+".ca", "the file %s %s", shownPath(files.CA), err)
		}
	}
	cert, key := c.readPEM(path+".cert", files.Cert), c.readPEM(path+".key", files.Key)
	if cert == nil || key == nil {
		return
	}
	if _, err := tls.X509KeyPair(cert, key); err != nil {
		c.Wrong(path+".cert", "cert and key cannot be used: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
}

// checkAddressOf refuses a URL whose host is an address that the target does not
// allow. What a name resolves to is known only when it is dialled.
func (c *checker) checkAddressOf(path string, target *Target) {
	address, err := netip.ParseAddr(target.URL.hostname())
	if err != nil {
		return
	}
	if class, refused := target.Allow.Refuses(address); refused {
		c.Wrong(path, "has a %s address, which is not allowed; add %s, or the address itself, to allow", class, class)
	}
}

// readPEM returns the content of file, or nil.
func (c *checker) readPEM(path, file string) []byte {
	if file == "" || c.withoutSecrets {
		return nil
	}
	content, err := c.read(file)
	if err != nil {
		c.Wrong(path, "%s", err)
		return nil
	}
	return content
}

// checkHeaders need not check the characters of names: every key of a map is a
// plain name, which is a token of RFC 9110, section 5.6.2.
func (c *checker) checkHeaders(path string, headers map[string]HeaderValue) {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		sub, lower := strictyaml.KeyPath(path, name), strings.ToLower(name)
		first, twice := seen[lower]
		switch {
		case IsOwnHeader(name):
			c.WrongKey(sub, "must not be set here: sidehook sets this header itself")
		case twice:
			c.WrongKey(sub, "is the same header as %s", first)
		case c.Usable(sub):
			headers[name] = c.checkHeaderValue(sub, headers[name])
		}
		seen[lower] = name
	}
}

// IsOwnHeader reports whether sidehook or HTTP sets the field called name.
func IsOwnHeader(name string) bool {
	lower := strings.ToLower(name)
	return slices.Contains(ownHeaders, lower) || strings.HasPrefix(lower, "webhook-")
}

// checkHeaderValue returns the value, which may be a reference.
func (c *checker) checkHeaderValue(path string, value HeaderValue) HeaderValue {
	if isReference(value.Reveal()) {
		secret, ok := c.checkSecret(path, value.Secret)
		if !ok {
			return value
		}
		value.Secret = secret
	}
	switch text := value.Reveal(); {
	case strings.ContainsFunc(text, isControl):
		c.Wrong(path, "must not contain line breaks or other control characters")
	case len(text) > maxHeader:
		c.Wrong(path, "must be at most %d bytes long, not %d", maxHeader, len(text))
	}
	return value
}

// isControl reports whether RFC 9110, section 5.5, forbids r in a field value.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

func (c *checker) checkRetry(path string, retry Retry) {
	if len(retry.Schedule) > maxRetries {
		c.Wrong(path+".schedule", "must have at most %d waits, not %d", maxRetries, len(retry.Schedule))
	}
	for i, wait := range retry.Schedule {
		between(c, strictyaml.ItemPath(path+".schedule", i), wait, minTimeout, maxWait, Duration.String)
	}
	if retry.Jitter < 0 || retry.Jitter > 1 {
		c.Wrong(path+".jitter", "must be 0 to 1 (0.2 is ±20%%), not %v", retry.Jitter)
	}
}

func (c *checker) checkBreaker(path string, breaker Breaker) {
	if breaker.Failures < 1 {
		c.Wrong(path+".failures", "must be at least 1, not %d", breaker.Failures)
	}
	between(c, path+".open", breaker.Open, minTimeout, maxOpenTime, Duration.String)
	between(c, path+".max_open", breaker.MaxOpen, minTimeout, maxOpenTime, Duration.String)
	if breaker.MaxOpen < breaker.Open {
		c.Wrong(path+".max_open", "must not be less than open: %s is less than %s", breaker.MaxOpen, breaker.Open)
	}
}
