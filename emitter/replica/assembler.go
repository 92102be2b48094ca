package replica

const (
	// maxUnfinishedBytes bounds the sightings whose first parts were read.
	maxUnfinishedBytes = 64 << 20
	// maxUnfinishedSpan is how many messages after its first part a sighting is given up.
	maxUnfinishedSpan = 20_000
)

// Assembler reads messages of what was seen, one after the other, and puts together
// the sightings that are longer than a message. The zero value is ready. It is for one
// goroutine.
type Assembler struct {
	// unfinished has the sighting of each incarnation whose further parts are to come.
	unfinished map[string]*unfinished
	bytes      int
}

type unfinished struct {
	// number is that of the message with the first part.
	number uint64
	piece
}

func (u *unfinished) size() int { return cap(u.Data) + len(u.Participant) + 256 }

// Add returns the sightings that are whole with the message of this number, in order,
// and whose they are. A sighting may come again: those with a K that is not higher than
// one before of their incarnation are to be skipped. isLast is set for the last message
// of an incarnation, which has ended and left nothing behind. The error wraps ErrNewer
// where the message was written by a newer release.
func (a *Assembler) Add(number uint64, message []byte) (incarnation string, sightings []Sighting, isLast bool, err error) {
	incarnation, pieces, err := parseMessage(message)
	if err != nil {
		return "", nil, false, err
	}
	for i := range pieces {
		if s := a.add(number, incarnation, &pieces[i]); s != nil {
			sightings = append(sightings, *s)
		}
	}
	a.giveUp(number)
	return incarnation, sightings, len(pieces) == 0, nil
}

// Floor returns up to which message all that was read is whole, if number is the last
// one: what came before is not needed any more.
func (a *Assembler) Floor(number uint64) uint64 {
	for _, u := range a.unfinished {
		number = min(number, u.number-1)
	}
	return number
}

// add returns the sighting that is whole with a piece, if any. One whose first part
// comes again begins anew, and one is dropped once its incarnation has gone on.
func (a *Assembler) add(number uint64, incarnation string, p *piece) *Sighting {
	u := a.unfinished[incarnation]
	if isOver := u != nil && (p.K > u.K || p.K == u.K && p.offset == 0); isOver {
		a.drop(incarnation)
		u = nil
	}
	switch {
	case p.isWhole():
		return &p.Sighting
	case u == nil && p.offset == 0:
		a.begin(number, incarnation, p)
		return nil
	case u == nil || p.K != u.K || p.total != u.total || p.offset != len(u.Data):
		return nil
	}
	a.bytes -= u.size()
	u.Data = append(u.Data, p.Data...)
	a.bytes += u.size()
	if !u.isWhole() {
		return nil
	}
	a.drop(incarnation)
	return &u.Sighting
}

func (a *Assembler) begin(number uint64, incarnation string, p *piece) {
	if a.unfinished == nil {
		a.unfinished = map[string]*unfinished{}
	}
	u := &unfinished{number: number, piece: *p}
	u.Data = append([]byte(nil), p.Data...)
	a.unfinished[incarnation] = u
	a.bytes += u.size()
}

func (a *Assembler) drop(incarnation string) {
	if u := a.unfinished[incarnation]; u != nil {
		a.bytes -= u.size()
		delete(a.unfinished, incarnation)
	}
}

// giveUp drops the sightings that will hardly end, and the oldest at the bound.
func (a *Assembler) giveUp(number uint64) {
	for len(a.unfinished) > 0 {
		oldest := ""
		for incarnation, u := range a.unfinished {
			if oldest == "" || u.number < a.unfinished[oldest].number {
				oldest = incarnation
			}
		}
		if a.bytes <= maxUnfinishedBytes && number-a.unfinished[oldest].number < maxUnfinishedSpan {
			return
		}
		a.drop(oldest)
	}
}
