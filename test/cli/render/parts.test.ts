import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { goroutineFilter } from '../../../src/cli/goroutine-filter.ts'
import { groupGoroutines } from '../../../src/cli/group.ts'
import { coreState } from '../../../src/cli/render/core-state.ts'
import { idWidth } from '../../../src/cli/render/crash-table.ts'
import { facts } from '../../../src/cli/render/facts.ts'
import { type Folded, fold } from '../../../src/cli/render/fold.ts'
import { jsonDocument, jsonObject } from '../../../src/cli/render/json.ts'
import { ownCode, tellingFrame } from '../../../src/cli/render/own-code.ts'
import { pagerCommand } from '../../../src/cli/render/pager.ts'
import { progressLine, startProgress } from '../../../src/cli/render/progress.ts'
import { wantsColor } from '../../../src/cli/render/style.ts'
import { formatAge, formatSize, formatSpan } from '../../../src/cli/render/units.ts'
import type { Goroutine } from '../../../src/engine/report/report.ts'
import { frame, sampleReport } from '../sample-report.ts'

describe('fold()', () => {
  const folded = (text: string): string =>
    [...fold([...text], (a, b) => a === b)]
      .map((part: Folded<string>) => ('again' in part ? `(${part.period}x${part.again})` : part.item))
      .join('')
  const rows: [string, string][] = [
    ['abc', 'abc'],
    ['aab', 'aab'],
    ['aaab', 'a(1x2)b'],
    ['xababab', 'xab(2x2)'],
    ['abababac', 'ab(2x2)ac'],
    ['', ''],
  ]
  for (const [text, wanted] of rows) it(JSON.stringify(text), () => assert.equal(folded(text), wanted))
})

describe('jsonDocument()', () => {
  it('is one document with an element a line, whatever their number', () => {
    for (const list of [[], [1], [1, { a: 'x\u202e' }, null]]) {
      const lines = [
        ...jsonDocument({ schema: 's', none: undefined }, 'list', list, () => ({ n: list.length })),
      ]
      assert.deepEqual(JSON.parse(lines.join('\n')), { schema: 's', list, n: list.length })
      assert.ok(lines.length >= list.length + 2)
    }
  })
  it('writes single objects a member a line', () => {
    assert.deepEqual(JSON.parse([...jsonObject({ a: 1, b: undefined, c: [2] })].join('\n')), { a: 1, c: [2] })
  })
})

describe('units', () => {
  const sizes: [number, string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [9949, '9.9 KB'],
    [9960, '10 KB'],
    [999_600, '1.0 MB'],
    [212_000_000, '212 MB'],
  ]
  for (const [bytes, text] of sizes) it(`${bytes} bytes`, () => assert.equal(formatSize(bytes), text))
  const ages: [number, string][] = [
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [7_199_000, '1 h'],
    [172_800_000, '2 d'],
  ]
  for (const [ms, text] of ages) it(`${ms} ms ago`, () => assert.equal(formatAge(ms), text))
  const spans: [number, string][] = [
    [37, '0.037 s'],
    [210, '0.21 s'],
    [12_400, '12 s'],
    [200_000, '3 min 20 s'],
  ]
  for (const [ms, text] of spans) it(`${ms} ms long`, () => assert.equal(formatSpan(ms), text))
})

describe('progressLine()', () => {
  it('fits the terminal and tells what is left', () => {
    const line = progressLine('writing core', 250, 1000, 5, 80, n => `${n} B`)
    assert.match(line, /^writing core {2}█+░+ {2}25 % {2}250 B of 1000 B, 15 s left$/)
    for (const width of [20, 40, 60, 200])
      assert.ok(progressLine('writing core', 250, 1000, 5, width).length < width)
  })
  it('shows the time where the end is not known', () =>
    assert.equal(progressLine('analysing x', 0, undefined, 3.4, 80), 'analysing x, 3 s'))
})

describe('startProgress()', () => {
  it('names a file by letters alone', t => {
    const file = join(mkdtempSync(join(tmpdir(), 'gocore-progress-')), 'drawn')
    const fd = openSync(file, 'w')
    t.after(() => rmSync(dirname(file), { recursive: true }))
    const now = t.mock.method(performance, 'now', () => 0)
    const stream = { isTTY: true, columns: 80, fd } as never
    const progress = startProgress('analysing ./core\u001b[2J\u202e\u009b', { stream })
    now.mock.mockImplementation(() => 2000)
    progress.update(1, 2)
    progress[Symbol.dispose]()
    closeSync(fd)
    assert.match(readFileSync(file, 'utf8'), /^\r\u001b\[Kanalysing \.\/core\\e\[2J\\u\{202e\}\\x9b /)
  })
})

describe('pagerCommand()', () => {
  const env = { PATH: process.env.PATH }
  const [self, other] = [String(process.geteuid!()), String(process.geteuid!() + 1)]
  /** With a `less` that tells how it was started. */
  const bin = mkdtempSync(join(tmpdir(), 'gocore-pager-'))
  after(() => rmSync(bin, { recursive: true }))
  writeFileSync(join(bin, 'less'), '#!/bin/sh\necho "secure=$LESSSECURE"\nexec cat\n', { mode: 0o755 })
  const rows: [
    name: string,
    options: Parameters<typeof pagerCommand>[0],
    isTTY: boolean,
    command: string | undefined,
  ][] = [
    ['none off a terminal', { env }, false, undefined],
    ['none when told so', { env, pager: false }, true, undefined],
    ['none on a dumb terminal', { env: { ...env, TERM: 'dumb' } }, true, undefined],
    ['none for PAGER=cat', { env: { ...env, PAGER: 'cat' } }, true, undefined],
    ['none for an empty PAGER', { env: { ...env, PAGER: '' } }, true, undefined],
    ['PAGER with its options', { env: { ...env, PAGER: 'sh -x' } }, true, 'sh -x'],
    ['ours before PAGER', { env: { ...env, PAGER: 'cat', GOCORE_SINK_PAGER: 'sh' } }, true, 'sh'],
    ['none that is not installed', { env: { ...env, PAGER: 'no-such-pager' } }, true, undefined],
    ['only less under sudo', { env: { PATH: bin, PAGER: 'sh', SUDO_UID: other } }, true, 'less'],
    ['none under sudo for PAGER=cat', { env: { PATH: bin, PAGER: 'cat', SUDO_UID: other } }, true, undefined],
    ['any where sudo changed nothing', { env: { ...env, PAGER: 'sh', SUDO_UID: self } }, true, 'sh'],
  ]
  for (const [name, options, isTTY, command] of rows)
    it(name, () => assert.equal(pagerCommand(options, isTTY), command))

  const haveScript = spawnSync('script', ['--version']).error === undefined
  it('less is secure under sudo', { skip: haveScript ? false : 'needs script of util-linux' }, () => {
    const module = join(import.meta.dirname, '../../../src/cli/render/pager.ts')
    writeFileSync(
      join(bin, 'page.ts'),
      `import { page } from '${module}'\nawait page(Array(500).fill('line'))\n`,
    )
    const pagedAs = (uid: string): string =>
      spawnSync('script', ['-qec', `${process.execPath} ${join(bin, 'page.ts')}`, '/dev/null'], {
        env: { PATH: `${bin}:${process.env.PATH}`, TERM: 'xterm', SUDO_UID: uid },
        encoding: 'utf8',
      }).stdout
    assert.match(pagedAs(other), /^secure=1\r\n(?:line\r\n){500}$/)
    assert.match(pagedAs(self), /^secure=\r\n/)
  })
})

describe('wantsColor()', () => {
  it('colours terminals, unless NO_COLOR says no', () => {
    const TERM = 'xterm'
    assert.equal(wantsColor({ isTTY: true }, { TERM }), true)
    assert.equal(wantsColor({ isTTY: false }, { TERM }), false)
    assert.equal(wantsColor({ isTTY: true }, { TERM, NO_COLOR: '1' }), false)
    assert.equal(wantsColor({ isTTY: true }, { TERM, NO_COLOR: '' }), true)
    assert.equal(wantsColor({ isTTY: true }, {}), false)
    assert.equal(wantsColor({ isTTY: true }, { TERM: '' }), false)
    assert.equal(wantsColor({ isTTY: true }, { TERM: 'dumb' }), false)
  })
})

describe('ownCode() and tellingFrame()', () => {
  const own = ownCode(sampleReport())
  it('knows the module, package main, and the library', () => {
    const rows: [string, boolean][] = [
      ['main.main', true],
      ['example.org/shop/cache.(*Cache).put', true],
      ['example.org/shopping.Buy', false],
      ['net/http.(*conn).serve', false],
      ['github.com/else/where.Do', false],
    ]
    for (const [symbol, yes] of rows) assert.equal(own(symbol), yes, symbol)
  })
  it('takes the program’s own frame, else a dependency’s, else one above the bottom', () => {
    const read = frame('internal/poll.(*FD).Read', 'fd.go', 1)
    const http = frame('net/http.(*conn).serve', 'server.go', 2)
    const other = frame('github.com/else/where.Do', 'where.go', 3)
    const mine = frame('main.main', 'main.go', 4)
    assert.equal(tellingFrame([read, http, other, mine], own), mine)
    assert.equal(tellingFrame([read, http, other], own), other)
    assert.equal(tellingFrame([read, http], own), http)
    assert.equal(tellingFrame([read], own), read)
    assert.equal(tellingFrame([], own), undefined)
  })
})

describe('goroutine filters and groups', () => {
  const one = sampleReport().goroutines[0]!
  const waits: Goroutine = {
    ...one,
    id: 2,
    state: 'chan receive, 6 minutes',
    status: 'waiting',
    waitNs: 360e9,
    labels: {},
  }
  const rows: [Parameters<typeof goroutineFilter>[0], number[]][] = [
    [{}, [18, 2]],
    [{ state: 'running' }, [18]],
    [{ state: 'waiting' }, [2]],
    [{ with: ['net/http', 'cache.go:41'] }, [18, 2]],
    [{ without: ['net/http'] }, []],
    [{ label: ['handler'] }, [18]],
    [{ label: ['handler=/put'] }, [18]],
    [{ label: ['handler=/get'] }, []],
    [{ longer: '5m' }, [2]],
  ]
  for (const [filter, ids] of rows)
    it(JSON.stringify(filter), () =>
      assert.deepEqual(
        [one, waits].filter(goroutineFilter(filter)).map(({ id }) => id),
        ids,
      ),
    )
  it('groups equal stacks whatever their waiting time', () => {
    const groups = groupGoroutines([
      one,
      waits,
      { ...waits, id: 3, state: 'chan receive, 9 minutes', waitNs: 540e9 },
    ])
    assert.deepEqual(
      groups.map(({ count, ids, state, longestWaitNs }) => [count, ids, state, longestWaitNs]),
      [
        [2, [2, 3], 'chan receive', 540e9],
        [1, [18], 'running', undefined],
      ],
    )
  })
})

describe('small renderers', () => {
  it('facts() wraps long values under their label and leaves out what is not known', () => {
    const look = { width: 40, color: false, now: 0 }
    assert.deepEqual(
      [
        ...facts(
          [
            ['A', 'one two three four five six seven'],
            ['Label', undefined],
            ['B', ['x', 'y']],
          ],
          look,
        ),
      ],
      ['A  one two three four five six seven', 'B  x', '   y'],
    )
  })
  it('idWidth() is as short as ids are unique', () => {
    assert.equal(idWidth(['abcdefgh', 'xyz']), 6)
    assert.equal(idWidth(['abcdefgh', 'abcdefgx']), 8)
    assert.equal(idWidth(['same', 'same']), 6)
    assert.equal(idWidth([]), 6)
  })
  it('coreState() tells how much is there and why not all', () => {
    const core = { raw_size: 54e6, stored_size: 4e5 }
    assert.equal(coreState({ ...core, state: 'complete' }), 'complete, 54 MB (400 KB stored)')
    assert.equal(
      coreState({ ...core, state: 'truncated', expected_size: 88e6, reason: 'no-space' }),
      'cut at 61 % of 88 MB (400 KB stored): the storage was full',
    )
    assert.equal(
      coreState({ raw_size: 0, stored_size: 0, state: 'none', reason: 'rlimit', detail: 'It was 0.' }),
      'none kept: It was 0',
    )
  })
})
