package live

import "time"

// hour is how many minutes are counted.
const hour = 60

// Minute counts what happened in a minute.
type Minute struct {
	// Start is its beginning.
	Start time.Time `json:"start"`
	// Events were recorded; Delivered and Failed are attempts that ended.
	Events    int `json:"events"`
	Delivered int `json:"delivered"`
	Failed    int `json:"failed"`
}

// minutes are those of the last hour, each at the place of its number modulo hour.
type minutes [hour]Minute

// at returns the minute of a time, which is emptied if its place has an older one.
func (m *minutes) at(t time.Time) *Minute {
	start := t.UTC().Truncate(time.Minute)
	place := &m[start.Unix()/60%hour]
	if !place.Start.Equal(start) {
		*place = Minute{Start: start}
	}
	return place
}

// last returns the minutes up to now, oldest first.
func (m *minutes) last(now time.Time) []Minute {
	all := make([]Minute, 0, hour)
	for ago := hour - 1; ago >= 0; ago-- {
		start := now.UTC().Truncate(time.Minute).Add(-time.Duration(ago) * time.Minute)
		minute := Minute{Start: start}
		if kept := m[start.Unix()/60%hour]; kept.Start.Equal(start) {
			minute = kept
		}
		all = append(all, minute)
	}
	return all
}

// sum adds up the last hour.
func (m *minutes) sum(now time.Time) (total Minute) {
	for _, minute := range m.last(now) {
		total.Events += minute.Events
		total.Delivered += minute.Delivered
		total.Failed += minute.Failed
	}
	return total
}
