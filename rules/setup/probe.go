package setup

import (
	"context"
	"strings"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/profiles"
)

// probe asks the app which it is, takes its profile if none was named, and returns
// what it found, empty if that does not matter.
func (s *setup) probe(ctx context.Context) string {
	if s.get == nil || !strings.Contains(s.app, ":") {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if _, _, _, err := s.get(ctx, s.app, "/"); err != nil {
		return "Nothing answers there now; sidehook can start before the app."
	}
	for _, name := range profiles.Names() {
		profile, err := rules.LoadProfile(name)
		if err != nil || profile.VersionPath() == "" {
			continue
		}
		status, contentType, body, err := s.get(ctx, s.app, profile.VersionPath())
		if err != nil {
			continue
		}
		release := profile.ReadRelease(status, contentType, body)
		switch {
		case release.Found == "":
			continue
		case release.IsTooOld:
			return "Release " + release.Found + " of what profile " + name + " is for answers there; the profile needs " + release.Oldest + "."
		case s.profile == "" && s.isSilent:
			s.profile = name
		}
		return "It answers as the app of profile " + name + ", release " + release.Found + "."
	}
	return "Something answers there, but does not say which app it is."
}
