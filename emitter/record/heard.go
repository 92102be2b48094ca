package record

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
)

// keepHeardEvery is how often the leader looks whether it hears other replicas than before.
const keepHeardEvery = 250 * time.Millisecond

// heardReplica is a replica that the leader hears. The next leader waits for it, though it
// may have begun after that was cut off.
type heardReplica struct {
	Name, Incarnation string
	// Silent is for how many seconds it was not heard: another leader does not begin to wait
	// anew.
	Silent int `json:",omitempty"`
}

// keepHeard keeps in the store which replicas are heard, until ctx ends.
func (f *folding) keepHeard(ctx context.Context) {
	ticker := time.NewTicker(keepHeardEvery)
	defer ticker.Stop()
	for kept := []byte(nil); ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		heard := f.encodeHeard()
		if bytes.Equal(heard, kept) {
			continue
		}
		// By then, the last message of one may have been folded.
		if f.store.Do(ctx, func(tx *outbox.Tx) { tx.SetHeard(f.encodeHeard()) }) == nil {
			kept = heard
		}
	}
}

// setHeard keeps which replicas are heard where the last message of one is folded up to a
// floor: nobody reads that again.
func (b *batch) setHeard(tx *outbox.Tx, floor uint64) {
	for _, one := range b.list {
		if one.isLast && one.number <= floor {
			tx.SetHeard(b.encodeHeard())
			return
		}
	}
}

// encodeHeard returns which replicas are heard, this one included.
func (f *folding) encodeHeard() []byte {
	var heard []heardReplica
	for _, m := range f.replicas.Roster.Present() {
		heard = append(heard, heardReplica{m.Name, m.Incarnation, int(m.Silent.Seconds())})
	}
	encoded, _ := json.Marshal(heard) // strings and numbers always can be
	return encoded
}

// expectHeard has the batches wait for the replicas that the leader before has heard.
func (f *folding) expectHeard(encoded []byte) {
	var heard []heardReplica
	_ = json.Unmarshal(encoded, &heard) // without them it waits for those that it has heard itself
	var members []replica.Member
	for _, one := range heard {
		silent := max(0, time.Duration(one.Silent)*time.Second)
		members = append(members, replica.Member{Name: one.Name, Incarnation: one.Incarnation, Silent: silent})
	}
	f.replicas.Roster.Expect(members)
}
