package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// maxDays is the longest duration: ten years.
const maxDays = 3650

// Duration is a time.Duration that may also be written in days (7d, 1d12h), 0 to 3650d.
type Duration time.Duration

// UnmarshalText reads 500ms, 15s, 5m, 2h, 7d or a sum of these.
func (d *Duration) UnmarshalText(text []byte) error {
	days, rest, hasDays := strings.Cut(string(text), "d")
	if !hasDays {
		days, rest = "0", string(text)
	} else if rest == "" {
		rest = "0"
	}
	count, errDays := strconv.ParseUint(days, 10, 16)
	parsed, errRest := time.ParseDuration(rest)
	switch {
	case strings.HasPrefix(string(text), "-"):
		return fmt.Errorf("must not be negative, but is %s", strictyaml.Quoted(string(text)))
	case errDays != nil, errRest != nil, parsed < 0:
		return fmt.Errorf("must be a duration such as 500ms, 15s, 5m, 2h or 7d, not %s", strictyaml.Quoted(string(text)))
	case count > maxDays, parsed > maxDays*24*time.Hour:
		return fmt.Errorf("must be at most %dd, not %s", maxDays, strictyaml.Quoted(string(text)))
	}
	*d = Duration(time.Duration(count)*24*time.Hour + parsed)
	return nil
}

// String returns the duration as it is written in a configuration.
func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	if d > day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := time.Duration(d).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
