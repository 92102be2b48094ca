package console

import (
	"fmt"
	"time"

	"github.com/sidehook/sidehook/emitter/admin"
)

// The pictures of a survey are SVG. Their units are those of a view box that is
// chartWidth wide, which the browser scales.
const (
	chartWidth = 320
	// maxRows is how many pages a picture has, and rowHeight, barAt and rowBar where the
	// bar of each is.
	maxRows   = 40
	rowHeight = 38
	barAt     = 20
	rowBar    = 12
	// maxLabel is the longest label, in characters.
	maxLabel = 32
	// maxSlots is about how many days, or groups of days, a picture has, and dayHeight how
	// high the highest is.
	maxSlots  = 60
	dayHeight = 100
	dayTop    = 16
)

// funnelChart is a picture of how many reached and left each page.
type funnelChart struct {
	Width, Height int
	Rows          []funnelRow
	// More is how many pages are in the table alone.
	More int
}

// funnelRow is a page of a funnel.
type funnelRow struct {
	Label, Value string
	// Y are those of the text and of the bar.
	TextY, BarY int
	// Reached and Left are the widths of the bars.
	Reached, Left int
}

// newFunnelChart draws pages.
func newFunnelChart(pages []admin.SurveyPage) funnelChart {
	shown := pages[:min(len(pages), maxRows)]
	chart := funnelChart{Width: chartWidth, Height: len(shown)*rowHeight + 1, More: len(pages) - len(shown)}
	most := uint64(1)
	for i := range shown {
		most = max(most, shown[i].Reached)
	}
	for i := range shown {
		p := &shown[i]
		y := i * rowHeight
		chart.Rows = append(chart.Rows, funnelRow{
			Label: shorten(pageLabel(p), maxLabel), Value: fmt.Sprint(p.Reached), TextY: y + barAt - 6, BarY: y + barAt,
			Reached: scale(p.Reached, most, chartWidth-1), Left: scale(p.Left, most, chartWidth-1),
		})
	}
	return chart
}

// pageLabel returns what people call a page: its number and its name, or else its id.
func pageLabel(p *admin.SurveyPage) string {
	name := p.Name
	switch {
	case p.Other:
		return "Other pages"
	case name == "" && p.Number > 0:
		return fmt.Sprintf("Page %d", p.Number)
	case name == "":
		return p.ID
	case p.Number > 0:
		return fmt.Sprintf("%d %s", p.Number, name)
	}
	return name
}

// scale returns value as a part of length, at least 1 unless it is 0.
func scale(value, most uint64, length int) int {
	if value == 0 || most == 0 {
		return 0
	}
	return max(int(float64(min(value, most))/float64(most)*float64(length)), 1)
}

func shorten(text string, length int) string {
	if runes := []rune(text); len(runes) > length {
		return string(runes[:length-1]) + "…"
	}
	return text
}

// daysChart is a picture of how many began, completed and abandoned a survey.
type daysChart struct {
	Width, Height, Base int
	Slots               []daySlot
	// Line has the points of the line of those who abandoned it, empty if nobody did.
	Line string
	// Most is what the highest bar stands for, DaysEach how many days a bar does.
	Most        uint64
	DaysEach    int
	First, Last string
}

// daySlot is a day, or a group of days.
type daySlot struct {
	X, Width int
	// Started, Completed and Abandoned are heights, and the others where these begin.
	Started, StartedY     int
	Completed, CompletedY int
	Abandoned, AbandonedY int
	// InnerX, InnerWidth and Middle are the places of what is inside of a bar.
	InnerX, InnerWidth, Middle int
}

// newDaysChart draws days, which are in their order.
func newDaysChart(days []admin.SurveyDay) daysChart {
	chart := daysChart{Width: chartWidth, Height: dayTop + dayHeight + 20, Base: dayTop + dayHeight, DaysEach: 1}
	if len(days) == 0 {
		return chart
	}
	first, last := dayOf(days[0].Day), dayOf(days[len(days)-1].Day)
	chart.First, chart.Last = days[0].Day, days[len(days)-1].Day
	for _, step := range []int{7, 28, 364} {
		if (last-first)/chart.DaysEach >= maxSlots {
			chart.DaysEach = step
		}
	}
	sums := make([]admin.SurveyCounts, (last-first)/chart.DaysEach+1)
	for i := range days {
		sum := &sums[(dayOf(days[i].Day)-first)/chart.DaysEach]
		sum.Started += days[i].Started
		sum.Completed += days[i].Completed
		sum.Abandoned += days[i].Abandoned
		chart.Most = max(chart.Most, sum.Started, sum.Completed, sum.Abandoned)
	}
	abandoned := uint64(0)
	for i := range sums {
		chart.add(&sums[i], i, len(sums))
		abandoned += sums[i].Abandoned
	}
	if abandoned == 0 {
		chart.Line = ""
	}
	return chart
}

// add adds a slot, one of count.
func (c *daysChart) add(sum *admin.SurveyCounts, i, count int) {
	x := i * chartWidth / count
	width := min((i+1)*chartWidth/count-x, 32)
	s := daySlot{
		X: x, Width: max(width-1, 1), InnerX: x + width/4, InnerWidth: max(width/2, 1), Middle: x + width/2,
		Started: scale(sum.Started, c.Most, dayHeight), Completed: scale(sum.Completed, c.Most, dayHeight), Abandoned: scale(sum.Abandoned, c.Most, dayHeight),
	}
	s.StartedY, s.CompletedY, s.AbandonedY = c.Base-s.Started, c.Base-s.Completed, c.Base-s.Abandoned
	c.Slots = append(c.Slots, s)
	c.Line += fmt.Sprintf("%d,%d ", s.Middle, s.AbandonedY)
}

// dayOf returns the number of a day since 1970, 0 if it is none.
func dayOf(day string) int {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0
	}
	return int(t.Unix() / (24 * 60 * 60))
}
