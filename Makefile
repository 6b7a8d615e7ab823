# Everyday commands; CONTRIBUTING.md tells more. CI runs `make test` and the demo.

.DELETE_ON_ERROR:
.PHONY: build rootfs licences release release-check test test-unit unit lint race e2e deploy crash storm growth size bench demo fuzz clean

ifeq (,$(shell command -v go))
$(error go is missing: install Go 1.26 or newer)
endif

# Without the tag goolm the encryption would need a C library.
TAGS := goolm
BIN  := bin
TIME := 60s
N    := 200
SEED := 0
COMMANDS := 20000
DATABASE := sqlite
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo development)

# Starts a PostgreSQL for the command behind it.
WITH_POSTGRES := go run -tags $(TAGS) ./e2e/withpostgres

# Has a module file of its own, because it brings the clients of several web services.
# What it looks for: https://github.com/securego/gosec#available-rules. G304 is left
# out: the files that the program opens are named by its admin.
GOSEC := go tool -modfile=.ci/gosec.mod gosec

# One static binary in $(BIN).
build:
	CGO_ENABLED=0 go build -tags $(TAGS) -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN)/ ./cmd/matrix-registration-bot

# What the container image holds, in $(ROOTFS): the Dockerfile takes it from there.
# GOOS and GOARCH say for which machine.
ROOTFS := dist/rootfs
CA_CERTIFICATES := /etc/ssl/certs/ca-certificates.crt
rootfs:
	$(MAKE) --silent build BIN=$(ROOTFS)/usr/bin
	install -D -m 644 $(CA_CERTIFICATES) $(ROOTFS)/etc/ssl/certs/ca-certificates.crt
	$(MAKE) --silent licences LICENCES=$(ROOTFS)/usr/share/doc/matrix-registration-bot/licences.txt
	mkdir -p $(ROOTFS)/data

# The licences of all that is built in, in full. What writes them runs on this machine.
LICENCES := dist/licences.txt
licences:
	mkdir -p $(dir $(LICENCES))
	GOOS= GOARCH= GOARM= go test -tags $(TAGS) -count=1 -run TestTheLicencesOfAllThatIsBuiltInAreListed ./docs -texts $(abspath $(LICENCES))

# Archives, packages, checksums and lists of parts (CycloneDX), in $(DIST).
DIST := dist
ARCHITECTURES := amd64 arm64 armv7
# After a tag 1.0.0+5.gabcdef0, which package managers take for newer than 1.0.0.
RELEASE = $(shell { git describe --tags --match 'v*' --dirty 2>/dev/null || echo v0.0.0-$$(git rev-list --count HEAD)-g$(VERSION); } | \
	sed -E 's/^v//; s/-([0-9]+)-g/+\1.g/; s/^([^+]*)-dirty$$/\1+dirty/; s/-dirty$$/.dirty/')
release:
	deploy/release.sh $(DIST) $(RELEASE) $(ARCHITECTURES)

# Built again in another folder, with nothing kept from before, it must be the same bytes.
release-check: release
	cache=$$(mktemp -d) && GOCACHE=$$cache deploy/release-check.sh $(DIST) $(RELEASE) $(ARCHITECTURES) && rm -rf $$cache

# Everything, on SQLite and PostgreSQL, against a real Synapse. What unit runs is
# run by race too.
test: lint race e2e
	$(MAKE) storm N=8
	$(MAKE) storm N=8 DATABASE=postgres
	$(MAKE) growth COMMANDS=2500

# Only what needs no servers.
test-unit:
	CGO_ENABLED=0 go test -tags $(TAGS) ./...
	@echo
	@echo "Left out: linters (make lint), race detector (make race), all tests on PostgreSQL"
	@echo "(make unit), and the end-to-end tests against a real Synapse (make e2e)."
	@echo "make test runs everything."

unit:
	CGO_ENABLED=0 $(WITH_POSTGRES) go test -tags $(TAGS) ./...

race:
	@command -v $${CC:-gcc} >/dev/null || { echo "gcc is missing, which the race detector needs: apt-get install gcc libc6-dev" >&2; exit 1; }
	CGO_ENABLED=1 $(WITH_POSTGRES) go test -race -tags $(TAGS) ./...

# Two packages at a time: most of their time goes by in waiting.
e2e:
	go test -tags $(TAGS),e2e -count=1 -timeout 60m -p 2 -v ./e2e/...

# The part of e2e about how it is installed: container image, compose files,
# systemd, packages, guides.
deploy:
	go test -tags $(TAGS),e2e -count=1 -timeout 30m -v ./e2e/deploy

# What e2e does with a part of the crash points, with all of them.
crash:
	go test -tags $(TAGS),e2e -count=1 -timeout 3h -v ./e2e/crash -everywhere

# Kills the bot N times while many people give it commands, and counts what came
# of them. SEED=... repeats a storm; DATABASE=postgres is the other one.
storm:
	go run -tags $(TAGS) ./e2e/storm -kills $(N) -seed $(SEED) -database $(DATABASE)

# Gives the bot COMMANDS commands, half of them encrypted, and prints how much memory it
# takes meanwhile.
growth:
	go run -tags $(TAGS) ./e2e/growth -commands $(COMMANDS)

lint:
	@unformatted=$$(go tool gofumpt -l .); test -z "$$unformatted" || { echo "not formatted (go tool gofumpt -w .):" $$unformatted >&2; exit 1; }
	go vet -tags $(TAGS),e2e ./...
	go vet -tags $(TAGS),crashpoints ./crashpoint
	go tool staticcheck -tags $(TAGS),e2e ./...
	go tool staticcheck -tags $(TAGS),crashpoints ./crashpoint
	CGO_ENABLED=0 GOARCH=arm64 go build -tags $(TAGS) -trimpath -o /dev/null ./cmd/matrix-registration-bot
	CGO_ENABLED=0 GOARCH=arm GOARM=7 go build -tags $(TAGS) -trimpath -o /dev/null ./cmd/matrix-registration-bot
	$(GOSEC) -quiet -tags $(TAGS) -confidence medium -exclude G304 -exclude-dir e2e -exclude-dir tokens/tokenstest ./...

# Binary and idle memory, each at most 25 MB.
size:
	go run -tags $(TAGS) ./e2e/size

# How long answers take, compared with what the homeserver itself needs, on both
# databases: see docs/performance.md.
bench:
	go run -tags $(TAGS) ./e2e/bench

# A conversation on a real Synapse, which stays up until Ctrl-C; DEMO=once ends after it.
demo:
	@DEMO=$(DEMO) go run -tags $(TAGS) ./e2e/demo

# Every fuzz target for TIME, one after the other. Without a bound, making a find
# smaller takes most of it.
fuzz:
	@for package in $$(go list -tags $(TAGS) ./...); do \
		for target in $$(go test -tags $(TAGS) -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "==> $$target in $$package" && \
			go test -tags $(TAGS) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(TIME) -fuzzminimizetime 100x $$package || exit 1; \
		done; \
	done

clean:
	rm -rf bin dist .cache e2e/js/node_modules
