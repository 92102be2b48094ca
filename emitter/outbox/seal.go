package outbox

import (
	"encoding/binary"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"
)

// sealSize is the length of a seal: a checksum (CRC-32C) of a record's bucket, key
// and value, behind the value. What the disk has changed, or put in the place of
// another record, is so never taken for what was written.
const sealSize = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal appends the seal to a record, which is the number of its bucket, its key and
// its value.
func seal(record []byte) []byte {
	return binary.BigEndian.AppendUint32(record, crc32.Checksum(record, castagnoli))
}

// isSealed reports whether a value that ends with a seal is what was written for
// its key.
func isSealed(b bucket, key, sealed []byte) bool {
	if len(sealed) < sealSize {
		return false
	}
	value := unseal(sealed)
	sum := crc32.Update(crc32.Checksum([]byte{byte(b)}, castagnoli), castagnoli, key)
	return crc32.Update(sum, castagnoli, value) == binary.BigEndian.Uint32(sealed[len(value):])
}

// unseal returns a value without its seal, nil for nil.
func unseal(sealed []byte) []byte {
	if sealed == nil {
		return nil
	}
	n := len(sealed) - sealSize
	return sealed[:n:n]
}

// putMeta writes a record of the meta bucket into the file itself.
func putMeta(meta *bolt.Bucket, key, value []byte) error {
	return meta.Put(key, newRecord(bucketMeta, key, value).value)
}

// getMeta reads a record of the meta bucket from the file itself, nil if there is
// none. It panics with errCorrupt if the record is damaged: without its identity, a
// file is of no use.
func getMeta(meta *bolt.Bucket, key []byte) []byte {
	sealed := meta.Get(key)
	if sealed != nil && !isSealed(bucketMeta, key, sealed) {
		panic(errCorrupt)
	}
	return unseal(sealed)
}
