package record

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"

	"github.com/sidehook/sidehook/rules"
)

// eventID is the same whenever the same event is made again, and no other store
// can make it: the epoch is the store's own. It is the same for all targets but
// those that must not learn who the participant is: they could compare ids with
// another target.
func eventID(epoch string, key rules.Key, occasion, target string, to recipient) string {
	if to.redaction.HidesParticipant() {
		return "evt_" + digest(epoch, key.Text(), occasion, "event", target)
	}
	return "evt_" + digest(epoch, key.Text(), occasion)
}

// deliveryID is the same whenever the same event is made again for a target, and
// differs between targets. Its parts cannot be guessed from it without the epoch.
func deliveryID(epoch string, key rules.Key, occasion, target string) string {
	return "msg_" + digest(epoch, key.Text(), occasion, target)
}

// digest hashes its parts. Each has its length before it, so that no two lists of
// parts are hashed alike.
func digest(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}
