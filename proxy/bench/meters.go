package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The number of commits of sidehook's store, and the seconds that they took.
const (
	commitCount = "sidehook_store_commit_seconds_count"
	commitSum   = "sidehook_store_commit_seconds_sum"
)

// meters are sidehook's metrics at one moment.
type meters map[string]float64

// readMeters reads them from the admin listener.
func (r *rig) readMeters(proxy *running) (meters, error) {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get("http://" + proxy.Admin + "/metrics")
	if err != nil {
		return nil, fmt.Errorf("cannot read sidehook's metrics: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("cannot read sidehook's metrics: %w", err)
	}
	m := meters{}
	for line := range strings.Lines(string(text)) {
		name, value, isMeter := cutLast(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseFloat(value, 64); isMeter && err == nil {
			m[name] = n
		}
	}
	return m, nil
}

// total adds up the meters whose names contain all parts.
func (m meters) total(parts ...string) (sum float64) {
	for name, n := range m {
		if containsAll(name, parts) {
			sum += n
		}
	}
	return sum
}

// recorded describes what sidehook recorded during a run.
func (r *rig) recorded(proxy *running, requests int) (string, error) {
	m, err := r.readMeters(proxy)
	if err != nil {
		return "", err
	}
	if m.total("sidehook_exchanges_total", `result="recorded"`) == 0 {
		return "", errors.New("nothing was recorded")
	}
	return fmt.Sprintf("recorded in one run: %.0f of %d requests, %.0f lost, %.0f released at risk, %.0f events, %.0f journeys joined, %.0f commits of %s ms",
		m.total("sidehook_exchanges_total", `result="recorded"`), requests, m.total(`result="lost"`),
		m.total("sidehook_released_at_risk_total"), m.total("sidehook_events_total"), m.total("sidehook_journeys_joined_total"),
		m[commitCount], millis(perCommit(meters{}, m))), nil
}

// perCommit is the mean time of a commit between two moments, 0 where there was none.
func perCommit(before, after meters) time.Duration {
	commits := after[commitCount] - before[commitCount]
	if commits == 0 {
		return 0
	}
	return time.Duration((after[commitSum] - before[commitSum]) / commits * float64(time.Second))
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sep):], true
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}
