#!/bin/sh
# Runs one fuzz target with what every run has: fuzz/one.sh TARGET [OPTION OF LIBFUZZER...]
# New inputs go to a folder beside the seeds, which stay as they are in the tree.
set -eu
cd "$(dirname "$0")"

target=$1
shift
found=findings/corpus/$target
mkdir -p "$found" "findings/$target" "seeds/$target"
exec cargo +nightly fuzz run "$target" "$found" "seeds/$target" -- \
    -max_len=4096 -print_final_stats=1 -artifact_prefix="findings/$target/" "$@"
