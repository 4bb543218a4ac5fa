#!/usr/bin/env bash
# Compares earmark with other libraries on the same data, in the same run.
#   benches/peers/run.sh index [--quick | --vectors N] [--growth] [--million]
#   benches/peers/run.sh embed [--quick] [--threads N]
# Any part takes --executable FILE, the harness if it is built already. EARMARK_PEERS_PYTHON names a Python that has all
# packages. Prints a table, and as the last line one JSON object. README.md beside this file says how to read them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

usage() {
    sed -n '2,6s/^# //p' "$here/run.sh" >&2
    exit 2
}

part=${1:-}
case "$part" in
    index | embed) ;;
    *) usage ;;
esac
shift

executable=
arguments=()
while (($#)); do
    case "$1" in
        --executable) executable=$(realpath "${2:?a file}") && shift ;;
        *) arguments+=("$1") ;;
    esac
    shift
done

if [[ -z $executable ]]; then
    build=(cargo build --locked --release --bench peers)
    executable=$("${build[@]}" --message-format=json-render-diagnostics |
        sed -n 's/.*"name":"peers".*"executable":"\([^"]*\)".*/\1/p')
fi

work=${CARGO_TARGET_DIR:-target}/peers
mkdir -p "$work"
work=$(cd "$work" && pwd)

python=${EARMARK_PEERS_PYTHON:-}
if [[ -z $python ]]; then
    requirements=$here/requirements-$part.txt
    venv=$work/venv-$part
    if ! cmp --quiet "$requirements" "$venv/requirements.txt"; then
        python3 -m venv --clear "$venv"
        options=(--quiet --disable-pip-version-check)
        # Its list is complete, and PyTorch would bring along what only a GPU needs.
        [[ $part == embed ]] && options+=(--no-deps)
        "$venv/bin/pip" install "${options[@]}" --requirement "$requirements" >&2
        cp "$requirements" "$venv/requirements.txt"
    fi
    python=$venv/bin/python
fi
exec "$python" "$here/$part.py" --executable "$executable" --work "$work" "${arguments[@]}"
