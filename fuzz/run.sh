#!/bin/sh
# Runs fuzz targets one after another: fuzz/run.sh [-s SECONDS | -u] [TARGET...]
# With -u each until 20 million executions, or 10 minutes without new coverage.
# Needs a nightly toolchain and cargo-fuzz; says so when one is missing.
set -eu
cd "$(dirname "$0")"

seconds=60
is_until_settled=
while getopts s:u option; do
    case $option in
    s) seconds=$OPTARG ;;
    u) is_until_settled=1 ;;
    *) echo "usage: $0 [-s SECONDS | -u] [TARGET...]" >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))

if ! cargo +nightly --version >/dev/null 2>&1; then
    echo "fuzzing needs the nightly toolchain: rustup toolchain install nightly" >&2
    exit 1
fi
if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "fuzzing needs cargo-fuzz: cargo install --locked cargo-fuzz" >&2
    exit 1
fi

[ $# -gt 0 ] || set -- $(cargo +nightly fuzz list)

for target in "$@"; do
    if [ -n "$is_until_settled" ]; then
        echo "== $target: until it is settled"
        nice -n 10 python3 settle.py "$target"
        continue
    fi
    echo "== $target: $seconds s"
    nice -n 10 ./one.sh "$target" -max_total_time="$seconds" -verbosity=1
done
