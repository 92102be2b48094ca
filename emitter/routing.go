package emitter

import "github.com/sidehook/sidehook/rules"

// routing is what a configuration says of where events go, and in what format.
// It never changes: a reload makes another.
type routing struct {
	set     *rules.Set
	formats map[string]rules.Format
}

func newRouting(c *rules.Config) *routing {
	r := &routing{set: rules.Compile(c.Rules), formats: make(map[string]rules.Format, len(c.Targets))}
	for name, target := range c.Targets {
		r.formats[name] = target.Format
	}
	return r
}
