package rules

import (
	"encoding/json"
	"fmt"
	"time"
)

const (
	// headVersion is the first byte of a head. That of a whole journey is '{'.
	headVersion = 8
	// headWithoutAmidst is that of a head without a page shown while a navigation was in
	// flight, as it is stored where there is none.
	headWithoutAmidst = 7
	// headWithoutMoves is that of a head without the moves of the pointer, as it is
	// stored where there are none.
	headWithoutMoves = 6
	// headWithoutSilence is that of a head that does not say whether a silence was noted.
	headWithoutSilence = 5
	// headWithOneKey is that of a head with the key of the newest page alone.
	headWithOneKey = 4
	// headWithoutKey is that of a head without the key of the newest page.
	headWithoutKey = 3
	// headWithoutItems is that of a head whose events don't know what they wait for.
	headWithoutItems = 2
	// maxWhole is the size of the largest whole journey that is read: more than its
	// bounds allowed but for observations that wait for a past.
	maxWhole = 32 << 20
)

// loadJourney returns the journey that a store has under key, or a new one. A
// damaged journey begins anew, and is partial; the error contains nothing of it.
func loadJourney(store Journeys, key Key, limits Limits) (*Journey, error) {
	head := store.Head(key)
	journey := &Journey{key: key, store: store, limits: limits}
	if head == nil {
		return journey, nil
	}
	if journey.decode(head) != nil {
		store.Drop(key)
		damaged := &Journey{key: key, store: store, limits: limits, Partial: true}
		return damaged, fmt.Errorf("cannot decode a journey of %d bytes: it is damaged", len(head))
	}
	return journey, nil
}

// save stores the head of the journey; its parts are stored already. at is the
// time of its last exchange.
func (j *Journey) save(at time.Time) {
	size := j.Bytes + j.Waits.Bytes
	for _, held := range j.Held {
		size += held.Bytes
	}
	j.store.PutHead(j.key, j.encode(), Mark{
		At: at, Size: size, IsUnfinished: j.isUnfinished(), HasEvents: j.Place > 0, AwaitsSilence: j.awaitsSilence(),
	})
}

// encode returns the head of the journey.
func (j *Journey) encode() []byte {
	version := byte(headVersion)
	if j.Amidst == (amidst{}) {
		version = headWithoutAmidst
		if len(j.Moves) == 0 {
			version = headWithoutMoves
		}
	}
	e := append(make(recordEncoder, 0, 256), version)
	e.bool(j.Child != nil)
	if j.Child != nil {
		e.text(j.Child.Instance)
		e.text(j.Child.Participant)
	}
	for _, text := range []string{j.Survey, j.FriendlyID, j.Study, j.Pointer, j.KnownAs} {
		e.text(text)
	}
	e.int(len(j.Keys))
	for _, key := range j.Keys {
		e.uint(key)
	}
	for _, number := range []int{j.Place, j.PageCount, j.KnownPages, j.ShownPages, j.KnownAnswers, j.Bytes, j.Waits.Count, j.Waits.Bytes, j.Waits.Orphans} {
		e.int(number)
	}
	for _, at := range []time.Time{j.Started, j.Asked, j.Waits.Last} {
		e.time(at)
	}
	e.bool(j.Done)
	e.bool(j.Partial)
	e.bool(j.Waits.HasNavigation)
	e.bool(j.IsSilent)
	e.int(len(j.Held))
	for _, held := range j.Held {
		e.int(held.Place)
		e.int(held.Bytes)
		e.bool(held.IsCut)
		e.int(len(held.Tickets))
		for _, ticket := range held.Tickets {
			e.uint(ticket)
			e.text(held.Items[ticket])
		}
		e.int(len(held.Pending))
		for _, item := range held.Pending {
			e.text(item)
		}
	}
	if version > headWithoutMoves {
		j.encodeMoves(&e)
	}
	if version > headWithoutAmidst {
		e.text(j.Amidst.From)
		e.text(j.Amidst.To)
		e.time(j.Amidst.At)
	}
	return e
}

// decode is the inverse of encode. It reads a whole journey too, and stores its parts.
func (j *Journey) decode(head []byte) error {
	if len(head) > 0 && head[0] == '{' {
		return j.decodeWhole(head)
	}
	d := recordDecoder{rest: head}
	version := d.uint()
	if version < headWithoutItems || version > headVersion {
		return errDamagedRecord
	}
	if d.bool() {
		j.Child = &Key{Instance: d.text(), Participant: d.text()}
	}
	for _, text := range []*string{&j.Survey, &j.FriendlyID, &j.Study, &j.Pointer} {
		*text = d.text()
	}
	j.decodeKeys(&d, version)
	for _, number := range []*int{&j.Place, &j.PageCount, &j.KnownPages, &j.ShownPages, &j.KnownAnswers, &j.Bytes, &j.Waits.Count, &j.Waits.Bytes, &j.Waits.Orphans} {
		*number = d.int()
	}
	for _, at := range []*time.Time{&j.Started, &j.Asked, &j.Waits.Last} {
		*at = d.time()
	}
	j.Done, j.Partial, j.Waits.HasNavigation = d.bool(), d.bool(), d.bool()
	if version > headWithoutSilence {
		j.IsSilent = d.bool()
	}
	for range min(d.int(), maxUnsettled+1) {
		j.Held = append(j.Held, decodeHeld(&d, version))
	}
	if version > headWithoutMoves {
		j.decodeMoves(&d)
	}
	if version > headWithoutAmidst {
		j.Amidst = amidst{From: d.text(), To: d.text(), At: d.time()}
	}
	return d.end()
}

func (j *Journey) decodeKeys(d *recordDecoder, version uint64) {
	switch version {
	case headWithoutItems, headWithoutKey:
	case headWithOneKey:
		if key := d.text(); key != "" {
			j.Keys.add(key)
		}
	default:
		j.KnownAs = d.text()
		for range min(d.int(), maxKeys) {
			j.Keys = append(j.Keys, d.uint())
		}
	}
}

func decodeHeld(d *recordDecoder, version uint64) heldEvent {
	h := heldEvent{Place: d.int(), Bytes: d.int(), IsCut: d.bool()}
	for range min(d.int(), maxTickets) {
		h.Tickets = append(h.Tickets, d.uint())
		if version != headWithoutItems {
			h.awaits(h.Tickets[len(h.Tickets)-1], d.text())
		}
	}
	if version != headWithoutItems {
		for range min(d.int(), maxTickets) {
			h.Pending = append(h.Pending, d.text())
		}
	}
	return h
}

// wholeJourney is a journey as an earlier release stored it: all of it in one
// record.
type wholeJourney struct {
	Child                     *Key
	Survey, FriendlyID, Study string
	Started                   time.Time
	Place                     int
	Pointer                   string
	Done, Partial             bool
	PageCount                 int
	Pages                     []*wholePage
	Answers                   map[string]Answer
	Waiting                   []*Observation
	Asked                     time.Time
	Unsettled                 []wholeEvent
	// Definitions are the names of the pages' definitions in the store, by page.
	Definitions map[string]string `json:"definitions"`
}

// wholePage is a page in a whole journey.
type wholePage struct {
	ID       string
	Position int
	Loaded   time.Time
	Left     bool
}

// wholeEvent is an event that waits for answers in a whole journey.
type wholeEvent struct {
	Event   *Event
	Tickets []uint64
}

// decodeWhole reads a whole journey and stores its parts.
func (j *Journey) decodeWhole(data []byte) error {
	s := wholeJourney{}
	if len(data) > maxWhole || json.Unmarshal(data, &s) != nil {
		return errDamagedRecord
	}
	j.Child, j.Survey, j.FriendlyID, j.Study, j.Started, j.Place = s.Child, s.Survey, s.FriendlyID, s.Study, s.Started, s.Place
	j.Pointer, j.Done, j.Partial, j.PageCount, j.Asked = s.Pointer, s.Done, s.Partial, s.PageCount, s.Asked
	for _, whole := range s.Pages {
		page := &pageState{id: whole.ID, Definition: s.Definitions[whole.ID], Position: whole.Position, Loaded: whole.Loaded, Left: whole.Left}
		j.putPage(page)
		j.KnownPages++
		j.Bytes += len(whole.ID) + recordOverhead
		if whole.Position > 0 {
			j.ShownPages++
		}
	}
	for item, answer := range s.Answers {
		j.store.PutPart(j.key, partAnswer+item, answer.encode())
		j.KnownAnswers++
		j.Bytes += len(answer.Bytes) + len(item) + recordOverhead
	}
	for _, o := range s.Waiting {
		j.wait(o)
	}
	for _, u := range s.Unsettled {
		if encoded, err := json.Marshal(u.Event); u.Event != nil && err == nil {
			j.store.PutPart(j.key, numbered(partEvent, u.Event.Place), encoded)
			j.Held = append(j.Held, heldEvent{Place: u.Event.Place, Tickets: u.Tickets, Bytes: len(encoded)})
		}
	}
	j.boundHeld()
	return nil
}
