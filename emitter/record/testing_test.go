package record

import (
	"os"
	"testing"
)

// memoryDir is a folder in memory where there is such a thing: days of simulated
// time are thousands of commits, and the disk is not what is tested.
func memoryDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sidehook-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
