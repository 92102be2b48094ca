package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/rules/funnel"
	"github.com/sidehook/sidehook/rules/terminal"
)

// surveysFlags are the flags of `sidehook surveys`.
type surveysFlags struct {
	since, until, by string
	csv, isWide      bool
}

func surveysCommand(c *connection) *cobra.Command {
	flags := &surveysFlags{}
	surveys := &cobra.Command{
		Use:   "surveys [SURVEY]",
		Short: "Show how participants go through surveys and their pages",
		Long: `List the surveys that a running sidehook has counted participants of. With a
SURVEY (its short name, its id, or survey/instance), show how many reached and
left each of its pages, how many abandoned the survey there and did not return,
and for how long half of them stayed at most. Each participant counts once for
each attempt. Days are those of UTC.

` + timeHelp,
		Example: `  sidehook surveys
  sidehook surveys fzd --since 7d
  sidehook surveys 5/3 --by day
  sidehook surveys fzd --csv > pages.csv`,
		SuggestFor: []string{"survey", "statistics", "stats", "funnel", "pages"},
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return errors.New("usage: sidehook surveys [SURVEY]")
			case flags.by != "page" && flags.by != "day":
				return errors.New("--by must be page or day")
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listSurveys(cmd, c, flags)
			}
			return showSurvey(cmd, c, flags, args[0])
		},
	}
	set := surveys.Flags()
	set.StringVar(&flags.since, "since", "", "only days since this `time`")
	set.StringVar(&flags.until, "until", "", "only days before that of this `time`")
	set.StringVar(&flags.by, "by", "page", "show a survey by `page` or day")
	set.BoolVar(&flags.csv, "csv", false, "print CSV")
	set.BoolVar(&flags.isWide, "wide", false, "show whole names, on lines as long as they need")
	mustComplete(surveys, "by", cobra.FixedCompletions([]string{"page", "day"}, cobra.ShellCompDirectiveNoFileComp))
	for _, name := range []string{"since", "until"} {
		mustComplete(surveys, name, cobra.NoFileCompletions)
	}
	return surveys
}

// values returns the flags that are set, as parameters of the API.
func (f *surveysFlags) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"since": f.since, "until": f.until} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

func listSurveys(cmd *cobra.Command, c *connection, flags *surveysFlags) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	if flags.csv {
		return client.printCSV(cmd, "/surveys.csv", flags.values())
	}
	list, err := client.surveys(cmd.Context(), flags.values())
	switch {
	case err != nil:
		return err
	case c.json:
		return printJSON(cmd, list)
	case len(list) == 0:
		fmt.Fprintln(cmd.OutOrStdout(), "nothing was counted yet")
		return nil
	}
	return surveysTable(list, flags.isWide).print(cmd.OutOrStdout())
}

func showSurvey(cmd *cobra.Command, c *connection, flags *surveysFlags, name string) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	path, err := client.surveyPath(cmd.Context(), name)
	if err != nil {
		return err
	}
	values := flags.values()
	if flags.csv {
		values.Set("by", flags.by)
		return client.printCSV(cmd, path+".csv", values)
	}
	var found admin.Funnel
	if err := client.do(cmd.Context(), http.MethodGet, path, values, &found); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	switch {
	case c.json:
		return printJSON(cmd, found)
	case flags.by == "day":
		return daysTable(found.Days).print(out)
	}
	if err := surveysTable([]admin.Survey{found.Survey}, flags.isWide).print(out); err != nil {
		return err
	}
	if len(found.Pages) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	return pagesTable(found.Pages, flags.isWide).print(out)
}

// surveys returns all surveys.
func (c *client) surveys(ctx context.Context, values url.Values) (list []admin.Survey, err error) {
	list = []admin.Survey{}
	values.Set("limit", strconv.Itoa(admin.MaxPage))
	for {
		var page admin.SurveyList
		if err := c.do(ctx, http.MethodGet, "/surveys", values, &page); err != nil {
			return list, err
		}
		if list = append(list, page.Surveys...); page.After == "" {
			return list, nil
		}
		values.Set("after", page.After)
	}
}

// surveyPath returns the path of the one survey that has this name or id.
func (c *client) surveyPath(ctx context.Context, name string) (string, error) {
	list, err := c.surveys(ctx, url.Values{"since": {"0h"}}) // names alone
	if err != nil {
		return "", err
	}
	var paths, names []string
	for i := range list {
		s := &list[i]
		if s.Other || name != s.Survey+"/"+s.Instance && name != s.Survey && name != s.FriendlyID {
			continue
		}
		paths = append(paths, "/surveys/"+url.PathEscape(s.Survey)+"/"+url.PathEscape(s.Instance))
		names = append(names, s.Survey+"/"+s.Instance)
	}
	switch len(paths) {
	case 0:
		return "", notFoundError(fmt.Sprintf("nothing was counted of a survey %q: list those that there are with: sidehook surveys", name))
	case 1:
		return paths[0], nil
	}
	return "", fmt.Errorf("survey %q has several instances, of which you must name one: %s", name, strings.Join(names, ", "))
}

// printCSV prints a response as it comes, without what would control a terminal.
func (c *client) printCSV(cmd *cobra.Command, path string, values url.Values) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), requestTimeout)
	defer cancel()
	body, err := c.open(ctx, http.MethodGet, path+"?"+values.Encode(), nil)
	if err != nil {
		return err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxResponse))
	if err != nil {
		return fmt.Errorf("cannot read the response: %w", err)
	}
	_, err = io.WriteString(cmd.OutOrStdout(), terminal.Text(strings.ReplaceAll(string(text), "\r\n", "\n")))
	return err
}

func surveysTable(list []admin.Survey, isWide bool) *table {
	t := &table{header: []string{"SURVEY", "ID", "STARTED", "COMPLETED", "GONE", "MEDIAN", "LAST DAY"}, elastic: 1, isWide: isWide}
	for i := range list {
		s := &list[i]
		name, id := s.FriendlyID, s.Survey+"/"+s.Instance
		if s.Other {
			name, id = "(other)", ""
		}
		completed := number(s.Completed)
		if s.ScreenedOut > 0 {
			completed += " +" + number(s.ScreenedOut) + " out"
		}
		t.add([]string{name, id, number(s.Started), completed, number(funnel.Gone(s.Abandoned, s.Returned)), seconds(s.MedianSeconds), s.LastDay})
	}
	return t
}

func pagesTable(pages []admin.SurveyPage, isWide bool) *table {
	t := &table{header: []string{"PAGE", "NAME", "REACHED", "LEFT", "GONE", "MEDIAN"}, elastic: 1, isWide: isWide}
	for i := range pages {
		p := &pages[i]
		page, name := strconv.Itoa(p.Number), p.Name
		switch {
		case p.Other:
			page = "(other)"
		case p.Number == 0:
			page = ""
		}
		if name == "" {
			name = p.ID
		}
		t.add([]string{page, name, number(p.Reached), number(p.Left), number(funnel.Gone(p.Abandoned, p.Returned)), seconds(p.MedianSeconds)})
	}
	return t
}

func daysTable(days []admin.SurveyDay) *table {
	t := &table{header: []string{"DAY", "STARTED", "COMPLETED", "SCREENED OUT", "ABANDONED", "RETURNED", "MEDIAN"}}
	for i := range days {
		d := &days[i]
		t.add([]string{d.Day, number(d.Started), number(d.Completed), number(d.ScreenedOut), number(d.Abandoned), number(d.Returned), seconds(d.MedianSeconds)})
	}
	return t
}

// seconds is a duration in its largest two units; empty for nil.
func seconds(s *float64) string {
	if s == nil {
		return ""
	}
	d := time.Duration(*s * float64(time.Second))
	if d < time.Minute {
		return fmt.Sprintf("%.2gs", d.Seconds())
	}
	text := d.Round(time.Second).String()
	if d >= time.Hour {
		text = strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return text
}
