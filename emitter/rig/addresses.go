package rig

import (
	"fmt"
	"net"
	"os"
	"sync/atomic"
)

// hosts counts the hosts that FreeAddresses has used.
var hosts atomic.Uint32

// FreeAddresses returns n unused addresses of one host of loopback. No other call in
// this process returns that host, and the system takes no port of it for an outgoing
// connection as it does of 127.0.0.1: the addresses stay free until they are used,
// and while a process that listens there restarts.
func FreeAddresses(n int) (list []string, err error) {
	number := hosts.Add(1)
	host := fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()%250, number/250%250, 1+number%250)
	for range n {
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			return nil, fmt.Errorf("cannot find a free port: %w", err)
		}
		defer l.Close() // only now, or the next could have the same port
		list = append(list, l.Addr().String())
	}
	return list, nil
}
