#!/bin/sh
# Installs the packages of the lock file, once for each lock file.
set -eu
cd "$(dirname "$0")"
installed=node_modules/.installed-lock.json
cmp -s package-lock.json "$installed" && exit 0
if [ "$(node -p 'process.versions.node.split(".")[0] >= 18')" != true ]; then
  echo "schema-gate: Node 18 or newer is needed, this is $(node --version)" >&2
  exit 1
fi
echo "schema-gate: installing its packages" >&2
npm ci --silent --no-audit --no-fund --ignore-scripts || {
  echo "schema-gate: npm ci failed; run it by hand in tools/schema-gate to see why" >&2
  exit 1
}
cp package-lock.json "$installed"
