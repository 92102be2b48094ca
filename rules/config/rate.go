package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

const (
	unlimited = "unlimited"
	// maxRate is the highest rate, in attempts per second.
	maxRate = 1_000_000
)

// Rate is a number of attempts per second, written as 50/s, 100/m, 1000/h or
// unlimited, which is 0. It is at most 1,000,000.
type Rate float64

// rateUnits are the units of a Rate with their seconds.
var rateUnits = []struct {
	name    string
	seconds float64
}{{"/s", 1}, {"/m", 60}, {"/h", 3600}}

// UnmarshalText reads a number above zero with its unit, or unlimited.
func (r *Rate) UnmarshalText(text []byte) error {
	if string(text) == unlimited {
		*r = 0
		return nil
	}
	for _, unit := range rateUnits {
		number, found := strings.CutSuffix(string(text), unit.name)
		if !found || strings.Trim(number, "0123456789.") != "" {
			continue
		}
		count, err := strconv.ParseFloat(number, 64)
		if err == nil && count > 0 && count/unit.seconds <= maxRate {
			*r = Rate(count / unit.seconds)
			return nil
		}
	}
	return fmt.Errorf("must be a rate above zero such as 50/s, 100/m or 1000/h, at most %d/s, or unlimited, not %s", maxRate, strictyaml.Quoted(string(text)))
}

// String returns the rate as it is written in a configuration.
func (r Rate) String() string {
	if r == 0 {
		return unlimited
	}
	for _, unit := range rateUnits {
		count := float64(r) * unit.seconds
		if whole := math.Round(count); whole >= 1 && math.Abs(count-whole) < 1e-6 {
			return fmt.Sprintf("%.0f%s", whole, unit.name)
		}
	}
	return fmt.Sprintf("%.3g/h", float64(r)*3600)
}
