package access_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
)

const (
	none    = access.None
	inviter = access.Inviter
	manager = access.Manager
	admin   = access.Admin
)

// config and stored are what the tables below are written in.
type (
	config = access.Permissions
	stored map[string]access.Role
)

func (s stored) list() []access.Entry {
	var list []access.Entry
	for pattern, role := range s {
		list = append(list, access.Entry{Pattern: pattern, Role: role})
	}
	return list
}

func TestTheMostSpecificEntryWins(t *testing.T) {
	for name, test := range map[string]struct {
		config config
		stored stored
		want   access.Role // of @anna:example.org
		by     string      // the decisive entry
	}{
		"nobody has said anything":         {config{}, stored{}, none, ""},
		"others are allowed, she isn't":    {config{"@you:example.org": admin}, stored{"friends.org": manager, "@bob:example.org": admin}, none, ""},
		"she is allowed in the config":     {config{"@anna:example.org": inviter}, stored{}, inviter, "@anna:example.org"},
		"she is allowed from chat":         {config{}, stored{"@anna:example.org": manager}, manager, "@anna:example.org"},
		"her server is allowed":            {config{"example.org": inviter}, stored{}, inviter, "example.org"},
		"everyone is allowed":              {config{"*": inviter}, stored{}, inviter, "*"},
		"a stored server admits her":       {config{}, stored{"example.org": inviter}, inviter, "example.org"},
		"a stored star admits her":         {config{}, stored{"*": inviter}, inviter, "*"},
		"a regular expression admits her":  {config{}, stored{`/@(anna|bob):example\.org/`: manager}, manager, `/@(anna|bob):example\.org/`},
		"her name beats a pattern":         {config{}, stored{"@anna:example.org": inviter, "@a*:example.org": admin}, inviter, "@anna:example.org"},
		"a pattern beats her server":       {config{"example.org": inviter}, stored{"@a*:example.org": manager}, manager, "@a*:example.org"},
		"an expression beats her server":   {config{"example.org": manager}, stored{`/@a.*:.*/`: inviter}, inviter, `/@a.*:.*/`},
		"her server beats everyone":        {config{"*": manager}, stored{"example.org": inviter}, inviter, "example.org"},
		"also when everyone is stored":     {config{"example.org": inviter}, stored{"*": admin}, inviter, "example.org"},
		"a refusal by name beats patterns": {config{"example.org": inviter}, stored{"@anna:example.org": none, "@a*:example.org": admin}, none, "@anna:example.org"},
		"a refused pattern beats servers":  {config{"example.org": inviter}, stored{"@a*:example.org": none}, none, "@a*:example.org"},
		"a refused server beats everyone":  {config{"*": inviter}, stored{"example.org": none}, none, "example.org"},
		"her name beats a refused pattern": {config{}, stored{"@anna:example.org": inviter, "@a*:example.org": none}, inviter, "@anna:example.org"},
		"a pattern beats a refused server": {config{}, stored{"@a*:example.org": inviter, "example.org": none}, inviter, "@a*:example.org"},

		"of two patterns the refusal wins":        {config{}, stored{"@a*:example.org": admin, "@*a:example.org": none}, none, "@*a:example.org"},
		"a refused expression beats a glob":       {config{}, stored{"@a*:example.org": admin, `/@.*nna:.*/`: none}, none, `/@.*nna:.*/`},
		"a refused glob beats an expression":      {config{}, stored{"@a*:example.org": none, `/@.*nna:.*/`: admin}, none, "@a*:example.org"},
		"of two patterns the highest role wins":   {config{}, stored{"@a*:example.org": inviter, `/@.*nna:.*/`: manager}, manager, `/@.*nna:.*/`},
		"a server refused from chat":              {config{"example.org": inviter}, stored{"example.org": none}, none, "example.org"},
		"a server raised from chat":               {config{"example.org": inviter}, stored{"example.org": manager}, manager, "example.org"},
		"a server lowered from chat stays as set": {config{"example.org": manager}, stored{"example.org": inviter}, manager, "example.org"},
		"everyone refused from chat":              {config{"*": inviter}, stored{"*": none}, none, "*"},

		"the config's name for her beats all":        {config{"@anna:example.org": inviter}, stored{"@anna:example.org": admin, "*": admin}, inviter, "@anna:example.org"},
		"the config's refusal by name beats all":     {config{"@anna:example.org": none}, stored{"@anna:example.org": admin, "@a*:example.org": admin}, none, "@anna:example.org"},
		"the config's admin can't be refused":        {config{"@anna:example.org": admin}, stored{"@anna:example.org": none, "example.org": none, "*": none}, admin, "@anna:example.org"},
		"an admin by server can't be refused either": {config{"example.org": admin}, stored{"@anna:example.org": none, "@a*:example.org": none}, admin, "example.org"},
		"nor an admin as everyone is":                {config{"*": admin}, stored{"@anna:example.org": none, "example.org": none}, admin, "*"},
		"but the config can refuse those itself":     {config{"example.org": admin, "@anna:example.org": none}, stored{"example.org": admin}, none, "@anna:example.org"},
		"an admin of everyone can be less by server": {config{"*": admin, "example.org": inviter}, stored{"@anna:example.org": none}, none, "@anna:example.org"},

		"a server closed in the config stays closed to patterns":        {config{"example.org": none}, stored{"@a*:example.org": manager, `/@a.*/`: admin}, none, "example.org"},
		"and to servers and stars":                                      {config{"example.org": none}, stored{"example.org": manager, "*": admin}, none, "example.org"},
		"but a person can be let in by name":                            {config{"example.org": none}, stored{"@anna:example.org": inviter}, inviter, "@anna:example.org"},
		"a config that is closed to everyone is closed to patterns":     {config{"*": none}, stored{"@a*:example.org": manager, "example.org": manager}, none, "*"},
		"and opened by name":                                            {config{"*": none}, stored{"@anna:example.org": manager}, manager, "@anna:example.org"},
		"a star that the config itself overrules closes nothing":        {config{"*": none, "example.org": inviter}, stored{"@a*:example.org": manager}, manager, "@a*:example.org"},
		"a server that is closed in the config, with the world open":    {config{"*": inviter, "example.org": none}, stored{}, none, "example.org"},
		"what is open in the config can be more for those who match":    {config{"example.org": inviter}, stored{`/@anna:.*/`: admin}, admin, `/@anna:.*/`},
		"what is open in the config can be less for those who match":    {config{"example.org": manager}, stored{"@a*:example.org": inviter}, inviter, "@a*:example.org"},
		"a stored name is nothing to a config that doesn't know anyone": {config{}, stored{"@Anna:example.org": admin}, none, ""},
	} {
		t.Run(name, func(t *testing.T) {
			decision := access.Decide("@anna:example.org", test.config, test.stored.list())
			if decision.Role != test.want {
				t.Errorf("she is %s, want %s", decision.Role, test.want)
			}
			by := ""
			if len(decision.Reasons) > 0 {
				by = decision.Reasons[0].Pattern
			}
			if by != test.by {
				t.Errorf("because of %q, want %q", by, test.by)
			}
		})
	}
}

func TestADecisionNamesEveryEntryThatMatches(t *testing.T) {
	decision := access.Decide("@anna:example.org",
		config{"*": none, "example.org": inviter, "@you:example.org": admin},
		stored{"@a*:example.org": manager, "@*:example.org": none, "@anna:example.org": inviter, "friends.org": admin}.list())
	want := []access.Reason{
		{Pattern: "@anna:example.org", Role: inviter, Decisive: true},
		{Pattern: "@*:example.org", Role: none},
		{Pattern: "@a*:example.org", Role: manager},
		{Pattern: "example.org", Role: inviter, FromConfig: true},
		{Pattern: "*", Role: none, FromConfig: true},
	}
	if !slices.Equal(decision.Reasons, want) {
		t.Errorf("got  %v\nwant %v", decision.Reasons, want)
	}
}

func TestTheDecisiveEntryComesFirstAlsoWhenItIsNotTheMostSpecific(t *testing.T) {
	decision := access.Decide("@anna:example.org", config{"example.org": admin}, stored{"@anna:example.org": none, "*": inviter}.list())
	want := []access.Reason{
		{Pattern: "example.org", Role: admin, FromConfig: true, Decisive: true},
		{Pattern: "@anna:example.org", Role: none},
		{Pattern: "*", Role: inviter},
	}
	if !slices.Equal(decision.Reasons, want) {
		t.Errorf("got  %v\nwant %v", decision.Reasons, want)
	}
}

func TestAnEntryThatCannotBeReadMatchesNobodyAndIsReported(t *testing.T) {
	decision := access.Decide("@anna:example.org",
		config{"@anna": admin, "example.org": inviter}, stored{"/@(anna/": admin, "re.compile('.*')": admin}.list())
	if decision.Role != inviter {
		t.Errorf("she is %s, want inviter", decision.Role)
	}
	broken := map[string]bool{}
	for _, b := range decision.Broken {
		broken[b.Pattern] = b.FromConfig
		if b.Err == nil {
			t.Errorf("nothing says what is wrong with %q", b.Pattern)
		}
	}
	if fromConfig, ok := broken["@anna"]; !ok || !fromConfig || len(broken) != 3 {
		t.Errorf("reported as broken: %v", decision.Broken)
	}
	if !errors.Is(decision.Broken[0].Err, access.ErrNoServer) {
		t.Errorf("got %v, want ErrNoServer", decision.Broken[0].Err)
	}
}

func TestWhatIsNoUserIDHasNoRole(t *testing.T) {
	for _, user := range []id.UserID{"", "*", "anna", "@anna", "example.org", "@anna:", "@a:b:c", "@anna:example.org\n"} {
		if decision := access.Decide(user, config{"*": admin, "example.org": admin}, stored{"*": admin}.list()); decision.Role != none {
			t.Errorf("%q is %s", user, decision.Role)
		}
	}
}

// A small world in which entries often meet.
var (
	people   = []id.UserID{"@anna:example.org", "@bob:example.org", "@anna:friends.org", "@eve:evil.com", "@anna:example.org:8448"}
	patterns = []string{
		"@anna:example.org", "@bob:example.org", "@anna:friends.org", "@eve:evil.com",
		"@*:example.org", "@a*:example.org", "@anna:*", "@*:*", "@*:*.org", `/@(anna|eve):.*/`, `/@.*:example\.org/`,
		"example.org", "friends.org", "evil.com", "*", "/broken(/",
	}
	configPatterns = []string{"@anna:example.org", "@eve:evil.com", "example.org", "friends.org", "*"}
	roles          = []access.Role{none, inviter, manager, admin}
)

// everySoOften calls the property with many random configs and lists; they are
// the same in each run.
func everySoOften(t *testing.T, property func(t *testing.T, random *rand.Rand, c config, s stored)) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		c, s := config{}, stored{}
		for range random.IntN(3) {
			c[pick(random, configPatterns)] = pick(random, roles)
		}
		for range random.IntN(5) {
			s[pick(random, patterns)] = pick(random, roles)
		}
		property(t, random, c, s)
		if t.Failed() {
			t.Fatalf("with config %v and list %v", c, s)
		}
	}
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

func TestNobodyGetsMoreThanSomeEntryGivesThem(t *testing.T) {
	everySoOften(t, func(t *testing.T, _ *rand.Rand, c config, s stored) {
		for _, user := range people {
			decision := access.Decide(user, c, s.list())
			most := none
			for _, reason := range decision.Reasons {
				most = max(most, reason.Role)
			}
			if decision.Role > most {
				t.Errorf("%s is %s, but no entry gives more than %s", user, decision.Role, most)
			}
		}
	})
}

func TestRemovingTheListLeavesWhatTheConfigSays(t *testing.T) {
	everySoOften(t, func(t *testing.T, _ *rand.Rand, c config, s stored) {
		for _, user := range people {
			byConfig := access.Decide(user, c, nil)
			if len(byConfig.Reasons) == 0 && byConfig.Role != none {
				t.Errorf("%s is %s without a reason", user, byConfig.Role)
			}
			// Removing entry by entry never gives more than the config and
			// the entries that are left.
			for len(s) > 0 {
				for pattern := range s {
					delete(s, pattern)
					break
				}
				left := access.Decide(user, c, s.list())
				most := byConfig.Role
				for _, reason := range left.Reasons {
					if !reason.FromConfig {
						most = max(most, reason.Role)
					}
				}
				if left.Role > most {
					t.Errorf("%s is %s, but the config gives %s and the list at most %s", user, left.Role, byConfig.Role, most)
				}
			}
		}
	})
}

func TestAnEmptyListAdmitsOnlyWhomTheConfigKnows(t *testing.T) {
	c := config{"@you:example.org": admin, "friends.org": inviter}
	for _, user := range people {
		want := none
		if user == "@anna:friends.org" {
			want = inviter
		}
		if got := access.Decide(user, c, nil).Role; got != want {
			t.Errorf("%s is %s, want %s", user, got, want)
		}
	}
}

func TestNothingInTheListChangesWhatTheConfigSettles(t *testing.T) {
	everySoOften(t, func(t *testing.T, _ *rand.Rand, c config, s stored) {
		for _, user := range people {
			byConfig, with := access.Decide(user, c, nil), access.Decide(user, c, s.list())
			if role, named := c[string(user)]; named && with.Role != role {
				t.Errorf("%s is %s, the config says %s", user, with.Role, role)
			}
			if byConfig.Role == admin && with.Role != admin {
				t.Errorf("%s is locked out: %s", user, with.Role)
			}
		}
	})
}

func TestTheOrderOfTheListPlaysNoPart(t *testing.T) {
	everySoOften(t, func(t *testing.T, random *rand.Rand, c config, s stored) {
		list := s.list()
		for _, user := range people {
			first := access.Decide(user, c, list).Role
			random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			if second := access.Decide(user, c, list).Role; first != second {
				t.Errorf("%s is %s or %s", user, first, second)
			}
		}
	})
}

// FuzzDecide: no entry, however strange, lets anybody in but by matching.
func FuzzDecide(f *testing.F) {
	f.Add("@anna:example.org", "example.org", uint8(1), "@a*:example.org", uint8(0), `/@(anna|bob):example\.org/`, uint8(3))
	f.Add("@anna:example.org", "*", uint8(0), "*", uint8(3), "@anna:example.org", uint8(1))
	f.Add("", "", uint8(3), "/(/", uint8(3), "@\x00:\xff", uint8(3))
	f.Fuzz(func(t *testing.T, user, inConfig string, configRole uint8, one string, oneRole uint8, two string, twoRole uint8) {
		c := config{inConfig: access.Role(configRole % 4)}
		list := []access.Entry{{Pattern: one, Role: access.Role(oneRole % 4)}, {Pattern: two, Role: access.Role(twoRole % 4)}}
		decision := access.Decide(id.UserID(user), c, list)
		if len(decision.Reasons)+len(decision.Broken) > 3 {
			t.Errorf("three entries became %v and %v", decision.Reasons, decision.Broken)
		}
		if decision.Role != none && (len(decision.Reasons) == 0 || decision.Reasons[0].Role != decision.Role || !decision.Reasons[0].Decisive) {
			t.Errorf("%q is %s by %v", user, decision.Role, decision.Reasons)
		}
		for _, reason := range decision.Reasons {
			if pattern, err := access.Parse(reason.Pattern); err != nil || !pattern.Matches(id.UserID(user)) {
				t.Errorf("%q doesn't match %q", reason.Pattern, user)
			}
		}
		if c[user] == admin && len(decision.Reasons) > 0 && decision.Role != admin {
			t.Errorf("the config's admin %q is %s", user, decision.Role)
		}
	})
}
