'use strict';
(() => {
  const PAGE = 50, LINES = 200;
  const $ = id => document.getElementById(id);
  const WORDS = { notRun: 'not run', none: 'no run' };
  const report = JSON.parse($('data').textContent);
  const open = new Set();       // the keys of the runs that are shown in full
  const cards = new Map();      // key → { run, element }
  const known = new Map();      // key → the run as it was shown last
  const chosen = new Set();     // the statuses that are wanted; none means all
  let shown = PAGE, lines = LINES, isFirst = true;

  const word = status => WORDS[status] ?? status;
  const statusOf = run => run.status ?? 'none';
  const keyOf = run => JSON.stringify([run.pipeline, run.run ?? null]);
  const fold = text => text.toLowerCase();
  const all = (...parts) => fold(parts.filter(p => p !== undefined && p !== null).join('\n'));

  // Whatever comes from data becomes text, never markup.
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {}))
      if (name === 'class') element.className = value;
      else if (value !== undefined && value !== null) element.setAttribute(name, value);
    element.append(...children.filter(c => c !== undefined && c !== null && c !== ''));
    return element;
  }

  function pad(number) { return String(number).padStart(2, '0'); }
  function clock(text) {
    const t = new Date(text);
    return `${t.getFullYear()}-${pad(t.getMonth() + 1)}-${pad(t.getDate())} ${pad(t.getHours())}:${pad(t.getMinutes())}:${pad(t.getSeconds())}`;
  }
  function time(text) { return text ? make('time', { datetime: text }, clock(text)) : ''; }
  function took(seconds) {
    if (seconds === undefined || seconds === null) return '';
    if (seconds < 10) return `${seconds.toFixed(2)}s`;
    if (seconds < 60) return `${seconds.toFixed(1)}s`;
    const s = Math.floor(seconds);
    if (s < 3600) return `${Math.floor(s / 60)}m ${pad(s % 60)}s`;
    if (s < 86400) return `${Math.floor(s / 3600)}h ${pad(Math.floor(s / 60) % 60)}m`;
    return `${Math.floor(s / 86400)}d ${pad(Math.floor(s / 3600) % 24)}h`;
  }
  function size(bytes) {
    if (bytes === undefined || bytes === null) return '';
    let unit = 0;
    for (; bytes >= 1024 && unit < 4; unit++) bytes /= 1024;
    return unit === 0 ? `${bytes} B` : `${bytes.toFixed(1)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
  }
  function seconds(from, to) { return from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : undefined; }
  function status(name) { return make('span', { class: `status ${name}` }, word(name)); }
  function plural(count, one, many) { return `${count.toLocaleString('en')} ${count === 1 ? one : many}`; }

  // Where a run lay idle for long, as from one evening to the next, its axis is cut: else its bars would be too thin to see.
  function axisOf(run) {
    const now = report.live ? Date.now() : Date.parse(report.generatedAt);
    const times = run.stages.flatMap(s => s.spans).map(s => [Date.parse(s.start), s.end ? Date.parse(s.end) : now]).sort((a, b) => a[0] - b[0]);
    const busy = [];
    for (const [start, end] of times)
      if (busy.length && start <= busy.at(-1)[1]) busy.at(-1)[1] = Math.max(busy.at(-1)[1], end);
      else busy.push([start, end]);
    const length = busy.reduce((sum, [start, end]) => sum + end - start, 0);
    const isCut = gap => gap > Math.max(length * 0.1, 10000);
    const knots = [];
    let at = 0;
    busy.forEach(([start, end], i) => {
      const idle = i ? start - busy[i - 1][1] : 0, cut = isCut(idle), gap = cut ? length * 0.1 : idle;
      at += gap;
      knots.push({ start, end, at, gap, cut });
      at += end - start;
    });
    const total = Math.max(at, 1);
    const place = t => {
      const knot = knots.findLast(k => k.start <= t) ?? knots[0];
      return 100 * (knot.at + Math.min(t, knot.end) - knot.start) / total;
    };
    return { now, place, gaps: knots.filter(k => k.cut).map(k => ({ left: 100 * (k.at - k.gap) / total, width: 100 * k.gap / total })) };
  }

  function bars(stage, axis) {
    if (!stage.spans.length) return '';
    const told = [];
    const track = make('div', { class: 'bars', 'aria-hidden': 'true' });
    for (const gap of axis.gaps) {
      const bar = make('span', { class: 'gap', title: 'nobody was at work' });
      bar.style.left = `${gap.left}%`;
      bar.style.width = `${gap.width}%`;
      track.append(bar);
    }
    let attempt = 0;
    for (const span of stage.spans) {
      const end = span.end ? Date.parse(span.end) : axis.now;
      const left = axis.place(Date.parse(span.start)), width = axis.place(end) - left;
      const what = span.kind === 'attempt' ? `attempt ${++attempt} ${span.outcome ?? 'is running'}` : span.kind === 'wait' ? 'waited for the next attempt' : 'saved';
      const text = `${what}: ${clock(span.start)}${span.kind === 'save' ? '' : `, ${took((end - Date.parse(span.start)) / 1000)}`}`;
      const bar = make('span', { class: span.kind === 'attempt' ? span.outcome ?? 'running' : span.kind, title: text });
      bar.style.left = `min(${left}%, 100% - 6px)`;
      bar.style.width = `${width}%`;
      track.append(bar);
      told.push(text);
    }
    return make('div', null, track, make('span', { class: 'hidden' }, told.join('; ')));
  }

  function why(stage) {
    const cell = make('td', { 'data-label': 'Why' });
    if (stage.error) cell.append(make('div', { class: 'error' }, stage.error));
    const ran = { completed: 'it ran because', failed: 'it ran because', running: 'it runs because' }[stage.status];
    if (stage.reason) cell.append(make('div', { class: ran ? 'key' : null }, ran ? `${ran} ${stage.reason}` : stage.reason));
    if (stage.items?.failures.length) cell.append(make('ul', { class: 'failures', tabindex: '0' }, ...stage.items.failures.map(f => make('li', null, make('b', null, f.key), `: ${f.error} `, make('span', { class: 'key' }, time(f.at))))));
    if (stage.skips) cell.append(make('div', null, `skipped ${plural(stage.skips, 'time', 'times')}, its saved result held; last `, time(stage.skippedAt)));
    return cell;
  }

  function saved(checkpoint) {
    if (!checkpoint) return '';
    const text = checkpoint.stateSize === undefined ? 'no state' : size(checkpoint.stateSize);
    return `${text}, step ${checkpoint.step}${checkpoint.steps > 1 ? `, ${checkpoint.steps} kept` : ''}${checkpoint.encrypted ? ', encrypted' : ''}${checkpoint.outputFiles ? `, ${plural(checkpoint.outputFiles, 'file', 'files')}` : ''}`;
  }

  function detailOf(run, id) {
    const detail = make('div', { class: 'detail', id });
    const facts = [
      run.attempts > 1 && `started ${run.attempts} times`,
      run.user && `${run.user} at ${run.host}, process ${run.processId}`,
      run.endedAt && `${run.status ? 'ended' : 'last told of'} ${clock(run.endedAt)}`,
    ].filter(f => f);
    detail.append(make('p', { class: 'key data' }, facts.join(' · ')));
    if (run.lastError) detail.append(make('div', { class: 'error' }, run.lastError));
    const axis = axisOf(run);
    const rows = run.stages.map(stage => make('tr', null,
      make('td', { 'data-label': 'Stage' }, stage.name),
      make('td', { class: 'short', 'data-label': 'Status' }, status(stage.status)),
      make('td', { 'data-label': 'Time' }, bars(stage, axis)),
      make('td', { class: 'number', 'data-label': 'Took' }, took(stage.durationSeconds)),
      make('td', { class: 'number', 'data-label': 'Attempts' }, stage.attempts ? String(stage.attempts) : ''),
      make('td', { 'data-label': 'State' }, saved(stage.checkpoint)),
      make('td', { class: 'short', 'data-label': 'Items' }, stage.items ? `${stage.items.done.toLocaleString('en')} done${stage.items.failed ? `, ${stage.items.failed.toLocaleString('en')} failed` : ''}` : ''),
      why(stage)));
    const head = ['Stage', 'Status', 'Time', 'Took', 'Attempts', 'State', 'Items', 'Why'].map(h => make('th', { scope: 'col' }, h));
    detail.append(rows.length
      ? make('div', { class: 'scroll' }, make('table', null, make('thead', null, make('tr', null, ...head)), make('tbody', null, ...rows)))
      : make('p', null, 'No stage has begun.'));
    return detail;
  }

  let numbers = 0;
  function cardOf(run) {
    const key = keyOf(run), id = `detail-${++numbers}`;
    const done = run.stages.filter(s => s.status === 'completed' || s.status === 'skipped').length;
    const button = make('button', { type: 'button', 'aria-expanded': 'false', 'aria-controls': id, 'data-key': key },
      status(statusOf(run)),
      make('span', { class: 'name' }, run.run === undefined ? run.pipeline : `${run.pipeline}, run ${run.run}`),
      make('span', { class: 'soft' }, time(run.startedAt)),
      make('span', { class: 'soft' }, run.status ? took(seconds(run.startedAt, run.endedAt)) : ''),
      make('span', { class: 'soft' }, `${done} of ${plural(run.stages.length, 'stage', 'stages')} done`));
    const card = make('article', { class: 'run' }, make('h3', null, button));
    card.reveal = isOpen => {
      button.setAttribute('aria-expanded', String(isOpen));
      const detail = card.querySelector('.detail');
      if (isOpen && !detail) card.append(detailOf(run, id));
      if (!isOpen && detail) detail.remove();
    };
    button.addEventListener('click', () => {
      open.has(key) ? open.delete(key) : open.add(key);
      card.reveal(open.has(key));
    });
    card.reveal(open.has(key));
    return card;
  }

  function textOf(run) {
    return run.text ??= all(run.pipeline, run.run, run.lastError, run.host, run.user, ...run.stages.flatMap(s => [s.name, s.error, s.reason, ...(s.items?.failures ?? []).flatMap(f => [f.key, f.error])]));
  }

  function isWanted(run) {
    const words = fold($('search').value).split(/\s+/).filter(w => w);
    return (!chosen.size || chosen.has(statusOf(run))) && (!$('pipeline').value || $('pipeline').value === `=${run.pipeline}`) && words.every(w => textOf(run).includes(w));
  }

  // What stays is not touched: a text that is marked in it stays marked.
  function arrange(parent, wanted) {
    const staying = new Set(wanted);
    for (const child of [...parent.children]) if (!staying.has(child)) child.remove();
    wanted.forEach((element, i) => { if (parent.children[i] !== element) parent.insertBefore(element, parent.children[i] ?? null); });
  }

  function showRuns() {
    const found = report.runs.filter(isWanted);
    if (isFirst && found.length) open.add(keyOf(found[0]));
    const focused = document.activeElement?.getAttribute?.('data-key');
    const wanted = found.slice(0, shown).map(run => {
      const key = keyOf(run), card = cards.get(key);
      if (card?.run === run) return card.element;
      const element = cardOf(run);
      if (report.live && !isFirst && known.get(key) !== run) element.classList.add('changed');
      known.set(key, run);
      cards.set(key, { run, element });
      return element;
    });
    arrange($('list'), wanted);
    if (focused) $('list').querySelector(`[data-key=${CSS.escape(focused)}]`)?.focus({ preventScroll: true });
    $('found').textContent = found.length === report.runs.length ? plural(found.length, 'run', 'runs') : `${found.length.toLocaleString('en')} of ${plural(report.runs.length, 'run', 'runs')}`;
    more($('more'), found.length - shown);
    isFirst = false;
  }

  function showHistory() {
    const words = fold($('history-search').value).split(/\s+/).filter(w => w), kind = $('event').value;
    const found = [];
    for (let i = report.history.length - 1; i >= 0; i--) {
      const e = report.history[i];
      if ((!kind || e.event === kind) && words.every(w => (e.text ??= all(e.event, e.pipeline, e.run, e.name, e.step, e.reason, e.host, e.user, e.processId)).includes(w))) found.push(e);
    }
    arrange($('lines'), found.slice(0, lines).map(e => e.row ??= make('tr', null,
      make('td', { class: 'time', 'data-label': 'Time' }, time(e.time)),
      make('td', { class: 'short', 'data-label': 'Event' }, e.event),
      make('td', { 'data-label': 'Pipeline' }, e.pipeline),
      make('td', { 'data-label': 'Run' }, e.run),
      make('td', { 'data-label': 'Stage' }, e.name),
      make('td', { class: 'number', 'data-label': 'Step' }, e.step === undefined ? '' : String(e.step)),
      make('td', { 'data-label': 'Why' }, e.reason),
      make('td', { 'data-label': 'Who' }, `${e.user} at ${e.host}, ${e.processId}`))));
    $('history-found').textContent = found.length === report.history.length ? plural(found.length, 'line', 'lines') : `${found.length.toLocaleString('en')} of ${plural(report.history.length, 'line', 'lines')}`;
    more($('history-more'), found.length - lines);
  }

  function more(button, rest) {
    button.hidden = rest <= 0;
    button.textContent = `Show more (${rest.toLocaleString('en')} left)`;
  }

  function choose(select, values, all, prefix) {
    const before = select.value;
    select.replaceChildren(make('option', { value: '' }, all), ...[...new Set(values)].sort().map(v => make('option', { value: prefix + v }, v)));
    select.value = before;
    if (select.selectedIndex < 0) select.value = '';
  }

  function showFrame() {
    $('source').replaceChildren('Store ', make('code', null, report.store), ', ', time(report.generatedAt));
    $('problems').hidden = !report.problems.length;
    $('problems').querySelector('ul').replaceChildren(...report.problems.map(p => make('li', { class: 'problem' }, p)));
    choose($('pipeline'), report.runs.map(r => r.pipeline), 'all', '=');
    choose($('event'), report.history.map(e => e.event), 'all', '');
    const counts = new Map();
    for (const run of report.runs) counts.set(statusOf(run), (counts.get(statusOf(run)) ?? 0) + 1);
    for (const name of chosen) if (!counts.has(name)) counts.set(name, 0);
    const focused = document.activeElement?.getAttribute?.('data-status');
    $('statuses').replaceChildren(...[...counts].sort().map(([name, count]) => {
      const button = make('button', { type: 'button', 'aria-pressed': String(chosen.has(name)), 'data-status': name }, status(name), ` ${count.toLocaleString('en')}`);
      button.addEventListener('click', () => {
        chosen.has(name) ? chosen.delete(name) : chosen.add(name);
        button.setAttribute('aria-pressed', String(chosen.has(name)));
        shown = PAGE;
        showRuns();
      });
      return button;
    }));
    if (focused) $('statuses').querySelector(`[data-status=${CSS.escape(focused)}]`)?.focus();
  }

  function show() {
    showFrame();
    showRuns();
    showHistory();
  }

  for (const form of ['filter', 'history-filter']) $(form).addEventListener('submit', e => e.preventDefault());
  for (const id of ['search', 'pipeline']) $(id).addEventListener('input', () => { shown = PAGE; showRuns(); });
  for (const id of ['history-search', 'event']) $(id).addEventListener('input', () => { lines = LINES; showHistory(); });
  $('more').addEventListener('click', () => { shown += PAGE * 4; showRuns(); });
  $('history-more').addEventListener('click', () => { lines += LINES * 4; showHistory(); });
  // On paper nothing can be unfolded.
  addEventListener('beforeprint', () => { for (const card of $('list').children) card.reveal(true); });
  addEventListener('afterprint', () => { for (const [key, card] of cards) card.element.reveal(open.has(key)); });

  show();
  if (report.live) follow();

  // The dashboard sends the runs that changed and the lines that came.
  function follow() {
    const live = $('live');
    live.hidden = false;
    live.textContent = 'Connecting…';
    // The token in the address has served.
    history.replaceState(null, '', location.pathname);
    // What is at work has bars that grow.
    setInterval(() => {
      const growing = report.runs.filter(run => run.stages.some(s => s.spans.at(-1)?.end === undefined && s.spans.length));
      for (const run of growing) if (open.has(keyOf(run)) && !cards.get(keyOf(run))?.element.querySelector('.failures:focus')) cards.delete(keyOf(run));
      // Whoever is marking a text, or reads in a part of it, is not to lose it.
      const held = getSelection();
      if (growing.length && (held.isCollapsed || !$('list').contains(held.anchorNode))) showRuns();
    }, 2000);
    const source = new EventSource(`events?version=${report.version}`);
    source.addEventListener('report', e => {
      const news = JSON.parse(e.data);
      const changed = new Map(news.runs.map(run => [keyOf(run), run]));
      const gone = new Set((news.gone ?? []).map(keyOf));
      const kept = report.runs.filter(run => !gone.has(keyOf(run))).map(run => {
        const now = changed.get(keyOf(run));
        changed.delete(keyOf(run));
        return now ?? run;
      });
      report.runs = news.isWhole ? news.runs : [...changed.values(), ...kept].sort((a, b) => (b.startedAt ?? '').localeCompare(a.startedAt ?? ''));
      report.history = news.isWhole ? news.history : report.history.concat(news.history);
      report.store = news.store ?? report.store;
      report.problems = news.problems;
      report.generatedAt = news.generatedAt;
      for (const key of gone) cards.delete(key);
      live.textContent = `Live, last change ${clock(news.generatedAt)}`;
      show();
    });
    source.addEventListener('open', () => { live.textContent = 'Live'; });
    source.addEventListener('error', () => { live.textContent = source.readyState === EventSource.CLOSED ? 'The dashboard has ended.' : 'The dashboard does not answer. Trying again…'; });
  }
})();
