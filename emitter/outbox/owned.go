package outbox

import "bytes"

// Owned returns deliveries of an owner in any state, without their bodies. after
// is 0 at first, then the rest that the last call returned; rest is 0 at the end.
func (s *Store) Owned(owner string, after uint64) (found []*Delivery, rest uint64, err error) {
	err = s.view(func(v *view) error {
		sum := hashOwner(v.identity().salt, owner)
		scanned := 0
		for key, record := range v.ascend(bucketProgress, nil, uint64Key(after+1)) {
			if scanned++; scanned > maxScan {
				return nil
			}
			rest = lastUint64(key)
			p, err := decodeProgress(record)
			if err != nil || !p.isOwnedBy(sum) {
				continue
			}
			if d, err := load(v, rest, false); err == nil {
				found = append(found, d)
			}
		}
		rest = 0
		return nil
	})
	return found, rest, err
}

func (p *progressRecord) isOwnedBy(owner hash) bool {
	hasLane := p.lane != hash{}
	return hasLane && !p.discarded && bytes.Equal(p.lane[:ownerSize], owner[:ownerSize])
}
