package descriptors

import (
	"math"
	"testing"

	"github.com/sidehook/sidehook/rules/config"
)

func TestDescriptorsAreDivided(t *testing.T) {
	memory := int64(math.MaxInt64)
	f := func(limit, concurrency int, want Shares) {
		t.Helper()
		got := Divide(limit, memory, map[string]config.Target{"a": {Concurrency: concurrency}})
		if got != want {
			t.Errorf("%d descriptors: %+v, want %+v", limit, got, want)
		}
		if used := got.Participants*2 + got.Participants/8 + got.Admin; limit >= 64 && used > limit-min(own+concurrency, limit/4) {
			t.Errorf("%d descriptors: connections take %d", limit, used)
		}
	}
	f(64, 16, Shares{11, 8})
	f(64, 1024, Shares{11, 8})
	f(256, 16, Shares{67, 32})
	f(1024, 16, Shares{414, 64})
	f(1024, 1024, Shares{180, 64})
	f(1<<20, 16, Shares{16384, 128})
	f(8, 16, Shares{1, 4})
	memory = 180 << 20
	f(1<<20, 16, Shares{16384, 128})
	memory = 32 << 20
	f(1<<20, 16, Shares{2978, 128})
	f(256, 16, Shares{67, 32})
	memory = 1
	f(256, 16, Shares{1, 32})
}

func TestTheLimitIsKnown(t *testing.T) {
	if limit := Limit(); limit < 64 {
		t.Errorf("the limit is %d", limit)
	}
}
