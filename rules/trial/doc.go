// Package trial is the dry run of recorded traffic: it reports what each exchange of
// a HAR file says, which events come of it, why each rule fires or not, and what
// would be sent.
//
//	HAR file ─► ReadHAR ─► []Recorded ─► Run ─► Report ─► text or JSON
//
// Run works as the running program does, with the same profile, the same rules.Fold
// and the same bodies, but without a network, a clock or a state file. Recorded
// times take the place of the clock: exchanges are folded in the order in which they
// ended, and those that overlap were in flight together. The file takes the place of
// the app: the past of a participant is read from the exchanges that it has. If the
// past is not in the file, the participant's events are partial.
//
// Command is `sidehook try`. Who builds it provides the Preview, which makes the
// bodies of webhooks.
package trial
