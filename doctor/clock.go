package doctor

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// mostSkew is how far the clocks may be apart before expiry times and limits
// get strange.
const mostSkew = 30 * time.Second

// clock compares this machine's clock with the homeserver's.
func clock(ctx context.Context, p *Patient) Finding {
	a, err := p.call(ctx, http.MethodGet, p.homeserver(), "/_matrix/client/versions", nil, false, nil)
	if err != nil {
		return problem(fmt.Sprintf("The homeserver can't be asked: %v.", err), "See the check of the homeserver.")
	}
	theirs, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return ok("The homeserver does not tell its time.")
	}
	if skew := p.Now().Sub(theirs).Abs(); skew > mostSkew {
		return warning(
			fmt.Sprintf("The clocks of this machine and of the homeserver are %s apart.", skew.Round(time.Second)),
			"Let both follow a time server (NTP).")
	}
	return ok("The clock agrees with the homeserver's.")
}
