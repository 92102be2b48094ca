package replica

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
)

// A message of what was seen:
//
//	0        1         5
//	│ format │ CRC-32C │ s2 of: length and text of the incarnation, pieces … │
//
// One without pieces is the last of its incarnation.
//
// The checksum covers the compressed bytes. All lengths and numbers in them are varints.
// Every format has its checksum there: what it does not fit was not written by a newer
// release, but is damaged or comes from somebody else.
const (
	messageFormat     = pieceFormat
	messageHeaderSize = 5
	// maxMessage is how many bytes of content are accepted.
	maxMessage = 64 << 20
)

// ErrNewer is the error of what a newer release of sidehook has written.
var ErrNewer = errors.New("a newer release of sidehook has written it; update this replica")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// packer makes messages of sightings.
type packer struct {
	incarnation string
	// format is the earliest that can have the content, so that older releases read it.
	format byte
	// limit is how long the content of a message may be so that it fits even if it
	// cannot be compressed.
	limit   int
	content []byte
	isEmpty bool
}

func newPacker(incarnation string, maxMessage int) *packer {
	limit := maxMessage - messageHeaderSize
	for limit > 0 && s2.MaxEncodedLen(limit) > maxMessage-messageHeaderSize {
		limit--
	}
	p := &packer{incarnation: incarnation, limit: limit}
	p.reset()
	return p
}

func (p *packer) reset() {
	p.content, p.format, p.isEmpty = appendBytes(p.content[:0], p.incarnation), 1, true
}

// add appends a sighting. It returns false if there is no room, or it needs a later format
// than what is there.
func (p *packer) add(s *Sighting) bool {
	format := formatOf(s)
	if p.isEmpty {
		p.format = format
	}
	if format > p.format || len(p.content)+maxPieceHead+len(s.Participant)+len(s.Data) > p.limit {
		return false
	}
	one := whole(s)
	p.content, p.isEmpty = appendPiece(p.content, p.format, &one), false
	return true
}

// message returns the message and begins another.
func (p *packer) message() []byte {
	to := make([]byte, messageHeaderSize, messageHeaderSize+s2.MaxEncodedLen(len(p.content)))
	to[0] = p.format
	compressed := s2.Encode(to[messageHeaderSize:cap(to)], p.content)
	to = to[:messageHeaderSize+len(compressed)]
	binary.BigEndian.PutUint32(to[1:], crc32.Checksum(compressed, castagnoli))
	p.reset()
	return to
}

// parts returns the messages of a sighting that is too long for one.
func (p *packer) parts(s *Sighting) (messages [][]byte, err error) {
	p.reset()
	room := p.limit - len(p.content) - maxPieceHead - len(s.Participant)
	if room <= 0 {
		return nil, fmt.Errorf("an id of %d bytes does not fit into a message of %d", len(s.Participant), p.limit)
	}
	for offset := 0; offset < len(s.Data); offset += room {
		part := whole(s)
		part.offset, part.Data = offset, s.Data[offset:min(offset+room, len(s.Data))]
		p.format = formatOf(s)
		p.content = appendPiece(p.content, p.format, &part)
		messages = append(messages, p.message())
	}
	return messages, nil
}

// parseMessage returns what a message has, in memory of its own.
func parseMessage(message []byte) (incarnation string, pieces []piece, err error) {
	if len(message) < messageHeaderSize {
		return "", nil, fmt.Errorf("cannot read a message of %d bytes: %w", len(message), errDamaged)
	}
	compressed := message[messageHeaderSize:]
	isSound := crc32.Checksum(compressed, castagnoli) == binary.BigEndian.Uint32(message[1:])
	if isSound && message[0] > messageFormat {
		return "", nil, fmt.Errorf("cannot read a message of format %d: %w", message[0], ErrNewer)
	}
	size, err := s2.DecodedLen(compressed)
	if !isSound || message[0] == 0 || err != nil || size > maxMessage {
		return "", nil, fmt.Errorf("cannot read a message of %d bytes: %w", len(message), errDamaged)
	}
	content, err := s2.Decode(nil, compressed)
	if err != nil {
		return "", nil, fmt.Errorf("cannot read a message of %d bytes: %w", len(message), errDamaged)
	}
	in := decoder{rest: content}
	incarnation = string(in.bytes())
	for len(in.rest) > 0 && in.err == nil {
		pieces = append(pieces, in.piece(message[0]))
	}
	if in.err != nil {
		return "", nil, fmt.Errorf("cannot read the content of a message: %w", in.err)
	}
	return incarnation, pieces, nil
}
