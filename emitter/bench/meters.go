package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// spent is what a process has used since its start.
type spent struct {
	cpu     time.Duration
	written int64 // bytes, to the device of the state
	commits float64
	commit  float64 // seconds, of all commits
	events  float64
}

// counts are the deliveries of the target "receiver" on disk, by state.
type counts struct{ Pending, Delivered int }

func (s *sidecar) counts() (counts, error) {
	body, err := s.ask("/targets")
	if err != nil {
		return counts{}, err
	}
	var list []struct {
		Name string
		counts
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return counts{}, fmt.Errorf("cannot read the list of targets: %w", err)
	}
	for _, one := range list {
		if one.Name == "receiver" {
			return one.counts, nil
		}
	}
	return counts{}, errors.New("sidehook has no target receiver")
}

// ask returns the response of the admin listener to a GET.
func (s *sidecar) ask(path string) ([]byte, error) {
	client := http.Client{Timeout: requestLimit}
	response, err := client.Get("http://" + s.admin + path)
	if err != nil {
		return nil, fmt.Errorf("cannot ask the admin listener: %w", err)
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// spent reads /proc and the metrics of the process.
func (s *sidecar) spent() (u spent, err error) {
	u.cpu = s.CPU()
	if u.written, err = bytesWritten(filepath.Dir(s.folder)); err != nil {
		return u, err
	}
	text, err := s.ask("/metrics")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(text)) {
		i := strings.LastIndexByte(line, ' ')
		if i < 0 || line[0] == '#' {
			continue
		}
		value, _ := strconv.ParseFloat(strings.TrimSpace(line[i:]), 64)
		switch name := line[:i]; {
		case name == "sidehook_store_commit_seconds_count":
			u.commits = value
		case name == "sidehook_store_commit_seconds_sum":
			u.commit = value
		case strings.HasPrefix(name, "sidehook_events_total"):
			u.events += value
		}
	}
	return u, nil
}

// bytesWritten returns how many bytes were written to the device that has a folder,
// by anybody. What /proc says of a process counts a large folio of the page cache as a
// whole, where a byte of it was written.
func bytesWritten(folder string) (int64, error) {
	var info unix.Stat_t
	if err := unix.Stat(folder, &info); err != nil {
		return 0, fmt.Errorf("cannot find the device of %s: %w", folder, err)
	}
	content, err := os.ReadFile(fmt.Sprintf("/sys/dev/block/%d:%d/stat", unix.Major(info.Dev), unix.Minor(info.Dev)))
	if err != nil {
		return 0, nil // memory, or not Linux
	}
	const sectors, sectorSize = 6, 512 // of the kernel's Documentation/block/stat.rst
	fields := strings.Fields(string(content))
	if len(fields) <= sectors {
		return 0, fmt.Errorf("cannot read the counters of the device of %s", folder)
	}
	n, err := strconv.ParseInt(fields[sectors], 10, 64)
	return n * sectorSize, err
}

func (u spent) since(before spent) spent {
	return spent{u.cpu - before.cpu, u.written - before.written, u.commits - before.commits, u.commit - before.commit, u.events - before.events}
}
