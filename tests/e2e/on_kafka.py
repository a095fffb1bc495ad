"""Runs a script of this folder against servers whose log is on a real Kafka: on_kafka.py SCRIPT [TEST …]

What clients are promised does not depend on where the log is, so the tests are the same ones.
"""
import os
import subprocess
import sys

from kafka_broker import Broker

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    script, *tests = sys.argv[1:]
    with Broker() as broker:
        code = subprocess.run([sys.executable, os.path.join(HERE, script), *tests],
                              env={**os.environ, "BOS_E2E_KAFKA": broker.address}, check=False).returncode
    sys.exit(code)


if __name__ == "__main__":
    main()
