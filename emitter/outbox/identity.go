package outbox

import (
	"crypto/rand"
	"errors"

	bolt "go.etcd.io/bbolt"
)

// identity holds the random values of a state file.
type identity struct {
	// epoch is part of every delivery's id. It changes whenever an old id could
	// otherwise be minted again. salt is part of the hashes of lanes, and of
	// the digests by which participants are known, and never changes.
	epoch, salt string
}

var (
	keyEpoch = []byte("epoch")
	keySalt  = []byte("salt")
)

// readIdentity returns the identity of a file, whose meta bucket get reads. The
// epoch of a copy is empty.
func readIdentity(get func(key []byte) []byte) identity {
	id := identity{epoch: string(get(keyEpoch)), salt: string(get(keySalt))}
	if id.salt == "" { // a file of an early release
		id.salt = id.epoch
	}
	return id
}

// identityOf reads the identity from the file itself.
func identityOf(meta *bolt.Bucket) identity {
	return readIdentity(func(key []byte) []byte { return getMeta(meta, key) })
}

// withNewEpoch returns the identity with a new random epoch.
func (id identity) withNewEpoch() identity {
	id.epoch = rand.Text()
	if id.salt == "" {
		id.salt = id.epoch
	}
	return id
}

// putInto adds the identity to the changes of a commit.
func (id identity) putInto(changes *overlay) {
	changes.set(newRecord(bucketMeta, keySalt, []byte(id.salt)))
	changes.set(newRecord(bucketMeta, keyEpoch, []byte(id.epoch)))
}

// drawEpoch gives a file a new random epoch.
func drawEpoch(meta *bolt.Bucket) error {
	id := identityOf(meta).withNewEpoch()
	return errors.Join(putMeta(meta, keySalt, []byte(id.salt)), putMeta(meta, keyEpoch, []byte(id.epoch)))
}

// Epoch returns the random text that is part of every delivery's id, so that a
// lost file, or one that has forgotten journeys, cannot mint an old id again.
func (tx *Tx) Epoch() string { return tx.epoch }

// Salt returns the random text of the file that stays the same for good.
func (tx *Tx) Salt() string { return tx.salt }

// DrawEpoch draws a new epoch: from now on all ids differ from earlier ones, even
// if a journey begins at its first page again. Journeys and lanes stay.
func (tx *Tx) DrawEpoch() {
	tx.identity = tx.withNewEpoch()
	tx.put(bucketMeta, keySalt, []byte(tx.salt))
	tx.put(bucketMeta, keyEpoch, []byte(tx.epoch))
}
