#!/usr/bin/env bash
# Makes this checkout able to run or to test, and does nothing where nothing changed.
#
#   tools/setup.sh run    interpreter environment, runtime dependencies, native module, dashboard
#   tools/setup.sh bench  the same with the native module as the wheel has it
#   tools/setup.sh dev    the same without what is built, plus every checking tool
#   tools/setup.sh test   all of it, plus the clients that the tests drive
#   tools/setup.sh pages  the pages of the dashboard and of the console alone
#   tools/setup.sh check-pages   type check, lints and unit tests of the dashboard
#
# Each step leaves a stamp with the hash of what it was made from; a step whose hash still
# matches is skipped. Writes below .venv and the build directory only, and never to a
# configuration file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly MODE="${1:-run}"
# What is measured is what people install: slower to build, a little faster to run.
if [[ "$MODE" == bench ]]; then readonly PROFILE=dist; else readonly PROFILE=release; fi
readonly VENV=.venv
readonly STAMPS="$VENV/stamps"
readonly PYTHON_MINOR_MIN=11
readonly RUST_MINOR_MIN=90
readonly NODE_MAJOR_MIN=18
export PIP_DISABLE_PIP_VERSION_CHECK=1
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"

say() { printf 'rookery set-up: %s\n' "$*" >&2; }
die() {
    say "$1"
    shift
    local line
    for line in "$@"; do printf '    %s\n' "$line" >&2; done
    exit 1
}

hash_of() { sha256sum "$@" 2>/dev/null | sha256sum | cut -d ' ' -f 1; }

is_done() { [[ -f "$STAMPS/$1" && "$(<"$STAMPS/$1")" == "$2" ]]; }
mark_done() {
    mkdir -p "$STAMPS"
    printf '%s\n' "$2" >"$STAMPS/$1"
}

# ---- what the machine must have -------------------------------------------------------

check_platform() {
    local system machine
    system=$(uname -s)
    machine=$(uname -m)
    [[ "$system" == Linux && "$machine" =~ ^(x86_64|aarch64)$ ]] ||
        die "Rookery runs on Linux, x86_64 or aarch64; this is $system on $machine."
}

# Installs Debian packages when that is possible, otherwise says which are missing.
need_packages() {
    local reason="$1"
    shift
    if [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null; then
        say "installing $* ($reason)"
        apt-get update -qq >/dev/null || say "the package list could not be renewed, using the old one"
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
            >/dev/null </dev/null || die "installing $* failed; the lines above say why."
    elif command -v apt-get >/dev/null; then
        die "$reason. Install it with:" "sudo apt-get install $*"
    else
        die "$reason. Install what this system calls:" "$*"
    fi
}

# Packages with a service that must not start: the tests start their own.
need_stopped_packages() {
    local policy=/usr/sbin/policy-rc.d made=""
    if [[ "$(id -u)" == 0 && -d /usr/sbin && ! -e "$policy" ]]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
        made=1
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    need_packages "$@"
    if [[ -n "$made" ]]; then
        rm -f "$policy"
        trap - EXIT
    fi
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        [[ -n "$candidate" ]] || continue
        if "$candidate" -c "import sys; sys.exit(sys.version_info < (3, $PYTHON_MINOR_MIN))" \
            2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Python 3.$PYTHON_MINOR_MIN or newer is missing (python3 is: $(python3 --version 2>/dev/null || echo not installed))." \
        "Debian 12 and newer: apt-get install python3 python3-venv" \
        "or name an interpreter: make run PYTHON=/path/to/python3.12"
}

check_compilers() {
    command -v cc >/dev/null || need_packages "a C linker (cc) is missing" build-essential
    local version
    if ! version=$(cargo --version 2>/dev/null); then
        die "Rust (cargo) is missing; version 1.$RUST_MINOR_MIN or newer is needed." \
            "Install it as https://rustup.rs describes, then run this again."
    fi
    [[ "$version" =~ ^cargo\ ([0-9]+)\.([0-9]+) ]] ||
        die "cannot read the version of Rust from: $version"
    if ((BASH_REMATCH[1] == 1 && BASH_REMATCH[2] < RUST_MINOR_MIN)); then
        die "Rust 1.$RUST_MINOR_MIN or newer is needed, this is: $version" "rustup update stable"
    fi
}

check_test_tools() {
    command -v mosquitto_pub >/dev/null ||
        need_packages "the tests drive mosquitto_pub and mosquitto_sub" mosquitto-clients
    local path="$PATH:/usr/sbin:/sbin"
    if ! PATH="$path" command -v haproxy >/dev/null || ! PATH="$path" command -v nginx >/dev/null ||
        [[ ! -f /usr/lib/nginx/modules/ngx_stream_module.so ]]; then
        need_stopped_packages "the tests run the balancers HAProxy and NGINX" \
            haproxy nginx-light libnginx-mod-stream
    fi
    command -v redis-server >/dev/null ||
        need_stopped_packages "the tests authenticate against a Redis of their own" redis-server
    command -v postgres >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ||
        need_stopped_packages "the tests authenticate against a PostgreSQL of their own" postgresql
    command -v mosquitto >/dev/null || [[ -x /usr/sbin/mosquitto ]] ||
        need_stopped_packages "the tests bridge to a Mosquitto of their own" mosquitto
    command -v java >/dev/null && command -v mvn >/dev/null ||
        need_packages "the tests run servers written in Java" default-jre-headless maven
    command -v chromium >/dev/null || command -v google-chrome >/dev/null ||
        need_packages "the tests open the dashboard in a browser" chromium
    check_node
}

# JavaScript: the dashboard is built with it, and the tests drive a client written in it.
check_node() {
    local version
    version=$(node --version 2>/dev/null) ||
        die "Node.js is missing: the dashboard is built with it." \
            "Debian 12 and newer: apt-get install nodejs npm"
    version=${version#v}
    ((${version%%.*} >= NODE_MAJOR_MIN)) ||
        die "Node.js $NODE_MAJOR_MIN or newer is needed, this is $version."
    command -v npm >/dev/null || need_packages "npm is missing: the dashboard is built with it" npm
}

# ---- steps ----------------------------------------------------------------------------

make_venv() {
    local python key
    # An environment that works is kept, whichever interpreter is first on PATH today.
    if [[ -z "${PYTHON:-}" && -f "$STAMPS/venv" && "$(<"$STAMPS/venv")" == "$PWD "* ]] &&
        "$VENV/bin/python" -c '' 2>/dev/null; then
        return
    fi
    python=$(find_python)
    # Its programs name this folder: an environment that was moved here is made again.
    key="$PWD $("$python" -c 'import sys; print(sys.version, sys.base_prefix)')"
    is_done venv "$key" && "$VENV/bin/python" -c '' 2>/dev/null && return
    "$python" -c 'import ensurepip' 2>/dev/null ||
        need_packages "Python's venv module is missing" python3-venv
    say "making $VENV with $("$python" --version)"
    "$python" -m venv --clear "$VENV"
    # Dependency groups need a pip newer than the one that Debian 12 brings.
    "$VENV/bin/python" -m pip install -q --upgrade 'pip>=25.1'
    mark_done venv "$key"
}

pip_install() {
    local step="$1" key="$2"
    shift 2
    is_done "$step" "$key" && return
    say "installing Python packages ($step)"
    "$VENV/bin/python" -m pip install -q "$@"
    mark_done "$step" "$key"
}

install_build_tool() {
    [[ -x "$VENV/bin/maturin" ]] || pip_install build-tool 1 'maturin>=1.9.4,<2'
}

# The type checker looks at what the package imports, so that is needed without the package, too.
install_dev() {
    local dependencies
    mapfile -t dependencies < <("$VENV/bin/python" -c 'import tomllib
with open("pyproject.toml", "rb") as file:
    print("\n".join(tomllib.load(file)["project"]["dependencies"]))')
    pip_install dev "$(hash_of pyproject.toml)" --group checks "${dependencies[@]}"
}

# Python's are looked at by the type checker, too.
install_test_clients() {
    [[ ! -f tests/requirements.txt ]] ||
        pip_install test-clients "$(hash_of tests/requirements.txt)" -r tests/requirements.txt
}

install_javascript_clients() {
    local manifest folder step key
    while IFS= read -r manifest; do
        folder=$(dirname "$manifest")
        step="npm-${folder//\//-}"
        key=$(hash_of "$folder/package.json" "$folder/package-lock.json")
        is_done "$step" "$key" && [[ -d "$folder/node_modules" ]] && continue
        say "installing JavaScript packages ($folder)"
        (cd "$folder" && npm ci --silent --no-audit --no-fund --ignore-scripts </dev/null)
        mark_done "$step" "$key"
    done < <(find tests -name node_modules -prune -o -name package-lock.json -print | sort)
}

install_dashboard() {
    local key
    key=$(hash_of dashboard/package.json dashboard/package-lock.json)
    is_done dashboard-packages "$key" && [[ -d dashboard/node_modules ]] && return
    check_node
    say "installing JavaScript packages (dashboard)"
    # Packages run nothing here: what is built needs none of their scripts. `npm ci` would refuse
    # a lock that leaves out programs for platforms which a registry does not have.
    (cd dashboard && npm install --no-save --no-audit --no-fund --ignore-scripts \
        --loglevel=error </dev/null >/dev/null) ||
        die "installing the JavaScript packages failed; the lines above say why."
    mark_done dashboard-packages "$key"
}

# Servers that no Debian package has, by name and checksum.
fetch_servers() {
    local key
    key=$(hash_of tests/harness/*.jars tests/harness/downloads.py)
    is_done servers "$key" && return
    say "fetching servers that the tests run (Maven Central)"
    PYTHONPATH=tests "$VENV/bin/python" -m harness.downloads >/dev/null ||
        die "fetching them failed; the lines above say why."
    mark_done servers "$key"
}

dashboard_key() {
    local sources
    mapfile -t sources < <(find dashboard -name node_modules -prune -o -name schema.d.ts -prune -o -type f -print | LC_ALL=C sort)
    hash_of "${sources[@]}"
}

have_pages() {
    [[ -f python/rookery/web/pages/index.html && -f python/rookery/web/console/index.html &&
        -f python/rookery/web/edge/index.html ]]
}

# The pages that the node and the control plane serve.
build_pages() {
    local key log
    key=$(dashboard_key)
    is_done pages "$key" && have_pages && return
    install_dashboard
    say "building the dashboard and the console"
    log=$(mktemp)
    if ! (cd dashboard && npm run --silent build </dev/null) >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        die "building the dashboard failed; the lines above say why."
    fi
    rm -f "$log"
    mark_done pages "$key"
}

# A broker is useful without its dashboard: who has no npm is told and goes on.
build_pages_if_possible() {
    if command -v npm >/dev/null; then
        build_pages
    elif ! have_pages; then
        say "npm is missing, so the dashboard is not built; everything else works." \
            "With it (Debian 12 and newer: apt-get install nodejs npm), run this again."
    fi
}

# What the pages read is held against the documents of the REST interfaces.
check_pages() {
    local key
    key="$(dashboard_key) $(hash_of docs/reference/openapi.json docs/reference/control-openapi.json)"
    is_done pages-checked "$key" && return
    install_dashboard
    (cd dashboard && npm run --silent check && npm test --silent) </dev/null
    mark_done pages-checked "$key"
}

# Minutes of silence worry a person and help nobody else: a log wants only the failures.
show_progress() { if [[ -t 2 ]]; then cat >&2; else cat >/dev/null; fi; }

# The native module, and with it the command `rookery` and the runtime dependencies.
build_native() {
    local key sources
    mapfile -t sources < <(find crates Cargo.toml Cargo.lock pyproject.toml -type f \
        -not -path '*/target/*' -not -path '*/tests/*' | LC_ALL=C sort)
    key="$PROFILE $(hash_of "${sources[@]}")"
    is_done native "$key" && [[ -x "$VENV/bin/rookery" ]] &&
        compgen -G 'python/rookery/_native*.so' >/dev/null && return
    check_compilers
    install_build_tool
    say "building the native module (some minutes the first time)"
    local log module
    # maturin writes into the file that is there, which would pull the pages from under a
    # node that runs from this checkout: give it a copy to write to.
    for module in python/rookery/_native*.so; do
        if [[ -f "$module" ]]; then cp -p "$module" "$module.old" && mv "$module.old" "$module"; fi
    done
    log=$(mktemp)
    if ! VIRTUAL_ENV="$PWD/$VENV" PIP_QUIET=1 PIP_NO_INPUT=1 PYO3_PYTHON="$PWD/$VENV/bin/python" \
        "$VENV/bin/maturin" develop --profile "$PROFILE" --locked </dev/null 2>&1 | tee "$log" | show_progress; then
        [[ -t 2 ]] || cat "$log" >&2
        rm -f "$log"
        die "building the native module failed; the lines above say why."
    fi
    rm -f "$log"
    mark_done native "$key"
}

check_platform
mkdir -p "$CARGO_TARGET_DIR"
if command -v flock >/dev/null; then # two `make` at once: the second finds all done
    exec 9>"$CARGO_TARGET_DIR/.rookery-setup.lock"
    flock 9
fi
case "$MODE" in
run | bench)
    # Before anything is downloaded: somebody who lacks a compiler should learn it first.
    [[ -f "$STAMPS/native" ]] || check_compilers
    make_venv
    build_native
    build_pages_if_possible
    ;;
dev)
    check_compilers
    make_venv
    install_dev
    install_test_clients
    ;;
test)
    check_compilers
    check_test_tools
    make_venv
    install_dev
    install_test_clients
    # They wait for the network while the compiler works.
    (install_javascript_clients; fetch_servers) &
    fetching=$!
    trap 'kill "$fetching" 2>/dev/null || true' EXIT
    build_native
    build_pages
    wait "$fetching"
    trap - EXIT
    ;;
pages)
    make_venv
    build_pages
    ;;
check-pages)
    make_venv
    check_pages
    ;;
*) die "unknown mode: $MODE (run, bench, dev, test, pages or check-pages)" ;;
esac
