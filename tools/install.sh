#!/bin/sh
# Installs the packages of a tool's lock file (npm's, or pip's with hashes), once for each lock file: tools/install.sh <tool>.
set -eu
cd "$(dirname "$0")/$1"

# From PyPI, into a folder of its own. Two tests may come here at once: the folder is made aside and then put in place.
if [ -e requirements.txt ]; then
  cmp -s requirements.txt .venv/installed.txt && exit 0
  echo "$1: installing its packages" >&2
  aside=$(mktemp -d ./.venv-XXXXXX)
  trap 'rm -rf "$aside"' EXIT
  python3 -m venv "$aside" && "$aside/bin/pip" install --quiet --disable-pip-version-check --no-deps \
    --require-hashes --target "$aside/packages" -r requirements.txt || {
    echo "$1: pip failed; run it by hand in tools/$1 to see why" >&2
    exit 1
  }
  cmp -s requirements.txt .venv/installed.txt && exit 0
  cp requirements.txt "$aside/packages/installed.txt"
  rm -rf .venv
  mv "$aside/packages" .venv
  exit 0
fi

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
