import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Coverage } from '../../scripts/fuzz.d/coverage.ts'
import { randomFrom } from '../../scripts/fuzz.d/random.ts'
import { runTarget } from '../../scripts/fuzz.d/run-target.ts'
import { Search } from '../../scripts/fuzz.d/search.ts'
import type { Seed, Target } from '../../scripts/fuzz.d/target.ts'
import { tryInput } from '../../scripts/fuzz.d/trial.ts'
import { FormatError } from '../../src/base/errors.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'

const seed: Seed = { source: bytesSource('seed', new Uint8Array(8)) }
const whole = { seed: 'seed', edits: [] }
const outcomeOf = (run: Target['run']): ReturnType<typeof tryInput> =>
  tryInput({ name: 'toy', seeds: () => [seed], run }, seed, whole, 0.1)

test('a value and an error of ours are as they should be; whatever else comes of an input is a find', () => {
  assert.equal(outcomeOf(() => {}).kind, 'value')
  const ours = new FormatError({ file: 'seed', section: 'header', offset: 0 }, 'is damaged')
  const cases: [Target['run'], string, RegExp | undefined][] = [
    [() => thrown(ours), 'error', undefined],
    [() => thrown(new TypeError('of undefined')), 'find', /of undefined/],
    [() => thrown('text'), 'find', /^text$/],
    [() => spin(400), 'find', /took \d+ ms of processor time/],
    [() => void Buffer.alloc(700 << 20, 1), 'find', /took \d+ MB of memory/],
  ]
  for (const [run, kind, why] of cases) {
    const outcome = outcomeOf(run)
    assert.equal(outcome.kind, kind)
    if (why) assert.match(outcome.why!, why)
  }
})

function thrown(what: unknown): never {
  throw what
}

function spin(ms: number): void {
  const { user, system } = process.cpuUsage()
  for (let done = 0; done < ms * 1000; ) {
    const now = process.cpuUsage()
    done = now.user + now.system - user - system
  }
}

test('a search that is led by what inputs reach keeps those that led further', {
  timeout: 120_000,
}, async () => {
  const { ok, output } = await runTarget({
    ...{ target: 'lz4', seed: 1, count: 1500, seconds: 20, guided: true },
  })
  assert.ok(ok, output)
  const [, places, kept] = /, (\d+) places reached, (\d+) inputs kept/.exec(output)!
  assert.ok(Number(places) > 100, output)
  assert.ok(Number(kept) > 10, output)
})

test('seeds of a target have names of their own, by which damage is told', () => {
  const search = (seeds: readonly Seed[]) =>
    new Search({
      ...{ target: { name: 'toy', seeds: () => seeds, run: () => {} }, coverage: new Coverage() },
      ...{ random: randomFrom(1), times: 1, onTry: () => {}, onOutcome: () => {} },
    })
  assert.throws(() => search([seed, { ...seed }]), /two seeds of toy have one name/)
  search([seed, { source: bytesSource('another', new Uint8Array(8)) }])
})
