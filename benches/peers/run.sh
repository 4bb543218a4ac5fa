#!/usr/bin/env bash
# Compares earmark with other libraries on the same data, in the same run.
#   benches/peers/run.sh index [--quick | --vectors N] [--growth] [--million]
# Prints a table, and as the last line one JSON object. README.md beside this file says how to read them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

usage() {
    sed -n '2,4s/^# //p' "$here/run.sh" >&2
    exit 2
}

part=${1:-}
case "$part" in
    index) shift ;;
    *) usage ;;
esac

work=${CARGO_TARGET_DIR:-target}/peers
mkdir -p "$work"
work=$(cd "$work" && pwd)
venv=$work/venv
if ! cmp --quiet "$here/requirements.txt" "$venv/requirements.txt"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" >&2
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi

executable=$(cargo build --locked --release --bench peers --message-format=json-render-diagnostics |
    sed -n 's/.*"name":"peers".*"executable":"\([^"]*\)".*/\1/p')
exec "$venv/bin/python" "$here/$part.py" --executable "$executable" --work "$work" "$@"
