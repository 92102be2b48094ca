package sample

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

// Answer is what a target answered to a test event.
type Answer struct {
	ID    string `json:"id"`
	Event string `json:"event"`
	// Status is its status code, 0 without a response.
	Status  int     `json:"status"`
	Seconds float64 `json:"seconds"`
	// Outcome is what sidehook would make of it: delivered, retry, throttled,
	// rejected, aborted, gone or ours.
	Outcome string `json:"outcome"`
	// Reason is why it is no success, empty if it is.
	Reason string `json:"reason,omitempty"`
	// Excerpt is the beginning of the response's body.
	Excerpt string `json:"excerpt"`
}

// Options are what test events are sent with; all are required.
type Options struct {
	Config *config.Config
	// Version of sidehook, for User-Agent.
	Version string
	Logger  *slog.Logger
}

// Send sends a sample of an event to a target and returns what it answered. It
// takes no longer than the target's timeout.
func Send(ctx context.Context, o Options, target string, name config.EventName) (Answer, error) {
	event, err := Event(name, time.Now())
	if err != nil {
		return Answer{}, err
	}
	if _, known := o.Config.Targets[target]; !known {
		return Answer{}, o.unknown(target)
	}
	if o.Config.Targets[target].Format == config.FormatDecsys && !event.IsNavigation() {
		return Answer{}, fmt.Errorf("target %s has format decsys, which has no words for %s", target, name)
	}
	delivery := record.ForTarget(o.Config, target, rand.Text(), event)
	return o.send(ctx, target, &delivery)
}

func (o Options) send(ctx context.Context, target string, d *outbox.Delivery) (Answer, error) {
	sender, err := send.New(send.Options{Name: target, Target: o.Config.Targets[target], Version: o.Version, IsTest: true, Logger: o.Logger})
	if err != nil {
		return Answer{}, fmt.Errorf("cannot send to target %s: %w", target, err)
	}
	defer sender.Close()
	result := sender.Send(ctx, d, time.Now())
	return Answer{
		ID: d.ID, Event: d.Event, Status: result.Status, Seconds: result.Duration.Seconds(),
		Outcome: result.Outcome.String(), Reason: result.Reason, Excerpt: string(result.Excerpt),
	}, nil
}

func (o Options) unknown(target string) error {
	names := slices.Sorted(maps.Keys(o.Config.Targets))
	return fmt.Errorf("there is no target %q; there are %s", target, strings.Join(names, ", "))
}
