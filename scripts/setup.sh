#!/bin/sh
# Installs what a fresh Debian or Ubuntu lacks to build and run eventsphere; with --tests, to test it as well (Redis,
# Node 18 or newer with npm, and Python 3 with venv). Does nothing when all is there.
set -eu

have() { command -v "$1" >/dev/null 2>&1; }

have_postgres() {
  [ -n "${DATABASE_URL:-}" ] && return 0
  [ -n "${PG_BIN_DIR:-}" ] && [ -x "$PG_BIN_DIR/initdb" ] && return 0
  have initdb && return 0
  for initdb in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb \
    /opt/homebrew/opt/postgresql*/bin/initdb /usr/local/opt/postgresql*/bin/initdb; do
    [ -x "$initdb" ] && return 0
  done
  return 1
}

have_certificates() {
  [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ] || [ -e /etc/ssl/cert.pem ]
}

missing=
have cc && have make || missing="$missing build-essential"
have_certificates || missing="$missing ca-certificates"
have curl || missing="$missing curl"
have jq || missing="$missing jq"
if [ "${1:-}" = --tests ]; then
  have node || missing="$missing nodejs"
  have npm || missing="$missing npm"
  have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
fi
postgres=
have_postgres || postgres=yes
redis=
[ "${1:-}" != --tests ] || have redis-server || redis=yes

if ! have cargo && [ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
  echo "setup: Rust is missing; install it from https://rustup.rs and start again" >&2
  exit 1
fi
[ -z "$missing$postgres$redis" ] && exit 0

if ! have apt-get; then
  echo "setup: please install:$missing${postgres:+ PostgreSQL 15 or newer (server and contrib)}${redis:+ Redis}" >&2
  exit 1
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
  if have sudo; then
    as_root="sudo"
  else
    echo "setup: may not install:$missing${postgres:+ postgresql}${redis:+ redis-server}; run as root: apt-get install$missing${postgres:+ postgresql}${redis:+ redis-server}" >&2
    exit 1
  fi
fi

install() {
  # shellcheck disable=SC2086 # $as_root and the package list are words.
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || {
    echo "setup: apt-get could not install $*; run it by hand to see why" >&2
    exit 1
  }
}

echo "setup: installing$missing${postgres:+ postgresql}${redis:+ redis-server}" >&2
$as_root apt-get update -qq || {
  echo "setup: apt-get update failed; is the network there, and may this user install packages?" >&2
  exit 1
}
# shellcheck disable=SC2086
[ -z "$missing" ] || install $missing
if [ -n "$postgres" ]; then
  # Debian starts a cluster of its own on port 5432 with the package; the program brings its own.
  install postgresql-common
  conf=/etc/postgresql-common/createcluster.conf
  if [ -e "$conf" ] && ! grep -q '^create_main_cluster = false' "$conf"; then
    $as_root sed -i '/^#\?create_main_cluster/d' "$conf"
    echo 'create_main_cluster = false' | $as_root tee -a "$conf" >/dev/null
  fi
  package=$(apt-cache depends postgresql | sed -n 's/^ *Depends: \(postgresql-[0-9]*\)$/\1/p' | head -n 1)
  package=${package:-postgresql-15}
  if [ "${package#postgresql-}" -lt 15 ]; then
    echo "setup: this system offers only $package, 15 or newer is needed; see https://www.postgresql.org/download/" >&2
    exit 1
  fi
  install "$package"
fi
if [ -n "$redis" ]; then
  install redis-server
  # Debian starts one with the package, and at every boot; tests bring their own.
  if [ -d /run/systemd/system ]; then
    $as_root systemctl disable --quiet --now redis-server || true
  fi
fi
