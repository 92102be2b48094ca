package outbox

import (
	"bytes"

	bolt "go.etcd.io/bbolt"
)

// JourneyKeys lists the keys of the journeys that end with suffix. It does not
// read the journeys themselves, so a million take a fraction of a second.
func (s *Store) JourneyKeys(suffix string) (keys []string, err error) {
	for after := []byte(nil); ; {
		n := 0
		err = s.view(func(tx *bolt.Tx) error {
			cursor := tx.Bucket(bucketJourneyAge).Cursor()
			key, _ := cursor.Seek(after)
			for ; key != nil && n < maxScan; key, _ = cursor.Next() {
				if n++; bytes.HasSuffix(key[4:], []byte(suffix)) {
					keys = append(keys, string(key[4:]))
				}
			}
			after = bytes.Clone(key)
			return nil
		})
		if err != nil || after == nil {
			return keys, err
		}
	}
}

// DropJourney deletes a journey. It returns false when there is none.
func (tx *Tx) DropJourney(key string) bool {
	record := tx.get(bucketJourneys, []byte(key))
	if len(record) < 8 {
		return false
	}
	tx.delete(bucketJourneyAge, journeyAgeKey(key, lastExchangeOf(record)))
	tx.delete(bucketJourneys, []byte(key))
	tx.delete(bucketUnsettled, []byte(key))
	return true
}

// Owned lists deliveries of an owner, in any state and without their bodies.
// after is the seq where the last list ended, 0 for the first; rest is 0 at the end.
func (s *Store) Owned(owner string, after uint64) (list []*Delivery, rest uint64, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		sum := hashOf(readIdentity(tx.Bucket(bucketMeta)).salt, "owner", owner)
		cursor := tx.Bucket(bucketProgress).Cursor()
		key, record := cursor.Seek(uint64Key(after + 1))
		for n := 0; key != nil && n < maxScan; n++ {
			rest = lastUint64(key)
			p, err := decodeProgress(record)
			if err != nil {
				return err
			}
			if hasLane := p.lane != (hash{}); hasLane && !p.gone && bytes.Equal(p.lane[:ownerSize], sum[:ownerSize]) {
				d, err := load(tx, rest, false)
				if err != nil {
					return err
				}
				list = append(list, d)
			}
			key, record = cursor.Next()
		}
		if key == nil {
			rest = 0
		}
		return nil
	})
	return list, rest, err
}
