import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, uptime } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Gate, gateText } from '../../src/install/gate.ts'
import { takeCorePattern } from '../support/core-pattern.ts'
import { kernelLog, noKernel } from '../support/handler-bed.ts'

let folder: string
let work: string
let launchers = 0
/** A handler that tells of its beginning and end, and gives its ticket back. */
const handlerText = `
const { appendFileSync, rmSync } = require('node:fs')
const args = process.argv.slice(2)
const tell = word => appendFileSync(${JSON.stringify('LOG')}, word + ' ' + args.join(' ') + '\\n')
tell('begin')
setTimeout(() => { tell('end'); rmSync(args[args.indexOf('--ticket') + 1], { force: true }) }, 100)
`
const log = (): string[] =>
  existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n') : []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gate-'))
  work = join(folder, 'work.cjs')
  writeFileSync(work, handlerText.replace('LOG', join(folder, 'log')))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function crash(
  gate: Partial<Gate>,
  uid: number,
  comm = 'server',
  pid: number | undefined = 4242,
): Promise<unknown[]> {
  const args = [launcher(gate), `${pid}`, `${uid}`, '0', '11', '1', '0', comm]
  return once(spawn('/bin/sh', args, { env: {}, stdio: 'ignore' }), 'exit')
}

function launcher(gate: Partial<Gate>): string {
  const whole = { directory: join(folder, 'gate'), most: 2, longest: 20, ...gate }
  const path = join(folder, `sink-${launchers++}`)
  writeFileSync(path, `#!/bin/sh\n${gateText([process.execPath, work], '/c', whole)}`, { mode: 0o755 })
  return path
}

const centiseconds = (): number => Math.floor(uptime() * 100)

async function eventually<T>(look: () => T | undefined): Promise<T> {
  for (let i = 0; i < 400; i++) {
    const found = look()
    if (found !== undefined) return found
    await sleep(50)
  }
  throw new Error('It has not come for twenty seconds')
}

/** A process that the kernel calls so. */
async function program(name: string): Promise<ChildProcess> {
  copyFileSync('/bin/sleep', join(folder, name))
  chmodSync(join(folder, name), 0o755)
  const child = spawn(join(folder, name), ['60'], { stdio: 'ignore' })
  await once(child, 'spawn')
  return child
}

describe('gateText()', () => {
  it('lets so many in at a time, and in the end all', async () => {
    const ends = await Promise.all(Array.from({ length: 12 }, (_, i) => crash({}, i % 3)))
    assert.deepEqual(new Set(ends.map(([code]) => code)), new Set([0]))
    let running = 0
    const most = Math.max(...log().map(line => (line.startsWith('begin') ? ++running : running--)))
    assert.equal(log().filter(line => line.startsWith('begin')).length, 12)
    assert.ok(most <= 2, `${most} at a time`)
    assert.ok(log().some(line => / --waited [1-9][0-9]*0 /.test(line)))
    assert.deepEqual(
      readdirSync(join(folder, 'gate')).filter(name => /^[0-9]/.test(name)),
      [],
    )
  })

  it('lets a program that crashes once before those that wait of one that crashes again and again', async () => {
    const [often, once] = await Promise.all(['often', 'sometimes'].map(name => program(name)))
    try {
      const crowd = Array.from({ length: 16 }, () => crash({ most: 1 }, 7, 'often', often!.pid))
      await sleep(600)
      const before = log().length
      await crash({ most: 1 }, 7, 'thread of it', once!.pid)
      const own = log().findIndex(line => line.startsWith(`end`) && line.includes(` ${once!.pid} `))
      // Of the crowd those that were let in already, and one or two in turn.
      assert.ok(own >= 0 && own - before <= 8, `${own - before} lines after it came`)
      await Promise.all(crowd)
      assert.equal(log().length, 34)
    } finally {
      often!.kill()
      once!.kill()
    }
  })

  it('takes away the ticket of a handler that is gone, or is another program', async () => {
    mkdirSync(join(folder, 'gate'))
    for (const pid of ['1', '999999999']) writeFileSync(join(folder, 'gate', pid), '')
    assert.deepEqual(await crash({}, 0), [0, null])
    assert.equal(log().length, 2)
  })

  it('gives up after its time, and lets nobody else in', async () => {
    mkdirSync(join(folder, 'gate'))
    // This very process is a Node, as a handler is.
    for (const pid of [process.pid, process.ppid]) writeFileSync(join(folder, 'gate', `${pid}`), '')
    assert.deepEqual(await crash({ most: 1, longest: 1 }, 0, '$(touch x)\n'), [1, null])
    assert.deepEqual(log(), [])
  })

  it('notes in a ticket when it was given', () => {
    const before = centiseconds()
    writeFileSync(work, `console.log(require('node:fs').readFileSync(process.argv[3], 'latin1'))`)
    const args = [launcher({}), '4242', '0', '0', '11', '1', '0', 'server']
    const { stdout } = spawnSync('/bin/sh', args, { encoding: 'latin1', env: {} })
    assert.match(stdout, /^[0-9]+\n/)
    assert.ok(Number(stdout) >= before - 1 && Number(stdout) <= centiseconds() + 1, stdout)
  })

  it('ends who stands still and nobody who gets on, though the clock was set back', {
    skip: noKernel,
    timeout: 10 * 60_000,
  }, async () => {
    writeFileSync(
      work,
      `void import(${JSON.stringify(join(import.meta.dirname, '../support/gate-handler.ts'))})`,
    )
    using pattern = await takeCorePattern()
    chmodSync(folder, 0o755)
    pattern.set(`|${launcher({})} %P %u %g %s %t %c %e`, { pipeLimit: 16 })
    const gate = join(folder, 'gate')
    mkdirSync(gate)
    const die = (signal: string): Promise<unknown[]> =>
      once(
        spawn('/bin/sh', ['-c', `ulimit -c unlimited; kill -${signal} $$`], { cwd: folder, stdio: 'ignore' }),
        'exit',
      )
    const tickets = (): string[] => readdirSync(gate).filter(name => /^[0-9]/.test(name))
    const timeIn = (ticket: string): number => Number(readFileSync(join(gate, ticket), 'latin1'))
    const held: Promise<unknown[]>[] = []
    try {
      held.push(die('QUIT'))
      const still = await eventually(() => tickets()[0])
      held.push(die('ABRT'))
      const healthy = await eventually(() => tickets().find(ticket => ticket !== still))
      const given = timeIn(healthy)
      await eventually(() => timeIn(healthy) > given || undefined)
      // As a look of twenty seconds ago left them, with a clock that was an hour ahead.
      const before = centiseconds() - 2000
      writeFileSync(join(gate, still), `${before - 100}\n`)
      writeFileSync(join(gate, 'since'), `${before}\n`)
      const ahead = Date.now() / 1000 + 3600
      utimesSync(join(gate, 'since'), ahead, ahead)
      await die('SEGV')
      assert.deepEqual(tickets(), [healthy])
      assert.equal(existsSync(`/proc/${still}`), false)
      assert.equal(kernelLog(`ENDED the handler ${still},`).length, 1)
      assert.deepEqual(kernelLog(`ENDED the handler ${healthy},`), [])
    } finally {
      for (const ticket of tickets()) process.kill(Number(ticket), 'SIGKILL')
      await Promise.all(held)
    }
  })

  it('reads how many from what a handler has told of the configuration', async () => {
    mkdirSync(join(folder, 'gate'))
    writeFileSync(join(folder, 'gate', `${process.pid}`), '')
    writeFileSync(join(folder, 'gate', 'limits'), '2 20\n')
    assert.deepEqual(await crash({ most: 1, longest: 1 }, 0), [0, null])
  })

  for (const text of ['', '2', 'two twenty\n', '-1 20\n', '2 20 7\n'])
    it(`takes the launcher's own limits for ${JSON.stringify(text)}`, async () => {
      mkdirSync(join(folder, 'gate'))
      writeFileSync(join(folder, 'gate/limits'), text)
      assert.deepEqual(await crash({}, 0), [0, null])
      assert.equal(log().length, 2)
    })

  it('tells the kernel log before there is a handler', {
    skip: process.getuid?.() !== 0 ? 'the kernel log takes root' : false,
  }, async () => {
    const comm = `a (b) %s ${process.pid}`
    await crash({}, 77, comm)
    assert.equal(kernelLog(`crash of process 4242 (${comm}) of user 77, signal 11`).length, 1)
    assert.match(log()[0]!, / --told --config /)
    await crash({}, 78, `\u001b[31m${process.pid}`)
    assert.equal(kernelLog('crash of process 4242 (?) of user 78, signal 11').length > 0, true)
  })

  it('starts the handler by the program that takes rights from it, and without where that has gone', async () => {
    const bounds = join(folder, 'bounds')
    writeFileSync(bounds, `#!/bin/sh\necho bounded "$1" >>${join(folder, 'log')}\nshift\nexec "$@"\n`, {
      mode: 0o755,
    })
    assert.deepEqual(await crash({ bounds: [bounds, '--set=-all,+cap_0'] }, 0), [0, null])
    assert.equal(log()[0], 'bounded --set=-all,+cap_0')
    rmSync(bounds)
    assert.deepEqual(await crash({ bounds: [bounds, '--set'] }, 0), [0, null])
    assert.deepEqual(
      log().map(line => line.split(' ')[0]),
      ['bounded', 'begin', 'end', 'begin', 'end'],
    )
  })

  it('takes crashes as they come where it has no directory', async () => {
    const ends = await Promise.all([0, 0, 0, 0].map(uid => crash({ directory: '/proc/nowhere' }, uid)))
    assert.deepEqual(
      ends.map(([code]) => code),
      [0, 0, 0, 0],
    )
  })
})
