"""Prints the events of a tenant, one line each: consume.py --brokers HOST:PORT --topic bos.events.TENANT --schemas DIR

DIR is what `bos schema export DIR` wrote. The classes that read the payloads are made from it with flatc when this
starts. An event that comes again is left out: events have one order, so what is not behind the last one is a repeat.
"""
import argparse
import importlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition


def generate(schemas, folder):
    """flatc's classes for every schema, importable from `folder`."""
    files = sorted(os.path.join(schemas, name) for name in os.listdir(schemas) if name.endswith(".fbs"))
    subprocess.run(["flatc", "--python", "-o", folder, *files], check=True)
    sys.path.insert(0, folder)


def root_classes(schemas):
    """From an event's type to the class of its payload."""
    with open(os.path.join(schemas, "events.json"), encoding="utf-8") as file:
        return {event["type"]: event["root"] for event in json.load(file)}


def open_payload(root, payload):
    """bos.leads.LeadCaptured -> an object of that class that reads the bytes."""
    return getattr(importlib.import_module(root), root.rpartition(".")[2]).GetRootAs(payload, 0)


def fields(table):
    """The fields of a FlatBuffers object that are there, by the names of flatc's accessors. Lists are left out."""
    found = {}
    for name, method in inspect.getmembers(table, inspect.ismethod):
        if name == "Init" or name.startswith("GetRootAs") or name.endswith(("Length", "IsNone", "AsNumpy")):
            continue
        if inspect.signature(method).parameters:
            continue
        value = plain(method())
        if value is not None:
            found[name.rstrip("_")] = value  # some versions of flatc write From_, since from is a word of Python
    return found


def plain(value):
    if value is None or isinstance(value, (int, float, bool)):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "Bytes0"):  # a struct Uuid
        return str(uuid.UUID(bytes=bytes(getattr(value, f"Bytes{i}")() for i in range(16))))
    return fields(value)


def place_of(headers):
    """Where the event stands in the tenant's log; grows along the topic but for repeats."""
    return int(headers["ce_position"]), int(headers["ce_index"])


def messages(options):
    """All records of the topic from its beginning; with --until-end those that are there now."""
    consumer = Consumer({"bootstrap.servers": options.brokers, "group.id": "example-consumer",
                         "enable.auto.commit": False, "enable.partition.eof": True})
    consumer.assign([TopicPartition(options.topic, 0, OFFSET_BEGINNING)])
    try:
        while True:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error() is None:
                yield message
            elif message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())
            elif options.until_end:
                return
    finally:
        consumer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--schemas", required=True)
    parser.add_argument("--until-end", action="store_true", help="end with the last record that is there")
    options = parser.parse_args()
    roots = root_classes(options.schemas)
    with tempfile.TemporaryDirectory() as folder:
        generate(options.schemas, folder)
        last = (0, 0)
        for message in messages(options):
            headers = {name: value.decode() for name, value in message.headers() or []}
            if headers.get("ce_type") not in roots:
                continue  # newer than the schemas, or not an event
            if place_of(headers) <= last:
                continue
            last = place_of(headers)
            event = open_payload(roots[headers["ce_type"]], message.value())
            print(headers["ce_id"], headers["ce_time"], headers["ce_type"], headers["ce_subject"],
                  json.dumps(fields(event), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
