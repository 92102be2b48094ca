// Package receiving has the receiver in Go of docs/receiving.md.
package receiving

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Verify reports whether webhook-signature was made with secret for body, the bytes as
// they came, and is not old.
func Verify(header http.Header, body []byte, secret string, now time.Time) bool {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > 5*time.Minute {
		return false
	}
	key := []byte(secret)
	if encoded, isStandard := strings.CutPrefix(secret, "whsec_"); isStandard {
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return false
		}
	}
	wanted := "v1," + sign(key, id+"."+timestamp+"."+string(body))
	for one := range strings.FieldsSeq(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(one), []byte(wanted)) {
			return true
		}
	}
	return false
}

// VerifyDecsys reports whether X-Decsys-Signature was made with secret for body.
func VerifyDecsys(header http.Header, body []byte, secret string) bool {
	return hmac.Equal([]byte(header.Get("X-Decsys-Signature")), []byte(sign([]byte(secret), string(body))))
}

func sign(key []byte, content string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(content))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
