// Keeps an open page up to date and usable by keyboard. Every page works without it.
const doc = document, body = doc.body, root = doc.documentElement
root.classList.add('scripted')
const $ = (id) => doc.getElementById(id)
const skew = Number(body.dataset.now) - Date.now()

// Times: the server says when, we say how long ago. Wordings are those of the server.
const rough = (s) => s < 60 ? `${s | 0} s` : s < 3600 ? `${s / 60 | 0} min` : s < 172800 ? `${s / 3600 | 0} h` : `${s / 86400 | 0} days`
const two = (n) => String(n | 0).padStart(2, '0')
const exact = (s) => s < 10 ? `${Math.max(0, s).toFixed(1)} s` : s < 60 ? `${s | 0} s` : s < 3600 ? `${s / 60 | 0} min ${two(s % 60)} s`
  : s < 172800 ? `${s / 3600 | 0} h ${two(s / 60 % 60)} min` : `${s / 86400 | 0} days`
const clock = new Intl.DateTimeFormat(undefined, {hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23'})
const day = new Intl.DateTimeFormat(undefined, {month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23'})
const whole = new Intl.DateTimeFormat(undefined, {dateStyle: 'medium', timeStyle: 'long'})
function write(t, text) { if (t.textContent !== text) t.textContent = text }
function tick(within = doc) {
  const now = Date.now() + skew
  for (const t of within.querySelectorAll('time')) {
    const d = t.dataset
    if (d.ago) { const s = (now - d.ago) / 1000; write(t, s < 0 ? `in ${rough(-s)}` : s < 5 ? 'just now' : `${rough(s)} ago`) }
    if (d.since) { const s = (now - d.since) / 1000; write(t, exact(s < 10 ? s : Math.floor(s))) }
    if (d.clock) { const at = new Date(Number(d.clock)); write(t, (at.toDateString() === new Date(now).toDateString() ? clock : day).format(at)) }
    if (!d.told) { d.told = 1; t.title = whole.format(Number(d.ago || d.since || d.clock)) }
  }
}
tick()
setInterval(() => doc.hidden || tick(), 1000)

// Morphing changes what differs and leaves alone what does not: focus,
// selection and scrolling survive, and nothing flickers.
function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) return from.replaceWith(to)
  if (from.nodeType !== 1) { if (from.data !== to.data) from.data = to.data; return }
  if (from.nodeName === 'TIME' && from.dateTime === to.dateTime) return
  for (const {name} of [...from.attributes]) if (!to.hasAttribute(name) && !(name === 'open' && from.nodeName === 'DETAILS')) from.removeAttribute(name)
  for (const {name, value} of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value)
  children(from, to)
}
function children(from, to) {
  const olds = [...from.childNodes], news = [...to.childNodes]
  news.forEach((n, i) => olds[i] ? morph(olds[i], n) : from.append(n))
  olds.slice(news.length).forEach((n) => n.remove())
}
function apply(change) {
  for (const [name, html] of Object.entries(change.parts)) {
    const part = $('part-' + name)
    if (!part) continue
    const fresh = doc.createElement('div')
    fresh.innerHTML = html // made and escaped by the server, from the templates of the page itself
    tick(fresh)
    children(part, fresh)
    const said = part.querySelector('[data-announce]')
    if (said) {
      if ($('announce').textContent !== said.dataset.announce) $('announce').textContent = said.dataset.announce
      if (said.dataset.title) doc.title = said.dataset.title + ' · seadog'
    }
  }
  for (const more of doc.querySelectorAll('[data-newest]')) more.hidden = more.dataset.newest === more.closest('[data-first]').dataset.first
  body.dataset.seen = change.version
  if (change.state) body.dataset.state = change.state
  filter()
}
doc.addEventListener('seadog:change', (e) => apply(e.detail))

// One stream per page, and none while nobody sees it: browsers have only six
// connections for each host, over all their tabs.
const saysLost = (lost) => { const l = $('link-state'); if (l) l.textContent = lost ? 'No connection; trying again …' : '' }
let source, lost
function open() {
  if (source || !body.dataset.live || doc.hidden || body.dataset.closed) return
  if ($('log') && (body.dataset.state === 'over' || 'found' in $('log').dataset)) return // nothing more comes
  const url = new URL(body.dataset.live, location.href)
  url.searchParams.set('seen', body.dataset.seen || '')
  const from = $('log') && $('log').dataset.next
  if (from) url.searchParams.set('from', from)
  source = new EventSource(url)
  source.onopen = () => { clearTimeout(lost); lost = 0; saysLost(false) }
  source.onerror = () => {
    lost = lost || setTimeout(() => saysLost(true), 4000)
    if (source && source.readyState === 2) { source = null; setTimeout(open, 5000) } // refused: try again later
  }
  source.addEventListener('change', (e) => apply(JSON.parse(e.data)))
  source.addEventListener('lines', (e) => doc.dispatchEvent(new CustomEvent('seadog:lines', {detail: e})))
  source.addEventListener('end', () => { body.dataset.closed = 1; close(); doc.dispatchEvent(new CustomEvent('seadog:end')) })
  source.addEventListener('leave', () => location.reload())
}
function close() { if (source) source.close(); source = null; clearTimeout(lost); lost = 0; saysLost(false) }
let leaving
doc.addEventListener('visibilitychange', () => {
  clearTimeout(leaving)
  if (doc.hidden) leaving = setTimeout(close, 20000)
  else open()
})
addEventListener('pagehide', close)
addEventListener('pageshow', (e) => e.persisted && open())
open()

// Filters of lists that are on the page completely.
function filter() {
  for (const field of doc.querySelectorAll('[data-filter]')) {
    const wanted = field.value.trim().toLowerCase(), list = $(field.dataset.filter)
    if (list) for (const row of list.querySelectorAll('[data-text]')) row.hidden = wanted !== '' && !row.dataset.text.toLowerCase().includes(wanted)
  }
}
doc.addEventListener('input', (e) => e.target.dataset && e.target.dataset.filter && filter())

// Keys. Letters alone, as long as nobody writes.
const places = {o: '/', d: '/deployments', h: '/deliveries', w: '/workers', i: '/incidents', l: '/reports', s: '/settings'}
let went = 0
doc.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return
  if (e.target.closest('input, textarea, select')) { if (e.key === 'Escape') e.target.blur(); return }
  if (Date.now() - went < 1500 && places[e.key]) { e.preventDefault(); location.href = places[e.key]; return }
  went = e.key === 'g' ? Date.now() : 0
  if (e.key === '/' && $('find')) { e.preventDefault(); $('find').focus() }
  if (e.key === '?' && $('keys')) { e.preventDefault(); $('keys').togglePopover() }
})
