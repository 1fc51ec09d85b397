/** CrashFilter → SQL. Every value is a bound parameter. */
import type { CrashFilter } from '../catalog.ts'

export interface Conditions {
  /** `WHERE …`, or nothing. */
  where: string
  parameters: Record<string, string | number>
}

/** With `joined`, `crash_fts` stands in the FROM clause itself, as snippet() needs it. */
export function conditionsOf(filter: CrashFilter, joined = false): Conditions {
  const conditions: string[] = []
  const parameters: Record<string, string | number> = {}
  const add = (condition: string, name?: string, value?: string | number): void => {
    conditions.push(condition)
    if (name !== undefined) parameters[name] = value!
  }
  const { since, until, exe, pid, uid, signal, host, go, signature, text, pinned, analysis } = filter
  if (since !== undefined) add('crash.time >= @since', 'since', since)
  if (until !== undefined) add('crash.time <= @until', 'until', until)
  if (exe !== undefined) add(...exeCondition(exe))
  if (pid !== undefined) add('crash.pid = @pid', 'pid', pid)
  if (uid !== undefined) add('crash.uid = @uid', 'uid', uid)
  if (signal !== undefined) add('crash.signal = @signal', 'signal', signal)
  if (host?.includes('*')) add('crash.host GLOB @host', 'host', globOf(host))
  else if (host !== undefined) add('crash.host = @host', 'host', host)
  if (go !== undefined) add(...goCondition(go))
  if (signature !== undefined)
    add(
      `crash.signature_key >= @signature AND crash.signature_key < @signature || x'f48fbfbf'`,
      'signature',
      signature,
    )
  if (text !== undefined) {
    const match = 'crash_fts MATCH @text'
    add(joined ? match : `crash.key IN (SELECT rowid FROM crash_fts WHERE ${match})`, 'text', matchOf(text))
  }
  if (pinned !== undefined) add(`crash.pinned = ${pinned ? 1 : 0}`)
  if (analysis !== undefined) add(`crash.analysis = '${analysis}'`)
  if (filter.handlerKilled) add(`crash.core_reason = 'handler-error'`)
  return { where: conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '', parameters }
}

function exeCondition(exe: string): [condition: string, name: string, value: string] {
  if (!exe.includes('*')) return ['(instr(crash.exe, @exe) > 0 OR instr(crash.comm, @exe) > 0)', 'exe', exe]
  return [`${exe.includes('/') ? 'crash.exe' : 'crash.program'} GLOB @exe`, 'exe', globOf(exe)]
}

/** A prefix of whole numbers: 1.2 finds 1.2.3 and not 1.24. */
function goCondition(go: string): [condition: string, name: string, value: string] {
  const prefix = (/^\d/.test(go) ? `go${go}` : go).replace(/\.+$/, '')
  const starts = 'substr(crash.go_version, 1, length(@go)) = @go'
  const ends = `substr(crash.go_version, length(@go) + 1, 1) NOT GLOB '[0-9]'`
  return [/\d$/.test(prefix) ? `${starts} AND ${ends}` : starts, 'go', prefix]
}

/** Only `*` is special to us; GLOB's other characters stand for themselves in brackets. */
const globOf = (pattern: string): string => pattern.replace(/[?[]/g, '[$&]')

/**
 * People's words as an FTS5 query: all must occur. A word with punctuation becomes a phrase of its parts, so that
 * `cache.put` finds `main.(*cache).put`; the last part may be the beginning of a longer one; "two words" in
 * quotes are a phrase too. No operator of FTS5 is reachable, hence no syntax error either.
 */
export function matchOf(text: string): string {
  // FTS5 takes a zero byte for the end of the query.
  const words = text.replaceAll('\0', ' ').match(/"[^"]*"|[^\s"]+/g) ?? []
  const phrases = words
    .map(word => word.replaceAll('"', ''))
    .filter(word => /[\p{L}\p{N}\p{Co}_]/u.test(word))
  // A phrase without any token matches nothing, which is the answer for words of punctuation alone.
  return phrases.length > 0 ? phrases.map(phrase => `"${phrase}"*`).join(' ') : '""'
}
