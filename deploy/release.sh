#!/bin/sh
# Builds what is released: release.sh FOLDER VERSION ARCHITECTURE... (amd64, arm64, armv7)
# The same commit gives the same bytes, wherever and whenever it is built by the same Go.
set -eu
cd "$(dirname "$0")/.."
dist=$1 version=$2
shift 2

SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC
# Not what somebody may have set for their own machine.
export GOAMD64=v1 GOARM64=v8.0 GOEXPERIMENT=''
umask 022

tool() {
	GOFLAGS=-trimpath go tool -modfile=deploy/tools.mod "$@"
}

mkdir -p "$dist/build"
dist=$(cd "$dist" && pwd)
build=$dist/build
rm -rf "$build" "$dist"/matrix-registration-bot_*

echo "==> Man pages, completions, licences"
{
	go test -tags goolm -count=1 -run TestManPagesAndCompletionsAreMadeOfTheCommandLine \
		./cmd/matrix-registration-bot -share "$build/share" &&
		make --silent licences LICENCES="$build/share/licences.txt"
} >"$dist/share.log" || { cat "$dist/share.log" >&2; exit 1; }
rm "$dist/share.log"

for architecture; do
	echo "==> $architecture"
	name=matrix-registration-bot_${version}_linux_$architecture
	folder=$build/$name
	case $architecture in
	armv7) goarch=arm goarm=7 nfpm=arm7 ;;
	*) goarch=$architecture goarm='' nfpm=$architecture ;;
	esac
	GOFLAGS=-buildvcs=true GOOS=linux GOARCH=$goarch GOARM=$goarm make --silent build BIN="$folder" VERSION="$version"
	cp -r "$build/share/." "$folder"
	cp README.md CHANGELOG.md LICENSE config.example.yaml registration.yaml.example \
		deploy/systemd/matrix-registration-bot.service "$folder"
	install -D -m 644 -t "$folder/monitoring" deploy/monitoring/dashboard.json deploy/monitoring/alerts.yaml

	tar --create --directory "$build" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
		--format=ustar "$name" | gzip --no-name >"$dist/$name.tar.gz"

	gzip --no-name --best "$folder"/man/*.1 "$folder/licences.txt"
	for packager in deb rpm; do
		FOLDER=$folder ARCHITECTURE=$nfpm VERSION=$version \
			tool nfpm package --config deploy/packages/nfpm.yaml --packager "$packager" --target "$dist/$name.$packager" >/dev/null
	done

	tool cyclonedx-gomod bin -json -noserial -notimestamp -version "$version" \
		-output "$dist/$name.cdx.json" "$folder/matrix-registration-bot" 2>/dev/null
done

rm -r "$build"
cd "$dist"
sha256sum matrix-registration-bot_* >SHA256SUMS
