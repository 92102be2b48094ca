package outbox

import (
	"crypto/rand"
	"errors"

	bolt "go.etcd.io/bbolt"
)

// identity holds the random values of a state file.
type identity struct {
	// epoch is part of every delivery's id. It changes whenever an old id could
	// otherwise be minted again. salt is part of the hashes of lanes and never changes.
	epoch, salt string
}

var (
	keyEpoch = []byte("epoch")
	keySalt  = []byte("salt")
)

// readIdentity returns the identity of a file. The epoch of a copy is empty.
func readIdentity(meta *bolt.Bucket) identity {
	id := identity{epoch: string(meta.Get(keyEpoch)), salt: string(meta.Get(keySalt))}
	if id.salt == "" { // a file of an early release
		id.salt = id.epoch
	}
	return id
}

// drawEpoch gives a file a new random epoch.
func drawEpoch(meta *bolt.Bucket) (identity, error) {
	id := readIdentity(meta)
	id.epoch = rand.Text()
	if id.salt == "" {
		id.salt = id.epoch
	}
	return id, errors.Join(meta.Put(keySalt, []byte(id.salt)), meta.Put(keyEpoch, []byte(id.epoch)))
}

// Epoch returns the random text that is part of every delivery's id, so that a
// lost file, or one that has forgotten journeys, cannot mint an old id again.
func (tx *Tx) Epoch() string { return tx.epoch }

// DrawEpoch draws a new epoch: from now on all ids differ from earlier ones, even
// if a journey begins at its first page again. Journeys and lanes stay.
func (tx *Tx) DrawEpoch() {
	id, err := drawEpoch(tx.bucket(bucketMeta))
	if err != nil {
		tx.fail(err)
		return
	}
	tx.identity = id
}
