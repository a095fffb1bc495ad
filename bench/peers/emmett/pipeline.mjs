// The pipeline: a row for each lead with its stage, and how many leads each stage has.
//
// Rows only is the faster form: a stage's leads are counted when somebody asks, through an index.
// With counters the number is a row of its own, as on BOS's board; every command of a stage then
// waits for the commit of the one before it.
import { sql, rawSql } from '@event-driven-io/dumbo';
import { postgreSQLProjection } from '@event-driven-io/emmett-postgresql';

const tables = [
  rawSql(`CREATE TABLE IF NOT EXISTS pipeline_leads (
    lead uuid PRIMARY KEY, pipeline uuid NOT NULL, stage text NOT NULL, name text, company text,
    value_minor bigint, currency text, captured_at timestamptz NOT NULL, changed_at timestamptz NOT NULL)`),
  rawSql('CREATE INDEX IF NOT EXISTS pipeline_leads_of_a_stage ON pipeline_leads (pipeline, stage, captured_at)'),
  rawSql('CREATE TABLE IF NOT EXISTS pipeline_stages (stage text PRIMARY KEY, leads bigint NOT NULL)'),
];

const captured = ({ data }) => {
  const { given_name, family_name, company_name, expected_value } = data.profile;
  return sql(
    'INSERT INTO pipeline_leads VALUES (%L, %L, %L, %L, %L, %L, %L, %L, %L)',
    data.lead, data.pipeline, data.stage, `${given_name ?? ''} ${family_name ?? ''}`.trim(), company_name ?? null,
    expected_value?.minor ?? null, expected_value?.currency ?? null, data.captured_at, data.captured_at,
  );
};

const qualified = ({ data }) =>
  sql('UPDATE pipeline_leads SET stage = %L, changed_at = %L WHERE lead = %L', data.move.to, data.move.at, data.lead);

const one_more = (stage) =>
  sql(`INSERT INTO pipeline_stages VALUES (%L, 1)
       ON CONFLICT (stage) DO UPDATE SET leads = pipeline_stages.leads + 1`, stage);

const one_less = (stage) => sql('UPDATE pipeline_stages SET leads = leads - 1 WHERE stage = %L', stage);

const rows_of = { LeadCaptured: (event) => [captured(event)], LeadQualified: (event) => [qualified(event)] };

// Always in the order of the stages: commands that meet here cannot wait for each other.
const counters_of = {
  LeadCaptured: ({ data }) => [one_more(data.stage)],
  LeadQualified: ({ data }) => [one_less(data.move.from), one_more(data.move.to)],
};

export const pipeline = ({ counters }) =>
  postgreSQLProjection({
    name: 'pipeline',
    version: 1,
    canHandle: Object.keys(rows_of),
    init: ({ context }) => context.execute.batchCommand(tables).then(() => {}),
    truncate: ({ execute }) => execute.command(rawSql('TRUNCATE pipeline_leads, pipeline_stages')).then(() => {}),
    handle: (events, { execute }) =>
      execute
        .batchCommand(events.flatMap((event) => [...rows_of[event.type](event), ...(counters ? counters_of[event.type](event) : [])]))
        .then(() => {}),
  });

export const board = ({ counters }) =>
  rawSql(counters ? 'SELECT stage, leads FROM pipeline_stages' : 'SELECT stage, count(*) AS leads FROM pipeline_leads GROUP BY stage');
