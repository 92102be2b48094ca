package outbox

import (
	"encoding/binary"
	"encoding/hex"
	"time"
)

// PutPage keeps a page definition by its content and returns its hash, 32 hex
// digits. It stays as long as PutJourney names it, and Retention.Journeys longer.
func (tx *Tx) PutPage(definition []byte) (hash string) {
	sum := hashOf(string(definition))
	if !tx.has(bucketPages, sum[:]) {
		tx.put(bucketPages, sum[:], definition)
	}
	name := hex.EncodeToString(sum[:])
	tx.usePage(name)
	return name
}

// Page returns the definition with this hash, nil when there is none.
func (tx *Tx) Page(hash string) []byte {
	key, err := hex.DecodeString(hash)
	if err != nil {
		return nil
	}
	return tx.get(bucketPages, key)
}

// usePage notes the day of a page's use, which is seldom a write.
func (tx *Tx) usePage(name string) {
	key, err := hex.DecodeString(name)
	if err != nil || !tx.has(bucketPages, key) {
		return
	}
	today := days(tx.now)
	if last := tx.get(bucketPageUse, key); last != nil && dayOf(last) >= today {
		return
	}
	tx.put(bucketPageUse, key, binary.BigEndian.AppendUint32(nil, today))
}

func days(t time.Time) uint32 { return uint32(nanos(t) / int64(24*time.Hour)) }

func dayOf(record []byte) uint32 {
	if len(record) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(record)
}
