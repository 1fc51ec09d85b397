import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultConfig } from '../../src/config/index.ts'
import { type Admission, admit } from '../../src/handler/admission.ts'

function within(work: (run: string) => void): void {
  const run = mkdtempSync(join(tmpdir(), 'gocore-admission-'))
  try {
    work(run)
  } finally {
    rmSync(run, { recursive: true })
  }
}

const isWhole = ({ refused, note }: Admission): boolean => refused === undefined && note === undefined

test('admit() lets half of all be of one program, and all be of many', () =>
  within(run => {
    const config = { ...defaultConfig(), run, capturesMax: 4 }
    const ask = (exe: string, uid = 0): Admission => admit(config, { uid, exe, signal: 6 })
    const first = ask('/a')
    assert.ok(isWhole(first))
    assert.ok(isWhole(ask('/a')))
    assert.match(ask('/a').refused!, /2 other crashes of this program/)
    assert.match(ask('/b').refused ?? '', /^$/)
    const fifth = ask('/c')
    assert.match(fifth.refused!, /4 other crashes/)
    assert.deepEqual([first.others, fifth.others], [0, 4])
    first[Symbol.dispose]()
    assert.equal(readdirSync(join(run, 'captures')).length, 4)
  }))

test('admit() does not count handlers that are gone, nor files that are none', async () => {
  const gone = spawn('true')
  await new Promise(done => gone.once('exit', done))
  within(run => {
    const config = { ...defaultConfig(), run, capturesMax: 1 }
    admit(config, { uid: 0, exe: '/a', signal: 6 })[Symbol.dispose]()
    writeFileSync(join(run, 'captures', `${'0'.repeat(20)}-${gone.pid}-0-${'0'.repeat(16)}`), '')
    writeFileSync(join(run, 'captures', '0-what'), '')
    assert.ok(isWhole(admit(config, { uid: 0, exe: '/a', signal: 6 })))
  })
})

test('admit() counts neither zombies, whose threads may hang for long, nor numbers that went to other programs', async () => {
  // A shell that becomes another program does not ask what became of its child, which ends later.
  const other = spawn('/bin/sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  try {
    const zombie = Number(await new Promise(done => other.stdout.once('data', done)))
    const runs = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'latin1')
    while (!runs(zombie).includes(') Z ') || !runs(other.pid!).includes('(sleep)'))
      await new Promise(done => setTimeout(done, 20))
    within(run => {
      const config = { ...defaultConfig(), run, capturesMax: 1 }
      admit(config, { uid: 0, exe: '/a', signal: 6 })[Symbol.dispose]()
      for (const pid of [zombie, other.pid])
        writeFileSync(join(run, 'captures', `${'0'.repeat(20)}-${pid}-0-${'0'.repeat(16)}`), '')
      assert.equal(admit(config, { uid: 0, exe: '/a', signal: 6 }).refused, undefined)
      assert.equal(readdirSync(join(run, 'captures')).length, 1, 'theirs are taken away')
    })
  } finally {
    other.kill()
  }
})

test('admit() keeps to the number of an hour, for each program, user and signal', () =>
  within(run => {
    const config = { ...defaultConfig(), run, capturesPerHour: 2 }
    const ask = (now: number, uid = 0, signal = 6): boolean => {
      using admission = admit(config, { uid, exe: '/a', signal }, now)
      return isWhole(admission)
    }
    assert.deepEqual([ask(1e12), ask(1e12 + 1), ask(1e12 + 2)], [true, true, false])
    assert.ok(ask(1e12 + 3, 1) && ask(1e12 + 4, 0, 11))
    assert.ok(ask(1e12 + 3_600_001))
  }))

test('admit() shortens a file of which most is old, and leaves what counts', () =>
  within(run => {
    const config = { ...defaultConfig(), run, capturesPerHour: 3 }
    const ask = (now: number): boolean => {
      using admission = admit(config, { uid: 0, exe: '/a', signal: 6 }, now)
      return isWhole(admission)
    }
    // Two an hour, for a month.
    for (let now = 1e12; now < 1e12 + 31 * 24 * 3_600_000; now += 1_700_000) assert.ok(ask(now))
    const [name] = readdirSync(join(run, 'quota'))
    const lines = readFileSync(join(run, 'quota', name!), 'latin1')
      .trim()
      .split('\n')
    assert.ok(lines.length <= 7, `${lines.length} lines`)
    assert.deepEqual(readdirSync(join(run, 'quota')), [name])
    const last = Number(lines.at(-1))
    assert.deepEqual([ask(last + 1), ask(last + 2)], [false, false])
  }))

test('admit() takes away the files of programs that no longer crash, some at a time', () =>
  within(run => {
    const config = { ...defaultConfig(), run, capturesPerHour: 2 }
    const quota = join(run, 'quota')
    const ask = (exe: string): boolean => {
      using admission = admit(config, { uid: 0, exe, signal: 6 })
      return isWhole(admission)
    }
    assert.ok(ask('/a') && ask('/a'))
    for (let n = 0; n < 100; n++) writeFileSync(join(quota, `0-${String(n).padStart(16, '0')}`), '1\n')
    const then = Date.now() / 1000 - 3601
    for (const name of readdirSync(quota)) utimesSync(join(quota, name), then, then)
    assert.ok(ask('/b'))
    const left = readdirSync(quota).length
    assert.ok(left >= 102 - 32 && left <= 102 - 31, `${left} are left of 102`)
    for (let n = 0; n < 80; n++) ask(`/new/${n}`)
    assert.equal(readdirSync(quota).length, 81)
    assert.deepEqual([ask('/b'), ask('/b')], [true, false], 'what is young stays')
  }))

test('admit() counts users apart by more than a hash, which somebody can meet', () =>
  within(run => {
    const config = { ...defaultConfig(), run, capturesPerHour: 2, userCapturesPerHour: 2 }
    for (const uid of [0, 1000, 1001]) assert.ok(isWhole(admit(config, { uid, exe: '/a', signal: 6 })))
    const names = [...readdirSync(join(run, 'quota')), ...readdirSync(join(run, 'captures'))]
    const users = names.map(name => /(?:^|-)(\d{1,10})-[0-9a-f]{16}$/.exec(name)?.[1])
    assert.deepEqual(users.sort(), ['0', '1000', '1001'].flatMap(uid => [uid, uid, uid]).sort())
  }))

test('admit() admits where it can not tell', () => {
  using admission = admit({ ...defaultConfig(), run: '/dev/null' }, { uid: 0, exe: '/a', signal: 6 })
  assert.equal(admission.refused, undefined)
  assert.match(admission.note!, /Could not tell how many crashes/)
})
