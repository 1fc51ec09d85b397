/** What people type: expressions, places, points in time, patterns, file names. */
import { SinkError } from '../../src/base/errors.ts'
import { parseSystemdName } from '../../src/cli/import-file.ts'
import { parseExamine, parseGdbFormat } from '../../src/cli/inspect/examine.ts'
import { parsePattern } from '../../src/cli/pattern.ts'
import { parseSourceMap } from '../../src/cli/source/candidates.ts'
import { parseWhen } from '../../src/cli/when.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { type Debugger, openDebugger } from '../../src/engine/debugger.ts'
import { openCore } from '../../src/engine/index.ts'
import { parseGoVersion } from '../../src/engine/runtime/go-version.ts'
import { formatValue } from '../../src/engine/value/format.ts'
import { fixtureCore, fixtureExecutable } from './fixture.ts'
import { type Target, textOf } from './target.ts'

const seedsOf =
  (...texts: string[]): Target['seeds'] =>
  () =>
    texts.map(text => ({ source: bytesSource(text, Buffer.from(text)) }))

let debug: Debugger | undefined

function openSession(): Debugger {
  debug ??= openDebugger(openCore(fixtureCore(), { executable: fixtureExecutable(), find: () => undefined }))
  return debug
}

const expression: Target = {
  name: 'expression',
  seeds: seedsOf(
    'runtime.curg.goid + 1',
    '*(*runtime.g)(0xc000002380)',
    'len(a.b[1:2]) == 0x10 && !x || -y << 3',
    '(*main.T)(p).field["key"][`raw`]',
    '$rsp + 8',
    "'x' + 1.5e3 * (int)y & ^z",
    'sizeof(struct node) / (char)5',
    'main.table.entries[7].name',
  ),
  run: damaged => {
    const session = openSession()
    const subject = session.start()
    const stack = subject && session.stack(subject)
    const place = { stack, frame: stack?.frames[0] }
    const text = textOf(damaged)
    void formatValue(session.load(session.evaluate(text, place))).length
    void session.typeOf(text, place).name
  },
}

const parsers: readonly ((text: string) => unknown)[] = [
  parseWhen,
  parsePattern,
  parseSystemdName,
  parseGoVersion,
  text => parseSourceMap(text, '--source-map'),
  text => parseExamine(text.split(' ')),
  text => parseGdbFormat(text, '$sp'),
]

/** Each text goes to all, since none is asked whose it is. */
const words: Target = {
  name: 'words',
  seeds: seedsOf(
    '1h30m',
    '2026-11-22 03:14:07+02:00',
    '@1795456800',
    '/^main\\.(put|get)$/i',
    '/go/src=/usr/lib/go/src',
    'core.api.1000.0123456789abcdef0123456789abcdef.4121.1795456800000000.zst',
    'go1.26.8 X:rangefunc',
    '-fmt hex -count 16 -size 8 $sp+8',
    '/16xg',
  ),
  run: damaged => {
    const text = textOf(damaged)
    for (const parse of parsers) {
      try {
        parse(text)
      } catch (error) {
        if (!(error instanceof SinkError)) throw error
      }
    }
  },
}

export const peopleTargets: readonly Target[] = [expression, words]
