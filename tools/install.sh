#!/bin/sh
# Installs the packages of a tool's lock file, once for each lock file: tools/install.sh <tool>.
set -eu
cd "$(dirname "$0")/$1"
installed=node_modules/.installed-lock.json
cmp -s package-lock.json "$installed" && exit 0
if [ "$(node -p 'process.versions.node.split(".")[0] >= 18')" != true ]; then
  echo "$1: Node 18 or newer is needed, this is $(node --version)" >&2
  exit 1
fi
echo "$1: installing its packages" >&2
npm ci --silent --no-audit --no-fund --ignore-scripts || {
  echo "$1: npm ci failed; run it by hand in tools/$1 to see why" >&2
  exit 1
}
cp package-lock.json "$installed"
