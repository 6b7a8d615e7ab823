#!/bin/sh
# Builds a release (see release.sh) again, from a copy of the work tree in another folder, and compares
# the checksums: release-check.sh FOLDER VERSION ARCHITECTURE...
set -eu
cd "$(dirname "$0")/.."
dist=$(cd "$1" && pwd)
shift
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT

git clone --quiet --no-checkout . "$elsewhere/copy"
git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- | tar --extract --directory "$elsewhere/copy"
git -C "$elsewhere/copy" reset --quiet

"$elsewhere/copy/deploy/release.sh" "$elsewhere/dist" "$@"
diff "$dist/SHA256SUMS" "$elsewhere/dist/SHA256SUMS"
echo "Both builds gave the same bytes."
