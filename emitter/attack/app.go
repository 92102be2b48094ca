package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// app is a survey app together with its honest participants.
type app interface {
	http.Handler
	// profile is the profile with which sidehook reads its traffic.
	profile() string
	// pages is how many pages its survey has.
	pages() int
	// takeSurvey is one participant's way through all pages. They give up at a failure.
	takeSurvey(*walker)
	// whose returns the id with which a participant began, of whom a webhook tells.
	whose(webhook []byte) string
}

// servedApp is an app on loopback until Close.
type servedApp struct {
	http.Server
	url string
}

func serveApp(a app) (*servedApp, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	s := &servedApp{url: "http://" + listener.Addr().String()}
	s.ReadHeaderTimeout, s.Handler = time.Minute, a
	go func() { _ = s.Serve(listener) }() // until Close
	return s, nil
}
