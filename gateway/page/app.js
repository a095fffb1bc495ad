'use strict';
// The built-in page: the board as it stands or stood, and a way to try every route. Text from the server is only ever
// set as text, never as markup.

const byId = (id) => document.getElementById(id);
let key = sessionStorage.getItem('bos-key') || '';
let shownPosition = null;
let routes = [];
let chosen = null;

// The key may come behind '#', which a browser does not send to anybody.
const given = new URLSearchParams(location.hash.slice(1)).get('key');
if (given) {
  key = given;
  sessionStorage.setItem('bos-key', key);
  history.replaceState(null, '', '/#board');
}
byId('key').value = key;

function say(text) {
  byId('message').textContent = text || '';
  byId('message').hidden = !text;
}

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

async function ask(method, path, body, headers = {}) {
  const options = { method, headers: { Authorization: 'Bearer ' + key, ...headers } };
  if (body !== undefined) {
    options.body = body;
    options.headers['Content-Type'] = 'application/json';
  }
  const response = await fetch(path, options);
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text ? JSON.parse(text) : null };
}

const shown = (value) => (value && value.erased ? '(erased)' : value);
const money = (sum) => new Intl.NumberFormat(undefined, { style: 'currency', currency: sum.currency }).format(sum.minor / 100);

function cardElement(card) {
  const element = make('button', undefined, 'card');
  element.type = 'button';
  const name = [shown(card.given_name), shown(card.family_name)].filter(Boolean).join(' ');
  element.append(make('strong', name || card.company_name || 'Lead ' + card.lead_number));
  if (name && card.company_name) element.append(make('br'), make('small', card.company_name));
  const line = ['#' + card.lead_number];
  if (card.expected_value) line.push(money(card.expected_value));
  if (card.rating) line.push(card.rating);
  if (card.score) line.push('score ' + card.score);
  if (card.next_activity_at) line.push('due ' + new Date(card.next_activity_at).toLocaleDateString());
  element.append(make('br'), make('small', line.join(' · ')));
  if (card.tags.length) {
    element.append(make('br'));
    card.tags.forEach((tag) => element.append(make('span', tag, 'tag')));
  }
  element.addEventListener('click', () => showLead(card.id));
  return element;
}

function columnElement(column) {
  const element = make('div', undefined, 'column ' + column.category);
  const title = make('h2', column.name);
  title.append(make('span', String(column.lead_count)));
  element.append(title, make('div', column.sums.map(money).join(' + '), 'sums'));
  column.cards.forEach((card) => element.append(cardElement(card)));
  if (column.next) element.append(make('small', '… ' + (column.lead_count - column.cards.length) + ' more'));
  return element;
}

function asOf() {
  const value = byId('as-of').value;
  return value ? new Date(value).toISOString() : '';
}

function withAsOf(path) {
  const instant = asOf();
  return instant ? path + (path.includes('?') ? '&' : '?') + 'as_of=' + encodeURIComponent(instant) : path;
}

async function refreshBoard(force) {
  if (!key) return say('Enter an API key: `bos key create` makes one.');
  const answer = await ask('GET', withAsOf('/v1/leads/board?cards=30'));
  if (answer.status !== 200) return say(answer.json.title + (answer.json.detail ? ': ' + answer.json.detail : ''));
  say('');
  const position = answer.json.position + asOf();
  byId('position').textContent = 'position ' + answer.json.position + (asOf() ? ' (past)' : ' (live)');
  if (!force && position === shownPosition) return;
  shownPosition = position;
  byId('board').replaceChildren(...answer.json.columns.map(columnElement));
}

async function showLead(id) {
  const [lead, timeline] = await Promise.all([
    ask('GET', withAsOf('/v1/leads/' + id)), ask('GET', withAsOf('/v1/leads/' + id + '/timeline?limit=100'))]);
  if (lead.status !== 200) return say(lead.json.title);
  byId('lead-title').textContent = 'Lead ' + lead.json.lead_number;
  const facts = make('pre', JSON.stringify(lead.json, null, 2));
  const history = make('div');
  history.append(make('h2', 'Timeline'));
  (timeline.json.items || []).forEach((entry) => {
    const details = make('details');
    details.append(make('summary', new Date(entry.at).toLocaleString() + '  ' + entry.type), make('pre', JSON.stringify(entry.data, null, 2)));
    history.append(details);
  });
  byId('lead-body').replaceChildren(facts, history);
  byId('lead').showModal();
}

function example(schema, schemas) {
  if (!schema) return null;
  if (schema.$ref) return example(schemas[schema.$ref.split('/').pop()], schemas);
  if (schema.anyOf || schema.oneOf) return example((schema.anyOf || schema.oneOf)[0], schemas);
  if (schema.enum) return schema.enum[0];
  if (schema.type === 'object') {
    const result = {};
    (schema.required || []).forEach((name) => { result[name] = example(schema.properties[name], schemas); });
    return result;
  }
  if (schema.type === 'array') return [];
  if (schema.type === 'integer') return Math.max(0, schema.minimum || 0);
  if (schema.type === 'boolean') return false;
  if (schema.format === 'date-time') return new Date().toISOString();
  if (schema.format === 'uuid') return crypto.randomUUID();
  return '';
}

function choose(route, schemas) {
  chosen = route;
  byId('try-title').textContent = route.method + ' ' + route.path;
  byId('try-summary').textContent = route.operation.summary || '';
  const fields = (route.operation.parameters || []).filter((parameter) => parameter.name).map((parameter) => {
    const label = make('label', parameter.name + (parameter.required ? ' (needed) ' : ' '));
    const input = make('input');
    input.name = parameter.name;
    input.dataset.place = parameter.in;
    input.title = parameter.description || '';
    label.append(input);
    return label;
  });
  byId('try-fields').replaceChildren(...fields);
  const body = route.operation.requestBody;
  byId('try-body-label').hidden = !body;
  byId('try-dry').parentElement.hidden = !body;
  byId('try-body').value = body ? JSON.stringify(example(body.content['application/json'].schema, schemas), null, 2) : '';
  byId('try-answer').textContent = '';
}

async function loadRoutes() {
  const document_ = (await ask('GET', '/openapi.json')).json;
  const shared = document_.components;
  routes = Object.entries(document_.paths).flatMap(([path, operations]) => Object.entries(operations).map(([method, operation]) => ({
    path, method: method.toUpperCase(),
    operation: { ...operation, parameters: (operation.parameters || []).map((parameter) => parameter.$ref ? shared.parameters[parameter.$ref.split('/').pop()] : parameter)
      .filter((parameter) => parameter.in !== 'header' && parameter.name !== 'dry_run') } })));
  byId('route-list').replaceChildren(...routes.map((route) => {
    const button = make('button', route.method.padEnd(6) + ' ' + route.path);
    button.type = 'button';
    button.addEventListener('click', () => choose(route, shared.schemas));
    return button;
  }));
}

byId('try').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (!chosen) return;
  let path = chosen.path;
  const query = new URLSearchParams();
  for (const input of byId('try-fields').querySelectorAll('input')) {
    if (input.dataset.place === 'path') path = path.replace('{' + input.name + '}', encodeURIComponent(input.value));
    else if (input.value) query.set(input.name, input.value);
  }
  const hasBody = Boolean(chosen.operation.requestBody);
  if (hasBody && byId('try-dry').checked) query.set('dry_run', 'true');
  const headers = hasBody ? { 'Idempotency-Key': crypto.randomUUID() } : {};
  const answer = await ask(chosen.method, path + (query.size ? '?' + query : ''), hasBody ? byId('try-body').value : undefined, headers);
  byId('try-answer').textContent = answer.status + '\n' + JSON.stringify(answer.json, null, 2);
  refreshBoard(true);
});

function showTab() {
  const tab = location.hash === '#routes' ? 'routes' : 'board';
  byId('board').hidden = tab !== 'board';
  byId('board').style.display = tab === 'board' ? '' : 'none';
  byId('routes').hidden = tab !== 'routes';
  document.querySelectorAll('.tab').forEach((link) => link.setAttribute('aria-current', String(link.dataset.tab === tab)));
}

byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault();
  key = byId('key').value.trim();
  sessionStorage.setItem('bos-key', key);
  refreshBoard(true);
});
byId('as-of').addEventListener('change', () => refreshBoard(true));
byId('now').addEventListener('click', () => { byId('as-of').value = ''; refreshBoard(true); });
window.addEventListener('hashchange', showTab);

showTab();
loadRoutes();
refreshBoard(true);
// Live: the position tells whether anything changed.
setInterval(() => { if (!document.hidden && !asOf() && key) refreshBoard(false).catch(() => say('The server does not answer.')); }, 2000);
