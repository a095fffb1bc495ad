#!/usr/bin/env bash
# Properties of the document at /openapi.json, tried on the built binary with Schemathesis.
# Where it cannot be installed the test is skipped.
set -euo pipefail
version=4.32.5
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${BOS_BINARY_DIR:?names the folder of the build}/venv

if [ "$(cat "$venv/schemathesis-version" 2>/dev/null)" != "$version" ]; then
  rm -rf -- "$venv"
  python3 -m venv "$venv"
  if ! "$venv/bin/pip" --quiet --disable-pip-version-check install "schemathesis==$version"; then
    echo "schemathesis $version cannot be installed: is there a network?"
    echo '[doctest] test cases: 1 | 0 passed | 0 failed | 1 skipped'
    exit 0
  fi
  echo "$version" >"$venv/schemathesis-version"
fi
exec "$venv/bin/python" -B "$here/schemathesis_run.py"
