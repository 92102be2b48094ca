// Package replica is how several replicas of sidehook, in front of one app, know what
// each of them saw. Any request of a participant may reach any of them.
//
//	Recorder ─► Seer ─► Link.See ─► what was seen, in one order ─► the replica that leads
//	              │ where that takes too long
//	              └───► spill, a file of this replica ─► Link.See, later
//
// A Roster knows which replicas there are.
package replica
