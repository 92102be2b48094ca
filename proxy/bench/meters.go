package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// meters are sidehook's metrics at one moment.
type meters map[string]float64

// readMeters asks sidehook's admin listener.
func (r *rig) readMeters(proxy *running) (meters, error) {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get("http://" + proxy.Admin + "/metrics")
	if err != nil {
		return nil, fmt.Errorf("cannot read sidehook's metrics: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
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

// total adds up the meters whose names have a part in them.
func (m meters) total(parts ...string) (sum float64) {
	for name, n := range m {
		if containsAll(name, parts) {
			sum += n
		}
	}
	return sum
}

// recorded says what sidehook wrote down during a run.
func (r *rig) recorded(proxy *running, requests int) (string, error) {
	m, err := r.readMeters(proxy)
	if err != nil {
		return "", err
	}
	commits := m["sidehook_store_commits_total"]
	return fmt.Sprintf("recorded in one run: %.0f of %d requests, %.0f lost, %.0f released at risk, %.0f events to deliver, %.0f commits of %s ms",
		m.total("sidehook_exchanges_total", `result="recorded"`), requests, m.total(`result="lost"`),
		m["sidehook_released_at_risk_total"], m.total("sidehook_deliveries", "pending"),
		commits, millis(perCommit(m))), nil
}

// perCommit is the mean time of a commit.
func perCommit(m meters) time.Duration {
	commits := max(1, m["sidehook_store_commits_total"])
	return time.Duration(m["sidehook_store_commit_seconds_total"] / commits * float64(time.Second))
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
