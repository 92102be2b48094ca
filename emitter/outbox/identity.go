package outbox

import (
	"crypto/rand"
	"errors"

	bolt "go.etcd.io/bbolt"
)

// identity is what a state file drew by chance.
type identity struct {
	// epoch goes into ids; another one is drawn whenever an old id could be
	// minted again. salt goes into lanes, and stays.
	epoch, salt string
}

var (
	keyEpoch = []byte("epoch")
	keySalt  = []byte("salt")
)

// readIdentity gives the identity of a file; its epoch is empty in a copy.
func readIdentity(meta *bolt.Bucket) identity {
	of := identity{epoch: string(meta.Get(keyEpoch)), salt: string(meta.Get(keySalt))}
	if of.salt == "" {
		of.salt = of.epoch
	}
	return of
}

// drawEpoch gives a file another epoch.
func drawEpoch(meta *bolt.Bucket) (identity, error) {
	of := readIdentity(meta)
	of.epoch = rand.Text()
	if of.salt == "" {
		of.salt = of.epoch
	}
	return of, errors.Join(meta.Put(keySalt, []byte(of.salt)), meta.Put(keyEpoch, []byte(of.epoch)))
}

// DrawEpoch makes all ids from here on different from those of before, also
// where a journey begins at its first page again. Journeys and lanes stay.
func (tx *Tx) DrawEpoch() {
	of, err := drawEpoch(tx.bucket(bucketMeta))
	if err != nil {
		tx.fail(err)
		return
	}
	tx.identity = of
}
