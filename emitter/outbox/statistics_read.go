package outbox

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/sidehook/sidehook/rules/funnel"
)

// CountedSurvey is a survey that has statistics.
type CountedSurvey struct {
	SurveyNames
	// First and Last are the days of the first and last counts that are kept: 00:00 UTC.
	First, Last time.Time
}

// DayCounts are the counts of a survey on a day.
type DayCounts struct {
	// Day is its begin: 00:00 UTC.
	Day time.Time
	funnel.Counts
}

// PageCounts are the counts of a page.
type PageCounts struct {
	CountedPage
	funnel.Counts
}

// Surveys returns all surveys that have statistics, by their ids: numbers first, in
// their order. The last one stands for those that are counted together, if there are any.
func (s *Store) Surveys() (list []CountedSurvey, err error) {
	err = s.view(func(v *view) error {
		for key, record := range v.ascend(bucketSurveys, nil, nil) {
			if r, ok := decodeSurvey(record); ok && len(key) == countsHashSize {
				list = append(list, CountedSurvey{r.SurveyNames, timeOf(r.first), timeOf(r.last)})
			}
		}
		return nil
	})
	slices.SortFunc(list, func(a, b CountedSurvey) int { return a.Compare(b.SurveyNames) })
	return list, err
}

// Compare orders surveys as Surveys does.
func (n SurveyNames) Compare(other SurveyNames) int {
	isOther := func(n SurveyNames) int {
		if n.hash() == otherHash {
			return 1
		}
		return 0
	}
	return cmp.Or(isOther(n)-isOther(other), compareIDs(n.ID, other.ID), compareIDs(n.Instance, other.Instance))
}

func compareIDs(a, b string) int {
	const notANumber = 1<<64 - 1
	number := func(id string) uint64 {
		if n, err := strconv.ParseUint(id, 10, 63); err == nil {
			return n
		}
		return notANumber
	}
	return cmp.Or(cmp.Compare(number(a), number(b)), cmp.Compare(a, b))
}

// SurveyDays returns the counts of a survey by day, from the day of since, and without
// that of until unless it is zero. There are at most as many as days are kept.
func (s *Store) SurveyDays(survey SurveyNames, since, until time.Time) (list []DayCounts, err error) {
	err = s.eachCounts(countsPrefix(survey.hash(), countsOfSurvey), since, until, func(key countsKey, counts *funnel.Counts) {
		list = append(list, DayCounts{timeOf(key.day()), *counts})
	})
	return list, err
}

// SurveyPages returns the counts of the pages of a survey from the day of since, and
// without that of until unless it is zero. They are in the order of the survey; the last
// one stands for those that are counted together, if there are any.
func (s *Store) SurveyPages(survey SurveyNames, since, until time.Time) (list []PageCounts, err error) {
	merged := map[countsHash]*funnel.Counts{}
	err = s.eachCounts(countsPrefix(survey.hash(), countsOfPage), since, until, func(key countsKey, counts *funnel.Counts) {
		if of := merged[key.page()]; of != nil {
			of.Merge(counts)
		} else {
			merged[key.page()] = counts
		}
	})
	if err == nil {
		err = s.view(func(v *view) error {
			hash := survey.hash()
			for key, counts := range merged {
				page := CountedPage{}
				r, ok := decodeSurveyPage(v.get(bucketSurveyPages, append(hash[:], key[:]...)))
				if ok {
					page = CountedPage{ID: r.id, Number: int(r.number), Position: int(r.position), Name: r.name}
				}
				if ok || key == otherHash {
					list = append(list, PageCounts{page, *counts})
				}
			}
			return nil
		})
	}
	slices.SortFunc(list, comparePages)
	return list, err
}

func comparePages(a, b PageCounts) int {
	place := func(p *PageCounts) int {
		if p.ID == "" {
			return math.MaxInt
		}
		return cmp.Or(p.Number, p.Position)
	}
	return cmp.Or(cmp.Compare(place(&a), place(&b)), cmp.Compare(a.Position, b.Position), cmp.Compare(a.ID, b.ID))
}

// eachCounts calls fn with the counts of some days, in a few short reads.
func (s *Store) eachCounts(prefix []byte, since, until time.Time, fn func(countsKey, *funnel.Counts)) error {
	from, to := days(since), uint32(1<<32-1)
	if !until.IsZero() {
		to = days(until)
	}
	start := newCountsKey(countsHash(prefix[:countsHashSize]), from, countsHash{})
	for next := slices.Concat(prefix, start[countsPrefixSize:]); next != nil; {
		err := s.view(func(v *view) error {
			at, scanned := next, 0
			next = nil
			for key, record := range v.ascend(bucketSurveyCounts, prefix, at) {
				if len(key) != len(countsKey{}) {
					continue
				}
				k := countsKey(key)
				if k.day() >= to {
					return nil
				}
				if scanned++; scanned > maxScan {
					next = bytes.Clone(key)
					return nil
				}
				if counts, err := funnel.Decode(record); err == nil {
					fn(k, &counts)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func timeOf(day uint32) time.Time { return time.Unix(int64(day)*24*60*60, 0).UTC() }
