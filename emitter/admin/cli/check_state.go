package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/terminal"
)

// errDamagedState reports that what is damaged has been printed.
var errDamagedState = errors.New("the state is damaged: sidehook sets aside what is damaged when it starts, and goes on with everything else")

// stateReport is an outbox.Report in JSON.
type stateReport struct {
	OK             bool                     `json:"ok"`
	Format         uint64                   `json:"format"`
	Bytes          int64                    `json:"bytes"`
	JournalCommits uint64                   `json:"journal_commits"`
	Journeys       int                      `json:"journeys"`
	Parts          int                      `json:"journey_parts"`
	Pages          int                      `json:"pages"`
	Targets        map[string]stateOfTarget `json:"targets"`
	Unindexed      int                      `json:"unindexed"`
	DamagedCommits uint64                   `json:"damaged_commits"`
	Damaged        []admin.Damaged          `json:"damaged"`
	SetAside       []admin.Damaged          `json:"set_aside"`
}

type stateOfTarget struct {
	Pending   uint64 `json:"pending"`
	Dead      uint64 `json:"dead"`
	Delivered uint64 `json:"delivered"`
}

// CheckState reads a whole state directory, or a copy of a state file, while no
// sidehook uses it, and prints what is in it. It returns an error if anything is
// damaged.
func CheckState(path string, out io.Writer, asJSON bool) error {
	report, err := outbox.Check(path)
	if err != nil {
		return fmt.Errorf("cannot check the state in %s: %w", path, err)
	}
	err = printState(report, path, out, asJSON)
	if err == nil && !report.IsSound() {
		err = errDamagedState
	}
	return err
}

func printState(r *outbox.Report, path string, out io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(stateInJSON(r))
	}
	fmt.Fprintf(out, "state     %s, format %d, %d bytes\n", terminal.Line(path), r.Format, r.Bytes)
	fmt.Fprintf(out, "journal   %d commits that are not in the state file yet, %d damaged\n", r.Commits, r.DamagedCommits)
	fmt.Fprintf(out, "journeys  %d with %d parts, and %d pages\n", r.Journeys, r.Parts, r.Pages)
	fmt.Fprintf(out, "damaged   %d records, %d deliveries that an index lacks, %d set aside before\n\n", len(r.Damaged), r.Unindexed, len(r.SetAside))
	t := &table{header: []string{"TARGET", "PENDING", "DEAD", "DELIVERED"}}
	for _, name := range slices.Sorted(maps.Keys(r.Targets)) {
		kept := r.Targets[name]
		t.add([]string{name, number(kept.Pending), number(kept.Dead), number(kept.Delivered)})
	}
	err := t.print(out)
	if all := describeAll(append(r.Damaged, r.SetAside...)); err == nil && len(all) > 0 {
		fmt.Fprintln(out)
		err = damagedTable(all).print(out)
	}
	return err
}

func stateInJSON(r *outbox.Report) stateReport {
	targets := map[string]stateOfTarget{}
	for name, kept := range r.Targets {
		targets[name] = stateOfTarget{kept.Pending, kept.Dead, kept.Delivered}
	}
	return stateReport{
		OK: r.IsSound(), Format: r.Format, Bytes: r.Bytes, JournalCommits: r.Commits, Journeys: r.Journeys, Parts: r.Parts, Pages: r.Pages,
		Targets: targets, Unindexed: r.Unindexed, DamagedCommits: r.DamagedCommits, Damaged: describeAll(r.Damaged), SetAside: describeAll(r.SetAside),
	}
}

func describeAll(found []outbox.Damaged) []admin.Damaged {
	list := []admin.Damaged{}
	for _, d := range found {
		list = append(list, admin.DescribeDamaged(d))
	}
	return list
}
