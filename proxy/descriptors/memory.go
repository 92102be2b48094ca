package descriptors

import (
	"math"
	"os"
	"strconv"
	"strings"
)

// memoryFiles are where Linux has the limit of the container's memory: cgroups of
// version 2, and of version 1.
var memoryFiles = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

// Memory returns how many bytes the container may take; math.MaxInt64 without a limit.
func Memory() int64 { return lowest(memoryFiles) }

// lowest returns the lowest number of bytes in the files that have one.
func lowest(paths []string) int64 {
	limit := int64(math.MaxInt64)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 { // "max" is no number
			limit = min(limit, n)
		}
	}
	return limit
}
