/* What a rater did so far: the form, the answers, where they are kept, and the file they become. */

const STATE_PREFIX = 'leokit-user-study:';
const RESULT_FORMAT = 'leokit user study results';
const RESULT_VERSION = 1;

/** The browser's storage, or nothing where it is switched off (private windows, some file:// policies). */
const storage = {
  read(key) {
    try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
  },
  write(key, value) {
    try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; }
  },
};

/** FNV-1a hash of a text, 32 bits: picks a rater's form, the same one on every computer. */
function hashText(text) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash;
}

function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

class Session {
  /**
   * Go on with a rater's stored session, or begin one.
   * @param {object} study  The page's data.
   * @param {string} rater  The rater's name or code.
   * @param {?number} form  A form asked for by the link; without it the name decides.
   */
  constructor(study, rater, form = null) {
    this.study = study;
    this.key = `${STATE_PREFIX}${study.page_hash}:${rater}`;
    const fresh = {
      rater,
      form: form === null ? hashText(rater) % study.forms.length : form,
      session: randomId(),
      started: new Date().toISOString(),
      finished: null,
      position: 0,
      answers: {},
    };
    this.state = storage.read(this.key) || fresh;
    this.resumed = this.answered > 0;
    this.save();
  }

  /** The name that was last used on this page, with its number of answers; null if there is none. */
  static last(study) {
    const rater = storage.read(`${STATE_PREFIX}${study.page_hash}`);
    const state = rater && storage.read(`${STATE_PREFIX}${study.page_hash}:${rater}`);
    return state ? { rater, answered: Object.keys(state.answers).length } : null;
  }

  get form() { return this.study.forms[this.state.form]; }
  get length() { return this.form.length; }
  get answered() { return Object.keys(this.state.answers).length; }
  get complete() { return this.answered === this.length; }
  get position() { return this.state.position; }
  get answer() { return this.state.answers[this.trial.id]; }

  /** The trial on show: its id and the ids of the videos on either side. */
  get trial() { return this.trialAt(this.position); }

  trialAt(position) {
    const [index, flipped] = this.form[position];
    const { id, videos } = this.study.trials[index];
    return flipped ? { id, left: videos[1], right: videos[0] } : { id, left: videos[0], right: videos[1] };
  }

  moveTo(position) {
    this.state.position = Math.max(0, Math.min(position, this.length - 1));
    this.save();
  }

  /** Keep a choice: 'left', 'right', 'tie' or 'unplayable'. Times are those of the first choice. */
  choose(choice, { reactionMs, viewingMs, plays }) {
    const { id, left, right } = this.trial;
    const before = this.answer;
    this.state.answers[id] = {
      trial: id,
      left,
      right,
      choice,
      reaction_ms: before ? before.reaction_ms : Math.round(reactionMs),
      viewing_ms: before ? before.viewing_ms : Math.round(viewingMs),
      plays,
      changes: before ? before.changes + (before.choice === choice ? 0 : 1) : 0,
    };
    if (this.complete && !this.state.finished) this.state.finished = new Date().toISOString();
    this.save();
  }

  save() {
    storage.write(`${STATE_PREFIX}${this.study.page_hash}`, this.state.rater);
    this.stored = storage.write(this.key, this.state);
  }

  /** The content of the results file, answers in the order of the form. */
  results() {
    const order = this.form.map((_, position) => this.trialAt(position).id);
    const { rater, form, session, started, finished, answers } = this.state;
    return {
      format: RESULT_FORMAT,
      version: RESULT_VERSION,
      page_hash: this.study.page_hash,
      rater,
      session,
      form,
      started,
      finished,
      saved: new Date().toISOString(),
      viewport: [window.innerWidth, window.innerHeight],
      order,
      answers: order.filter((id) => id in answers).map((id) => answers[id]),
    };
  }

  get fileName() {
    const name = this.state.rater.replace(/[^\p{L}\p{N}_-]+/gu, '_');
    return `results_${this.study.page_hash.slice(0, 8)}_${name}_${this.state.session.slice(0, 6)}.json`;
  }
}
