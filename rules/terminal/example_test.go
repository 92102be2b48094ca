package terminal_test

import (
	"fmt"

	"github.com/sidehook/sidehook/rules/terminal"
)

func ExampleLine() {
	fmt.Println(terminal.Line("Grüße\x1b[2J\nfrom a participant"))
	// Output: Grüße\u001b[2J\u000afrom a participant
}
