package main

import "fmt"

// drainRows is how many moments of a drain are printed.
const drainRows = 10

// drain measures the memory of a large backlog, and whether its end goes as fast as its beginning.
func (b *bench) drain() error {
	d, err := b.drainBacklog(b.state("drain"), b.queued, 1<<10)
	if err != nil {
		return err
	}
	rows := [][]string{{"after s", "delivered", "deliveries/s", "RssAnon MB"}}
	before := sample{}
	for i := 1; i <= drainRows; i++ {
		now := d.samples[(len(d.samples)-1)*i/drainRows]
		rows = append(rows, []string{
			fmt.Sprintf("%.1f", now.after.Seconds()), fmt.Sprint(now.delivered),
			fmt.Sprintf("%.0f", perSecond(now.delivered-before.delivered, now.after-before.after)), megabytes(now.rssAnon),
		})
		before = now
	}
	b.out.table(fmt.Sprintf("drain: %d queued deliveries of 1 KiB (%s)", b.queued, d.wrong), rows)
	b.out.bar(d.peak <= barDrainBytes, "peak RssAnon %s MB ≤ %d MB", megabytes(d.peak), barDrainBytes>>20)
	return nil
}
