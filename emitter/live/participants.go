package live

import (
	"math"
	"math/bits"
	"time"
)

const (
	// recentMinutes is how long a participant counts as active.
	recentMinutes = 5
	// registers is how many each sketch has: its estimate is off by about 2 percent.
	registers = 1 << 11
)

// sketch estimates how many different hashes it was given, in HyperLogLog: each
// register keeps the longest run of leading zeros among the hashes that fall to it.
type sketch [registers]uint8

func (s *sketch) add(hash uint64) {
	register := hash % registers
	run := uint8(bits.LeadingZeros64(hash|(registers-1)) + 1)
	s[register] = max(s[register], run)
}

func (s *sketch) merge(other *sketch) {
	for i, run := range other {
		s[i] = max(s[i], run)
	}
}

// estimate counts empty registers as long as there are many, which is exact for few
// hashes.
func (s *sketch) estimate() int {
	var sum float64
	empty := 0
	for _, run := range s {
		sum += math.Ldexp(1, -int(run))
		if run == 0 {
			empty++
		}
	}
	const bias = 0.7213 / (1 + 1.079/registers)
	estimate := bias * registers * registers / sum
	if estimate <= 2.5*registers && empty > 0 {
		estimate = registers * math.Log(registers/float64(empty))
	}
	return int(math.Round(estimate))
}

// participants estimates how many are active, without keeping who they are.
type participants struct {
	// since is when the counting began.
	since time.Time
	// recent are sketches of the last minutes, each at the place of its number modulo
	// recentMinutes; recentStarts and todayStart are what minute and day they are of.
	recent       [recentMinutes]sketch
	recentStarts [recentMinutes]time.Time
	today        sketch
	todayStart   time.Time
}

func (p *participants) add(hash uint64, at time.Time) {
	minute, day := at.UTC().Truncate(time.Minute), at.UTC().Truncate(24*time.Hour)
	place := minute.Unix() / 60 % recentMinutes
	if !p.recentStarts[place].Equal(minute) {
		p.recent[place], p.recentStarts[place] = sketch{}, minute
	}
	p.recent[place].add(hash)
	if !p.todayStart.Equal(day) {
		p.today, p.todayStart = sketch{}, day
	}
	p.today.add(hash)
}

// estimate returns how many were active in the last minutes, and today.
func (p *participants) estimate(now time.Time) (recent, today int) {
	var all sketch
	for i := range p.recent {
		if age := now.Sub(p.recentStarts[i]); age >= 0 && age < recentMinutes*time.Minute {
			all.merge(&p.recent[i])
		}
	}
	if now.UTC().Truncate(24 * time.Hour).Equal(p.todayStart) {
		today = p.today.estimate()
	}
	return all.estimate(), today
}
