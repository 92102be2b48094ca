package outbox

import "encoding/binary"

// repair deletes a damaged record and what is of no use without it. It completes
// the description, and returns what is worth keeping.
func (tx *Tx) repair(n noted, d *Damaged) (content []byte) {
	key := []byte(n.key)
	if mayHaveStrays := len(n.sealed) >= pieceSize; mayHaveStrays {
		tx.startAudit = true
	}
	if n.bucket == bucketDeliveries || n.bucket == bucketProgress {
		content = tx.repairDelivery(n, d)
	}
	if isDamaged := n.sealed != nil || n.bucket != bucketProgress; isDamaged {
		tx.weighDamaged(n)
		tx.changes.set(newRecord(n.bucket, key, nil))
	}
	switch n.bucket {
	case bucketDeliveries, bucketProgress:
	case bucketReady, bucketDone, bucketIDs, bucketLanes:
		tx.startAudit = true
	case bucketTargets:
		tx.restoreTargets()
	case bucketJourneys:
		tx.deleteJourney(n.key, journeyRecord{}, false)
	case bucketJourneyParts, bucketUnsettled:
		tx.put(n.bucket, key, nil) // what is there is unknown, rather than not there
	case bucketMeta:
		tx.recount()
	case bucketFailures:
		tx.mustRecount = true
	case bucketJourneyAge:
		tx.restoreAge(key)
	case bucketPages, bucketPageUse, bucketDamaged, bucketSurveys, bucketSurveyPages, bucketSurveyCounts, bucketCount:
	}
	return content
}

// weighDamaged takes a damaged record out of the ledger.
func (tx *Tx) weighDamaged(n noted) {
	if s, ok := shareOfBucket(n.bucket); ok {
		tx.ledger.bytes[s] -= footprint(len(n.key) + max(len(n.sealed)-sealSize, 0))
	}
}

// repairDelivery removes a delivery one of whose records is damaged.
func (tx *Tx) repairDelivery(n noted, d *Damaged) (content []byte) {
	if len(n.key) != 8 { // what a key of another length was cannot be told
		tx.startAudit = true
		return n.sealed
	}
	key := []byte(n.key)
	d.Seq = binary.BigEndian.Uint64(key)
	record := tx.get(bucketDeliveries, key)
	if content = record; n.bucket == bucketDeliveries && len(n.sealed) >= sealSize {
		content = unseal(n.sealed)
	}
	delivery, err := decodeDelivery(d.Seq, content, false)
	if _, isKnown := tx.knownTarget(delivery.Target); err == nil && isKnown {
		d.ID, d.Target = delivery.ID, delivery.Target
	}
	tx.deleteDelivery(d.Seq, delivery)
	tx.leave(d.Seq, tx.progress(d.Seq))
	tx.withdrawn, tx.wokeAll, tx.mustRecount = true, true, true
	return content
}

// leave removes a delivery from the indexes and its lane. p is nil if its progress
// is damaged.
func (tx *Tx) leave(seq uint64, p *progressRecord) {
	switch {
	case p == nil: // only an audit finds those behind it
		tx.startAudit = true
		return
	case p.State == Behind && p.isPending(): // others are behind it
		p.discarded = true
		tx.putProgress(seq, p)
		return
	case p.State == Waiting:
		tx.clearReady(seq, p)
		tx.promoteNext(seq, p)
	default:
		tx.delete(bucketDone, doneKey(p.target, p.State, p.Finished, seq))
	}
	tx.delete(bucketProgress, uint64Key(seq))
}

// knownTarget returns the record of a target that exists.
func (tx *Tx) knownTarget(name string) (*targetRecord, bool) {
	if name == "" || !tx.has(bucketTargets, []byte(name)) && tx.targets[name] == nil {
		return nil, false
	}
	return tx.target(name), true
}

// restoreTargets gives a target whose record is damaged the number that its
// deliveries have. That it was disabled is lost.
func (tx *Tx) restoreTargets() {
	tx.mustRecount = true
	for key, record := range tx.view.ascend(bucketDeliveries, nil, nil) {
		d, err := decodeDelivery(lastUint64(key), record, false)
		p := tx.progress(lastUint64(key))
		if err != nil || p == nil || tx.has(bucketTargets, []byte(d.Target)) || tx.targets[d.Target] != nil {
			continue
		}
		tx.targets[d.Target] = &targetRecord{number: p.target, dirty: true}
	}
}
