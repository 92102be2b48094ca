package recordings

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// Step is one moment of a recording: an exchange begins or ends.
type Step struct {
	At    time.Time
	Index int
	Ends  bool
}

// Steps are the moments of a recording in their order. An exchange that began
// in the millisecond in which another ended was asked after it.
func (r *Recording) Steps() []Step {
	var steps []Step
	for i, one := range r.Exchanges {
		steps = append(steps, Step{At: one.Start, Index: i})
		end := one.End
		if !end.After(one.Start) {
			end = one.Start.Add(time.Microsecond)
		}
		steps = append(steps, Step{At: end, Index: i, Ends: true})
	}
	slices.SortStableFunc(steps, func(a, b Step) int {
		return cmp.Or(a.At.Compare(b.At), compareBool(b.Ends, a.Ends))
	})
	return steps
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Replay asks as the recorded participants did, keeping the overlaps in time
// that the recording shows: an exchange that ran while another did runs while
// it does, and they end in the recorded order.
type Replay struct {
	// Recording and App are what is asked, and who answers.
	Recording *Recording
	App       *App
	// Address is where to ask: the proxy.
	Address string

	asked map[int]chan error
}

// ErrBroken marks an exchange whose answer did not come: the proxy went away.
var ErrBroken = errors.New("no whole answer came")

// Do takes one step and returns when it is done: the request has reached the
// app, or its answer the participant.
func (p *Replay) Do(step Step) error {
	if step.Ends {
		p.App.Release(step.Index)
		return p.Await(step.Index)
	}
	return p.begin(step.Index)
}

// Await waits for the answer to an exchange that has begun.
func (p *Replay) Await(index int) error {
	err := <-p.asked[index]
	delete(p.asked, index)
	if err != nil && !errors.Is(err, errAnswer) {
		return fmt.Errorf("%w: exchange %d: %w", ErrBroken, index, err)
	}
	return err
}

// Open lists the exchanges that have begun and not ended, oldest first.
func (p *Replay) Open() []int {
	var open []int
	for index := range p.asked {
		open = append(open, index)
	}
	slices.Sort(open)
	return open
}

// Again asks once more what was asked before.
func (p *Replay) Again(index int) error {
	p.App.Release(index)
	if err := p.begin(index); err != nil {
		delete(p.asked, index)
		return err
	}
	return p.Await(index)
}

func (p *Replay) begin(index int) error {
	if p.asked == nil {
		p.asked = map[int]chan error{}
	}
	answer := make(chan error, 1)
	p.asked[index] = answer
	go func() { answer <- ask(p.Address, index, p.Recording.Exchanges[index]) }()
	select {
	case <-p.App.Arrived(index):
		return nil
	case err := <-answer:
		answer <- err
		if err == nil {
			return nil
		}
		return fmt.Errorf("%w: exchange %d: %w", ErrBroken, index, err)
	}
}

// Recover does for the participants of broken exchanges what they would do
// themselves, in the recorded order: a page load or an answer is sent again,
// and whoever got no answer to a navigation reloads the page. When the proxy
// goes away again it returns what is left to be done.
func (p *Replay) Recover(profile *rules.Profile, broken []int) (left []int, err error) {
	slices.SortStableFunc(broken, func(a, b int) int {
		return p.Recording.Exchanges[a].End.Compare(p.Recording.Exchanges[b].End)
	})
	for i, index := range broken {
		err := p.recover(profile, index)
		if errors.Is(err, ErrBroken) {
			return broken[i:], nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// recover does what the participant of one broken exchange would do. A
// navigation that the app never heard of is asked for again.
func (p *Replay) recover(profile *rules.Profile, index int) error {
	one := p.Recording.Exchanges[index]
	match, watched := profile.Match([]byte(one.Method), []byte(one.Target))
	isNavigation := watched && match.Says() == rules.Navigated && one.Exchange.Status == http.StatusOK
	if isNavigation && p.App.HasArrived(index) {
		return p.reload(profile, index, match.Participant())
	}
	return p.Again(index)
}

// reload asks for the participant's page at the address that they last asked at.
func (p *Replay) reload(profile *rules.Profile, index int, participant string) error {
	p.App.Release(index)
	for i := index; i >= 0; i-- {
		one := p.Recording.Exchanges[i]
		match, watched := profile.Match([]byte(one.Method), []byte(one.Target))
		if watched && match.Says() == rules.PageShown && match.Participant() == participant {
			if _, err := send(p.Address, reloadPrefix+strconv.Itoa(index), one); err != nil {
				return fmt.Errorf("%w: reload after exchange %d: %w", ErrBroken, index, err)
			}
			return nil
		}
	}
	return fmt.Errorf("exchange %d has no page to reload", index)
}
