package outbox

import "encoding/binary"

// page is a branch or leaf page as bbolt lays it out (internal/common/page.go of
// go.etcd.io/bbolt), in the byte order of the machine:
//
//	0          8       10      12          16
//	│ id uint64│ flags │ count │ overflow  │ element × count │ keys and values │
//	           │ uint16│ uint16│ uint32    │
//
//	branch element   │ pos uint32   │ key size     │ child page uint64          │
//	leaf element     │ flags uint32 │ pos          │ key size     │ value size  │
//
// overflow is how many pages more the page takes, pos where the key begins,
// counted from the element. A value follows its key.
type page []byte

const (
	pageHeaderSize = 16
	elementSize    = 16
	// bucketHeaderSize is the length of a bucket's root page and sequence, both uint64.
	bucketHeaderSize = 16
)

// The flags of a page and of a leaf element.
const (
	branchPage = 1
	leafPage   = 2
	bucketFlag = 1
)

func (p page) id() uint64       { return binary.NativeEndian.Uint64(p) }
func (p page) kind() uint16     { return binary.NativeEndian.Uint16(p[8:]) }
func (p page) count() int       { return int(binary.NativeEndian.Uint16(p[10:])) }
func (p page) overflow() uint64 { return uint64(binary.NativeEndian.Uint32(p[12:])) }

func (p page) branchElement(n int) (key []byte, child uint64, err error) {
	e, err := p.element(n)
	if err != nil {
		return nil, 0, err
	}
	pos, keySize := binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:])
	key, err = p.slice(n, pos, uint64(keySize))
	return key, binary.NativeEndian.Uint64(e[8:]), err
}

func (p page) leafElement(n int) (key, value []byte, isBucket bool, err error) {
	e, err := p.element(n)
	if err != nil {
		return nil, nil, false, err
	}
	flags, pos := binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:])
	keySize, valueSize := binary.NativeEndian.Uint32(e[8:]), binary.NativeEndian.Uint32(e[12:])
	record, err := p.slice(n, pos, uint64(keySize)+uint64(valueSize))
	if err != nil {
		return nil, nil, false, err
	}
	return record[:keySize], record[keySize:], flags&bucketFlag != 0, nil
}

func (p page) element(n int) ([]byte, error) {
	at := pageHeaderSize + n*elementSize
	if at+elementSize > len(p) {
		return nil, corrupt("a page is too short for its elements")
	}
	return p[at : at+elementSize], nil
}

// slice returns size bytes at pos, counted from the n-th element.
func (p page) slice(n int, pos uint32, size uint64) ([]byte, error) {
	from := uint64(pageHeaderSize+n*elementSize) + uint64(pos)
	if from+size > uint64(len(p)) {
		return nil, corrupt("a record reaches beyond its page")
	}
	return p[from : from+size], nil
}
