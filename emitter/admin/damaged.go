package admin

import (
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// maxDamaged is how many damaged records one response lists.
const maxDamaged = 1000

// Damaged is a record of the state file that was found damaged and set aside.
type Damaged struct {
	Found time.Time `json:"found"`
	// Kind is what the record was, such as deliveries.
	Kind string `json:"kind"`
	// ID and Target are those of the delivery that it belonged to, as far as they
	// could be read.
	ID     string `json:"id,omitempty"`
	Target string `json:"target,omitempty"`
	Bytes  int    `json:"bytes"`
}

func (a *Admin) damaged(w http.ResponseWriter, _ *http.Request) {
	found, err := a.config.Store.Damaged(maxDamaged)
	if err != nil {
		refuse(w, err)
		return
	}
	list := []Damaged{}
	for _, d := range found {
		list = append(list, DescribeDamaged(d))
	}
	respond(w, list)
}

// DescribeDamaged returns a damaged record as the API has it.
func DescribeDamaged(d outbox.Damaged) Damaged {
	return Damaged{Found: d.Found.UTC(), Kind: d.Kind, ID: d.ID, Target: d.Target, Bytes: d.Bytes}
}
