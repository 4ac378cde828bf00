'use strict';
(() => {
  const DATA = window.TRAILERS12K;
  const $ = (id) => document.getElementById(id);
  if (!DATA) {
    warn('movies.js is missing. Copy the whole folder of the review, not only this page.');
    return;
  }

  const PAGE = 200; // movies per page
  const CELLS = 24; // frames of a contact sheet before “All shots”
  const COLUMNS = ['mid', 'decision', 'wrong', 'replacement', 'sha256', 'note', 'by', 'date'];
  const IGNORED = ['title', 'verified']; // further columns of data/curation.csv, which can be imported
  const NAMES = { accept: 'accepted', reject: 'rejected', wrong_trailer: 'wrong trailer', unsure: 'unsure' };
  const FORMULA = /^'*[=+\-@＝＋－＠\t\r\n]/;
  const KEY = `trailers12k review: ${DATA.collection}: `;
  const FLAGS = Object.keys(DATA.flags);

  const read = (names, row) => Object.fromEntries(names.map((name, place) => [name, row[place]]));
  const movies = DATA.movies.map((row) => read(DATA.columns, row));
  const byMid = new Map(movies.map((movie) => [movie.mid, movie]));
  // Decisions that were made before the page was written.
  const published = new Map(DATA.decisions.map((row) => [row[0], read(DATA.decided, row)]));

  // Storage of the browser, with one key per movie, so that two windows do not overwrite each other.
  const own = new Map();
  let canStore = true;
  let settings = { by: null, keys: true, advance: true, fresh: 0 };

  function store(name, value) {
    try {
      if (value === null) localStorage.removeItem(KEY + name);
      else localStorage.setItem(KEY + name, JSON.stringify(value));
    } catch (error) {
      canStore = false;
      warn(`This browser cannot store decisions (${error.name}): export them before you close this page.`);
    }
  }

  function load() {
    own.clear();
    try {
      for (let place = 0; place < localStorage.length; place++) {
        const key = localStorage.key(place);
        if (key.startsWith(KEY)) take(key.slice(KEY.length), localStorage.getItem(key));
      }
      store('test', 1);
      store('test', null);
    } catch (error) {
      canStore = false;
      warn(`This browser cannot store decisions (${error.name}): export them before you close this page.`);
    }
  }

  function take(name, text) {
    let value = null;
    try {
      value = JSON.parse(text);
    } catch { /* another program's key, or damaged */ }
    if (name === 'settings' && value) settings = { ...settings, ...value };
    else if (/^tt\d{7,8}$/.test(name)) {
      const entry = validEntry(value);
      if (entry) own.set(name, entry);
      else own.delete(name);
    }
  }

  function validEntry(value) {
    if (!value || typeof value !== 'object') return null;
    const text = (name) => (typeof value[name] === 'string' ? value[name] : '');
    return {
      decision: Object.hasOwn(NAMES, text('decision')) ? text('decision') : '',
      wrong: Array.isArray(value.wrong) ? value.wrong.filter((each) => typeof each === 'string') : [],
      replacement: text('replacement'), sha256: text('sha256'), note: text('note'),
      by: text('by'), date: text('date'), seen: text('seen'),
    };
  }

  const saveSettings = () => store('settings', settings);

  window.addEventListener('storage', (event) => {
    if (!event.key || !event.key.startsWith(KEY)) return;
    const name = event.key.slice(KEY.length);
    take(name, event.newValue);
    if (byMid.has(name)) refresh(name);
    updateCounts();
  });

  // Decisions.
  const BLANK = { decision: '', wrong: [], replacement: '', sha256: '', note: '', by: '', date: '' };

  /** Identifies a decision. */
  const signature = (entry) => (entry ? [entry.decision, entry.replacement, entry.by, entry.date].join('|') : '');

  /** The decision about a movie: this browser's, unless the page has a later one that this browser had not seen. */
  function decided(mid) {
    const mine = own.get(mid);
    const theirs = published.get(mid);
    const later = mine && theirs && (!theirs.date || theirs.date > mine.date) && signature(theirs) !== mine.seen;
    return mine && !later ? mine : theirs || BLANK;
  }

  /** The decision about a movie's current file, `open`, or `other`: a decision about another file, so open too. */
  function state(movie) {
    const entry = decided(movie.mid);
    if (!entry.decision) return 'open';
    const replaced = entry.decision === 'wrong_trailer' && !entry.sha256 && movie.sha256 && entry.replacement
      && same(entry.replacement, movie.address);
    return replaced || (entry.sha256 && entry.sha256 !== movie.sha256) ? 'other' : entry.decision;
  }

  const isOpen = (movie) => ['open', 'other'].includes(state(movie));

  const undoStack = []; // steps to restore: lists of [mid, entry or undefined]

  function put(mid, entry) {
    const stored = entry && { ...entry, seen: signature(published.get(mid)) };
    if (stored) own.set(mid, stored);
    else own.delete(mid);
    store(mid, stored || null);
    settings.fresh += 1;
  }

  /** Makes changes, a list of [mid, entry], as one step that can be undone. */
  function record(changes) {
    undoStack.push(changes.map(([mid]) => [mid, own.get(mid)]));
    for (const [mid, entry] of changes) put(mid, entry);
    saveSettings();
    for (const [mid] of changes) refresh(mid);
    updateCounts();
  }

  function undo() {
    const step = undoStack.pop();
    if (!step) return say('Nothing to undo.');
    for (const [mid, entry] of step) put(mid, entry);
    saveSettings();
    for (const [mid] of step) refresh(mid);
    updateCounts();
    const [mid] = step[0];
    const movie = byMid.get(mid);
    if (step.length > 1) say(`Undone: ${number(step.length)} decisions.`);
    else say(`Undone: ${movie ? movie.title : mid} is ${words(movie ? state(movie) : decided(mid).decision)} again.`);
    if (movie && $(mid)) go(mid);
  }

  const words = (state) => NAMES[state] || { open: 'open', other: 'decided about another file' }[state] || 'open';
  const number = (value) => value.toLocaleString('en');
  const same = (one, other) => plainAddress(one) === plainAddress(other);

  function today() {
    const now = new Date();
    const two = (value) => String(value).padStart(2, '0');
    return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  }

  /** A new decision; it keeps the note and what is recorded about other files of the movie. */
  function make(movie, decision) {
    const before = decided(movie.mid);
    const here = movie.address;
    let wrong = before.wrong;
    let replacement = before.replacement;
    if (decision === 'wrong_trailer') {
      if (here && !wrong.some((each) => same(each, here))) wrong = [...wrong, here];
      if (wrong.some((each) => same(each, replacement))) replacement = '';
    } else {
      if (here) wrong = wrong.filter((each) => !same(each, here));
      // A requested replacement stays only if it is the current file.
      if (!here || !same(replacement, here)) replacement = '';
    }
    return { decision, wrong, replacement, sha256: movie.sha256, note: before.note, by: settings.by || '', date: today() };
  }

  async function decide(movie, decision) {
    if (decision === 'accept' && !movie.sha256) return say(`${movie.title}: there is no trailer to accept.`);
    if (!(await named())) return;
    if (state(movie) === decision && decision !== 'wrong_trailer') {
      say(`${movie.title}: already ${words(decision)}.`);
    } else if (state(movie) !== decision) {
      record([[movie.mid, make(movie, decision)]]);
      say(`${movie.title}: ${words(decision)}.`);
    }
    if (decision === 'wrong_trailer') askReplacement(movie);
    else if (settings.advance) step(1, movie.mid);
    else go(movie.mid);
  }

  async function withdraw(mid) {
    const movie = byMid.get(mid);
    record([[mid, { ...BLANK, note: decided(mid).note, by: settings.by || '', date: today() }]]);
    say(`${movie ? movie.title : mid}: open again.`);
    if (movie) go(mid);
  }

  async function bulk() {
    const those = bulkable();
    if (!those.length || !(await named())) return;
    record(those.map((movie) => [movie.mid, make(movie, 'accept')]));
    say(`${number(those.length)} accepted; one undo reverts all of them.`);
  }

  const shown = () => list.slice((view.page - 1) * PAGE, view.page * PAGE);
  const bulkable = () => shown().filter((movie) => !movie.flags.length && movie.sha256 && state(movie) === 'open');

  // The reviewer's name.
  async function named(again = false) {
    if (settings.by !== null && !again) return true;
    $('name-value').value = settings.by || '';
    if (!(await confirmed($('name')))) return false;
    settings.by = line($('name-value').value);
    saveSettings();
    updateCounts();
    return true;
  }

  /** Opens a dialog; resolves to whether it was confirmed, without a delay in which keys would be lost. */
  function confirmed(dialog) {
    return new Promise((resolve) => {
      const form = dialog.querySelector('form');
      const done = new AbortController();
      const { signal } = done;
      const end = (answer) => {
        done.abort();
        dialog.close();
        resolve(answer);
      };
      form.addEventListener('submit', (event) => {
        event.preventDefault();
        end(true);
      }, { signal });
      form.querySelector('[data-do=cancel]').addEventListener('click', () => end(false), { signal });
      dialog.addEventListener('close', () => end(false), { signal });
      dialog.showModal();
    });
  }

  // Addresses. The same rules as trailers12k/common/youtube.py, which reads the exported decisions.
  const SITE = ['youtube.com', 'youtu.be', 'youtube-nocookie.com', 'youtube.googleapis.com', 'youtubekids.com',
    'youtubeeducation.com', 'y2u.be', 'ytimg.com'];
  const SHORT = ['youtu.be', 'y2u.be'];
  const SCHEMELESS = new RegExp(`^(//)?([a-z0-9-]+\\.)*(${SITE.join('|').replaceAll('.', '\\.')})(:\\d+)?[/?#]`, 'i');
  const ID_FOLLOWS = ['v', 'vi', 'vi_webp', 'an_webp', 'e', 'embed', 'shorts', 'live', 'watch', 'video'];
  const NO_ID = ['videoseries', 'live_stream'];
  const LINKS = ['u', 'continue', 'next', 'url', 'q'];
  const REDIRECTS = /^(www\.)?google\.[a-z]{2,3}(\.[a-z]{2})?$/;
  const INVISIBLE = '\\x00-\\x20\\x7f-\\xa0\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2000-\\u200f'
    + '\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\uffff';
  const QUOTES = '<>"\'`\\u2018-\\u201f\\u00ab\\u00bb\\u2039\\u203a';

  const stripped = (text, set) => text.replace(new RegExp(`^[${set}]+|[${set}]+$`, 'g'), '');
  const isId = (text) => /^[A-Za-z0-9_-]{11}$/.test(text) && !NO_ID.includes(text);
  const isIn = (host, domains) => domains.some((domain) => `.${host}`.endsWith(`.${domain}`));

  /** The id with which a text begins; empty without one. */
  function idAtStart(text) {
    const id = (/^[A-Za-z0-9_-]{11}(?![A-Za-z0-9_-])/.exec(text) || [''])[0];
    return isId(id) ? id : '';
  }

  function unquote(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  /** The URL of an address, with or without its scheme. Throws for other texts. */
  function urlOf(text) {
    const address = stripped(text, INVISIBLE + QUOTES);
    return new URL(SCHEMELESS.test(address) ? `https://${address.replace(/^\/\//, '')}` : address);
  }

  /** Whether an address is a page of YouTube. */
  function isPage(text) {
    try {
      return isIn(urlOf(text).hostname.replace(/\.$/, ''), SITE);
    } catch {
      return false;
    }
  }

  /** The id of the YouTube video of an address; empty where it names none. */
  function videoId(text, depth = 3) {
    let url;
    try {
      url = urlOf(text);
    } catch {
      return '';
    }
    const host = url.hostname.replace(/\.$/, '');
    const redirects = REDIRECTS.test(host) && url.pathname === '/url';
    if (!depth || !/^https?:$/.test(url.protocol) || url.username || url.password) return '';
    if (!isIn(host, SITE) && !redirects) return '';
    const fragment = url.hash.slice(1).replace(/^!/, '');
    const parameters = (query) => [...new URLSearchParams(query.replaceAll('&amp;', '&').replaceAll('?', '&'))];
    const pairs = [...parameters(url.search.slice(1)), ...parameters(fragment)];
    const links = pairs.filter(([name]) => LINKS.includes(name)).map(([, value]) => value.trim());
    if (fragment.startsWith('/')) links.push(fragment);
    if (redirects && !links.some(isPage)) return '';
    let folders = unquote(url.pathname).split('/').filter(Boolean);
    if (isIn(host, SHORT) && folders.length === 1) folders = ['v', ...folders];
    if (folders.length > 1 && ID_FOLLOWS.includes(folders[0].toLowerCase())) {
      const id = idAtStart(folders[1]);
      if (id) return id;
    }
    const ids = pairs.filter(([name]) => name === 'v' || name === 'vi').map(([, value]) => idAtStart(value.trim()));
    for (const link of links) {
      try {
        ids.push(videoId(new URL(link, 'https://www.youtube.com/').href, depth - 1));
      } catch {
        // The parameter holds no address.
      }
    }
    return ids.find(Boolean) || '';
  }

  /** Whether an address is a page of YouTube other than a video's, such as a playlist. */
  const namesNoVideo = (text) => isPage(text) && !videoId(text);

  /** The YouTube id of a YouTube address; any other text unchanged. */
  function plainAddress(text) {
    const bare = stripped(text, INVISIBLE);
    return isId(bare) ? bare : videoId(text) || text;
  }

  /** The http(s) link to a trailer; empty for a file or an invalid address. */
  function link(address) {
    if (isId(address)) return `https://www.youtube.com/watch?v=${address}`;
    try {
      const url = new URL(address);
      return /^https?:$/.test(url.protocol) && url.hostname && !url.username && !url.password ? url.href : '';
    } catch {
      return '';
    }
  }

  /** {address} of a replacement, or {fault}: why it is invalid. */
  function replacementOf(text, wrong) {
    const trimmed = text.trim();
    if (!trimmed) return { address: '' };
    const plain = plainAddress(trimmed);
    const url = isId(plain) ? plain : link(plain);
    if (namesNoVideo(trimmed)) return { fault: 'This is no video of YouTube, but a playlist, a channel or a search.' };
    if (!url || url.length > 2000 || (!isId(plain) && /[|\s]/.test(trimmed))) {
      return { fault: 'This is neither a YouTube id (11 characters) nor an http(s) address without a password.' };
    }
    if (wrong.some((each) => same(each, url))) return { fault: 'This is the trailer that was marked as wrong.' };
    return { address: url };
  }

  // Filters and order.
  const VIEW = { page: 1, flag: '', genre: '', decision: '', sort: '', find: '', movie: '' };
  let view = { ...VIEW };
  let list = movies;
  let listed = null; // filters and order of `list`, which decisions do not change

  function parse() {
    const parameters = new URLSearchParams(location.hash.slice(1));
    const next = { ...VIEW };
    for (const name of Object.keys(VIEW)) if (parameters.has(name)) next[name] = parameters.get(name);
    next.page = Math.max(1, parseInt(next.page, 10) || 1);
    return next;
  }

  function hash(changes) {
    const next = { ...view, movie: '', ...changes };
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(next)) {
      if (value && !(name === 'page' && value === 1)) parameters.set(name, value);
    }
    return `#${parameters}`;
  }

  const visit = (changes) => {
    location.hash = hash(changes);
    render();
  };

  const text = (value) => value.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const order = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  const SORTS = {
    flags: (a, b) => b.flags.length - a.flags.length,
    title: (a, b) => order.compare(a.title, b.title),
    new: (a, b) => (b.year || 0) - (a.year || 0),
    old: (a, b) => (a.year || 9999) - (b.year || 9999),
    short: (a, b) => (a.duration || Infinity) - (b.duration || Infinity) || 0,
    long: (a, b) => b.duration - a.duration,
    silent: (a, b) => (b.silence ?? -1) - (a.silence ?? -1),
    loud: (a, b) => (b.loudness ?? -Infinity) - (a.loudness ?? -Infinity) || 0,
    spoken: (a, b) => (b.speech ?? -1) - (a.speech ?? -1),
    shots: (a, b) => (a.shots || Infinity) - (b.shots || Infinity) || 0,
  };

  function choose() {
    const { flag, genre, decision, sort, find } = view;
    const wanted = JSON.stringify([flag, genre, decision, sort, find]);
    if (wanted === listed) return;
    listed = wanted;
    const flagNumber = FLAGS.indexOf(flag);
    const genreNumber = DATA.genres.indexOf(genre);
    const query = text(find.trim());
    list = movies.filter((movie) => {
      if (flag === 'any' && !movie.flags.length) return false;
      if (flag === 'none' && movie.flags.length) return false;
      if (flagNumber >= 0 && !movie.flags.some(([each]) => each === flagNumber)) return false;
      if (genreNumber >= 0 && !movie.genres.includes(genreNumber)) return false;
      if (query && !text(movie.title).includes(query) && movie.mid !== query) return false;
      if (!decision) return true;
      if (decision === 'open') return isOpen(movie);
      if (decision === 'decided') return !isOpen(movie);
      return state(movie) === decision;
    });
    const compare = Object.hasOwn(SORTS, sort) && SORTS[sort];
    if (compare) list.sort(compare); // movies are ordered by id, and sorting is stable
  }

  // Cards.
  const template = $('card').content.firstElementChild;
  let current = '';

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  const button = (name, label, data = {}) => {
    const made = element('button', { type: 'button' }, label);
    Object.assign(made.dataset, { do: name, ...data });
    return made;
  };

  function outward(address, label) {
    return element('a', { href: address, target: '_blank', rel: 'noopener noreferrer' }, label);
  }

  function time(seconds, tenths = false) {
    const minutes = Math.floor(seconds / 60);
    const rest = seconds - 60 * minutes;
    return `${minutes}:${tenths ? rest.toFixed(1).padStart(4, '0') : String(Math.floor(rest)).padStart(2, '0')}`;
  }

  function card(movie) {
    const item = template.cloneNode(true);
    const article = item.firstElementChild;
    article.id = movie.mid;
    const part = (name) => article.querySelector(name);
    const heading = part('h3');
    heading.id = `${movie.mid}-title`;
    heading.append(movie.title || movie.mid);
    if (movie.year) heading.append(' ', element('span', {}, `(${movie.year})`));
    article.setAttribute('aria-labelledby', heading.id);
    part('.poster').append(movie.poster
      ? element('img', { src: `posters/${movie.mid}.jpg`, alt: `Poster of ${movie.title}`, loading: 'lazy', decoding: 'async', width: 76, height: 114 })
      : element('div', {}, 'no poster'));
    const facts = [movie.genres.map((each) => DATA.genres[each]).join(', ')];
    if (movie.duration) facts.push(movie.duration < 60 ? `${movie.duration.toFixed(movie.duration < 20 ? 1 : 0)} s` : time(movie.duration));
    if (movie.shots) facts.push(`${number(movie.shots)} shot${movie.shots === 1 ? '' : 's'}`);
    if (movie.width) facts.push(`${movie.width}×${movie.height}`);
    facts.push(...soundFacts(movie));
    part('.line').textContent = facts.filter(Boolean).join(' · ');
    const links = part('.links');
    const where = link(movie.address);
    if (where) links.append(outward(where, 'Trailer'));
    links.append(outward(`https://www.imdb.com/title/${movie.mid}/`, 'IMDb'), element('span', {}, movie.mid));
    if (movie.video) links.append(element('span', {}, `“${movie.video}”`));
    else if (movie.address && !where) links.append(element('span', {}, movie.address));
    part('.flags').append(...movie.flags.map(([flag, reason, others]) => flagItem(movie, FLAGS[flag], reason, others)));
    if (!movie.flags.length) part('.flags').remove();
    updateCard(article, movie);
    return item;
  }

  const percent = (share) => `${(100 * share).toFixed(0)}\u00a0%`;

  function soundFacts(movie) {
    if (!movie.sound) return [];
    if (movie.sound !== 'ok') return ['no sound'];
    return [
      movie.loudness !== null && `${movie.loudness.toFixed(1).replace('-', '−')}\u00a0LUFS`,
      movie.silence !== null && `${percent(movie.silence)} silence`,
      movie.speech !== null && `${percent(movie.speech)} speech`,
    ];
  }

  function flagItem(movie, flag, reason, others) {
    const item = element('li', { title: DATA.flags[flag] }, element('b', {}, label(flag)), ` ${reason} `);
    for (const mid of others) {
      if (!byMid.has(mid)) continue;
      const beside = button('beside', `Show ${mid} beside`, { mid });
      beside.setAttribute('aria-expanded', 'false');
      const jump = element('a', { href: `#movie=${mid}` }, `go to ${mid}`);
      // Without a change of the hash, there is no event.
      jump.addEventListener('click', () => { if (location.hash === jump.hash) render(); });
      item.append(beside, ' ', jump, ' ');
    }
    return item;
  }

  const label = (flag) => flag.replaceAll('_', ' ');

  /** Updates the parts of a card that depend on the decision. */
  function updateCard(article, movie) {
    const entry = decided(movie.mid);
    const now = state(movie);
    article.classList.remove(...Object.keys(NAMES), 'other');
    if (now !== 'open') article.classList.add(now);
    for (const each of article.querySelectorAll('.buttons [aria-pressed]')) {
      each.setAttribute('aria-pressed', String(each.dataset.do === now));
      each.disabled = each.dataset.do === 'accept' && !movie.sha256;
    }
    const line = article.querySelector('.state');
    line.replaceChildren();
    if (now === 'other') {
      line.append('about another file: ', element('b', {}, words(entry.decision)));
    } else if (now !== 'open') line.append(element('b', {}, words(now)));
    const signed = [entry.by && `by ${entry.by}`, entry.date].filter(Boolean).join(', ');
    if (entry.decision && signed) line.append(` ${signed}`);
    if (entry.replacement) line.append('; replacement: ', entry.replacement);
    if (entry.decision) line.append(' ', button('clear', 'Withdraw'));
    const more = article.querySelector('.more');
    if (entry.note) noteOf(article, movie);
    const note = more.querySelector('textarea');
    if (note && note !== document.activeElement) note.value = entry.note;
    const form = more.querySelector('form');
    if (form && now !== 'wrong_trailer') form.remove();
    else if (form && form.querySelector('input') !== document.activeElement) form.querySelector('input').value = entry.replacement;
  }

  function refresh(mid) {
    const article = $(mid);
    if (article && byMid.has(mid)) updateCard(article, byMid.get(mid));
  }

  function noteOf(article, movie) {
    const more = article.querySelector('.more');
    let note = more.querySelector('textarea');
    if (!note) {
      note = element('textarea', { rows: 2, maxLength: 2000, value: decided(movie.mid).note });
      more.append(element('label', {}, 'Note', note));
    }
    return note;
  }

  async function openNote(movie) {
    if (!(await named())) return;
    noteOf($(movie.mid), movie).focus();
  }

  let noting = ''; // the movie whose note is being edited; all keystrokes are one step to undo
  function writeNote(movie, value) {
    const before = decided(movie.mid);
    // A note keeps the reviewer and the date of the decision.
    const entry = { ...before, note: value, ...(before.decision ? {} : { by: settings.by || '', date: today() }) };
    if (noting === movie.mid) {
      put(movie.mid, entry);
      saveSettings();
      refresh(movie.mid);
      updateCounts();
    } else record([[movie.mid, entry]]);
    noting = movie.mid;
  }

  function askReplacement(movie) {
    const article = $(movie.mid);
    if (!article) return;
    const more = article.querySelector('.more');
    let form = more.querySelector('form');
    if (!form) {
      const input = element('input', { autocomplete: 'off', spellcheck: false, placeholder: 'YouTube id or https://…' });
      const id = `${movie.mid}-fault`;
      input.setAttribute('aria-describedby', id);
      const save = element('button', { type: 'submit', className: 'main' }, 'Save');
      const fault = element('p', { id, className: 'fault' });
      fault.setAttribute('role', 'alert');
      form = element('form', {}, element('label', {}, 'The correct trailer, if you know it', input), save, fault);
      form.noValidate = true;
      more.prepend(form);
    }
    const input = form.querySelector('input');
    input.value = decided(movie.mid).replacement;
    input.focus();
  }

  function saveReplacement(movie, form) {
    const entry = decided(movie.mid);
    const input = form.querySelector('input');
    const { address, fault } = replacementOf(input.value, entry.wrong);
    form.querySelector('.fault').textContent = fault || '';
    input.setAttribute('aria-invalid', String(Boolean(fault)));
    if (fault) return input.focus();
    if (address !== entry.replacement) {
      record([[movie.mid, { ...entry, replacement: address, by: settings.by || '', date: today() }]]);
    }
    say(`${movie.title}: ${address ? `replaced by ${address}` : 'wrong trailer, no replacement'}.`);
    form.remove();
    if (settings.advance) step(1, movie.mid);
    else go(movie.mid);
  }

  // Contact sheets.
  function starts(movie) {
    if (!movie.starts) return [];
    let at = 0;
    return movie.starts.split(' ').map((step) => (at += parseInt(step, 36)) / 10);
  }

  /** The waveform of a trailer from one second to another, as wide as the frame above it. */
  function waveform(movie, from, to) {
    const picture = element('img', { src: `waveforms/${movie.mid}.png`, alt: '', decoding: 'async' });
    picture.style.width = `${(100 * movie.waveform) / (to - from)}%`;
    picture.style.marginLeft = `${(-100 * from) / (to - from)}%`;
    return element('b', {}, picture);
  }

  /** A bar for each clip of a shot, as high as the share of it that is speech. */
  function speechBars(digits, seconds) {
    const bars = [...digits].map((digit, place) => {
      const bar = element('s');
      bar.style.left = `${(100 * place * DATA.clip) / seconds}%`;
      bar.style.width = `${(100 * DATA.clip) / seconds}%`;
      bar.style.height = `${(100 * parseInt(digit, 36)) / 35}%`;
      return bar;
    });
    const shares = [...digits].map((digit) => percent(parseInt(digit, 36) / 35));
    return element('u', { title: `Speech of each clip, a bar from 0 to 100\u00a0%: ${shares.join(', ')}` }, ...bars);
  }

  function sheet(movie) {
    const box = element('div', { className: 'sheet' });
    box.dataset.of = movie.mid;
    const times = starts(movie);
    if (!movie.cell || !times.length) {
      const why = movie.shots ? 'No contact sheet: only a machine with the videos makes one.' : 'No trailer to show. If you know one, press “Wrong trailer” and enter its address.';
      box.append(element('p', {}, why));
      return box;
    }
    const columns = Math.min(DATA.sheet.columns, times.length);
    const rows = Math.ceil(times.length / columns);
    const spoken = movie.spoken ? movie.spoken.split(' ') : [];
    const end = Math.max(movie.duration, times.at(-1) + 0.1);
    const cells = element('div', { className: 'cells' });
    cells.setAttribute('role', 'img');
    const fill = (from, to) => {
      const fragment = document.createDocumentFragment();
      for (let place = from; place < to; place++) {
        const frame = document.createElement('i');
        const column = place % columns;
        const row = Math.floor(place / columns);
        frame.style.aspectRatio = `${movie.cell} / ${DATA.sheet.height}`;
        frame.style.backgroundImage = `url("sheets/${movie.mid}.jpg")`;
        frame.style.backgroundSize = `${columns * 100}% ${rows * 100}%`;
        frame.style.backgroundPosition = `${columns > 1 ? (column / (columns - 1)) * 100 : 0}% ${rows > 1 ? (row / (rows - 1)) * 100 : 0}%`;
        const until = times[place + 1] ?? end;
        const sound = movie.waveform && until > times[place] ? [waveform(movie, times[place], until)] : [];
        if (spoken[place]) sound.push(speechBars(spoken[place], Math.max(until - times[place], 0.1)));
        fragment.append(element('span', {}, frame, ...sound, time(times[place], true)));
      }
      cells.append(fragment);
      const heard = [movie.waveform && 'the waveform', spoken.length && 'the speech (0 to 100\u00a0%)'].filter(Boolean).join(' and ');
      cells.setAttribute('aria-label', `Contact sheet of ${movie.title}: the first ${to} of ${times.length} shots, a frame each${heard && `, and below it ${heard} of the shot`}`);
    };
    fill(0, Math.min(CELLS, times.length));
    box.append(cells);
    if (times.length > CELLS) {
      const all = element('button', { type: 'button' }, `All ${number(times.length)} shots`);
      all.addEventListener('click', () => {
        fill(CELLS, times.length);
        all.remove();
        go(box.closest('article').id);
      });
      box.append(all);
    }
    return box;
  }

  function showSheet(article) {
    const box = article.querySelector('.sheets');
    if (!box.childElementCount) box.append(sheet(byMid.get(article.id)));
  }

  const watching = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watching.unobserve(entry.target);
      showSheet(entry.target);
    }
  }, { rootMargin: '900px 0px' });

  function beside(article, mid, pressed) {
    showSheet(article);
    const box = article.querySelector('.sheets');
    const open = [...box.children].filter((each) => each.dataset.beside === mid);
    if (open.length) {
      open.forEach((each) => each.remove());
      pressed.setAttribute('aria-expanded', 'false');
      return;
    }
    const other = byMid.get(mid);
    const heading = element('h4', {}, `${other.title} (${other.year || 'no year'}), ${mid}`);
    const shots = sheet(other);
    heading.dataset.beside = shots.dataset.beside = mid;
    box.append(heading, shots);
    pressed.setAttribute('aria-expanded', 'true');
  }

  // The page.
  let flaggedMovies = 0;
  let drawn = null; // filters, order and page of the cards
  let rendered = ''; // hash of the rendered view

  function render() {
    rendered = location.hash;
    view = parse();
    if (view.movie && byMid.has(view.movie)) {
      const mid = view.movie;
      const place = movies.findIndex((movie) => movie.mid === mid);
      view = { ...VIEW, movie: mid, page: Math.floor(place / PAGE) + 1 };
    }
    choose();
    const last = Math.max(1, Math.ceil(list.length / PAGE));
    view.page = Math.min(view.page, last);
    for (const name of ['flag', 'genre', 'decision', 'sort']) {
      $(name).value = view[name];
      if ($(name).selectedIndex < 0) $(name).value = '';
    }
    if ($('find') !== document.activeElement) $('find').value = view.find;

    const now = `${listed} ${view.page}`;
    if (now !== drawn) {
      drawn = now;
      noting = '';
      watching.disconnect();
      const fragment = document.createDocumentFragment();
      const those = shown();
      for (const movie of those) fragment.append(card(movie));
      $('list').start = (view.page - 1) * PAGE + 1;
      $('list').replaceChildren(fragment);
      for (const item of $('list').children) watching.observe(item.firstElementChild);
      current = those.length ? those[0].mid : '';
      if (!view.movie) scrollTo(0, 0);
      pages(last);
    }
    $('nothing').hidden = list.length > 0;
    updateCounts();
    if (view.movie && $(view.movie)) go(view.movie);
    else mark();
  }

  function pages(last) {
    for (const nav of document.querySelectorAll('nav.pages')) {
      nav.hidden = last < 2;
      if (last < 2) {
        nav.replaceChildren();
        continue;
      }
      const before = button('page', '← Previous', { page: view.page - 1 });
      const after = button('page', 'Next →', { page: view.page + 1 });
      before.disabled = view.page === 1;
      after.disabled = view.page === last;
      const select = element('select', {});
      for (let page = 1; page <= last; page++) select.append(new Option(`page ${page} of ${last}`, page));
      select.value = view.page;
      select.setAttribute('aria-label', 'Page');
      select.addEventListener('change', () => turn(Number(select.value)));
      nav.replaceChildren(before, select, after);
    }
  }

  function turn(page, mid = '') {
    visit({ page });
    go(mid || current);
  }

  /** Updates the progress, the counts, and everything else that depends on all decisions. */
  function updateCounts() {
    const counts = { open: 0, other: 0, accept: 0, reject: 0, wrong_trailer: 0, unsure: 0 };
    for (const movie of movies) counts[state(movie)] += 1;
    const all = movies.length;
    const done = all - counts.open - counts.other;
    $('progress').max = all || 1;
    $('progress').value = done;
    const by = Object.keys(NAMES).filter((each) => counts[each]).map((each) => `${number(counts[each])} ${NAMES[each]}`);
    if (counts.other) by.push(`${number(counts.other)} about another file`);
    $('counts').textContent = `${number(done)} of ${number(all)} decided${by.length ? `: ${by.join(', ')}` : ''}`;
    const here = list.filter((movie) => !isOpen(movie)).length;
    const filtered = list.length !== all;
    $('summary').textContent = filtered
      ? `${number(list.length)} of ${number(all)} trailers; ${number(here)} of these decided`
      : `${number(all)} trailers, ${flaggedMovies ? number(flaggedMovies) : 'none'} with a flag`;
    const on = ['flag', 'genre', 'decision', 'sort', 'find'].filter((name) => view[name]).length;
    $('narrowed').textContent = on ? `(${on} on)` : '';
    $('flagged').hidden = on > 0 || !flaggedMovies || flaggedMovies === all;
    $('flagged').textContent = `Start with the ${number(flaggedMovies)} flagged`;
    $('how').hidden = own.size > 0;
    const those = bulkable().length;
    $('bulk').hidden = !those;
    $('bulk').textContent = `Accept the ${number(those)} open without a flag on this page`;
    $('fresh').textContent = settings.fresh ? `(${number(settings.fresh)} new) ` : '';
    $('undo').disabled = !undoStack.length;
    $('by').textContent = settings.by || 'no name yet';
    $('keys').checked = settings.keys;
    $('advance').checked = settings.advance;
    document.body.classList.toggle('without-keys', !settings.keys);
    listAbsent();
  }

  /** Lists decisions about movies that are not on the page; an export includes those that the page came with. */
  function listAbsent() {
    const absent = [...published.keys()].filter((mid) => !byMid.has(mid));
    const foreign = [...own.keys()].filter((mid) => !byMid.has(mid) && !published.has(mid)).length;
    $('kept').textContent = foreign
      ? `This browser also stores ${number(foreign)} decision${foreign === 1 ? '' : 's'} about movies outside this collection; they are not exported.`
      : '';
    $('gone').hidden = !absent.length;
    if (!absent.length) return;
    const named = absent.slice(0, 3).map((mid) => (published.get(mid).title ? `${published.get(mid).title} (${mid})` : mid)).join(', ');
    const what = absent.length === 1 ? '1 decision about a movie that is' : `${number(absent.length)} decisions about movies that are`;
    $('gone').querySelector('summary').textContent = `${what} not listed: ${named}${absent.length > 3 ? ', …' : ''}`;
    if (!$('gone').open) return;
    $('gone').querySelector('ul').replaceChildren(...absent.map((mid) => {
      const entry = decided(mid);
      const item = element('li', {}, `${mid} ${published.get(mid).title}: ${words(entry.decision)}${entry.note ? `, “${entry.note}”` : ''} `);
      if (entry.decision) item.append(button('withdraw', 'Withdraw', { mid }));
      return item;
    }));
  }

  let silence = 0;
  function say(message) {
    const said = $('said');
    said.textContent = message;
    said.classList.remove('old');
    clearTimeout(silence);
    silence = setTimeout(() => said.classList.add('old'), 4000);
  }

  function warn(message) {
    const alert = document.getElementById('alert');
    alert.textContent = message;
    alert.hidden = false;
  }

  // Navigation.
  function mark() {
    for (const each of document.querySelectorAll('.card.current')) each.classList.remove('current');
    const article = current && $(current);
    if (article) article.classList.add('current');
  }

  function go(mid) {
    const article = $(mid);
    if (!article) return;
    current = mid;
    mark();
    article.focus({ preventScroll: true });
    const { top } = article.getBoundingClientRect();
    if (top < topHeight() || top > innerHeight * 0.6) article.scrollIntoView({ block: 'start' });
  }

  const topHeight = () => parseFloat(document.documentElement.style.getPropertyValue('--top')) || 0;

  function step(by, from = current) {
    const place = list.findIndex((movie) => movie.mid === from) + by;
    if (place < 0) return go(from);
    if (place >= list.length) {
      go(from);
      return say('This is the last trailer.');
    }
    reach(place);
  }

  function reach(place) {
    const page = Math.floor(place / PAGE) + 1;
    if (page === view.page) go(list[place].mid);
    else turn(page, list[place].mid);
  }

  function nextFlagged() {
    const from = list.findIndex((movie) => movie.mid === current);
    const place = list.findIndex((movie, place) => place > from && movie.flags.length && isOpen(movie));
    if (place < 0) say('No open trailer with a flag follows.');
    else reach(place);
  }

  // curation.csv.
  /** Text as one line, without control characters. */
  const line = (value) => value.replace(/[\p{Z}\s]+/gu, ' ').replace(/(?![\u200c\u200d])\p{C}/gu, '').trim();
  const escapeFormula = (value) => (FORMULA.test(value) ? `'${value}` : value);
  const unescapeFormula = (value) => (value[0] === "'" && FORMULA.test(value) ? value.slice(1) : value);
  const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

  function exported() {
    const mids = new Set([...byMid.keys(), ...published.keys()]);
    const rows = [];
    let notes = 0;
    for (const mid of [...mids].sort()) {
      const entry = decided(mid);
      if (!entry.decision) {
        if (entry.note) notes += 1;
        continue;
      }
      const cells = { ...entry, mid, wrong: entry.wrong.join('|'), note: line(entry.note), by: line(entry.by) };
      rows.push(COLUMNS.map((name) => quoted(escapeFormula(cells[name]))).join(','));
    }
    return { text: [COLUMNS.join(','), ...rows, ''].join('\n'), rows: rows.length, notes };
  }

  function save() {
    const { text, rows, notes } = exported();
    const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
    const anchor = element('a', { href: address, download: 'curation.csv' });
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
    settings.fresh = 0;
    saveSettings();
    updateCounts();
    const left = notes ? ` ${number(notes)} note${notes === 1 ? '' : 's'} without a decision stay${notes === 1 ? 's' : ''} here.` : '';
    say(`${number(rows)} decision${rows === 1 ? '' : 's'} exported to curation.csv.${left}`);
  }

  /** The rows of a CSV file (RFC 4180). Throws an Error. */
  function parseCsv(text) {
    const rows = [];
    let row = [];
    let cell = '';
    let place = 0;
    const end = () => {
      row.push(cell);
      cell = '';
    };
    while (place < text.length) {
      const letter = text[place];
      if (letter === '"' && cell === '') {
        for (place += 1; ; place += 1) {
          if (place >= text.length) throw new Error('a quotation mark is never closed');
          if (text[place] !== '"') cell += text[place];
          else if (text[place + 1] === '"') cell += text[place++];
          else break;
        }
        if (!/[,\r\n]/.test(text[place + 1] ?? '\n')) throw new Error(`row ${rows.length + 1}: text after a closing quotation mark`);
      } else if (letter === ',') end();
      else if (letter === '\n' || letter === '\r') {
        if (letter === '\r' && text[place + 1] === '\n') place += 1;
        end();
        rows.push(row);
        row = [];
      } else cell += letter;
      place += 1;
    }
    if (cell || row.length) {
      end();
      rows.push(row);
    }
    return rows.filter((each) => each.some((cell) => cell.trim()));
  }

  function isDay(text) {
    const day = new Date(`${text}T00:00Z`);
    return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
  }

  /** Whether the workflow accepts an address: an id, a URL without a password, or the path of a file. */
  function isAddress(text) {
    if (namesNoVideo(text)) return false;
    if (isId(plainAddress(text)) || link(text)) return true;
    return !/^[a-z][a-z0-9+.-]*:/i.test(text.replace(/^file:/, '')) && !/\p{C}/u.test(text);
  }

  /** The decisions of a curation.csv by mid. Throws an Error that names the fault. */
  function decisionsOf(text) {
    const [columns, ...rows] = parseCsv(text.replace(/^\ufeff/, ''));
    if (!columns || !['mid', 'decision'].every((name) => columns.includes(name))) throw new Error('the columns mid and decision are required');
    const twice = columns.find((name, place) => columns.indexOf(name) !== place);
    if (twice !== undefined) throw new Error(`the column “${twice}” occurs twice`);
    const unknown = columns.find((name) => ![...COLUMNS, ...IGNORED].includes(name));
    if (unknown !== undefined) throw new Error(`the column “${unknown}” is unknown`);
    const found = new Map();
    rows.forEach((cells, place) => {
      const where = `row ${place + 2}`;
      if (cells.length !== columns.length) throw new Error(`${where} has ${cells.length} columns, not ${columns.length}`);
      const row = Object.fromEntries(columns.map((name, at) => [name, unescapeFormula(cells[at].trim())]));
      const fault = (name) => { throw new Error(`${where}: ${name}: “${row[name]}” is not allowed`); };
      if (!/^tt\d{7,8}$/.test(row.mid) || found.has(row.mid)) fault('mid');
      if (!Object.hasOwn(NAMES, row.decision)) fault('decision');
      if (row.sha256 && !/^[0-9a-f]{64}$/i.test(row.sha256)) fault('sha256');
      if (row.date && !isDay(row.date)) fault('date');
      const wrong = (row.wrong || '').split('|').map((each) => each.trim()).filter(Boolean);
      if (!wrong.every(isAddress)) fault('wrong');
      const { replacement = '' } = row;
      if (replacement && (!isAddress(replacement) || replacement.includes('|') || wrong.some((each) => same(each, replacement)))) fault('replacement');
      found.set(row.mid, validEntry({ ...row, wrong, sha256: (row.sha256 || '').toLowerCase(), note: line(row.note || ''), by: line(row.by || '') }));
    });
    return found;
  }

  const equal = (one, other) => ['decision', 'replacement', 'sha256', 'note'].every((name) => line(one[name]) === line(other[name]))
    && one.wrong.join('|') === other.wrong.join('|');

  async function importFile(file) {
    let found;
    try {
      found = decisionsOf(new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer()));
    } catch (error) {
      return warn(`${file.name} was not imported: ${error instanceof TypeError ? 'it is not UTF-8' : error.message}.`);
    }
    $('alert').hidden = canStore;
    const fresh = [];
    const conflicts = [];
    let foreign = 0;
    for (const [mid, entry] of found) {
      const mine = decided(mid);
      if (!byMid.has(mid) && !published.has(mid)) foreign += 1;
      // A later decision does not contradict the decision that the page came with.
      else if (!mine.decision || (mine === published.get(mid) && mine.date && entry.date > mine.date)) fresh.push([mid, entry.note ? entry : { ...entry, note: mine.note }]);
      else if (!equal(mine, entry)) conflicts.push([mid, entry]);
    }
    const taken = conflicts.length ? await settle(file.name, conflicts) : [];
    if (!taken) return say('Nothing was imported.');
    const changes = [...fresh, ...taken];
    if (changes.length) record(changes);
    const left = conflicts.length - taken.length;
    say([
      `${number(changes.length)} decisions imported from ${file.name}`,
      left && `${number(left)} of your own kept`,
      foreign && `${number(foreign)} about movies outside this collection ignored`,
    ].filter(Boolean).join('; ') + '.');
  }

  const brief = (entry) => [words(entry.decision), entry.replacement && `replacement: ${entry.replacement}`, entry.note && `“${entry.note}”`,
    [entry.by, entry.date].filter(Boolean).join(', ')].filter(Boolean).join('; ');

  async function settle(name, conflicts) {
    const dialog = $('conflicts');
    $('conflicts-title').textContent = `${number(conflicts.length)} decisions in ${name} contradict yours`;
    dialog.querySelector('tbody').replaceChildren(...conflicts.map(([mid, entry]) => {
      const box = element('input', { type: 'checkbox', value: mid });
      const title = byMid.has(mid) ? byMid.get(mid).title : published.get(mid).title;
      box.setAttribute('aria-label', `Take the file's decision about ${title}`);
      return element('tr', {}, ...[`${title} ${mid}`, brief(decided(mid)), brief(entry), box].map((each) => element('td', {}, each)));
    }));
    if (!(await confirmed(dialog))) return null;
    const ticked = new Set([...dialog.querySelectorAll('tbody input:checked')].map((each) => each.value));
    return conflicts.filter(([mid]) => ticked.has(mid));
  }

  // Keys and buttons.
  const movieOf = (target) => byMid.get(target.closest?.('article.card')?.id);
  const ACTIONS = {
    export: save,
    import: () => $('file').click(),
    undo,
    help: () => $('help').showModal(),
    all: () => visit({ ...VIEW }),
    flagged: () => visit({ ...VIEW, flag: 'any' }),
    bulk,
    name: () => named(true),
    page: (pressed) => turn(Number(pressed.dataset.page)),
    tick: () => $('conflicts').querySelectorAll('tbody input').forEach((box) => { box.checked = true; }),
    withdraw: (pressed) => withdraw(pressed.dataset.mid),
    clear: (pressed) => withdraw(movieOf(pressed).mid),
    note: (pressed) => openNote(movieOf(pressed)),
    beside: (pressed) => beside(pressed.closest('article'), pressed.dataset.mid, pressed),
  };
  for (const decision of Object.keys(NAMES)) ACTIONS[decision] = (pressed) => decide(movieOf(pressed), decision);

  document.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-do]');
    if (pressed && Object.hasOwn(ACTIONS, pressed.dataset.do)) ACTIONS[pressed.dataset.do](pressed);
  });

  $('skip').addEventListener('click', (event) => {
    event.preventDefault();
    if (current) go(current);
    else $('movies').focus();
  });

  document.addEventListener('focusin', (event) => {
    const movie = movieOf(event.target);
    if (movie && movie.mid !== current) {
      current = movie.mid;
      mark();
    }
  });

  $('list').addEventListener('input', (event) => {
    if (event.target.tagName === 'TEXTAREA') writeNote(movieOf(event.target), event.target.value);
  });
  $('list').addEventListener('focusout', () => { noting = ''; });
  $('list').addEventListener('submit', (event) => {
    event.preventDefault();
    saveReplacement(movieOf(event.target), event.target);
  });

  const on = (decision) => () => byMid.has(current) && $(current) && decide(byMid.get(current), decision);
  const KEYS = {
    j: () => step(1), ArrowRight: () => step(1),
    k: () => step(-1), ArrowLeft: () => step(-1),
    a: on('accept'), r: on('reject'), w: on('wrong_trailer'), u: on('unsure'),
    n: () => byMid.has(current) && $(current) && openNote(byMid.get(current)),
    f: nextFlagged, z: undo, e: save, '?': () => $('help').showModal(),
  };

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (document.querySelector('dialog[open]')) return;
    const typing = event.target.matches?.('input:not([type=checkbox]), textarea, select');
    if (typing) {
      const movie = movieOf(event.target);
      if (event.key === 'Escape' && movie) go(movie.mid);
      return;
    }
    const key = event.key.length === 1 && !event.shiftKey ? event.key.toLowerCase() : event.key;
    if (!settings.keys || !Object.hasOwn(KEYS, key)) return;
    event.preventDefault();
    if (!event.repeat || 'jk'.includes(key) || key.startsWith('Arrow')) KEYS[key]();
  });

  for (const name of ['flag', 'genre', 'decision', 'sort']) {
    $(name).addEventListener('change', () => visit({ [name]: $(name).value, page: 1 }));
  }
  let typed = 0;
  $('find').addEventListener('input', () => {
    clearTimeout(typed);
    typed = setTimeout(() => {
      location.replace(hash({ find: $('find').value, page: 1 }));
      render();
    }, 150);
  });
  $('gone').addEventListener('toggle', listAbsent);
  $('filters').addEventListener('submit', (event) => event.preventDefault());

  for (const name of ['keys', 'advance']) {
    $(name).addEventListener('change', () => {
      settings[name] = $(name).checked;
      saveSettings();
      updateCounts();
    });
  }

  $('file').addEventListener('change', () => {
    const [file] = $('file').files;
    $('file').value = '';
    if (file) importFile(file);
  });

  window.addEventListener('hashchange', () => {
    if (location.hash !== rendered) render();
  });
  // Decisions that the browser cannot store would be lost.
  window.addEventListener('beforeunload', (event) => {
    if (!canStore && settings.fresh) event.preventDefault();
  });

  // Start.
  const counted = FLAGS.map(() => 0);
  for (const movie of movies) {
    flaggedMovies += movie.flags.length > 0;
    for (const [flag] of movie.flags) counted[flag] += 1;
  }
  $('flag').append(new Option('all', ''), new Option(`any (${number(flaggedMovies)})`, 'any'),
    new Option(`none (${number(movies.length - flaggedMovies)})`, 'none'),
    ...FLAGS.map((flag, place) => [flag, counted[place]]).filter(([, count]) => count)
      .map(([flag, count]) => new Option(`${label(flag)} (${number(count)})`, flag)));
  $('genre').append(new Option('all', ''), ...DATA.genres.map((genre) => new Option(genre, genre)));
  $('legend').append(...FLAGS.map((flag) => element('div', {}, element('dt', {}, label(flag)), element('dd', {}, DATA.flags[flag]))));
  $('collection').textContent = DATA.collection;
  document.title = `Review of ${DATA.collection}`;
  // A phone shows the filters on request.
  const wide = matchMedia('(min-width: 44.01rem) and (min-height: 34.01rem)');
  const unfold = () => { $('narrow').open = wide.matches; };
  wide.addEventListener('change', unfold);
  unfold();
  new ResizeObserver(() => {
    const top = document.querySelector('.top');
    const sticks = getComputedStyle(top).position === 'sticky';
    document.documentElement.style.setProperty('--top', `${sticks ? top.offsetHeight : 0}px`);
  }).observe(document.querySelector('.top'));
  load();
  render();
})();
