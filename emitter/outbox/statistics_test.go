package outbox

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/funnel"
)

var decsys = SurveyNames{ID: "5", Instance: "3", FriendlyID: "fzd"}

// onPage counts something of a page of decsys. The page's name is that of all
// participants, unless it begins with "for".
func onPage(what funnel.Counter, at time.Time, id, name string) Count {
	number := 0
	_, _ = fmt.Sscan(id, &number)
	return Count{
		What: what, Survey: decsys, At: at, Page: &CountedPage{ID: id, Number: number, Position: number, Name: name},
		IsPersonal: func() bool { return strings.HasPrefix(name, "for") },
	}
}

// ofSurvey counts something of decsys.
func ofSurvey(what funnel.Counter, at time.Time) Count {
	return Count{What: what, Survey: decsys, At: at}
}

// statisticsOf returns what a store has counted as text.
func statisticsOf(t *testing.T, s *Store, survey SurveyNames, since, until time.Time) string {
	t.Helper()
	var b strings.Builder
	write := func(what string, c *funnel.Counts) {
		b.WriteString(what)
		for _, counter := range []funnel.Counter{funnel.Started, funnel.Completed, funnel.Reached, funnel.Left} {
			if n := c.Of(counter); n > 0 {
				fmt.Fprintf(&b, " %s %d", counter, n)
			}
		}
		b.WriteString("\n")
	}
	list, err := s.SurveyDays(survey, since, until)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range list {
		write(one.Day.Format(time.DateOnly)+":", &one.Counts)
	}
	pages, err := s.SurveyPages(survey, since, until)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range pages {
		write(fmt.Sprintf("page %q %q:", one.ID, one.Name), &one.Counts)
	}
	return b.String()
}

func TestStatisticsAreByDayAndPage(t *testing.T) {
	dir := t.TempDir()
	s, _ := testStore(t, dir)
	tomorrow := at(0).Add(12 * time.Hour) // 00:00
	do(t, s, func(tx *Tx) {
		tx.Count(ofSurvey(funnel.Started, at(0)))
		tx.Count(onPage(funnel.Reached, at(0), "2", ""))
		tx.Count(onPage(funnel.Reached, at(0), "10", ""))
	})
	for range 2 {
		do(t, s, func(tx *Tx) {
			tx.Count(ofSurvey(funnel.Started, tomorrow))
			tx.Count(ofSurvey(funnel.Completed, tomorrow.Add(-time.Nanosecond)))
			left := onPage(funnel.Left, tomorrow, "2", "")
			left.Took = new(time.Minute)
			tx.Count(left)
		})
	}
	want := `2026-11-23: started 1 completed 2
2026-11-24: started 2
page "2" "": reached 1 left 2
page "10" "": reached 1
`
	if diff := cmp.Diff(want, statisticsOf(t, s, decsys, time.Time{}, time.Time{})); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("2026-11-24: started 2\npage \"2\" \"\": left 2\n", statisticsOf(t, s, decsys, tomorrow, time.Time{})); diff != "" {
		t.Errorf("counted since the second day (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff("2026-11-23: started 1 completed 2\npage \"2\" \"\": reached 1\npage \"10\" \"\": reached 1\n", statisticsOf(t, s, decsys, time.Time{}, tomorrow)); diff != "" {
		t.Errorf("counted until the second day (-want +got):\n%s", diff)
	}
	pages, _ := s.SurveyPages(decsys, time.Time{}, time.Time{})
	if median, ok := pages[0].Median(); !ok || median.Round(10*time.Second) != time.Minute {
		t.Errorf("the median is %v, %t; want a minute", median, ok)
	}
	list, err := s.Surveys()
	if want := []CountedSurvey{{decsys, tomorrow.AddDate(0, 0, -1), tomorrow}}; err != nil || cmp.Diff(want, list) != "" {
		t.Errorf("the surveys are %v, %v; want %v", list, err, want)
	}
}

// A change that is made together with others counts as one that is made alone, and
// what a kill leaves has each once.
func TestStatisticsAreWhatWasCommittedAfterAKill(t *testing.T) {
	dir := t.TempDir()
	s, _ := testStore(t, dir)
	for range 50 {
		for n := range 10 {
			s.Submit(0, func(tx *Tx) {
				tx.Count(ofSurvey(funnel.Started, at(0)))
				tx.Count(onPage(funnel.Reached, at(0), fmt.Sprint(n+1), ""))
			})
		}
		do(t, s, func(*Tx) {})
	}
	left := readLive(t, s, dir)
	want := statisticsOf(t, s, decsys, time.Time{}, time.Time{})
	if !strings.Contains(want, "started 500\n") || strings.Count(want, "reached 50\n") != 10 {
		t.Fatal("counted", want)
	}
	other := t.TempDir()
	writeState(t, other, left)
	s, stop := testStore(t, other)
	if diff := cmp.Diff(want, statisticsOf(t, s, decsys, time.Time{}, time.Time{})); diff != "" {
		t.Errorf("after the kill (-want +got):\n%s", diff)
	}
	stop()
	s, _ = testStore(t, other)
	if diff := cmp.Diff(want, statisticsOf(t, s, decsys, time.Time{}, time.Time{})); diff != "" {
		t.Errorf("after a stop (-want +got):\n%s", diff)
	}
}

func TestANameIsShownOnceTwoParticipantsHaveSeenIt(t *testing.T) {
	f := func(want string, names ...string) {
		t.Helper()
		s, _ := testStore(t, t.TempDir())
		for _, name := range names {
			do(t, s, func(tx *Tx) { tx.Count(onPage(funnel.Reached, at(0), "1", name)) })
		}
		pages, err := s.SurveyPages(decsys, time.Time{}, time.Time{})
		if err != nil || len(pages) != 1 || pages[0].Name != want {
			t.Errorf("%q: the pages are %v, %v; want the name %q", names, pages, err, want)
		}
	}
	f("", "Consent")
	f("Consent", "Consent", "Consent")
	f("", "Hello Ann", "Hello Ben", "Hello Cid")
	f("", "for Ann", "for Ann", "for Ann") // quotes the same answer of several participants
	f("Consent", "Consent", "Consent", "Zustimmung")
	f("Agree", "Consent", "Consent", "Agree", "Agree") // the author has changed it
	f("", "Consent", "Consent", "for Ann", "for Ann")
	f(strings.Repeat("ä", 128), strings.Repeat("ä", 200), strings.Repeat("ä", 200))
}

func TestStatisticsAreKeptForTheirRetention(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	old, young := now.AddDate(0, 0, -31), now.AddDate(0, 0, -29)
	s, stop := testStore(t, dir)
	gone := SurveyNames{ID: "6", Instance: "4"}
	do(t, s, func(tx *Tx) {
		tx.Count(ofSurvey(funnel.Started, old))
		tx.Count(ofSurvey(funnel.Started, young))
		tx.Count(onPage(funnel.Reached, old, "1", ""))
		tx.Count(onPage(funnel.Reached, old, "2", ""))
		tx.Count(onPage(funnel.Reached, young, "2", ""))
		tx.Count(Count{What: funnel.Started, Survey: gone, At: old})
		for n := range 2 * maxTrim {
			tx.Count(Count{What: funnel.Reached, Survey: gone, Page: &CountedPage{ID: fmt.Sprint(n)}, At: old})
		}
	})
	stop()
	s, stop = openWith(t, dir, config.Retention{Statistics: 30 * day}, &bytes.Buffer{})
	for range 10 { // each drops some
		do(t, s, func(tx *Tx) { tx.After(func() {}) })
	}
	want := young.UTC().Format(time.DateOnly) + ": started 1\npage \"2\" \"\": reached 1\n"
	if diff := cmp.Diff(want, statisticsOf(t, s, decsys, time.Time{}, time.Time{})); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	list, err := s.Surveys()
	if err != nil || len(list) != 1 || list[0].SurveyNames != decsys {
		t.Errorf("the surveys are %v, %v; want the one that has counts", list, err)
	}
	do(t, s, func(tx *Tx) {
		survey, _ := tx.survey(decsys.hash())
		all := tx.statistics()
		if all.surveys != 1 || all.bytes != survey.bytes || survey.pages != 1 {
			t.Errorf("all take %+v, the survey %+v", all, survey)
		}
		n := 0
		for range tx.view.ascend(bucketSurveyPages, nil, nil) {
			n++
		}
		if n != 1 {
			t.Errorf("%d pages have names, want 1", n)
		}
	})
	stop()
}

func TestStatisticsAreBounded(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	const tooMany = 20
	do(t, s, func(tx *Tx) {
		for n := range maxSurveyPages + tooMany {
			tx.Count(onPage(funnel.Reached, at(0), fmt.Sprint("page", n), ""))
		}
	})
	pages, err := s.SurveyPages(decsys, time.Time{}, time.Time{})
	if err != nil || len(pages) != maxSurveyPages+1 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	if last := pages[maxSurveyPages]; last.ID != "" || last.Of(funnel.Reached) != tooMany {
		t.Errorf("the last page is %+v, want that of %d others", last, tooMany)
	}
	do(t, s, func(tx *Tx) {
		for n := range maxSurveys - 1 + tooMany {
			tx.Count(Count{What: funnel.Started, Survey: SurveyNames{ID: fmt.Sprint("survey", n)}, At: at(0)})
		}
	})
	list, err := s.Surveys()
	if err != nil || len(list) != maxSurveys+1 || list[maxSurveys].SurveyNames != (SurveyNames{}) {
		t.Fatalf("%d surveys, %v", len(list), err)
	}
	if got := statisticsOf(t, s, SurveyNames{}, time.Time{}, time.Time{}); got != "2026-11-23: started 20\n" {
		t.Errorf("of others: %s", got)
	}
}

// Strangers who make up surveys and pages fill neither the file nor the statistics of
// the surveys that there are.
func TestStatisticsTakeALimitedPartOfTheFile(t *testing.T) {
	var log bytes.Buffer
	s, _ := openWith(t, t.TempDir(), config.Retention{Size: 16 << 20}, &log)
	do(t, s, func(tx *Tx) { tx.Count(ofSurvey(funnel.Started, at(0))) })
	const surveys, pages = 100, 100
	for n := range surveys {
		do(t, s, func(tx *Tx) {
			survey := SurveyNames{ID: fmt.Sprint("survey", n)}
			tx.Count(Count{What: funnel.Started, Survey: survey, At: at(0)})
			for page := range pages {
				tx.Count(Count{What: funnel.Reached, Survey: survey, Page: &CountedPage{ID: fmt.Sprint(page)}, At: at(0)})
			}
		})
	}
	do(t, s, func(tx *Tx) {
		tx.Count(ofSurvey(funnel.Completed, at(0).AddDate(0, 0, 1)))
		if all, limit := tx.statistics().bytes, tx.statisticsLimit(); all > limit {
			t.Errorf("they take %d bytes, more than %d", all, limit)
		}
	})
	if got := statisticsOf(t, s, decsys, time.Time{}, time.Time{}); got != "2026-11-23: started 1\n2026-11-24: completed 1\n" {
		t.Errorf("counted of the survey that there was: %s", got)
	}
	total := uint64(0)
	list, err := s.Surveys()
	if err != nil {
		t.Fatal(err)
	}
	for _, survey := range list {
		counts, err := s.SurveyPages(survey.SurveyNames, time.Time{}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range counts {
			total += counts[i].Of(funnel.Reached)
		}
	}
	if total != surveys*pages {
		t.Errorf("%d pages were reached, want %d", total, surveys*pages)
	}
	if !strings.Contains(log.String(), "counted together") {
		t.Error("nothing says so in the log")
	}
}

func TestAFileOfAReleaseWithoutStatisticsGetsThem(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	do(t, s, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
	stop()
	db, err := bolt.Open(filepath.Join(dir, fileName), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range []bucket{bucketSurveys, bucketSurveyPages, bucketSurveyCounts} {
			if err := tx.DeleteBucket(b.name()); err != nil {
				return err
			}
		}
		return nil
	})
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if report, err := Check(filepath.Join(dir, fileName)); err != nil || report.Targets["crm"].Pending != 1 {
		t.Errorf("before it is opened: %+v, %v", report, err)
	}
	s, _ = testStore(t, dir)
	do(t, s, func(tx *Tx) { tx.Count(ofSurvey(funnel.Started, at(0))) })
	if got := statisticsOf(t, s, decsys, time.Time{}, time.Time{}); got != "2026-11-23: started 1\n" {
		t.Errorf("counted: %s", got)
	}
	if pending, _, _ := statesOf(t, s); pending != 1 {
		t.Errorf("%d are pending, want 1", pending)
	}
}
