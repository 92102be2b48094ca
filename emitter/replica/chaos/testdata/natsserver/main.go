// Command natsserver is nats-server, of the release that go.mod has.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	flags := flag.NewFlagSet("natsserver", flag.ExitOnError)
	options, err := server.ConfigureOptions(flags, os.Args[1:], func() { os.Exit(0) }, flags.Usage, flags.Usage)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	s, err := server.NewServer(options)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s.ConfigureLogger()
	s.Start()
	s.WaitForShutdown()
}
