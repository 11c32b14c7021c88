#!/usr/bin/env bash
# Builds the wheel, the source distribution and the one-file agent into dist/.
#
# The wheel is linked by zig against glibc 2.28, so that it loads on every system that
# manylinux_2_28 names, whatever this machine's own library is; maturin checks the result.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tools/setup.sh dev
tools/setup.sh pages
.venv/bin/python -m pip install -q 'maturin[zig]>=1.9.4,<2'
mkdir -p dist
rm -f dist/rookery-*

# `cargo-zigbuild` inside maturin looks for the interpreter that has ziglang on PATH.
PATH="$PWD/.venv/bin:$PATH"
export PATH
.venv/bin/maturin build --profile dist --locked --zig --compatibility manylinux_2_28 --out dist
.venv/bin/maturin sdist --out dist
PYTHONPATH=python .venv/bin/python -m rookery.agent.bundle dist/rookery-agent.pyz
ls -l dist
