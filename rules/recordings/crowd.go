package recordings

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
)

// Crowd is all participants of a recording, who take their surveys at the same
// time, each at their own pace. When the proxy goes away they recover as people
// do, as soon as it is back.
type Crowd struct {
	Recording *Recording
	App       *App
	Profile   *rules.Profile
	// Address returns the address of the proxy, and waits until it serves.
	Address func(context.Context) (string, error)
}

// Merge returns several recordings as one.
func Merge(names ...string) (*Recording, error) {
	merged := &Recording{}
	for _, name := range names {
		one, err := Read(name)
		if err != nil {
			return nil, err
		}
		merged.Name += " " + name
		merged.Exchanges = append(merged.Exchanges, one.Exchanges...)
		merged.Webhooks = append(merged.Webhooks, one.Webhooks...)
	}
	return merged, nil
}

// Walk returns when all participants have finished or failed.
func (c *Crowd) Walk(ctx context.Context) error {
	var walking sync.WaitGroup
	steps := c.byParticipant()
	failures := make(chan error, len(steps))
	for _, own := range steps {
		m := &member{crowd: c, replay: &Replay{Recording: c.Recording, App: c.App}, handled: map[int]bool{}}
		walking.Go(func() { failures <- m.walk(ctx, own) })
	}
	walking.Wait()
	close(failures)
	var all error
	for err := range failures {
		all = errors.Join(all, err)
	}
	return all
}

// byParticipant returns the steps of the watched exchanges by participant. Those
// of a participant without an id belong to the id that the app made up for them.
func (c *Crowd) byParticipant() map[string][]Step {
	steps := map[string][]Step{}
	for _, step := range c.Recording.Steps() {
		one := c.Recording.Exchanges[step.Index]
		match, watched := c.Profile.Match([]byte(one.Method), []byte(one.Target))
		if !watched {
			continue
		}
		participant := match.Participant()
		for _, path := range []string{"participantId", "newParticipantId"} {
			if participant == "" {
				participant = gjson.GetBytes(one.Exchange.ResponseBody, path).String()
			}
		}
		steps[participant] = append(steps[participant], step)
	}
	return steps
}

// member is one participant of a Crowd.
type member struct {
	crowd   *Crowd
	replay  *Replay
	handled map[int]bool
}

func (m *member) walk(ctx context.Context, steps []Step) (err error) {
	if m.replay.Address, err = m.crowd.Address(ctx); err != nil {
		return err
	}
	for _, step := range steps {
		if m.handled[step.Index] {
			continue
		}
		err := m.replay.Do(step)
		if errors.Is(err, ErrBroken) {
			err = m.goOn(ctx, step)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// goOn waits for the proxy and recovers what broke, until nothing is left.
func (m *member) goOn(ctx context.Context, step Step) error {
	broken, err := m.broken(step)
	for len(broken) > 0 && err == nil {
		if m.replay.Address, err = m.crowd.Address(ctx); err != nil {
			return fmt.Errorf("%w, with %d exchanges to recover", err, len(broken))
		}
		broken, err = m.replay.Recover(m.crowd.Profile, broken)
	}
	return err
}

// broken waits for all open exchanges, and returns those without a response.
func (m *member) broken(step Step) (broken []int, err error) {
	open := m.replay.Open()
	if step.Ends {
		broken = append(broken, step.Index)
		m.handled[step.Index] = true
	}
	for _, index := range open {
		awaited := m.replay.Await(index)
		m.handled[index] = true
		if errors.Is(awaited, ErrBroken) {
			broken = append(broken, index)
		} else {
			err = errors.Join(err, awaited)
		}
	}
	return broken, err
}
