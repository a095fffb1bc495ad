// Builds the pipeline anew from all events, with Emmett's own rebuild.
//
//   node rebuild.mjs --database URL [--batch N] [--pause MS] [--counters]
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { rebuildPostgreSQLProjections } from '@event-driven-io/emmett-postgresql';
import { pipeline } from './pipeline.mjs';

const { values: options } = parseArgs({
  options: {
    database: { type: 'string' },
    batch: { type: 'string', default: '1000' },
    pause: { type: 'string', default: '0' },
    counters: { type: 'boolean', default: false },
  },
});

const consumer = rebuildPostgreSQLProjections({
  connectionString: options.database,
  projection: pipeline(options),
  // A processor of its own: one that ran before would go on where it ended, with an empty table.
  processorId: `rebuild-${randomUUID()}`,
  pulling: { batchSize: Number(options.batch), pullingFrequencyInMs: Number(options.pause) },
});
await consumer.start();
await consumer.close();
