package probe

import "github.com/sidehook/sidehook/rules/check"

func good(what, why string) check.Finding {
	return check.Finding{Verdict: check.Good, What: what, Why: why}
}

func doubtful(what, why, todo string) check.Finding {
	return check.Finding{Verdict: check.Doubtful, What: what, Why: why, Todo: todo}
}

func bad(what, why, todo string) check.Finding {
	return check.Finding{Verdict: check.Bad, What: what, Why: why, Todo: todo}
}
