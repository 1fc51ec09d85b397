/** What people type: expressions, places, points in time, patterns, file names. */
import { SinkError } from '../../src/base/errors.ts'
import { parseSystemdName } from '../../src/cli/import-file.ts'
import { parseExamine, parseGdbFormat } from '../../src/cli/inspect/examine.ts'
import { parsePattern } from '../../src/cli/pattern.ts'
import { parseSourceMap } from '../../src/cli/source/candidates.ts'
import { parseWhen } from '../../src/cli/when.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import type { Debugger } from '../../src/engine/debugger.ts'
import { parseGoVersion } from '../../src/engine/runtime/go-version.ts'
import { formatValue } from '../../src/engine/value/format.ts'
import { type Target, textOf } from './target.ts'
import { crashOf, debuggerOf, infoOf } from './whole-crashes.ts'

const seedsOf =
  (...texts: string[]): Target['seeds'] =>
  () =>
    texts.map(text => ({ source: bytesSource(text, Buffer.from(text)) }))

let debug: Debugger | undefined

function openSession(): Debugger {
  const crash = crashOf('go') ?? crashOf('fixture')!
  debug ??= debuggerOf(crash, infoOf(crash.executable))
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
    'main.adder(2) == main.table[1] && main.done != nil',
    'main.deep["x"]["y"]["z"] + len(main.list) << 2',
    'main.any1.(map[string]interface {})["k"]',
    '*main.link.Next.Next == main.pointers[0]',
    'main.shapes[1].(*main.square).Side * 1e3 - real(2i)',
    'main.text[3:10] + "x" != string([]uint8(main.text)[0])',
    '(*main.node)(0xc000012345).Value ^ int(main.day)',
    'main.anonymous.B.C[1] >= 0x20',
    's.items[:s.limit]',
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
