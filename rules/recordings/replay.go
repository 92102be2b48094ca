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

// Step is one step of a recording: an exchange begins or ends.
type Step struct {
	At    time.Time
	Index int
	Ends  bool
}

// Steps are the steps of a recording in their order. An exchange that began in the
// millisecond in which another ended began after it.
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
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.rank(), b.rank()))
	})
	return steps
}

// rank orders steps at the same time: ends come first.
func (s Step) rank() int {
	if s.Ends {
		return 0
	}
	return 1
}

// Replay sends the requests of a recording with the same overlaps in time:
// exchanges begin and end in the recorded order.
type Replay struct {
	// Recording has the requests, and App sends the responses.
	Recording *Recording
	App       *App
	// Address is the address of the proxy.
	Address string

	// open are the exchanges that have begun, by their index.
	open map[int]chan error
}

// ErrBroken is the error of an exchange without a whole response: the proxy is gone.
var ErrBroken = errors.New("the response is missing or incomplete")

// Do takes one step, and returns when the request has reached the app, or its
// response the participant.
func (p *Replay) Do(step Step) error {
	if step.Ends {
		p.App.Release(step.Index)
		return p.Await(step.Index)
	}
	return p.begin(step.Index)
}

// Await waits for the response of an exchange that has begun.
func (p *Replay) Await(index int) error {
	err := <-p.open[index]
	delete(p.open, index)
	if err != nil && !errors.Is(err, errOtherResponse) {
		return fmt.Errorf("%w: exchange %d: %w", ErrBroken, index, err)
	}
	return err
}

// Open returns the exchanges that have begun and not ended, in the order of their starts.
func (p *Replay) Open() []int {
	var open []int
	for index := range p.open {
		open = append(open, index)
	}
	slices.Sort(open)
	return open
}

// Again sends a request again.
func (p *Replay) Again(index int) error {
	p.App.Release(index)
	if err := p.begin(index); err != nil {
		delete(p.open, index)
		return err
	}
	return p.Await(index)
}

func (p *Replay) begin(index int) error {
	if p.open == nil {
		p.open = map[int]chan error{}
	}
	done := make(chan error, 1)
	p.open[index] = done
	go func() { done <- request(p.Address, index, p.Recording.Exchanges[index]) }()
	select {
	case <-p.App.Arrived(index):
		return nil
	case err := <-done:
		done <- err // for Await
		if err == nil {
			return nil
		}
		return fmt.Errorf("%w: exchange %d: %w", ErrBroken, index, err)
	}
}

// Recover does what the participants of broken exchanges would do, in the recorded
// order: their browsers send page loads and answers again, and they reload the page
// after a navigation. It returns what is left to do if the proxy goes away again.
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

// recover does what the participant of one broken exchange would do. A navigation
// that has not reached the app is sent again.
func (p *Replay) recover(profile *rules.Profile, index int) error {
	one := p.Recording.Exchanges[index]
	match, watched := profile.Match([]byte(one.Method), []byte(one.Target))
	isNavigation := watched && match.Kind() == rules.Navigated && one.Exchange.Status == http.StatusOK
	if isNavigation && p.App.HasArrived(index) {
		return p.reload(profile, index, match.Participant())
	}
	return p.Again(index)
}

// reload requests the participant's page at the path at which they last did.
func (p *Replay) reload(profile *rules.Profile, index int, participant string) error {
	p.App.Release(index)
	for i := index; i >= 0; i-- {
		one := p.Recording.Exchanges[i]
		match, watched := profile.Match([]byte(one.Method), []byte(one.Target))
		if watched && match.Kind() == rules.PageShown && match.Participant() == participant {
			if _, err := send(p.Address, reloadPrefix+strconv.Itoa(index), one); err != nil {
				return fmt.Errorf("%w: reload after exchange %d: %w", ErrBroken, index, err)
			}
			return nil
		}
	}
	return fmt.Errorf("exchange %d has no page to reload", index)
}
