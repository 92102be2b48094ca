package proxy

import (
	"math/bits"
	"runtime"
	"sync"
)

// decoderWindow is what a decoder remembers of what it has decoded, in bytes (RFC
// 9659 section 3 for zstd, and what fasthttp allows).
const decoderWindow = 8 << 20

// alwaysKept is the capacity, in bytes, up to which a capture never has to give
// way to another.
const alwaysKept = 16 << 10

// budget bounds the memory of all captures together, and of their decoders. When it is used up, a
// larger capture gives way to a smaller one, since whoever sends the most must
// not keep others from being watched; if there is none, the one that needs more
// memory is refused it.
type budget struct {
	limit int // bytes of captures
	// decoders holds a token for each decoder at work. Their memory is set aside,
	// since nobody knows beforehand how much a body will need.
	decoders chan struct{}

	mu   sync.Mutex
	used int
	// large are the captures of more than alwaysKept, by the bits of their capacity.
	large [bits.UintSize + 1]map[*capture]struct{}
}

// newBudget returns a budget of total bytes for bodies of at most inspectLimit.
// At most half of it is set aside for decoders, of which more than there are
// processors would be of no use.
func newBudget(total, inspectLimit int) *budget {
	decoder := decoderWindow + 2*inspectLimit // a decoded body grows by doubling
	decoders := min(max(total/2/decoder, 1), runtime.GOMAXPROCS(0))
	return &budget{limit: total - min(decoders*decoder, total/2), decoders: make(chan struct{}, decoders)}
}

// inUse returns how many bytes captures have now.
func (b *budget) inUse() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// resize changes the memory that c has from c.held to size bytes, and reports
// whether it may. The caller has locked c.
func (b *budget) resize(c *capture, size int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for size > c.held && b.used-c.held+size > b.limit {
		if !b.takeFromLarge(c, size) {
			return false
		}
	}
	b.account(c, size)
	return true
}

// takeFromLarge takes its memory from the largest capture other than c, unless
// all are smaller than size. One that is in use at this moment is passed over.
func (b *budget) takeFromLarge(c *capture, size int) bool {
	for class := len(b.large) - 1; class >= bits.Len(uint(max(size, alwaysKept+1))); class-- {
		for victim := range b.large[class] {
			if victim == c || !victim.mu.TryLock() {
				continue
			}
			victim.bytes, victim.lost = nil, overBudget
			b.account(victim, 0)
			victim.mu.Unlock()
			return true
		}
	}
	return false
}

// account notes that c has size bytes, and whether they can be taken from it.
func (b *budget) account(c *capture, size int) {
	if c.held > alwaysKept {
		delete(b.large[bits.Len(uint(c.held))], c)
	}
	b.used += size - c.held
	c.held = size
	if size <= alwaysKept || c.isHandedOver {
		return
	}
	class := &b.large[bits.Len(uint(size))]
	if *class == nil {
		*class = map[*capture]struct{}{}
	}
	(*class)[c] = struct{}{}
}
