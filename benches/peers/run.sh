#!/usr/bin/env bash
# Compares earmark with other libraries on the same data, in the same run.
#   benches/peers/run.sh index [--quick | --vectors N] [--growth] [--million]
#   benches/peers/run.sh embed [--quick] [--threads N]
#   benches/peers/run.sh gpu [--dry-run] [--no-compile] [--bundle FILE]
# Any part takes --executable FILE, the harness if it is built already. EARMARK_PEERS_PYTHON names a Python that has all
# packages. Prints a table, and as the last line one JSON object. README.md beside this file says how to read them.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

usage() {
    sed -n '2,7s/^# //p' "$here/run.sh" >&2
    exit 2
}

part=${1:-}
case "$part" in
    index | embed) packages=$part ;;
    # The same rivals, on another device.
    gpu) packages=embed ;;
    *) usage ;;
esac
shift

# In a bundle the harness lies beside this file.
executable=
[[ -x $here/harness ]] && executable=$here/harness
bundle=
build=(cargo build --locked --release)
[[ $part == gpu ]] && build=(deploy/cuda/build)
arguments=()
while (($#)); do
    case "$1" in
        --executable) executable=$(realpath "${2:?a file}") && shift ;;
        --bundle) bundle=$(realpath "${2:?a file}") && shift ;;
        --dry-run) build=(cargo build --locked --release) arguments+=("$1") ;;
        *) arguments+=("$1") ;;
    esac
    shift
done

if [[ -z $executable ]]; then
    executable=$("${build[@]}" --bench peers --message-format=json-render-diagnostics |
        sed -n 's/.*"name":"peers".*"executable":"\([^"]*\)".*/\1/p')
fi

if [[ -n $bundle ]]; then
    folder=$(mktemp -d)
    trap 'rm -r "$folder"' EXIT
    peers=$folder/earmark-peers/benches/peers
    mkdir -p "$peers"
    cp "$here"/*.py "$here"/run.sh "$here"/requirements-*.txt "$peers"
    strip -o "$peers/harness" "$executable"
    # What it needs beside the system's own libraries.
    mkdir "$peers/lib"
    ldd "$executable" | awk '/libsoxr|libgomp/ { print $3 }' | xargs cp --target-directory="$peers/lib" --dereference
    tar --create --gzip --file "$bundle" --directory "$folder" earmark-peers
    echo "unpack $bundle there, and run earmark-peers/benches/peers/run.sh $part" >&2
    exit
fi

work=${CARGO_TARGET_DIR:-target}/peers
mkdir -p "$work"
work=$(cd "$work" && pwd)

python=${EARMARK_PEERS_PYTHON:-}
# A machine with a GPU has its own PyTorch.
has_gpu='import numpy, torch; assert torch.cuda.is_available()'
if [[ -z $python && $part == gpu ]] && python3 -c "$has_gpu" 2>/dev/null; then
    python=python3
fi
if [[ -z $python ]]; then
    requirements=$here/requirements-$packages.txt
    venv=$work/venv-$packages
    if ! cmp --quiet "$requirements" "$venv/requirements.txt"; then
        python3 -m venv --clear "$venv"
        options=(--quiet --disable-pip-version-check)
        # Its list is complete, and PyTorch would bring along what only a GPU needs.
        [[ $packages == embed ]] && options+=(--no-deps)
        "$venv/bin/pip" install "${options[@]}" --requirement "$requirements" >&2
        cp "$requirements" "$venv/requirements.txt"
    fi
    python=$venv/bin/python
fi
if [[ $part == gpu ]]; then
    # CUDA's libraries come with PyTorch.
    cuda='import pathlib, torch; print(*(pathlib.Path(torch.__file__).parents[1] / "nvidia").glob("cu*/lib"), sep=":")'
    export LD_LIBRARY_PATH=$("$python" -c "$cuda"):$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
exec "$python" "$here/$part.py" --executable "$executable" --work "$work" "${arguments[@]}"
