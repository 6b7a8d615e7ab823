build:
	CGO_ENABLED=0 go build -tags goolm -trimpath -ldflags "-s -w" -o bin/ ./cmd/matrix-registration-bot
