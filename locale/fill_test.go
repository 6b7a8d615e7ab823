package locale

import "testing"

func TestFillingInATextOfAnAdmin(t *testing.T) {
	values := Args{"code": "a`b", "until": Text{Plain: "Friday & on", HTML: "Friday &amp; on"}, "uses": 5}
	for text, want := range map[string]string{
		"Code: {code}, until {until}, for {uses}": "Code: a`b, until Friday & on, for 5",
		"**{code}** `{code}`\n- <b>":              "**a`b** `a`b`\n- <b>",
		"first\n{code} since {since}\n\n{code}\n": "first\n\na`b\n",
		"{since}":                        "",
		"{ code } {Code} {} {{code}} }{": "{ code } {Code} {} {a`b} }{",
	} {
		if got := Fill(text, values); got != want {
			t.Errorf("%q becomes %q and should be %q", text, got, want)
		}
	}
}

func TestValuesAreNotFilledInAgain(t *testing.T) {
	if got := Fill("{a}\n{b}", Args{"a": "{b}\n{c}", "b": "x"}); got != "{b} {c}\nx" {
		t.Errorf("got %q", got)
	}
}
