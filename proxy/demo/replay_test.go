package demo_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/proxy/demo"
)

var (
	// aTime does not match 0001-01-01, which means that nothing was recorded.
	aTime  = regexp.MustCompile(`"2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d*[1-9])?\+00:00"`)
	aTrace = regexp.MustCompile(`"00-[0-9a-f]{32}-[0-9a-f]{16}-00"`)
	// aTail matches digits that Decsys' store rounds off and the demo's does not.
	aTail = regexp.MustCompile(`(\d\.\d{8})\d+`)
)

func TestAppRespondsAsDecsysDid(t *testing.T) {
	for _, name := range []string{"mandatory", "double-next", "oddities", "reads"} {
		t.Run(name, func(t *testing.T) {
			replay(t, recorded(t, name))
		})
	}
}

// replay sends the requests of a recording one after the other, or at once where
// they overlapped, and compares the responses byte for byte, apart from times and
// the last digits of long numbers.
func replay(t *testing.T, want []exchange) {
	var nextID atomic.Value
	var overlap atomic.Pointer[sync.WaitGroup]
	survey := surveyIn(t, want)
	base := serve(t, demo.Options{
		Survey:  survey,
		NewID:   func() string { return nextID.Load().(string) },
		Shuffle: shuffleAs(survey, orderIn(want)),
		Interfere: func(*http.Request) int {
			overlap.Load().Done()
			overlap.Load().Wait()
			return 0
		},
	})
	for _, group := range overlapping(want) {
		var all, arrivals sync.WaitGroup
		arrivals.Add(len(group))
		overlap.Store(&arrivals)
		for _, w := range group {
			nextID.Store(cmp.Or(newParticipant(w), "00000000-0000-4000-8000-00000000feed"))
			all.Go(func() { compare(t, w, do(t, base, w.Method, w.Path, w.Body)) })
		}
		all.Wait()
	}
}

func compare(t *testing.T, want, got exchange) {
	t.Helper()
	want.Overlaps = false
	if strings.HasPrefix(got.Headers["Content-Type"], "text/html") {
		got.Response = "" // the page is not Decsys'
	}
	for _, e := range []*exchange{&want, &got} {
		e.Response = aTime.ReplaceAllString(e.Response, `"TIME"`)
		e.Response = aTrace.ReplaceAllString(e.Response, `"TRACE"`)
		e.Response = aTail.ReplaceAllString(e.Response, "$1")
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s %s: the response differs (-Decsys +demo):\n%s", want.Method, want.Path, diff)
	}
}

// overlapping groups exchanges that overlapped.
func overlapping(exchanges []exchange) [][]exchange {
	var groups [][]exchange
	for _, e := range exchanges {
		if e.Overlaps {
			groups[len(groups)-1] = append(groups[len(groups)-1], e)
			continue
		}
		groups = append(groups, []exchange{e})
	}
	return groups
}

// newParticipant returns the id that a response offers, if any.
func newParticipant(e exchange) string {
	var progress struct{ NewParticipantID string }
	_ = json.Unmarshal([]byte(e.Response), &progress) // other responses have no such id
	return progress.NewParticipantID
}

// surveyIn reconstructs the survey of a recording.
func surveyIn(t *testing.T, exchanges []exchange) demo.Survey {
	var survey demo.Survey
	for _, e := range exchanges {
		var response struct {
			SurveyID, InstanceID int
			Page                 *demo.Page
			Survey               struct{ Name string }
		}
		_ = json.Unmarshal([]byte(e.Response), &response) // other responses have none of this
		if response.SurveyID != 0 {
			survey.ID, survey.Instance = response.SurveyID, response.InstanceID
		}
		survey.Name = cmp.Or(survey.Name, response.Survey.Name)
		isNew := response.Page != nil && !slices.ContainsFunc(survey.Pages, func(p demo.Page) bool { return p.ID == response.Page.ID })
		if isNew {
			survey.Pages = append(survey.Pages, *response.Page)
		}
	}
	slices.SortFunc(survey.Pages, func(a, b demo.Page) int { return cmp.Compare(a.Order, b.Order) })
	if len(survey.Pages) == 0 {
		t.Fatal("the recording shows no page")
	}
	return survey
}

// orderIn returns the ids of the pages that a recording shows, in their order.
func orderIn(exchanges []exchange) []string {
	var order []string
	for _, e := range exchanges {
		var response struct{ Page *demo.Page }
		_ = json.Unmarshal([]byte(e.Response), &response) // other responses have none of this
		if response.Page != nil && !slices.Contains(order, response.Page.ID) {
			order = append(order, response.Page.ID)
		}
	}
	return order
}

// shuffleAs returns a shuffle that puts the Randomize pages into the given order.
func shuffleAs(survey demo.Survey, order []string) func(int, func(i, j int)) {
	var shuffled []string
	for _, page := range survey.Pages {
		if page.Randomize {
			shuffled = append(shuffled, page.ID)
		}
	}
	rank := func(id string) int { return slices.Index(order, id) }
	return func(n int, swap func(i, j int)) {
		ids := slices.Clone(shuffled)
		for i := range n {
			for j := i + 1; j < n; j++ {
				if rank(ids[j]) < rank(ids[i]) {
					ids[i], ids[j] = ids[j], ids[i]
					swap(i, j)
				}
			}
		}
	}
}
