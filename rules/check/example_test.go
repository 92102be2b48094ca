package check_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/sidehook/sidehook/rules/check"
)

func ExampleCommand() {
	command := check.Command(nil, nil, nil)
	command.SilenceErrors, command.SilenceUsage = true, true
	command.SetOut(os.Stdout)
	command.SetIn(strings.NewReader("{app: 'http://127.0.0.1:5000', targets: {}, rulse: []}"))
	command.SetArgs([]string{"-"})
	fmt.Println(command.Execute())
	// Output:
	// stdin:1:1: rules: is missing; write at least one: rules: [{to: [crm]}] sends every event to the target crm
	// stdin:1:41: targets: is empty; name at least one target
	// stdin:1:45: rulse: unknown key; did you mean "rules"?
}
