package outbox

import "context"

// Lead calls term whenever this replica begins to lead, with a context that ends with
// its term, and waits for its end; until ctx ends. Only the replica that leads writes:
// changes are refused (ErrFollows) outside of a term. A store without a Log leads all
// the time, whether its file is open or not. Lead must be called once.
func (s *Store) Lead(ctx context.Context, term func(ctx context.Context)) { term(ctx) }

// Leads reports whether this replica leads, and has said so in the log within the last
// second: until another can have taken over, it may act outside.
func (s *Store) Leads() bool { return true }
