// Command attack plays attacks of anonymous participants, receivers and
// damaged disks against sidehook, beside honest participants, and prints what
// the honest ones notice:
//
//	go run ./emitter/attack                          every attack, small, in about a minute
//	go run ./emitter/attack -only heavy-journey      one attack
//	go run ./emitter/attack -large                   at full size, one at a time, with delays judged
//	go run ./emitter/attack -sidehook ./sidehook-1   another build of sidehook
//	go run ./emitter/attack -cgroup                  inside a memory cgroup of 256 MB
//
// sidehook is built from this tree and runs as a process of its own in front of
// an app, which is served here like the receivers. It is Decsys' demo app (proxy/demo)
// unless an attack names another:
//
//	honest crowd ──┐                     ┌──► app, by default demoApp
//	               ├──► sidehook ────────┤
//	attackers ─────┘        │            └──► receivers, some of them hostile
//	                        └── RssAnon, size of the state folder, log, metrics
//
// An [attack] is what is configured and what is sent, and an [app] is what is behind
// sidehook together with how honest participants take its survey: [demoApp] speaks
// JSON, [formApp] is a small LimeSurvey of pages and forms. A [battle] plays one: the
// [crowd] walks the survey alone, beside the attack, and once the attacker's
// bytes have passed; what the attacker holds open stays open until the end. The
// [ledger] pairs each response to "next" with its webhook. A [verdict] compares
// the measured [outcome] with the bars:
//
//   - no honest request fails, and every honest event arrives whole;
//   - RssAnon stays below 256 MB, the state folder below retention.size;
//   - the process lives, responds to /live, and ends within its time at SIGTERM;
//   - nothing that a participant said is in the log, which stays below 256 KB;
//   - what an attack checks by itself;
//   - p99 afterwards ≤ 2 × before, which is judged with -large only.
//
// The exit status is 1 if a bar other than the last is missed, unless the attack
// is one of knownFailures.
//
// Attackers are bounded in number and time, and connect to loopback only. The
// state folders are on /var/tmp, because /tmp is memory on many machines.
package main
