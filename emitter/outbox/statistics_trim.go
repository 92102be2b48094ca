package outbox

import (
	"bytes"
	"encoding/binary"
)

// trimCounts continues its walk through the statistics, once a day: it drops the counts
// that are past their retention, and the names of which none are left.
func (t *trimmer) trimCounts(tx *Tx, limit int) (dropped int) {
	cutoff := t.cutoff(tx, t.retention.Statistics)
	if cutoff.IsZero() || days(cutoff) <= t.countsTrimmed {
		return 0
	}
	oldest := days(cutoff)
	key := tx.countsFrom(t.counts)
	for visits := 0; key != nil; visits++ {
		if dropped+visits >= limit {
			t.counts = key
			return dropped
		}
		gone, isEnd := tx.dropCounts(key[:countsPrefixSize], oldest, limit-dropped)
		if dropped += gone; !isEnd {
			continue
		}
		survey := countsHash(key[:countsHashSize])
		key = tx.countsFrom(append(key[:countsPrefixSize], bytes.Repeat([]byte{0xff}, 4+countsHashSize)...))
		if isLast := !bytes.HasPrefix(key, survey[:]); isLast {
			dropped += tx.dropNames(survey, oldest)
		}
	}
	t.counts, t.countsTrimmed = nil, oldest
	return dropped
}

// countsFrom returns the first key of the statistics from one on, nil if there is none.
func (tx *Tx) countsFrom(start []byte) []byte {
	for key := range tx.view.ascend(bucketSurveyCounts, nil, start) {
		if len(key) == len(countsKey{}) {
			return bytes.Clone(key)
		}
	}
	return nil
}

// dropCounts drops up to limit counts of a kind of a survey that are older than a day.
func (tx *Tx) dropCounts(prefix []byte, oldest uint32, limit int) (dropped int, isEnd bool) {
	var expired [][]byte
	var freed uint64
	isEnd = true
	for key, record := range tx.view.ascend(bucketSurveyCounts, prefix, nil) {
		if isDay := len(key) >= countsPrefixSize+4; isDay && binary.BigEndian.Uint32(key[countsPrefixSize:]) >= oldest {
			break
		}
		if len(expired) == limit {
			isEnd = false
			break
		}
		expired = append(expired, bytes.Clone(key))
		freed += countsFootprint(record)
	}
	for _, key := range expired {
		tx.delete(bucketSurveyCounts, key)
	}
	if freed > 0 {
		tx.weighSurvey(countsHash(prefix[:countsHashSize]), -int64(freed))
	}
	return len(expired), isEnd
}

// dropNames drops the names of the pages of a survey that have no counts left, and the
// survey itself if it has none.
func (tx *Tx) dropNames(survey countsHash, oldest uint32) (dropped int) {
	r, isKnown := tx.survey(survey)
	if !isKnown || r.first >= oldest {
		return 0
	}
	for key, record := range tx.pagesOf(survey) {
		if page, ok := decodeSurveyPage(record); !ok || page.last < oldest {
			tx.delete(bucketSurveyPages, []byte(key))
			tx.weighSurvey(survey, -int64(namesFootprint(page.id)+maxPageName))
			dropped++
		}
	}
	r, _ = tx.survey(survey)
	r.pages -= min(r.pages, uint64(dropped))
	if r.first = oldest; r.last >= oldest {
		tx.putSurvey(survey, r)
		return dropped
	}
	all := tx.statistics()
	all.surveys, all.bytes = all.surveys-min(all.surveys, 1), all.bytes-min(all.bytes, r.bytes)
	tx.put(bucketSurveys, keyStatistics, all.encode())
	tx.delete(bucketSurveys, survey[:])
	return dropped + 1
}

// pagesOf returns the records of the pages of a survey.
func (tx *Tx) pagesOf(survey countsHash) map[string][]byte {
	pages := map[string][]byte{}
	for key, record := range tx.view.ascend(bucketSurveyPages, survey[:], nil) {
		pages[string(key)] = bytes.Clone(record)
	}
	return pages
}
