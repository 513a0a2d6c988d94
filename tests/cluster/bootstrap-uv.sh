#!/bin/sh
# Prints the path of uv, which installs everything Python here: the one on PATH, else one of the
# version below, installed on first use in a virtual environment of its own under the cache.
set -eu

version=0.13.9

if command -v uv; then
    exit 0
fi
home="${VIBETHINKER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}/vibethinker/uv-$version"
if [ ! -x "$home/bin/uv" ]; then
    mkdir -p "$(dirname "$home")"
    if ! python3 -m venv "$home" >&2; then
        echo "bootstrap-uv: python3 cannot make a virtual environment in $home" \
            "(on Debian: apt-get install python3-venv)" >&2
        exit 1
    fi
    "$home/bin/python" -m pip install --quiet --no-deps "uv==$version" >&2
fi
echo "$home/bin/uv"
