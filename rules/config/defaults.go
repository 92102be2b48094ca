package config

import "time"

// defaults returns the configuration of an empty file. App, targets and rules have
// no default.
func defaults() Config {
	const day = 24 * time.Hour
	return Config{
		Listen:       ":8080",
		Admin:        ":9090",
		Log:          Log{Format: LogText, Level: LogInfo},
		AppTLS:       TLS{Verify: true},
		DrainDelay:   Duration(5 * time.Second),
		StopTimeout:  Duration(25 * time.Second),
		Forwarded:    ForwardedPreserve,
		Upgrades:     []Protocol{WebSocket},
		Profile:      "decsys",
		State:        "/var/lib/sidehook",
		Durability:   Strict,
		InspectLimit: 1 << 20,
		Settle:       Duration(5 * time.Second),
		Limits:       Limits{Answer: 64 << 10, Journey: 512 << 10, WatchedBodies: 64 << 20},
		Retention: Retention{
			Delivered:  Duration(7 * day),
			Dead:       Duration(90 * day),
			Journeys:   Duration(90 * day),
			Statistics: Duration(400 * day),
			Size:       2e9,
		},
		AbandonedAfter: Duration(30 * time.Minute),
	}
}

// SetDefaults sets t to a target without any keys. URL and secret have no default.
func (t *Target) SetDefaults() {
	*t = Target{
		Format:  FormatDecsys,
		TLS:     TLS{Verify: true},
		Allow:   Allowed{{Class: Private}, {Class: Loopback}},
		Timeout: Duration(15 * time.Second),
		Retry: Retry{
			Schedule: []Duration{
				Duration(5 * time.Second),
				Duration(5 * time.Minute),
				Duration(30 * time.Minute),
				Duration(2 * time.Hour),
				Duration(5 * time.Hour),
				Duration(10 * time.Hour),
				Duration(14 * time.Hour),
				Duration(20 * time.Hour),
				Duration(24 * time.Hour),
			},
			Jitter: 0.2,
		},
		Breaker: Breaker{
			Failures: 5,
			Open:     Duration(30 * time.Second),
			MaxOpen:  Duration(15 * time.Minute),
		},
		Concurrency: 16,
		Order:       OrderParticipant,
	}
}
