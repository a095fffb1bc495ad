// The peer's HTTP API: Emmett's command handlers behind node's own HTTP server, with BOS's two
// routes and bodies. Prints its port when it serves; ends with its parent.
//
//   node server.mjs --database URL [--processes N] [--connections N] [--counters]
import cluster from 'node:cluster';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import { projections } from '@event-driven-io/emmett';
import pg from 'pg';
import { capture, handle, qualify } from './lead.mjs';
import { board, pipeline } from './pipeline.mjs';

const { values: options } = parseArgs({
  options: {
    database: { type: 'string' },
    processes: { type: 'string', default: '1' },
    connections: { type: 'string', default: '40' },
    counters: { type: 'boolean', default: false },
  },
});

const open_store = (pool, autoMigration) =>
  getPostgreSQLEventStore(options.database, {
    projections: projections.inline([pipeline(options)]),
    schema: { autoMigration },
    connectionOptions: { pool },
  });

const read = async (request) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces).toString('utf8'));
};

const answer = (response, status, value) => {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
};

const done = (response, status, lead, result) =>
  answer(response, status, {
    position: Number(result.lastEventGlobalPosition), id: lead, version: Number(result.nextExpectedStreamVersion), changed: true,
  });

const serve = () => {
  const pool = new pg.Pool({ connectionString: options.database, max: Number(options.connections) });
  const store = open_store(pool, 'None');
  const qualify_route = /^\/v1\/leads\/([0-9a-f-]{36})\/qualify$/;

  const columns = async () =>
    (await pool.query(board(options))).rows.map(({ stage, leads }) => ({ stage, lead_count: Number(leads) }));

  const route = async (request, response) => {
    const { method, url } = request;
    if (method === 'POST' && url === '/v1/leads') {
      const lead = randomUUID();
      const command = await read(request);
      return done(response, 201, lead, await handle(store, lead, capture(lead, command, new Date().toISOString())));
    }
    const lead = method === 'POST' && qualify_route.exec(url)?.[1];
    if (lead) return done(response, 200, lead, await handle(store, lead, qualify(lead, new Date().toISOString())));
    if (method === 'GET' && url.startsWith('/v1/leads/board')) return answer(response, 200, { columns: await columns() });
    return answer(response, 404, { code: 'not_found' });
  };

  const server = createServer((request, response) =>
    route(request, response).catch((error) => answer(response, error.errorCode ?? 500, { detail: error.message })),
  );
  server.keepAliveTimeout = 600_000; // longer than the client's connections are idle
  server.listen(0, '127.0.0.1');
  return server;
};

const migrate = async () => {
  const pool = new pg.Pool({ connectionString: options.database, max: 2 });
  const store = open_store(pool, 'CreateOrUpdate');
  await store.schema.migrate();
  await pool.end();
};

if (cluster.isPrimary) {
  await migrate();
  if (options.processes === '1') {
    const server = serve();
    server.on('listening', () => console.log(`port ${server.address().port}`));
  } else {
    const listening = [];
    for (let i = 0; i < Number(options.processes); ++i) {
      listening.push(new Promise((resolve) => cluster.fork().on('listening', (address) => resolve(address.port))));
    }
    console.log(`port ${(await Promise.all(listening))[0]}`);
  }
} else {
  serve();
}
