// The table, on standard error, and the figures with the versions of everything, on standard output.
//
//   node report.mjs FIGURES POSTGRESQL-VERSION
import { readFileSync } from 'node:fs';

const [figures, postgresql] = process.argv.slice(2);
const json = (path) => JSON.parse(readFileSync(path, 'utf8'));
const version = (name) => json(new URL(`node_modules/${name}/package.json`, import.meta.url)).version;

const run = json(figures);
const os = /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
const emmett = ['emmett', 'emmett-postgresql', 'dumbo'].map((name) => `@event-driven-io/${name}`);
const versions = {
  bos: run.machine.commit, postgresql, node: process.version, os,
  ...Object.fromEntries([...emmett, 'pg'].map((name) => [name, version(name)])),
};

const number = (value) => Math.round(value).toLocaleString('en').replaceAll(',', ' ');
const time = (us) => (us >= 1e6 ? `${(us / 1e6).toFixed(2)} s` : us >= 10_000 ? `${(us / 1e3).toFixed(0)} ms` : us >= 1000 ? `${(us / 1e3).toFixed(1)} ms` : `${Math.round(us)} us`);

const rows = [['work', 'side', 'rate /s', 'lowest to highest', 'p50', 'p99', 'BOS is', 'fdatasync p50']];
for (const { work, sides, ratio_to, disk_probe } of run.figures) {
  for (const [name, side] of Object.entries(sides)) {
    const ratio = ratio_to[name]?.rate;
    rows.push([
      work, name, number(side.rate_per_second), side.rate_spread.map(number).join(' to '),
      time(side.p50_us), time(side.p99_us), ratio ? `${ratio.toFixed(ratio < 1 ? 3 : 1)} x` : '', name === 'bos' ? time(disk_probe.p50_us) : '',
    ]);
  }
}
const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;

console.error([
  '', Object.entries(versions).map(([name, value]) => `${name} ${value}`).join(', '),
  `${run.machine.processor}, ${run.machine.cores} cores, load average before ${run.machine.load_average}; ${run.rounds} rounds of ${run.seconds} s`,
  '', line(rows[0]), rule, ...rows.slice(1).map(line), '',
].join('\n'));
console.log(JSON.stringify({ versions, ...run }, null, 1));
