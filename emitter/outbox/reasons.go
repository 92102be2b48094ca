package outbox

// Reasons counts why the deliveries that a query selects failed last, by the reason
// of their last attempt. It looks at no more than List would return.
func (s *Store) Reasons(q Query) (map[string]int, error) {
	reasons := map[string]int{}
	err := s.view(func(v *view) error {
		found, _, err := q.find(v)
		for _, d := range found {
			reason := "unknown"
			if f, err := decodeFailure(v.get(bucketFailures, uint64Key(d.Seq))); err == nil && f.Reason != "" {
				reason = f.Reason
			}
			reasons[reason]++
		}
		return err
	})
	return reasons, err
}
