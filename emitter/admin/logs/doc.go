// Package logs writes the log of the process without ever making anybody wait
// for it. It has a room of its own in the operators' listener because, like the
// metrics there, it is how operators see the process, and every other package
// only knows a *slog.Logger.
//
//	slog.Logger ─► handler ─► Log.Write ─► queue, bounded in bytes ─► one goroutine ─► stderr
//
// A line is formatted by the goroutine that logs it and queued. Lines that find
// the queue full, because stderr is a pipe that nobody reads, and lines that
// stderr refuses, because it is closed, its disk is full or its reader is gone,
// are dropped and counted. Once lines flow again, one of them reports how many
// are missing.
//
// Apply changes the format and the level while the process runs. A Digest stands for
// the ids in lines.
//
// Writing to a pipe whose reader is gone raises SIGPIPE, which ends a process by
// default if the pipe is its stderr: whoever writes there has to ignore it.
package logs
