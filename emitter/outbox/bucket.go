package outbox

// bucket is one of the buckets of the state file; see the package documentation.
type bucket byte

// The numbers of the buckets are part of the file's format.
const (
	bucketMeta bucket = iota
	bucketJourneys
	bucketJourneyAge
	bucketPages
	bucketPageUse
	bucketUnsettled
	bucketTargets
	bucketDeliveries
	bucketIDs
	bucketProgress
	bucketFailures
	bucketLanes
	bucketReady
	bucketDone
	bucketJourneyParts
	bucketDamaged
	bucketSurveys
	bucketSurveyPages
	bucketSurveyCounts
	bucketCount
)

var bucketNames = [bucketCount]string{
	"meta", "journeys", "journey_age", "pages", "page_use", "unsettled", "targets",
	"deliveries", "ids", "progress", "failures", "lanes", "ready", "done",
	"journey_parts", "damaged", "surveys", "survey_pages", "survey_counts",
}

// fillerName is the name of a bucket that exists only while Scrub runs.
var fillerName = []byte("filler")

// name returns the bucket's name in the file. That of meta is the same in all formats.
func (b bucket) name() []byte {
	if b == bucketMeta {
		return b.format1Name()
	}
	return []byte(bucketNames[b] + " 2")
}

// format1Name returns the name that the bucket has in a file of format 1.
func (b bucket) format1Name() []byte { return []byte(bucketNames[b]) }

// isGrowing reports whether the bucket gets ever larger keys.
func (b bucket) isGrowing() bool {
	return b == bucketDeliveries || b == bucketProgress || b == bucketReady || b == bucketDone
}
