#!/bin/sh
# Runs one fuzz target with what every run has: fuzz/one.sh TARGET [OPTION OF LIBFUZZER...]
# New inputs go to a folder beside the seeds, which stay as they are in the tree.
set -eu
cd "$(dirname "$0")"

target=$1
shift
found=findings/corpus/$target
mkdir -p "$found" "findings/$target" "seeds/$target"
# What is short is tried more often: no rule needs more to reach each of its parts.
case $target in
rule_*) longest=1024 ;;
*) longest=4096 ;;
esac
[ ! -f "words/$target" ] || set -- "-dict=words/$target" "$@"
exec cargo +nightly fuzz run "$target" "$found" "seeds/$target" -- \
    "-max_len=$longest" -print_final_stats=1 -artifact_prefix="findings/$target/" "$@"
