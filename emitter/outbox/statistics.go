package outbox

import (
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/rules/funnel"
)

// The bounds of the statistics of all surveys. Participants can make up surveys and
// pages only as far as the app shows them.
const (
	// maxStatistics is how many bytes they take, and statisticsDivisor which part of
	// retention.size, whatever is less. Past three quarters of that, new surveys and
	// further pages are counted with others; past it, all but the surveys together.
	maxStatistics     = 64 << 20
	statisticsDivisor = 32
	// Half of it is for one survey. maxSurveys and maxSurveyPages have names.
	maxSurveys     = 4096
	maxSurveyPages = 1000
	// maxPageName is the size of the longest name of a page.
	maxPageName = 256
)

// SurveyNames names a survey instance. The zero value stands for all surveys that are
// counted together.
type SurveyNames struct{ ID, Instance, FriendlyID string }

func (n SurveyNames) hash() countsHash {
	if n.ID == "" && n.Instance == "" {
		return otherHash
	}
	return countsHashOf(n.ID, "\x00", n.Instance)
}

// CountedPage is a page in the statistics of a survey. Without an ID it stands for all
// pages that are counted together.
type CountedPage struct {
	ID string
	// Number is the page's number in the survey, Position its place in a participant's
	// order; 0 if unknown.
	Number, Position int
	// Name is empty where the page has none, or none that all participants are shown.
	Name string
}

// Count is one thing to count.
type Count struct {
	What   funnel.Counter
	Survey SurveyNames
	// Page is nil for what is counted of the survey. The name is used only with Reached.
	Page *CountedPage
	At   time.Time
	// Took is how long it took, nil if unknown.
	Took *time.Duration
	// IsPersonal reports whether the page's name is of this participant alone. It is
	// called within Tx.Count, if at all.
	IsPersonal func() bool
}

// counting is what a transaction has counted under a key.
type counting struct {
	key    countsKey
	counts funnel.Counts
}

// Count counts one thing in the statistics, which are kept Retention.Statistics. It is
// on disk if the rest of the change is.
func (tx *Tx) Count(c Count) {
	wanted := newCountsKey(c.Survey.hash(), days(c.At), countsHash{})
	if c.Page != nil {
		wanted = newCountsKey(c.Survey.hash(), days(c.At), countsHashOf(c.Page.ID))
	}
	to := tx.counting[wanted]
	if to == nil {
		key := tx.admit(wanted, c)
		if to = tx.counting[key]; to == nil {
			to = &counting{key: key}
		}
		if tx.counting == nil {
			tx.counting = map[countsKey]*counting{}
		}
		tx.counting[key], tx.counting[wanted] = to, to
	}
	to.counts.Add(c.What)
	if c.Took != nil {
		to.counts.Took(*c.Took)
	}
	if c.What == funnel.Reached && to.key == wanted && c.Page.Name != "" {
		tx.noteName(wanted, c)
	}
}

// putCounts writes what was counted, once for all changes of a commit.
func (tx *Tx) putCounts() {
	for key, one := range tx.counting {
		if key != one.key { // it has another name, too
			continue
		}
		old := tx.get(bucketSurveyCounts, key[:])
		if counts, err := funnel.Decode(old); err == nil {
			one.counts.Merge(&counts)
		}
		record := one.counts.Encode()
		had := uint64(0)
		if old != nil {
			had = countsFootprint(old)
		}
		if has := countsFootprint(record); has != had {
			tx.weighSurvey(key.survey(), int64(has)-int64(had))
		}
		tx.put(bucketSurveyCounts, key[:], record)
	}
}

// admit returns the key to count under: that of others where something new has no room.
func (tx *Tx) admit(key countsKey, c Count) countsKey {
	if tx.has(bucketSurveyCounts, key[:]) {
		return key
	}
	all, limit := tx.statistics(), tx.statisticsLimit()
	isCrowded, isFull := all.bytes >= limit/4*3, all.bytes >= limit
	survey, isKnown := tx.survey(key.survey())
	isOther := key.survey() == otherHash
	switch page := key.page(); {
	case !isOther && (isFull || !isKnown && (isCrowded || all.surveys >= maxSurveys)):
		tx.overflow(overflowSurvey)
		if page != (countsHash{}) {
			page = otherHash
		}
		c.Survey = SurveyNames{}
		return tx.admit(newCountsKey(otherHash, key.day(), page), c)
	case page == countsHash{}, page == otherHash:
	case isOther, isCrowded, survey.bytes >= limit/2, survey.pages >= maxSurveyPages && !tx.has(bucketSurveyPages, pageKey(key)):
		tx.overflow(overflowPage)
		return tx.admit(newCountsKey(key.survey(), key.day(), otherHash), c)
	default:
		tx.touchSurveyPage(key, c, &survey, isKnown)
		return key
	}
	tx.touchSurvey(key, c, survey, isKnown)
	return key
}

// touchSurvey writes the record of a survey that has counts of another day.
func (tx *Tx) touchSurvey(key countsKey, c Count, r surveyRecord, isKnown bool) {
	if !isKnown {
		r.first = key.day()
		r.bytes = namesFootprint(c.Survey.ID, c.Survey.Instance, c.Survey.FriendlyID)
		all := tx.statistics()
		all.surveys, all.bytes = all.surveys+1, all.bytes+r.bytes
		tx.put(bucketSurveys, keyStatistics, all.encode())
	}
	r.SurveyNames = c.Survey
	r.first, r.last = min(r.first, key.day()), max(r.last, key.day())
	tx.putSurvey(key.survey(), r)
}

// touchSurveyPage writes the records of a page that has counts of another day, and of
// its survey.
func (tx *Tx) touchSurveyPage(key countsKey, c Count, survey *surveyRecord, isKnownSurvey bool) {
	r, isKnown := decodeSurveyPage(tx.get(bucketSurveyPages, pageKey(key)))
	if !isKnown {
		survey.pages++
	}
	tx.touchSurvey(key, c, *survey, isKnownSurvey)
	if !isKnown {
		tx.weighSurvey(key.survey(), int64(namesFootprint(c.Page.ID)+maxPageName))
	}
	r.id, r.last = c.Page.ID, max(r.last, key.day())
	if c.What == funnel.Reached {
		r.number, r.position = uint64(c.Page.Number), uint64(c.Page.Position)
	}
	tx.put(bucketSurveyPages, pageKey(key), r.encode())
}

// noteName learns what a page is called. A name that only one participant was shown
// may have been made for them, and its hash alone is kept until another is shown it.
func (tx *Tx) noteName(key countsKey, c Count) {
	r, ok := decodeSurveyPage(tx.get(bucketSurveyPages, pageKey(key)))
	if !ok || r.name == c.Page.Name {
		return
	}
	name := countsHashOf(c.Page.Name)
	switch {
	case name == r.named:
		return
	case name != r.candidate:
		r.candidate = name
	default:
		r.named, r.candidate, r.name = name, countsHash{}, ""
		if !c.IsPersonal() {
			r.name = strings.ToValidUTF8(c.Page.Name[:min(len(c.Page.Name), maxPageName)], "")
		}
	}
	tx.put(bucketSurveyPages, pageKey(key), r.encode())
}

// pageKey returns the key in survey_pages of the page that a key of survey_counts is of.
func pageKey(key countsKey) []byte {
	survey, page := key.survey(), key.page()
	return append(survey[:], page[:]...)
}

func (tx *Tx) survey(key countsHash) (r surveyRecord, ok bool) {
	return decodeSurvey(tx.get(bucketSurveys, key[:]))
}

func (tx *Tx) putSurvey(key countsHash, r surveyRecord) { tx.put(bucketSurveys, key[:], r.encode()) }

// weighSurvey notes that the records of a survey take more or less.
func (tx *Tx) weighSurvey(key countsHash, bytes int64) {
	// A damaged record may have been counted otherwise.
	if r, isKnown := tx.survey(key); isKnown {
		r.bytes += uint64(max(bytes, -int64(r.bytes)))
		tx.putSurvey(key, r)
	}
	all := tx.statistics()
	all.bytes += uint64(max(bytes, -int64(all.bytes)))
	tx.put(bucketSurveys, keyStatistics, all.encode())
}

// statistics returns what the statistics of all surveys take.
func (tx *Tx) statistics() statisticsRecord {
	r, ok := decodeStatistics(tx.get(bucketSurveys, keyStatistics))
	if ok {
		return r
	}
	for _, record := range tx.view.ascend(bucketSurveys, nil, nil) { // none yet, or it was damaged
		if s, ok := decodeSurvey(record); ok {
			r.surveys, r.bytes = r.surveys+1, r.bytes+s.bytes
		}
	}
	return r
}

func (tx *Tx) statisticsLimit() uint64 {
	if tx.size == 0 {
		return maxStatistics
	}
	return min(maxStatistics, uint64(tx.size)/statisticsDivisor)
}

// What is counted together with others.
const (
	overflowSurvey = "survey"
	overflowPage   = "page"
)

// overflows counts and logs what has no room of its own in the statistics. Only the
// writer uses it.
type overflows struct {
	log   *slog.Logger
	total *prometheus.CounterVec
	warn  rate.Sometimes
}

func (o *overflows) init(log *slog.Logger) { o.log, o.warn.Interval = log, logEvery }

func (tx *Tx) overflow(what string) {
	o := tx.overflows
	tx.After(func() {
		o.total.WithLabelValues(what).Inc()
		o.warn.Do(func() {
			o.log.Warn("some surveys or pages are counted together in the statistics, since there are too many: shorten retention.statistics, or raise retention.size", "what", what)
		})
	})
}
