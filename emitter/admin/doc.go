// Package admin is the operator's listener, apart from the participants': how
// the process is, what it counts, and what became of deliveries.
//
//	GET  /live                        everybody
//	GET  /ready                       everybody
//	GET  /metrics                     everybody
//	GET  /targets                   loopback, or the token
//	POST /targets/{name}/enable     loopback, or the token
//	POST /targets/{name}/disable    loopback, or the token
//	GET  /deliveries                loopback, or the token
//	GET  /deliveries/{id}           loopback, or the token
//	POST /deliveries/redeliver      loopback, or the token
//	POST /deliveries/discard        loopback, or the token
//	POST /forget                    loopback, or the token
//	GET  /backup                    loopback, or the token
//
// Command is the other side of it: what `sidehook deliveries`, `targets`,
// `forget` and `backup` do.
package admin
