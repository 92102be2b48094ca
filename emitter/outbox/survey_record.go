package outbox

import (
	"crypto/sha256"
	"encoding/binary"
)

// The statistics of a survey are records of three buckets:
//
//	surveys        hash of the survey → names, days, what its records take
//	survey_pages   hash of the survey, hash of the page → number, name, last day
//	survey_counts  hash of the survey, kind, day, hash of the page → funnel.Counts
//
// The hash of what is counted together with others is otherHash.

const countsHashSize = 8

// countsHash stands for a survey or page in keys.
type countsHash [countsHashSize]byte

// otherHash is that of all surveys, or all pages of a survey, past a bound.
var otherHash = countsHash{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// countsHashOf is hashOf without an allocation, which every count would need.
func countsHashOf(parts ...string) countsHash {
	text := make([]byte, 0, 256)
	for _, part := range parts {
		text = append(text, part...)
	}
	sum := sha256.Sum256(text)
	return countsHash(sum[:countsHashSize])
}

// The kinds of counts, which are part of keys.
const (
	countsOfSurvey byte = iota
	countsOfPage
)

// countsKey is a key of survey_counts.
type countsKey [countsPrefixSize + 4 + countsHashSize]byte

// countsPrefixSize is the length of what the keys of one kind of a survey begin with.
const countsPrefixSize = countsHashSize + 1

func newCountsKey(survey countsHash, day uint32, page countsHash) (key countsKey) {
	copy(key[:], survey[:])
	if page != (countsHash{}) {
		key[countsHashSize] = countsOfPage
	}
	binary.BigEndian.PutUint32(key[countsPrefixSize:], day)
	copy(key[countsPrefixSize+4:], page[:])
	return key
}

func countsPrefix(survey countsHash, kind byte) []byte { return append(survey[:], kind) }

func (k *countsKey) survey() countsHash { return countsHash(k[:countsHashSize]) }
func (k *countsKey) page() countsHash   { return countsHash(k[countsPrefixSize+4:]) }
func (k *countsKey) day() uint32        { return binary.BigEndian.Uint32(k[countsPrefixSize:]) }

// surveyRecord is the record of a survey.
type surveyRecord struct {
	SurveyNames
	// pages is how many have a record, bytes what all records of the survey take.
	pages, bytes uint64
	// first and last are the days of the first and last counts.
	first, last uint32
}

func (r *surveyRecord) encode() []byte {
	var e encoder
	for _, text := range []string{r.ID, r.Instance, r.FriendlyID} {
		e.text(text)
	}
	for _, n := range []uint64{r.pages, r.bytes, uint64(r.first), uint64(r.last)} {
		e.uint(n)
	}
	return e
}

func decodeSurvey(record []byte) (r surveyRecord, ok bool) {
	in := decoder{rest: record}
	for _, text := range []*string{&r.ID, &r.Instance, &r.FriendlyID} {
		*text = in.text()
	}
	r.pages, r.bytes, r.first, r.last = in.uint(), in.uint(), uint32(in.uint()), uint32(in.uint())
	return r, record != nil && in.err == nil
}

// pageRecord is the record of a page of a survey.
type pageRecord struct {
	id string
	// number and position are as in a CountedPage.
	number, position uint64
	// last is the day of the last counts.
	last uint32
	// name is what the page is called, if two participants were shown the same that
	// was not personal. named is its hash, also where it is personal; candidate is the
	// hash of another name that one participant was shown.
	name             string
	named, candidate countsHash
}

func (r *pageRecord) encode() []byte {
	var e encoder
	e.text(r.id)
	for _, n := range []uint64{r.number, r.position, uint64(r.last)} {
		e.uint(n)
	}
	e.text(r.name)
	e = append(e, r.named[:]...)
	return append(e, r.candidate[:]...)
}

func decodeSurveyPage(record []byte) (r pageRecord, ok bool) {
	in := decoder{rest: record}
	r.id = in.text()
	r.number, r.position, r.last = in.uint(), in.uint(), uint32(in.uint())
	r.name = in.text()
	if record == nil || in.err != nil || len(in.rest) != 2*countsHashSize {
		return pageRecord{}, false
	}
	copy(r.named[:], in.rest)
	copy(r.candidate[:], in.rest[countsHashSize:])
	return r, true
}

// statisticsRecord is what the statistics of all surveys take.
type statisticsRecord struct{ surveys, bytes uint64 }

// keyStatistics is its key in surveys. No hash is as long.
var keyStatistics = []byte("all")

func (r statisticsRecord) encode() []byte {
	var e encoder
	e.uint(r.surveys)
	e.uint(r.bytes)
	return e
}

func decodeStatistics(record []byte) (r statisticsRecord, ok bool) {
	in := decoder{rest: record}
	r.surveys, r.bytes = in.uint(), in.uint()
	return r, record != nil && in.err == nil
}

// countsPart is what the bytes of counts are rounded up to, so that it is seldom that
// what they take has changed.
const countsPart = 64

func countsFootprint(record []byte) uint64 {
	return uint64(footprint(len(countsKey{})+len(record))+countsPart-1) / countsPart * countsPart
}

// namesFootprint is about how much of the file the record of a survey or page takes at
// most, with these names.
func namesFootprint(names ...string) (bytes uint64) {
	const numbers = 100
	for _, name := range names {
		bytes += uint64(len(name))
	}
	return uint64(footprint(int(bytes) + numbers))
}
