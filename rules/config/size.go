package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// Size is a number of bytes, written as 1MiB, 2GB or a plain number.
type Size int64

// units of a Size; no name ends in the name of one before it.
var units = []struct {
	name  string
	bytes Size
}{
	{"TiB", 1 << 40},
	{"GiB", 1 << 30},
	{"MiB", 1 << 20},
	{"KiB", 1 << 10},
	{"TB", 1e12},
	{"GB", 1e9},
	{"MB", 1e6},
	{"KB", 1e3},
	{"B", 1},
}

// UnmarshalText reads a whole number and an optional unit.
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := string(text), Size(1)
	for _, u := range units {
		if before, found := strings.CutSuffix(number, u.name); found {
			number, unit = strings.TrimSpace(before), u.bytes
			break
		}
	}
	count, err := strconv.ParseUint(number, 10, 63)
	if err != nil {
		return fmt.Errorf("must be a size such as 512KiB, 1MiB or 2GB, not %s", strictyaml.Quoted(string(text)))
	}
	if Size(count) > math.MaxInt64/unit {
		return fmt.Errorf("must be at most 8388607TiB, not %s", strictyaml.Quoted(string(text)))
	}
	*s = Size(count) * unit
	return nil
}

// String returns the size as it is written in a configuration.
func (s Size) String() string {
	best := units[len(units)-1]
	for _, u := range units {
		if s > 0 && s%u.bytes == 0 && u.bytes > best.bytes {
			best = u
		}
	}
	return fmt.Sprintf("%d%s", s/best.bytes, best.name)
}
