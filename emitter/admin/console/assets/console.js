'use strict';
// Keeps pages up to date. Text from anywhere else is only ever set as text.
document.documentElement.classList.add('scripted');

const refreshInterval = 5000;
const maxRows = 200;

// The overview: replace its sections by those of the page as it is now.
const sections = document.querySelectorAll('[data-refresh]');
async function refresh() {
  if (document.hidden) return;
  const response = await fetch(location.href, {credentials: 'same-origin'});
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const {id} of sections) {
    const old = document.getElementById(id), now = page.getElementById(id);
    if (now && !old.contains(document.activeElement) && old.innerHTML !== now.innerHTML) old.replaceChildren(...now.childNodes);
  }
}
if (sections.length > 0) setInterval(() => refresh().catch(() => {}), refreshInterval);

// The live page: a row for everything that the feed says.
const feed = document.getElementById('feed');
if (feed) {
  const rows = document.getElementById('entries');
  const pause = document.getElementById('pause');
  const table = rows.closest('table');
  let source, missed = 0, held = [];

  const say = (text) => { feed.textContent = text; };
  const cell = (row, text) => {
    const td = row.insertCell();
    td.textContent = text;
    return td;
  };
  const show = (entry) => {
    const row = rows.insertRow(0);
    cell(row, entry.at.replace('T', ' ').replace(/(\.\d{3})?\d*Z$/, '$1'));
    const what = row.insertCell();
    if (entry.delivery) {
      const link = document.createElement('a');
      link.href = '/console/deliveries/' + encodeURIComponent(entry.delivery) + '?target=' + encodeURIComponent(entry.target);
      link.textContent = `${entry.event}, attempt ${entry.attempt}`;
      what.append(link);
    } else {
      what.textContent = `${entry.event} recorded`;
    }
    cell(row, entry.survey);
    cell(row, entry.target || `${entry.targets || 0} target${entry.targets === 1 ? '' : 's'}`);
    const outcome = row.insertCell();
    if (entry.outcome) {
      const state = document.createElement('span');
      state.className = 'state ' + entry.outcome.replace(/[^a-z]/g, '');
      state.textContent = entry.outcome;
      outcome.append(state, ' ', entry.reason || (entry.status ? String(entry.status) : ''));
    }
    cell(row, entry.seconds ? `${Math.round(entry.seconds * 1000)} ms` : '');
    while (rows.rows.length > maxRows) rows.deleteRow(-1);
  };
  // Rows must not move from under a pointer or a focus.
  const isInUse = () => table.matches(':hover') || table.contains(document.activeElement);
  const release = () => {
    if (isInUse()) return;
    for (const entry of held) show(entry);
    held = [];
  };
  const add = (entry) => {
    held = [...held, entry].slice(-maxRows);
    release();
  };
  table.addEventListener('mouseleave', release);
  table.addEventListener('focusout', () => setTimeout(release));
  const start = () => {
    source = new EventSource(feed.dataset.feed);
    source.onopen = () => say('Connected: what happens appears at the top.');
    source.onerror = () => say('Not connected; trying again.');
    source.onmessage = (message) => add(JSON.parse(message.data));
    source.addEventListener('missed', (message) => {
      missed += Number(message.data);
      say(`Connected: more happens than can be shown; ${missed} left out.`);
    });
  };
  pause.addEventListener('click', () => {
    const isPaused = pause.getAttribute('aria-pressed') === 'true';
    pause.setAttribute('aria-pressed', String(!isPaused));
    if (isPaused) { start(); } else { source.close(); say('Paused.'); }
  });
  start();
}

// The try page: drop a file.
const drop = document.getElementById('drop');
if (drop) {
  const over = (isOver) => (event) => { event.preventDefault(); drop.classList.toggle('over', isOver); };
  drop.addEventListener('dragover', over(true));
  drop.addEventListener('dragleave', over(false));
  drop.addEventListener('drop', (event) => {
    over(false)(event);
    if (event.dataTransfer.files.length === 0) return;
    drop.elements.har.files = event.dataTransfer.files;
    drop.requestSubmit();
  });
}
