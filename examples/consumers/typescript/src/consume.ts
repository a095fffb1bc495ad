// Prints the events of a tenant, one line each, from the beginning of its topic:
//
//     SCHEMAS=DIR BROKERS=HOST:PORT TOPIC=bos.events.TENANT npm start
//
// DIR is what `bos schema export DIR` wrote; flatc makes the classes from it. An event that comes again is left out:
// events have one order, so what is not behind the last one is a repeat.
import { ByteBuffer } from 'flatbuffers';
import { Kafka, KafkaMessage, logLevel } from 'kafkajs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { LeadCaptured } from './generated/bos/leads/lead-captured';
import { LeadStageChanged } from './generated/bos/leads/lead-stage-changed';
import { Uuid } from './generated/bos/base/uuid';

function env(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function textOf(id: Uuid | null): string {
  if (!id) return '-';
  const bytes = Array.from({ length: 16 }, (_, i) => (id as any)[`bytes${i}`]() as number);
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

// What this consumer cares about; of all other events it prints the headers.
const tellers: Record<string, (payload: ByteBuffer) => string> = {
  'leads.lead-captured.v1': (payload) => {
    const event = LeadCaptured.getRootAsLeadCaptured(payload);
    return `lead ${textOf(event.lead())} number ${event.leadNumber()} in stage ${event.stage()}`;
  },
  'leads.lead-stage-changed.v1': (payload) => {
    const event = LeadStageChanged.getRootAsLeadStageChanged(payload);
    return `lead ${textOf(event.lead())} from ${event.move()?.from()} to ${event.move()?.to()}`;
  },
};

const known = new Map<string, string>(
  JSON.parse(readFileSync(join(env('SCHEMAS'), 'events.json'), 'utf8')).map(
    (event: { type: string; summary: string }) => [event.type, event.summary],
  ),
);

let last: [bigint, number] = [0n, 0];

// False for repeats.
function isNew(position: bigint, index: number): boolean {
  if (position < last[0] || (position === last[0] && index <= last[1])) return false;
  last = [position, index];
  return true;
}

function tell(message: KafkaMessage): void {
  const header = (name: string) => message.headers?.[name]?.toString() ?? '';
  const type = header('ce_type');
  if (!known.has(type) || !message.value) return; // newer than the schemas, or not an event
  if (!isNew(BigInt(header('ce_position')), Number(header('ce_index')))) return;
  const payload = new ByteBuffer(new Uint8Array(message.value));
  const what = tellers[type]?.(payload) ?? known.get(type);
  console.log(`${header('ce_id')} ${header('ce_time')} ${type} ${header('ce_subject')} ${what}`);
}

async function main(): Promise<void> {
  const kafka = new Kafka({ brokers: env('BROKERS').split(','), logLevel: logLevel.ERROR });
  const consumer = kafka.consumer({ groupId: `example-${process.pid}` });
  process.once('SIGINT', () => void consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic: env('TOPIC'), fromBeginning: true });
  await consumer.run({ autoCommit: false, eachMessage: async ({ message }) => tell(message) });
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
