package send

import (
	"net/http"
	"net/url"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/config"
)

// constantHeader returns the fields that are the same on every attempt: the
// configured ones, the credentials of the URL (which http.Client would add, but a
// bare transport does not), and our own, which nothing configured
// replaces. Names are written as configured: some receivers look them up so.
func constantHeader(target config.Target, user *url.Userinfo, version string) http.Header {
	header := http.Header{}
	if user != nil {
		password, _ := user.Password()
		(&http.Request{Header: header}).SetBasicAuth(user.Username(), password)
	}
	for name, value := range target.Headers {
		if !config.IsOwnHeader(name) {
			header.Del(name)
			header[name] = []string{value.Reveal()}
		}
	}
	header.Set("User-Agent", "sidehook/"+version)
	return header
}

// setUnlessEmpty sets a field of ours, named as written.
func setUnlessEmpty(header http.Header, name, value string) {
	if value != "" {
		header[name] = []string{value}
	}
}

// redelivery returns the webhook-redelivery field: "true" if an operator had the
// delivery sent again, so that its receiver may have seen its webhook-id before; else empty.
func redelivery(d *outbox.Delivery) string {
	if d.Redelivered {
		return "true"
	}
	return ""
}
