package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sidehook/sidehook/rules/terminal"
)

const (
	// lineWidth is the width in characters that output for people fits in.
	lineWidth = 80
	// gap is the space between columns.
	gap = "  "
	// minElastic is the width below which no column is shortened.
	minElastic = 8
)

// table prints rows of cells in columns. An empty cell is a dash.
type table struct {
	header []string
	rows   []row
	// elastic is the column that is shortened to fit lineWidth.
	elastic int
	// isWide lets the table be as wide as its cells.
	isWide bool
}

// row is the cells of a line, and notes that follow in lines of their own.
type row struct{ cells, notes []string }

func (t *table) add(cells []string, notes ...string) {
	t.rows = append(t.rows, row{cells, notes})
}

func (t *table) print(out io.Writer) error {
	lines := [][]string{t.header}
	for _, row := range t.rows {
		for i, cell := range row.cells {
			if row.cells[i] = terminal.Line(cell); cell == "" {
				row.cells[i] = "-"
			}
		}
		lines = append(lines, row.cells)
	}
	widths := t.widths(lines)
	var b strings.Builder
	for i, cells := range lines {
		writeRow(&b, cells, widths)
		if i == 0 {
			continue
		}
		for _, note := range t.rows[i-1].notes {
			for _, line := range wrap(terminal.Line(note), lineWidth-len(gap)) {
				b.WriteString(gap + line + "\n")
			}
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// widths returns the width of each column.
func (t *table) widths(lines [][]string) []int {
	widths := make([]int, len(t.header))
	for _, cells := range lines {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	total := (len(widths) - 1) * len(gap)
	for _, width := range widths {
		total += width
	}
	if !t.isWide && total > lineWidth {
		widths[t.elastic] = max(minElastic, widths[t.elastic]-(total-lineWidth))
	}
	return widths
}

func writeRow(b *strings.Builder, cells []string, widths []int) {
	last := len(cells) - 1
	for i, cell := range cells {
		cell = shorten(cell, widths[i])
		b.WriteString(cell)
		if i < last {
			b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)) + gap)
		}
	}
	b.WriteByte('\n')
}

func shorten(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}

// printFields prints names and values below each other. Long values are wrapped.
func printFields(out io.Writer, fields [][2]string) error {
	width := 0
	for _, field := range fields {
		width = max(width, len(field[0]))
	}
	var b strings.Builder
	for _, field := range fields {
		value := terminal.Line(field[1])
		if value == "" {
			value = "-"
		}
		name := field[0]
		for _, line := range wrap(value, lineWidth-width-len(gap)) {
			fmt.Fprintf(&b, "%-*s%s%s\n", width, name, gap, line)
			name = ""
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// wrap breaks text into lines of up to width characters: between words, or
// within a word that has no room on a line.
func wrap(text string, width int) (lines []string) {
	line := []rune{}
	for word := range strings.FieldsSeq(text) {
		runes := []rune(word)
		switch {
		case len(line) == 0:
			line = runes
		case len(line)+1+len(runes) <= width:
			line = append(append(line, ' '), runes...)
		default:
			lines, line = append(lines, string(line)), runes
		}
		for len(line) > width {
			lines, line = append(lines, string(line[:width])), line[width:]
		}
	}
	return append(lines, string(line))
}

// timestamp is in UTC, as in the log; empty for nil.
func timestamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
}

// age is how long ago t was, in its largest unit; empty for nil.
func age(t *time.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	const day = 24 * time.Hour
	switch d := max(0, now.Sub(*t)); {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + "s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + "m"
	case d < 2*day:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	default:
		return strconv.Itoa(int(d/day)) + "d"
	}
}
