package send

import (
	"net/http"
	"net/url"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/rules/config"
)

// constantHeader has what is the same on every attempt: the configured headers,
// the credentials of the URL, which net/http leaves to its Client, and ours,
// last, so that nothing configured replaces them.
func constantHeader(target config.Target, user *url.Userinfo, version string) http.Header {
	header := http.Header{}
	if user != nil {
		password, _ := user.Password()
		(&http.Request{Header: header}).SetBasicAuth(user.Username(), password)
	}
	for name, value := range target.Headers {
		header.Set(name, value)
	}
	header.Set("User-Agent", "sidehook/"+version)
	return header
}

// setOrDelete makes sure that a header of ours has our value or is not there.
func setOrDelete(header http.Header, name, value string) {
	if value == "" {
		delete(header, name)
		return
	}
	header[name] = []string{value}
}

// redelivery is the webhook-redelivery header: "true" on what somebody had sent
// again, whose webhook-id its receiver may have seen; empty on all else.
func redelivery(d *outbox.Delivery) string {
	if d.Redelivered {
		return "true"
	}
	return ""
}
