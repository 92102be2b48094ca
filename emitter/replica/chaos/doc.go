// Package chaos has the test that breaks several replicas of sidehook, their servers
// and the network between them, and finds out whether anything was lost:
//
//	participants ──► replicas ──► app          each request by way of any replica
//	                  │    └────► receiver     keeps every webhook
//	               relays                      can be cut
//	                  │
//	               servers ◄── relays ──► servers
//
//	go test ./emitter/replica/chaos -run Chaos -v -chaos 60s -chaos-sizes 2x3,3x3
//
// Another one upgrades three replicas, one after the other, from an earlier sidehook:
//
//	go test ./emitter/replica/chaos -run Upgraded -v -chaos-before BINARY
//
// All of them are processes of their own, but for participants, app and receiver. The
// ledger has what the app did and what participants were told of it, and compares it
// with what the receiver got. On failure, the folder with logs and states is kept.
package chaos
