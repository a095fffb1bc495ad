"""Runs a script of this folder against servers whose log is on a real Kafka: on_kafka.py SCRIPT [TEST …]

What clients are promised does not depend on where the log is, so the tests are the same ones.
"""
import os
import subprocess
import sys

from bos_process import Folder

HERE = os.path.dirname(os.path.abspath(__file__))
BROKER = os.path.join(HERE, "..", "kafka", "broker")


def main():
    script, *tests = sys.argv[1:]
    with Folder() as folder:
        broker = subprocess.Popen([BROKER, "run", os.path.join(folder.path, "kafka")], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        try:
            word, _, bootstrap = broker.stdout.readline().strip().partition(" ")
            if word != "bootstrap":
                sys.exit("the broker did not start")
            code = subprocess.run([sys.executable, os.path.join(HERE, script), *tests],
                                  env={**os.environ, "BOS_E2E_KAFKA": bootstrap}, check=False).returncode
        finally:
            broker.stdin.close()  # ends it
            broker.wait()
    sys.exit(code)


if __name__ == "__main__":
    main()
