package admin

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// maxCauseScan is how many dead deliveries of each target are looked at.
const maxCauseScan = 1000

// Cause is why deliveries to a target are dead.
type Cause struct {
	Target string `json:"target"`
	// Reason is that of their last attempt.
	Reason string `json:"reason"`
	Count  int    `json:"count"`
}

// CauseList is the causes of dead deliveries, the most frequent first.
type CauseList struct {
	Causes []Cause `json:"causes"`
	// Scanned is how many dead deliveries were looked at, the latest of each target.
	Scanned int `json:"scanned"`
}

func (a *Admin) causes(w http.ResponseWriter, _ *http.Request) {
	kept, err := a.config.Store.Targets()
	if err != nil {
		refuse(w, err)
		return
	}
	list := CauseList{Causes: []Cause{}}
	counts := map[Cause]int{}
	for name, target := range kept {
		if target.Dead == 0 {
			continue
		}
		query := outbox.Query{Target: name, States: []outbox.State{outbox.Dead}, NewestFirst: true, Limit: maxCauseScan}
		reasons, err := a.config.Store.Reasons(query)
		if err != nil {
			refuse(w, err)
			return
		}
		for reason, count := range reasons {
			counts[Cause{Target: name, Reason: reason}] += count
			list.Scanned += count
		}
	}
	for cause, count := range counts {
		cause.Count = count
		list.Causes = append(list.Causes, cause)
	}
	slices.SortFunc(list.Causes, func(a, b Cause) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Target, b.Target), cmp.Compare(a.Reason, b.Reason))
	})
	respond(w, list)
}
