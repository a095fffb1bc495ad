"""Runs Schemathesis against a server with demo data; schemathesis_test.sh installs it."""
import os
import re
import subprocess
import sys

from bos_process import Folder, Server, report

here = os.path.dirname(os.path.abspath(__file__))


def main():
    seed = os.environ.get("BOS_SCHEMATHESIS_SEED", "1")
    examples = os.environ.get("BOS_SCHEMATHESIS_EXAMPLES", "20")
    tool = os.path.join(os.path.dirname(sys.executable), "schemathesis")
    with Folder() as folder, Server(folder, "--demo") as server:
        key = re.search(r"Admin +(\S+)", server.output()).group(1)
        environment = {**os.environ, "BOS_API_KEY": key, "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
                       "PYTHONPATH": here, "PYTHONDONTWRITEBYTECODE": "1"}
        run = subprocess.run(
            [tool, "--config-file", os.path.join(here, "schemathesis.toml"), "run", f"http://127.0.0.1:{server.port}/openapi.json",
             "--header", "Authorization: Bearer " + key, "--checks", "all", "--exclude-checks", "ignored_auth",
             "--seed", seed, "--max-examples", examples,
             "--continue-on-failure", "--suppress-health-check", "all", "--no-color", "--max-response-time", "10"],
            cwd=folder.path, env=environment, capture_output=True, text=True, timeout=500)
        stopped = server.stop()
        log = server.log()
    # Its answer to one failed request can be long: a filter of thousands of characters.
    for line in (run.stdout + run.stderr).replace(key, "KEY").splitlines():
        print(line[:1000])
    operations = int((re.search(r"Tested: +(\d+)", run.stdout) or [0, 0])[1])
    failed = len(set(re.findall(r"^_+ ((?:GET|POST|PATCH) \S+) _+$", run.stdout, re.MULTILINE)))
    if run.returncode != 0 or stopped != 0 or operations == 0 or '"level":"error"' in log:
        print(f"exit code of the tool {run.returncode}, of the server {stopped}; the server's log:\n{log[-3000:]}")
        failed = max(failed, 1)
    report(max(operations - failed, 0), failed, 0)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
