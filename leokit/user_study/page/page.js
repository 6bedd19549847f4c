/* The three screens (welcome, pair, finish), their buttons and keys. */

const byId = (id) => document.getElementById(id);
const study = JSON.parse(byId('study').textContent);
const link = new URLSearchParams(window.location.hash.slice(1) || window.location.search);
const CHOSEN_MS = 160; // how long a choice stays marked before the next pair comes
const KEYS = {
  ArrowLeft: () => choose('left'),
  ArrowRight: () => choose('right'),
  ArrowDown: () => study.allow_ties && choose('tie'),
  ' ': () => player.toggle(),
  r: () => player.replay(),
  b: () => goBack(),
  Backspace: () => goBack(),
  f: () => goForward(),
  s: () => player.broken && choose('unplayable'),
};

let session = null;
let shownAt = 0; // when the pair appeared
let readyAt = null; // when both videos had been watched
let leaving = false; // a choice is made, the next pair is about to come
let unsaved = false;

const player = new PairPlayer([byId('left-figure'), byId('right-figure')], drawTrial);

function show(screen) {
  for (const id of ['welcome', 'trial', 'finish']) byId(id).hidden = id !== screen;
  document.documentElement.dataset.screen = screen;
  window.scrollTo(0, 0);
}

/* Welcome */

function showWelcome() {
  for (const element of document.querySelectorAll('[data-text]')) element.textContent = study[element.dataset.text];
  for (const element of document.querySelectorAll('[data-tie]')) element.hidden = !study.allow_ties;
  byId('amount').textContent = `There are ${study.forms[0].length} pairs.`;
  byId('rater').value = link.get('rater') || '';
  const last = Session.last(study);
  if (last && last.answered && !link.get('rater')) {
    byId('resume').hidden = false;
    byId('resume-text').textContent = `${last.rater}: ${last.answered} of ${study.forms[0].length} pairs done.`;
  }
  if (!document.createElement('video').canPlayType('video/mp4; codecs="avc1.640028"')) {
    byId('rater-error').textContent = 'This browser cannot play the videos (H.264). Please open the file in a '
      + 'current Chrome, Edge, Firefox or Safari.';
    byId('start').disabled = true;
  }
  show('welcome');
  byId('rater').focus({ preventScroll: true });
}

function linkedForm() {
  const form = Number.parseInt(link.get('form'), 10);
  return Number.isInteger(form) ? ((form % study.forms.length) + study.forms.length) % study.forms.length : null;
}

function start(rater) {
  if (!rater) {
    byId('rater-error').textContent = 'Please enter a name or code first.';
    byId('rater').setAttribute('aria-invalid', 'true');
    byId('rater').focus();
    return;
  }
  session = new Session(study, rater, linkedForm());
  unsaved = true;
  if (session.complete) showFinish();
  else showTrial();
}

/* Pair */

function showTrial() {
  show('trial');
  leaving = false;
  shownAt = performance.now();
  readyAt = null;
  player.load(session.trial, Boolean(session.answer));
  byId('trial-question').focus();
}

/** Bring everything on the pair's screen up to date. */
function drawTrial() {
  if (!session || byId('trial').hidden) return;
  const { watched, broken, paused } = player;
  if (watched && readyAt === null) readyAt = performance.now();
  const done = session.answered;
  const chosen = session.answer && session.answer.choice;
  document.title = `Pair ${session.position + 1} of ${session.length} – ${study.title}`;
  byId('counter').textContent = `Pair ${session.position + 1} of ${session.length}`;
  byId('progress').setAttribute('aria-valuemax', session.length);
  byId('progress').setAttribute('aria-valuenow', done);
  byId('progress').firstElementChild.style.width = `${(100 * done) / session.length}%`;
  player.sides.forEach(({ figure, seen, plays }, i) => {
    figure.classList.toggle('chosen', chosen === ['left', 'right'][i]);
    seen.classList.toggle('done', plays > 0 || player.released);
    const text = plays > 0 || player.released ? 'watched ✓' : 'not yet watched';
    if (seen.textContent !== text) seen.textContent = text;
  });
  for (const choice of ['left', 'right', 'tie']) {
    const button = byId(`choose-${choice}`);
    button.disabled = !watched || broken;
    button.classList.toggle('chosen', chosen === choice);
    button.setAttribute('aria-pressed', String(chosen === choice));
  }
  byId('pause').querySelector('span').textContent = paused ? 'Play' : 'Pause';
  byId('back').disabled = session.position === 0;
  byId('forward').disabled = !chosen;
  byId('skip').hidden = !broken;
  drawStatus({ watched, broken, paused, chosen });
}

function drawStatus({ watched, broken, paused, chosen }) {
  const status = byId('status');
  let text = 'Watch both videos to the end, then choose.';
  if (broken) text = 'A video of this pair cannot be played here. Skip the pair with S.';
  else if (paused && !watched) text = 'Press Space to play both videos.';
  else if (watched && chosen) text = 'You have answered this pair. Choose again to change it, or go forward.';
  else if (watched) text = `Choose: ← left${study.allow_ties ? ', ↓ no difference,' : ' or'} → right.`;
  status.classList.toggle('ready', watched && !broken);
  status.classList.toggle('bad', broken);
  if (status.textContent !== text) status.textContent = text;
}

function choose(choice) {
  if (leaving || (choice !== 'unplayable' && (!player.watched || player.broken))) return;
  leaving = true;
  const now = performance.now();
  session.choose(choice, {
    reactionMs: now - (readyAt === null ? now : readyAt),
    viewingMs: now - shownAt,
    plays: player.plays,
  });
  unsaved = true;
  drawTrial();
  setTimeout(advance, CHOSEN_MS);
}

function goForward() {
  if (!leaving && session.answer) advance();
}

function advance() {
  if (session.position + 1 < session.length) {
    session.moveTo(session.position + 1);
    showTrial();
  } else if (session.complete) {
    showFinish();
  }
}

function goBack() {
  if (leaving || session.position === 0) return;
  session.moveTo(session.position - 1);
  showTrial();
}

/* Finish */

function showFinish() {
  player.unload();
  show('finish');
  document.title = `Done – ${study.title}`;
  const content = JSON.stringify(session.results(), null, 1);
  const download = byId('download');
  URL.revokeObjectURL(download.href);
  download.href = URL.createObjectURL(new Blob([content], { type: 'application/json' }));
  download.download = session.fileName;
  byId('file-name').textContent = session.fileName;
  byId('saved').textContent = '';
  download.focus();
}

/* Events */

byId('start-form').addEventListener('submit', (event) => {
  event.preventDefault();
  start(byId('rater').value.trim());
});
byId('resume-button').addEventListener('click', () => start(Session.last(study).rater));
for (const choice of ['left', 'right', 'tie']) {
  byId(`choose-${choice}`).addEventListener('click', () => choose(choice));
}
byId('skip').addEventListener('click', () => choose('unplayable'));
byId('back').addEventListener('click', goBack);
byId('forward').addEventListener('click', goForward);
byId('pause').addEventListener('click', () => player.toggle());
byId('replay').addEventListener('click', () => player.replay());
byId('finish-back').addEventListener('click', showTrial);
byId('download').addEventListener('click', () => {
  unsaved = false;
  byId('saved').textContent = 'Saved to your downloads. You can close this page.';
});
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !session) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!byId('finish').hidden && (key === 'b' || key === 'Backspace')) {
    showTrial();
  } else if (!byId('trial').hidden && key in KEYS) {
    if (key === ' ' && event.target.closest('button')) return; // Space presses the button that has the focus
    event.preventDefault();
    if (!event.repeat) KEYS[key](); // a key held down must not answer pair after pair
  }
});
window.addEventListener('beforeunload', (event) => {
  // unfinished answers wait in the browser's storage, if it has one
  if (session && unsaved && (session.complete || !session.stored)) event.preventDefault();
});

showWelcome();
