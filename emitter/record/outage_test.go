package record

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
	"github.com/sidehook/sidehook/rules"
)

// outagePages is how many pages with one question each the survey of an outage has.
const outagePages = 3

// othersDrainedTo returns the earliest time up to which others have sent what they saw,
// which is known once all lines are whole.
func (g *testReplicas) othersDrainedTo(of *replica.Seer) (earliest time.Time, isKnown bool) {
	for _, m := range g.members {
		own := m.seer.DrainedTo()
		switch {
		case !m.connection.IsConnected():
			return time.Time{}, false
		case m.seer != of && !own.IsZero() && (earliest.IsZero() || own.Before(earliest)):
			earliest = own
		}
	}
	return earliest, true
}

// outagePage is what the app responds with where a participant is shown a page, or the end.
func outagePage(participant string, page int) rules.Exchange {
	shown := "null"
	if page <= outagePages {
		shown = fmt.Sprintf(`{"id":"p%d","name":"","order":%[1]d,"components":[{"type":"Free Text","id":"i%[1]d"}]}`, page)
	}
	body := `{"surveyId":5,"instanceId":3,"participantId":%q,"newParticipantId":null,"page":%s,"pageCount":%d}`
	x := rules.Exchange{Status: 200, ContentType: "application/json; charset=utf-8"}
	x.ResponseBody = fmt.Appendf(nil, body, participant, shown, outagePages)
	return x
}

// takeTogether has participants take the survey, each of them from the beginning to the end
// of the outage, with answers of some bytes. Every tenth moves on before an answer arrives.
func (s *scenario) takeTogether(participants, bytes int) {
	answer := fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", bytes))
	for page := range outagePages + 1 {
		for n := range participants {
			id := fmt.Sprint("p", n)
			path, log := "/api/progress/5/3/"+id, "/api/log/3/"+id
			if page == 0 {
				s.begin("GET", path)(outagePage(id, 1))
			} else {
				answered := s.begin("POST", fmt.Sprintf("%s/i%d/decsys.platform.COMPONENT_RESULTS", log, page))
				moved := s.begin("POST", path+"/next")
				if isLate := n%10 == 0; isLate {
					moved(outagePage(id, page+1))
					answered(rules.Exchange{Status: 204, RequestBody: answer})
				} else {
					answered(rules.Exchange{Status: 204, RequestBody: answer})
					moved(outagePage(id, page+1))
				}
			}
			s.begin("POST", fmt.Sprintf("%s/p%d/decsys.platform.PAGE_LOAD", log, page+1))(rules.Exchange{Status: 204, RequestBody: []byte("{}")})
			time.Sleep(100 * time.Millisecond)
		}
	}
}

func TestSeveralReplicasTellAllOfAnOutageWithMoreThanTheLeaderKeeps(t *testing.T) {
	const participants, answer = 240, 60_000
	if participants*outagePages*answer < maxUnfolded {
		t.Fatal("the leader keeps all of it")
	}
	f := func(name string, end func(s *scenario)) {
		t.Run(name, func(t *testing.T) {
			dir := memoryDir(t)
			synctest.Test(t, func(t *testing.T) {
				s := &scenario{dir: dir}
				s.open(t)
				for _, m := range s.replicas.members {
					m.connection.Cut()
				}
				s.takeTogether(participants, answer)
				end(s)
				time.Sleep(time.Minute)
				s.expectAll(participants)
			})
		})
	}
	f("whose end each sees a while after the other", func(s *scenario) {
		for _, m := range s.replicas.members {
			m.connection.Mend()
			time.Sleep(5 * time.Second)
		}
	})
	f("whose end some see before they are restarted", func(s *scenario) {
		s.replicas.members[0].connection.Mend()
		s.replicas.members[2].connection.Mend()
		time.Sleep(time.Second)
		s.restart()
	})
}

// expectAll fails the test unless every navigation of an outage was told once, in order
// and with its answer.
func (s *scenario) expectAll(participants int) {
	s.t.Helper()
	list, _, err := s.store.List(outbox.Query{Limit: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	told := map[string]string{}
	for _, listed := range list {
		d, err := s.store.Load(listed.Seq)
		if err != nil {
			s.t.Fatal(err)
		}
		event := gjson.ParseBytes(d.Body).Get("data")
		last := event.Get("responses|@reverse|0")
		one := fmt.Sprintf("%s>%s %d:%s ", event.Get("from.id"), event.Get("to.id"), last.Get("page").Int(), last.Get("state"))
		told[event.Get("participant.id").String()] += one
	}
	want := "p1>p2 1:answered p2>p3 2:answered p3> 3:answered "
	for n := range participants {
		if got := told[fmt.Sprint("p", n)]; got != want {
			s.t.Errorf("of p%d was told %q, want %q", n, got, want)
		}
	}
}
