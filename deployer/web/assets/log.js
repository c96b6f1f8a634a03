// The log of a deployment: lines as they come, search, the first error. Lines are
// kept in chunks, and browsers lay out only the chunks that are in sight.
const doc = document, $ = (id) => doc.getElementById(id), log = $('log')
const perChunk = 250, perFrame = 1500, most = 100000
// What looks like the reason of a failure; the server has the same.
const alarm = /\b(error|fatal|panic|exception|failed|failure|denied|cannot|could not|unable to|not found|no such|killed|oom)\b|^E[: ]/i

// Lines that came and are not on the page yet.
let waiting = [], drawing = false, count = log.querySelectorAll('.l').length
doc.addEventListener('seadog:lines', ({detail}) => {
  waiting.push(...JSON.parse(detail.data))
  log.dataset.next = detail.lastEventId
  draw()
})
function draw() {
  if (drawing || !waiting.length) return
  drawing = true
  requestAnimationFrame(() => {
    drawing = false
    const lines = waiting.splice(0, perFrame)
    for (const note of [$('silent'), $('later')]) if (note) note.remove()
    append(lines)
    if (following) end()
    if (query) search(false)
    if (waiting.length) draw()
  })
}
function line([id, , at, stream, text]) {
  const l = doc.createElement('div')
  l.className = 'l' + (stream === 'e' ? ' e' : '') + (alarm.test(text) ? ' a' : '')
  l.id = 'l' + id
  l.dataset.t = at
  l.textContent = text // never as HTML
  return l
}
function section(step) {
  const details = doc.createElement('details'), summary = doc.createElement('summary')
  details.className = 'step'
  details.open = true
  details.dataset.step = step
  summary.id = 'step-' + step
  summary.textContent = step
  details.append(summary)
  return details
}
function append(lines) {
  let step = log.querySelector('details.step:last-of-type'), chunk = step && step.lastElementChild, room = chunk ? perChunk - chunk.childElementCount : 0
  let piece = doc.createDocumentFragment()
  const flush = () => {
    if (piece.childElementCount) chunk.append(piece)
    if (chunk && chunk.childElementCount >= perChunk) chunk.classList.add('full') // its height is known now
    piece = doc.createDocumentFragment()
  }
  for (const l of lines) {
    if (!step || step.dataset.step !== l[1]) {
      flush()
      step = section(l[1])
      log.append(step)
      room = 0
    }
    if (room <= 0) {
      flush()
      chunk = doc.createElement('div')
      chunk.className = 'chunk'
      step.append(chunk)
      room = perChunk
    }
    piece.append(line(l))
    room--
  }
  flush()
  count += lines.length
  while (count > most) { // what is too old to matter goes; the download has all
    const old = log.querySelector('.chunk')
    count -= old.childElementCount
    log.dataset.first = old.lastElementChild.id.slice(1)
    const of = old.parentElement
    old.remove()
    if (!of.querySelector('.chunk')) of.remove()
    log.dataset.cut = 1
  }
}

// Following: as long as the end is in sight, it stays there.
let following = false
const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 40
const end = () => { log.scrollTop = log.scrollHeight }
function follow(on) {
  following = on
  $('follow').setAttribute('aria-pressed', on)
  if (on) end()
}
$('follow').addEventListener('click', () => follow(!following))
log.addEventListener('wheel', (e) => e.deltaY < 0 && follow(false), {passive: true})
log.addEventListener('touchmove', () => following && !atEnd() && follow(false), {passive: true})
log.addEventListener('keydown', (e) => ['ArrowUp', 'PageUp', 'Home'].includes(e.key) && follow(false))
log.addEventListener('scroll', () => !following && !query && doc.body.dataset.state === 'active' && atEnd() && follow(true), {passive: true})
if (doc.body.dataset.state === 'active' && 'newest' in log.dataset) follow(true)
else if (log.querySelector('.here')) show(log.querySelector('.here'))
else if ('newest' in log.dataset && !location.hash) end()
doc.addEventListener('seadog:end', () => follow(false))

$('wrap').addEventListener('click', () => $('wrap').setAttribute('aria-pressed', log.classList.toggle('wrapped')))

// Earlier lines come when somebody wants them, or looks for something.
let earlier
function loadEarlier() {
  return earlier ||= (async () => {
    if (!('earlier' in log.dataset) || log.dataset.cut) return
    const note = $('earlier')
    if (note) note.textContent = 'Loading …'
    const answer = await fetch(`/deployments/${log.dataset.deployment}/log?from=0:0&to=${log.dataset.first}`)
    if (!answer.ok) throw new Error(answer.status)
    const before = log.querySelector('details.step'), reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    const height = () => log.scrollHeight, tall = height(), top = log.scrollTop
    let rest = '', step = null
    for (;;) {
      const {done, value} = await reader.read()
      if (done) break
      const parts = (rest + value).split('\n')
      rest = parts.pop()
      for (const part of parts) {
        const lines = JSON.parse(part)
        for (let i = 0; i < lines.length; i += perChunk) step = prepend(lines.slice(i, i + perChunk), step, before)
        await new Promise(requestAnimationFrame)
      }
    }
    // The step that was shown in part is one again.
    if (step && before && step.dataset.step === before.dataset.step) {
      before.prepend(...step.childNodes)
      before.querySelectorAll('summary')[1].remove()
      step.remove()
    }
    if (note) note.remove()
    delete log.dataset.earlier
    if (following) end(); else log.scrollTop = top + height() - tall
  })().catch(() => { earlier = null; if ($('earlier')) $('earlier').textContent = 'The earlier lines could not be loaded.' })
}
function prepend(lines, step, before) {
  for (let i = 0; i < lines.length;) {
    if (!step || step.dataset.step !== lines[i][1]) { step = section(lines[i][1]); log.insertBefore(step, before) }
    const chunk = doc.createElement('div')
    chunk.className = 'chunk'
    for (; i < lines.length && lines[i][1] === step.dataset.step; i++) chunk.append(line(lines[i]))
    if (chunk.childElementCount === perChunk) chunk.classList.add('full')
    step.append(chunk)
    count += chunk.childElementCount
  }
  return step
}
if ($('earlier')) $('earlier').addEventListener('click', (e) => { e.preventDefault(); loadEarlier() })

// Search: every line, a part of them per frame.
let query = '', hits = [], at = -1, run = 0
const paints = 'highlights' in CSS
async function search(fresh) {
  const mine = ++run, wanted = query
  if (fresh) { at = -1; await loadEarlier() }
  const lines = log.getElementsByClassName('l'), found = []
  for (let i = 0; i < lines.length && wanted; i++) {
    if (i % 4000 === 3999) await new Promise(requestAnimationFrame)
    if (mine !== run) return
    if (lines[i].textContent.toLowerCase().includes(wanted)) found.push(lines[i])
  }
  if (mine !== run) return
  hits = found
  paint()
  if (fresh && hits.length) go(0)
  else say()
}
function paint() {
  if (!paints) { for (const l of log.querySelectorAll('.here')) l.classList.remove('here'); if (hits[at]) hits[at].classList.add('here'); return }
  CSS.highlights.set('hit', new Highlight(...hits.slice(0, 5000).flatMap(ranges)))
  CSS.highlights.set('hit-here', new Highlight(...(hits[at] ? ranges(hits[at]) : [])))
}
function ranges(l) {
  const text = l.textContent.toLowerCase(), node = l.firstChild, found = []
  for (let i = text.indexOf(query); query && node && i >= 0 && i + query.length <= node.length; i = text.indexOf(query, i + query.length)) {
    const r = new Range()
    r.setStart(node, i)
    r.setEnd(node, i + query.length)
    found.push(r)
  }
  return found
}
function say() { $('found').textContent = !query ? '' : hits.length ? `${at + 1}/${hits.length}` : 'none' }
function go(n) {
  if (!hits.length) return
  at = (n + hits.length) % hits.length
  follow(false)
  show(hits[at])
  paint()
  say()
}
function show(l) {
  l.closest('details').open = true
  log.scrollTop += l.getBoundingClientRect().top - log.getBoundingClientRect().top - log.clientHeight / 2
}
const find = $('find')
let typed
find.addEventListener('input', () => {
  clearTimeout(typed)
  typed = setTimeout(() => { query = find.value.toLowerCase(); search(true) }, 120)
})
find.form.addEventListener('submit', (e) => {
  if ('found' in log.dataset) return
  e.preventDefault()
  if (find.value.toLowerCase() === query) go(at + 1)
})

// The first error. Until the server has said where it is, the first that we have.
function failure() {
  const known = $('l' + $('to-error').dataset.at), failed = doc.querySelector('#part-steps .bad a[data-step]')
  if (known || !failed || $('to-error').dataset.at) return known
  const step = log.querySelector(`details[data-step="${failed.dataset.step}"]`)
  return step && (step.querySelector('.l.a') || [...step.querySelectorAll('.l')].pop())
}
async function firstError() {
  follow(false)
  let l = failure()
  if (!l) { await loadEarlier(); l = failure() }
  if (!l) return
  for (const other of log.querySelectorAll('.here')) other.classList.remove('here')
  l.classList.add('here')
  show(l)
  log.scrollIntoView({block: 'nearest'})
}
$('to-error').addEventListener('click', (e) => { if (!('found' in log.dataset)) { e.preventDefault(); firstError() } })
doc.addEventListener('seadog:end', () => { if (doc.querySelector('#part-steps .bad')) $('to-error').hidden = false })

// The steps lead to where they begin in the log.
doc.addEventListener('click', async (e) => {
  const link = e.target.closest('a[data-step]')
  if (!link || e.ctrlKey || e.metaKey || e.shiftKey || 'found' in log.dataset) return
  e.preventDefault()
  follow(false)
  const find = () => log.querySelector(`details[data-step="${link.dataset.step}"]`)
  if (!find() || log.querySelector('details.step') === find()) await loadEarlier()
  if (!find()) return
  find().open = true
  log.scrollTop += find().getBoundingClientRect().top - log.getBoundingClientRect().top
  log.scrollIntoView({block: 'nearest'})
})
doc.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest('input, textarea, select')) return
  if (e.key === 'e' && !$('to-error').hidden) firstError()
  if (e.key === 'f') follow(!following)
  if (e.key === 'n') go(at + 1)
  if (e.key === 'p') go(at - 1)
})
