package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// memoryCgroups are where memory cgroups are made, with the file of the limit: of
// version 2, and of version 1.
var memoryCgroups = []struct{ root, limit string }{
	{"/sys/fs/cgroup", "memory.max"},
	{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
}

// makeCgroup makes a cgroup that may use 256 MB of memory.
func makeCgroup(name string) (path string, err error) {
	for _, of := range memoryCgroups {
		path = filepath.Join(of.root, fmt.Sprintf("sidehook-attack-%d-%s", os.Getpid(), name))
		if err = os.Mkdir(path, 0o755); err != nil {
			continue
		}
		// The file is the kernel's; without it this is no memory cgroup.
		file, openErr := os.OpenFile(filepath.Join(path, of.limit), os.O_WRONLY, 0)
		if err = openErr; err == nil {
			_, err = fmt.Fprint(file, barMemory)
			file.Close()
		}
		if err == nil {
			return path, nil
		}
		_ = os.Remove(path)
	}
	return "", err
}

// removeCgroup removes a cgroup whose processes have ended.
func removeCgroup(path string) { _ = os.Remove(path) }

// cgroupsUnavailable returns why no memory cgroup can be made, or "".
func cgroupsUnavailable() string {
	path, err := makeCgroup("probe")
	if err != nil {
		return err.Error()
	}
	removeCgroup(path)
	return ""
}
