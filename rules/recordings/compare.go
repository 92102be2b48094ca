package recordings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/trial"
)

// webhook is the body of Decsys' webhook, with the answers undecoded.
type webhook struct {
	Timestamp     string
	SurveyId      string
	ParticipantId string
	EventType     json.RawMessage
	Payload       struct {
		Id            string
		SurveyStarted *string
		Responses     []webhookResponse
	}
}

type webhookResponse struct {
	Page             int
	PageName         *string
	Question         *string
	ResponseType     *string
	Order            int
	Response         json.RawMessage
	PageLoad         string
	ResponseRecorded string
	IsOptional       bool
}

// Differences describes how the webhooks that a receiver got differ from those of
// Decsys, in the order of each participant. Some differences are deliberate, since
// sidehook sends what the participant sent, and are left out: LiteDB rounds
// doubles to nine decimal places and rewrites texts that look like dates, an
// answer that races with a navigation is missing, and two clicks at once are two
// webhooks.
func (r *Recording) Differences(profile *rules.Profile, got []string) []string {
	raced := r.racedAnswers(profile)
	want, have := byParticipant(r.Webhooks), byParticipant(got)
	var differences []string
	for participant, bodies := range want {
		bodies = slices.CompactFunc(bodies, sameNavigation)
		if len(bodies) != len(have[participant]) {
			differences = append(differences, fmt.Sprintf("a participant has %d webhooks, want %d", len(have[participant]), len(bodies)))
			continue
		}
		for i, body := range bodies {
			if diff := compareBodies(raced, body, have[participant][i]); diff != "" {
				differences = append(differences, diff)
			}
		}
	}
	for participant, bodies := range have {
		if _, ok := want[participant]; !ok {
			differences = append(differences, fmt.Sprintf("%d webhooks of a participant for whom Decsys sent none", len(bodies)))
		}
	}
	return differences
}

// Navigations is the number of webhooks that Differences expects: two webhooks of
// the same navigation count as one.
func (r *Recording) Navigations() int {
	n := 0
	for _, bodies := range byParticipant(r.Webhooks) {
		n += len(slices.CompactFunc(bodies, sameNavigation))
	}
	return n
}

func byParticipant(bodies []string) map[string][]string {
	sorted := map[string][]string{}
	for _, body := range bodies {
		var w webhook
		if err := json.Unmarshal([]byte(body), &w); err != nil {
			w.ParticipantId = "not JSON: " + err.Error()
		}
		sorted[w.ParticipantId] = append(sorted[w.ParticipantId], body)
	}
	return sorted
}

// sameNavigation reports whether two webhooks are of the same navigation, as
// Decsys sends them for two clicks at once.
func sameNavigation(a, b string) bool {
	var x, y webhook
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil &&
		bytes.Equal(x.EventType, y.EventType)
}

func compareBodies(raced map[string]bool, want, got string) string {
	if diff := cmp.Diff(keys(want), keys(got)); diff != "" {
		return "keys differ (-Decsys +sidehook):\n" + diff
	}
	var w, g webhook
	if err := errors.Join(json.Unmarshal([]byte(want), &w), json.Unmarshal([]byte(got), &g)); err != nil {
		return err.Error()
	}
	for i := range g.Payload.Responses {
		if i < len(w.Payload.Responses) && isRaced(raced, w.Payload.Responses[i], g.Payload.Responses[i]) {
			w.Payload.Responses[i].Response = g.Payload.Responses[i].Response
			w.Payload.Responses[i].ResponseRecorded = g.Payload.Responses[i].ResponseRecorded
		}
	}
	if diff := cmp.Diff(plain(w), plain(g)); diff != "" {
		return "webhooks differ (-Decsys +sidehook):\n" + diff
	}
	return ""
}

// racedAnswers are the answers that were in flight during a navigation of their
// participant.
func (r *Recording) racedAnswers(profile *rules.Profile) map[string]bool {
	raced := map[string]bool{}
	navigations := map[string][]trial.Recorded{}
	r.eachMatch(profile, rules.Navigated, func(participant string, next trial.Recorded) {
		navigations[participant] = append(navigations[participant], next)
	})
	r.eachMatch(profile, rules.Answered, func(participant string, answer trial.Recorded) {
		for _, next := range navigations[participant] {
			if !answer.Start.After(next.End) && !next.Start.After(answer.End) {
				raced[string(answer.Exchange.RequestBody)] = true
			}
		}
	})
	return raced
}

// eachMatch calls fn for each exchange of that kind.
func (r *Recording) eachMatch(profile *rules.Profile, kind rules.Kind, fn func(participant string, one trial.Recorded)) {
	for _, one := range r.Exchanges {
		if match, ok := profile.Match([]byte(one.Method), []byte(one.Target)); ok && match.Kind() == kind {
			fn(match.Participant(), one)
		}
	}
}

func isRaced(raced map[string]bool, want, got webhookResponse) bool {
	return !bytes.Equal(want.Response, got.Response) && raced[string(got.Response)]
}

// plain returns the parts of a webhook that must be equal: whether each time is
// set, and doubles and dates as LiteDB stores them.
func plain(w webhook) any {
	w.Timestamp = presence(w.Timestamp)
	if w.Payload.SurveyStarted != nil {
		started := presence(*w.Payload.SurveyStarted)
		w.Payload.SurveyStarted = &started
	}
	for i := range w.Payload.Responses {
		r := &w.Payload.Responses[i]
		r.PageLoad, r.ResponseRecorded = presence(r.PageLoad), presence(r.ResponseRecorded)
	}
	var value any
	data, err := json.Marshal(w)
	if err = errors.Join(err, json.Unmarshal(data, &value)); err != nil {
		return err.Error()
	}
	return normalise(value)
}

func presence(instant string) string {
	if instant == "0001-01-01T00:00:00+00:00" {
		return "never"
	}
	if _, err := time.Parse("2006-01-02T15:04:05.9999999-07:00", instant); err != nil {
		return fmt.Sprintf("not Decsys' form of a time: %s", instant)
	}
	return "set"
}

func normalise(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = normalise(v[key])
		}
	case []any:
		for i := range v {
			v[i] = normalise(v[i])
		}
	case float64:
		return math.Round(v*1e9) / 1e9
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at.UTC().Format(time.RFC3339Nano)
		}
	}
	return value
}

// keys lists the keys of a JSON text in their order, without those inside of
// answers.
func keys(text string) []string {
	var list []string
	decoder := json.NewDecoder(strings.NewReader(text))
	var walk func(path string)
	walk = func(path string) {
		token, _ := decoder.Token()
		switch token {
		case json.Delim('{'):
			for decoder.More() {
				key, _ := decoder.Token()
				list = append(list, fmt.Sprintf("%s.%v", path, key))
				if key == "Response" {
					var skipped json.RawMessage
					_ = decoder.Decode(&skipped)
					continue
				}
				walk(fmt.Sprintf("%s.%v", path, key))
			}
			_, _ = decoder.Token()
		case json.Delim('['):
			for decoder.More() {
				walk(path + "[]")
			}
			_, _ = decoder.Token()
		}
	}
	walk("")
	return list
}
