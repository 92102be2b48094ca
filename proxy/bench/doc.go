// Command bench measures what sidehook costs beside what people use today: it
// starts an app, puts one proxy after the other in front of it, drives each
// with wrk over 64 connections, and prints what each request took.
//
//	go run ./proxy/bench                           everything, about six minutes
//	go run ./proxy/bench -only json -rounds 5      one workload, more rounds
//	go run ./proxy/bench -peers sidehook,haproxy   some proxies
//
// It needs Linux, Go, and Debian's packages wrk, haproxy, nginx-light and
// strace; what is missing is named before anything starts. Run it as root, or
// where the kernel lets a user trace their own processes
// (kernel.yama.ptrace_scope = 0). Its files go to /var/tmp, since /tmp is
// memory on many machines and the store has to meet a disk; they are removed
// at the end, and every process that it started is ended, also by Ctrl-C.
//
// # The proxies
//
// sidehook is built from this tree as the image builds it, and runs with the
// profile decsys, durability strict and a target that refuses connections.
// Traffic of the session mix is what that profile watches, so there it records
// to disk; sidehook-unwatched is the same with a profile that matches nothing.
// haproxy and nginx are Debian's, reverse-proxy is net/http/httputil's and
// splice two io.Copy between TCP connections that knows nothing of HTTP.
//
// To be fair, each gets one thread (-threads: nbthread, worker_processes,
// GOMAXPROCS), keeps its connections to the app and writes no log of requests.
// nginx passes answers on unbuffered, which is also where it is fastest;
// haproxy's defaults let it gather what the app sends in pieces. A proxy starts
// anew for each measurement, and the proxies take turns within a round, each
// round in another order, so that what else the machine does hits all of them.
// Medians over the rounds are printed; a ratio is the median of the ratios in
// each round. Ratios are what counts: absolute figures are the machine's.
//
// # What is printed
//
//   - For each workload, requests per second, latency, CPU time of the proxy's
//     processes (user and system) for each request, peak memory, and the ratios
//     to haproxy.
//   - The system calls for each request, counted by strace in runs of their own.
//   - The times that a participant and the app feel, in milliseconds: how long the
//     app waits for a head, a browser for an event, and the app for an abort.
//   - What sidehook adds to 500 watched requests per second, sent whether or not
//     earlier ones are answered, beside the commits of the same store.
package main
