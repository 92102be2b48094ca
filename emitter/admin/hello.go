package admin

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
)

// maxReason is how many bytes of a reason a replica tells the others.
const maxReason = 1 << 10

// hello is what a replica tells the others about itself, so that each can be asked
// about all. Other releases may tell more or less.
type hello struct {
	Version      string    `json:"version"`
	Role         string    `json:"role"`
	Since        time.Time `json:"since"`
	Reason       string    `json:"reason,omitempty"`
	Applied      uint64    `json:"applied"`
	Behind       uint64    `json:"behind"`
	SpillWaiting int       `json:"spill_waiting"`
	SpillBytes   int64     `json:"spill_bytes"`
	Lost         uint64    `json:"lost"`
}

// Hello returns a function that says how a replica is doing; it is for
// replica.RosterOptions.
func Hello(version string, store func() outbox.Replica, seer func() replica.SeerStatus) func() []byte {
	return func() []byte {
		log, spill := store(), seer()
		reason := strings.ReplaceAll(log.Reason, "\n", "; ")
		encoded, err := json.Marshal(hello{
			Version: version, Role: log.Role.String(), Since: log.Since.UTC(), Reason: reason[:min(len(reason), maxReason)],
			Applied: log.Applied, Behind: log.Last - min(log.Last, log.Applied),
			SpillWaiting: spill.Records, SpillBytes: spill.Bytes, Lost: spill.Lost,
		})
		if err != nil {
			return nil
		}
		return encoded
	}
}

func parseHello(extra []byte) (told hello, err error) {
	err = json.Unmarshal(extra, &told)
	return told, err
}
