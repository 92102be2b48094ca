// Package admin is the operator's listener, apart from the participants': how
// the process is, what it counts, and what became of deliveries.
//
//	GET  /live                        everybody
//	GET  /ready                       everybody
//	GET  /metrics                     everybody
//	GET  /targets                     loopback, or the token
//	POST /targets/{name}/enable       loopback, or the token
//	GET  /deliveries                  loopback, or the token
//	GET  /deliveries/{id}             loopback, or the token
//	POST /deliveries/{id}/redeliver   loopback, or the token
package admin
