package outbox

import (
	"bytes"

	bolt "go.etcd.io/bbolt"
)

// Owned returns deliveries of an owner in any state, without their bodies. after
// is 0 at first, then the rest that the last call returned; rest is 0 at the end.
func (s *Store) Owned(owner string, after uint64) (found []*Delivery, rest uint64, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		sum := hashOwner(readIdentity(tx.Bucket(bucketMeta)).salt, owner)
		cursor := tx.Bucket(bucketProgress).Cursor()
		key, record := cursor.Seek(uint64Key(after + 1))
		for scanned := 0; key != nil && scanned < maxScan; scanned++ {
			rest = lastUint64(key)
			p, err := decodeProgress(record)
			if err != nil {
				return err
			}
			if p.isOwnedBy(sum) {
				d, err := load(tx, rest, false)
				if err != nil {
					return err
				}
				found = append(found, d)
			}
			key, record = cursor.Next()
		}
		if key == nil {
			rest = 0
		}
		return nil
	})
	return found, rest, err
}

func (p *progressRecord) isOwnedBy(owner hash) bool {
	hasLane := p.lane != hash{}
	return hasLane && !p.discarded && bytes.Equal(p.lane[:ownerSize], owner[:ownerSize])
}
