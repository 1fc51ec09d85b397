/** The judge of `scripts/faults`: each column of the table notices what it is there for. The product is broken here on purpose. */
import assert from 'node:assert/strict'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { Tally, type Verdict } from '../../scripts/faults.d/tally.ts'
import { coreOf, type Replay, Trial } from '../../scripts/faults.d/trial.ts'
import type { Truth } from '../../scripts/faults.d/truth.ts'
import type { DumpEntry, Manifest } from '../../src/archive/index.ts'
import { packLz4 } from '../support/lz4-file.ts'

const core = coreOf(2)

interface Stored {
  readonly trial: Trial
  readonly entry: DumpEntry
  readonly file: (name: string) => string
  /** Writes a core in the place of the stored one, and of the manifest what is to be otherwise. */
  readonly replace: (content: Buffer, account: Partial<Manifest['core']>) => void
}

/** One real crash, then `spoil`, then the verdict. */
async function judged(
  spoil: (stored: Stored) => void,
  change: (crash: Replay) => Partial<Replay> = () => ({}),
): Promise<Verdict> {
  await using trial = new Trial()
  const crash = await trial.crash(core)
  const entry = [...trial.store.list()][0]!
  const file = (name: string): string => trial.store.layout.file(entry, name)
  const replace: Stored['replace'] = (content, account) => {
    const stored = packLz4(content, 1 << 20)
    writeFileSync(file('core.lz4'), stored)
    const sizes = { raw_size: content.length, stored_size: stored.length }
    const manifest = { ...entry.manifest, core: { ...entry.manifest.core, ...sizes, ...account } }
    writeFileSync(file('manifest.json'), JSON.stringify(manifest))
  }
  spoil({ trial, entry, file, replace })
  const tally = new Tally()
  const verdict = await trial.judge([{ ...crash, ...change(crash) }], tally)
  assert.equal(tally.isGood, verdict.lost + verdict.twice + verdict.wrong === 0)
  return verdict
}

const counts = ({ lost, twice, wrong }: Verdict): string => `${lost} ${twice} ${wrong}`

const changed = Buffer.from(core)
changed[1_500_000]! ^= 1
const senseless = Buffer.from(core)
senseless.fill(0xff, 32, 58)
const half = core.subarray(0, 1 << 20)
const cut = { state: 'truncated', reason: 'killed', detail: 'cut' } as const

const spoilings: [what: string, verdict: string, spoil: (stored: Stored) => void][] = [
  ['nothing that is wrong', '0 0 0', () => {}],
  ['an honest cut', '0 0 0', ({ replace }) => replace(half, cut)],
  ['a manifest that is gone', '1 0 0', ({ file }) => rmSync(file('manifest.json'))],
  [
    'a dump that is gone',
    '1 0 0',
    ({ trial, entry }) => rmSync(trial.store.layout.dump(entry), { recursive: true }),
  ],
  [
    'a manifest that can not be read',
    // verify names it, too.
    '1 0 1',
    ({ file }) => writeFileSync(file('manifest.json'), '{}'),
  ],
  ['a dump twice', '0 1 0', stored => copyAs(stored, stored.entry.manifest.process.pid)],
  ['a crash that never was', '0 1 0', stored => copyAs(stored, 1_999_999_999)],
  ['a cut dump that is called complete', '0 0 1', ({ replace }) => replace(half, {})],
  ['a whole one that is called cut', '0 0 1', ({ replace }) => replace(core, cut)],
  ['one byte that is another', '0 0 1', ({ replace }) => replace(changed, {})],
  [
    'one byte of a cut dump that is another',
    '0 0 1',
    ({ replace }) => replace(changed.subarray(0, 1_600_000), cut),
  ],
  // verify counts that one as well.
  ['a size that is another', '0 0 2', ({ replace }) => replace(half, { ...cut, raw_size: 999_999 })],
  ['headers that make no sense', '0 0 1', ({ replace }) => replace(senseless, {})],
  ['a cut without a reason', '0 0 1', ({ replace }) => replace(half, { state: 'truncated' })],
  [
    'a cut that was to be of another size',
    '0 0 1',
    ({ replace }) => replace(half, { ...cut, expected_size: 3 << 20 }),
  ],
  ['a complete one without its core', '0 0 2', ({ file }) => rmSync(file('core.lz4'))],
]

function copyAs({ trial, entry, file }: Stored, pid: number): void {
  const other = { id: 'aaaaaaaaaaaa', day: entry.day }
  cpSync(trial.store.layout.dump(entry), trial.store.layout.dump(other), { recursive: true })
  const manifest = { ...entry.manifest, id: other.id, process: { ...entry.manifest.process, pid } }
  assert.notEqual(trial.store.layout.file(other, 'manifest.json'), file('manifest.json'))
  writeFileSync(trial.store.layout.file(other, 'manifest.json'), JSON.stringify(manifest))
}

describe('the judge of faults notices', { concurrency: 2 }, () => {
  for (const [what, verdict, spoil] of spoilings)
    test(what, async () => {
      const found = await judged(spoil)
      assert.equal(counts(found), verdict, found.why.join('\n'))
    })

  // The one segment of the replayed core, as memory that a process had.
  const memory = (bytes: Buffer): Truth => ({
    *memory() {
      for (let at = 0; at < bytes.length; at += 65536)
        yield { address: at, bytes: bytes.subarray(at, at + 65536) }
    },
  })

  test('memory that the process did not have, in a core of which nothing else is known', async () => {
    const good = await judged(
      () => {},
      () => ({ truth: memory(core.subarray(4096)) }),
    )
    assert.equal(counts(good), '0 0 0', good.why.join('\n'))
    for (const [account, content] of [
      [{}, changed],
      [cut, changed.subarray(0, 1_600_000)],
    ] as const) {
      const bad = await judged(
        ({ replace }) => replace(content, account),
        () => ({ truth: memory(core.subarray(4096)) }),
      )
      assert.equal(counts(bad), '0 0 1', bad.why.join('\n'))
    }
  })

  test('a complete core of such a process that lacks memory, threads, or what its headers promise', async () => {
    const more = Buffer.concat([core.subarray(4096), Buffer.alloc(10)])
    for (const truth of [memory(more), { threads: 3 }]) {
      const found = await judged(
        () => {},
        () => ({ truth }),
      )
      assert.equal(counts(found), '0 0 1', found.why.join('\n'))
    }
    const found = await judged(
      ({ replace }) => replace(half, {}),
      () => ({ truth: {} }),
    )
    assert.equal(counts(found), '0 0 1', found.why.join('\n'))
  })

  test('a dump that must be whole and is not, and lets one be unknown that nobody was promised', async () => {
    const found = await judged(
      ({ replace }) => replace(half, cut),
      () => ({ mustBeWhole: true }),
    )
    assert.equal(counts(found), '0 0 1')
    const unknown = await judged(
      ({ trial, entry }) => rmSync(trial.store.layout.dump(entry), { recursive: true }),
      () => ({ mayBeUnknown: true }),
    )
    assert.equal(counts(unknown), '0 0 0')
  })

  test('a process that was held for too long', () => {
    const tally = new Tally()
    tally.add({ lost: 0, twice: 0, wrong: 0, held: 4000, why: [] })
    tally.checkHold(5000)
    assert.ok(tally.isGood)
    tally.checkHold(3000)
    assert.ok(!tally.isGood)
  })
})
