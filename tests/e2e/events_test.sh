#!/usr/bin/env bash
# The events topics, read by the example consumer in Python. Where its packages cannot be installed the test is skipped.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
needs=$here/../../examples/consumers/python/requirements.txt
venv=${BOS_BINARY_DIR:?names the folder of the build}/venv-consumer

if ! cmp -s "$needs" "$venv/installed"; then
  rm -rf -- "$venv"
  python3 -m venv "$venv"
  if ! "$venv/bin/pip" --quiet --disable-pip-version-check install -r "$needs"; then
    echo "the packages of the consumer cannot be installed: is there a network?"
    echo '[doctest] test cases: 1 | 0 passed | 0 failed | 1 skipped'
    exit 0
  fi
  cp "$needs" "$venv/installed"
fi
exec "$venv/bin/python" -B "$here/events_test.py"
