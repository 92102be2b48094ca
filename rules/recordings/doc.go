// Package recordings has the traffic of real runs of Decsys and the webhooks that
// must follow from it, and replays them. Only tests import it.
//
//	Crowd or Replay ──► proxy ──► App
//	the participants      └─────► Receiver ──► Recording.Differences
//
// A [Recording] is read by its name. A [Replay] sends its requests in the recorded
// order to a proxy in front of an [App], which sends the recorded responses; a
// [Crowd] lets all participants go at their own pace, and recover when the proxy
// goes away. A [Receiver] keeps the webhooks, and Recording.Differences compares
// them with those that Decsys sent.
package recordings
