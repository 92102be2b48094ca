package outbox

import (
	"encoding/binary"
	"encoding/hex"
	"time"
)

// PutPage stores a page definition by its content and returns its hash, 32 hex
// digits. It is kept for Retention.Journeys after it was last put, unless pages
// have no room.
func (tx *Tx) PutPage(definition []byte) (hash string, isKept bool) {
	sum := hashOf(string(definition))
	isKept = tx.has(bucketPages, sum[:])
	if !isKept && tx.takesPage(definition) {
		tx.put(bucketPages, sum[:], definition)
		isKept = true
	}
	if isKept {
		tx.touchPage(sum)
	}
	return hex.EncodeToString(sum[:]), isKept
}

// Page returns the definition with this hash, nil if there is none.
func (tx *Tx) Page(hash string) []byte {
	key, err := hex.DecodeString(hash)
	if err != nil {
		return nil
	}
	return tx.get(bucketPages, key)
}

// touchPage notes the day of a page's use, which is seldom a write.
func (tx *Tx) touchPage(page hash) {
	today := days(tx.now)
	if last := tx.get(bucketPageUse, page[:]); last != nil && dayOf(last) >= today {
		return
	}
	tx.put(bucketPageUse, page[:], binary.BigEndian.AppendUint32(nil, today))
}

func days(t time.Time) uint32 { return uint32(nanos(t) / int64(24*time.Hour)) }

func dayOf(record []byte) uint32 {
	if len(record) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(record)
}
