// Package reload lets a changed configuration take effect while the process runs.
//
//	SIGHUP ──────────────┐
//	                     ├─► Reloader ─► load ─► compare ─► Apply
//	files ──► watcher ───┘                  │
//	                                        └─ error: keep the current one
//
// A Reloader reads the configuration again on SIGHUP, and when its file changes or
// one that it refers to: a secret, a certificate, a profile. Everything that can
// fail is done first; then Apply gets the new configuration. Keys that a running
// process cannot change keep their values, and are logged.
//
// A configuration that was refused is tried again when one of the files that it
// refers to changes or appears, since a mounted Secret may come later than the
// ConfigMap that names it.
//
// The watcher notices files that are written in place, replaced by rename, or
// reached through a link that now leads elsewhere, as Kubernetes swaps its volumes.
package reload
