// Command bench measures what sidehook costs beside what people use today. It
// starts an app, puts one proxy after the other in front of it, drives each
// with wrk over 64 connections and prints what a request took:
//
//	go run ./proxy/bench                           every section, about eight minutes
//	go run ./proxy/bench -only json -rounds 5      one section, more rounds
//	go run ./proxy/bench -peers sidehook,haproxy   some proxies
//	go run ./proxy/bench -before ./sidehook-1      another build of sidehook as a peer
//	go run ./proxy/bench -smoke                    every section for a moment: does each still work?
//
// It needs Linux and Go, and uses Debian's packages wrk, haproxy, nginx-light
// and strace; what is not installed is skipped, and named. Run it as root, or
// where the kernel lets a user trace their own processes
// (kernel.yama.ptrace_scope = 0). Its files go to /var/tmp, because /tmp is
// memory on many machines and the store has to meet a disk. They are removed at
// the end, and every process that was started is ended, also by Ctrl-C. A
// section that cannot produce its figure ends the run with status 1; a missed
// bar does not.
//
// A proxy (peer.go) is started for each measurement. The proxies take turns within a
// round, each round in another order, so that what else the machine does hits all
// of them. Medians of the rounds are printed; a ratio is the median of the ratios
// in each round. Ratios are what counts: absolute figures are the machine's.
//
// # The sections
//
//   - json, blob, static, mix: requests per second, latency, CPU time of the
//     proxy's processes (user and system) for each request, peak memory, and the
//     ratios to haproxy; then the system calls for each request, counted by
//     strace in runs of their own.
//   - times: what a participant and the app feel, in milliseconds: how long the app
//     waits for a head, a browser for an event, and the app for an abort.
//   - added: what sidehook adds to 500 watched requests per second, sent whether or
//     not earlier ones have a response, beside one write and fdatasync of the same
//     bytes.
//   - idle: the memory that connections take on which nothing passes: after one head,
//     small or large, after they have closed, and while nobody reads a response.
//
// Requests of a workload have a path of their own, steps of the session and timed
// exchanges a number in a header. To anything else the app responds as Decsys does.
package main
