import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Leases } from '../../src/archive/lease.ts'
import { testArchive } from '../daemon/archive.ts'

const id = 'abcdefghijkl'
const other = { host: 'another', boot_id: 'b', pid: 1 }

describe('Leases', () => {
  it('gives a dump to one at a time', () => {
    using archive = testArchive()
    const [one, two] = [new Leases(archive.store), new Leases(archive.store)]
    const lease = one.take(id)
    assert.equal(lease?.isHeld(), true)
    assert.equal(two.take(id), undefined)
    assert.equal(one.take(id), undefined)
    lease[Symbol.dispose]()
    assert.deepEqual(readdirSync(join(archive.store.root, 'leases')), [])
    using next = two.take(id)
    assert.equal(next?.isHeld(), true)
  })

  it('of processes that try at once lets one in', async () => {
    using archive = testArchive()
    const path = join(import.meta.dirname, '../../src/archive')
    const program = `
      import { Leases } from '${path}/lease.ts'
      import { openLocalStore } from '${path}/index.ts'
      let taken = 0
      for (let i = 0; i < 50; i++) {
        const lease = new Leases(openLocalStore(${JSON.stringify(archive.store.root)})).take('${id}')
        if (lease) taken++
      }
      process.stdout.write(String(taken))
      process.stdin.resume()`
    const children = Array.from({ length: 4 }, () =>
      spawn(
        process.execPath,
        ['--input-type=module-typescript', '--disable-warning=ExperimentalWarning', '-e', program],
        {
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      ),
    )
    const taken = await Promise.all(
      children.map(async child => Number(String((await once(child.stdout!, 'data'))[0]))),
    )
    for (const child of children) child.kill('SIGKILL')
    assert.equal(
      taken.reduce((sum, n) => sum + n),
      1,
    )
  })

  it('takes over from a dead process of this machine at once, from a silent one elsewhere after a while', async () => {
    using archive = testArchive()
    let clock = 0
    const leases = new Leases(archive.store, { patience: 1000, now: () => clock })
    const first = leases.take(id)!
    const file = join(archive.store.root, 'leases', `${id}.1`)
    const text = readFileSync(file, 'utf8')
    const child = spawn('true')
    await once(child, 'exit')
    writeFileSync(file, text.replace(/"pid":\d+/, `"pid":${child.pid}`))
    using second = new Leases(archive.store).take(id)
    assert.deepEqual([first.isHeld(), second?.isHeld()], [false, true])
    second![Symbol.dispose]()
    writeFileSync(file, `${JSON.stringify(other)}\n           1\n`)
    for (const [now, taken] of [
      [0, false],
      [900, false],
      [1100, true],
    ] as const) {
      clock = now
      assert.equal(leases.take(id) !== undefined, taken, `after ${now} ms`)
    }
  })

  it('takes over from who can’t be read, or is of another boot, after a while and not at once', () => {
    using archive = testArchive()
    let clock = 0
    const leases = new Leases(archive.store, { patience: 1000, now: () => clock })
    const path = join(archive.store.root, 'leases', `${id}.1`)
    const changes: [what: string, change: (text: string) => void][] = [
      [
        'unreadable',
        () => {
          rmSync(path)
          symlinkSync('nowhere', path)
        },
      ],
      ['a clone', text => writeFileSync(path, text.replace(/"boot_id":"[^"]*"/, '"boot_id":"another"'))],
    ]
    for (const [what, change] of changes) {
      new Leases(archive.store).take(id)
      change(readFileSync(path, 'utf8'))
      for (const [ms, taken] of [
        [0, false],
        [900, false],
        [200, true],
      ] as const) {
        clock += ms
        using lease = leases.take(id)
        assert.equal(lease !== undefined, taken, `${what} after ${ms} ms more`)
      }
    }
  })

  it('knows its own from another that has got its name since', () => {
    using archive = testArchive()
    let clock = 0
    const one = new Leases(archive.store).take(id)!
    const other = new Leases(archive.store, { patience: 1000, now: () => clock })
    assert.equal(other.take(id), undefined)
    clock = 1100
    other.take(id)![Symbol.dispose]()
    using third = new Leases(archive.store).take(id)
    const names = [`${id}.1`]
    assert.deepEqual([one.isHeld(), third?.isHeld()], [false, true])
    assert.deepEqual(readdirSync(join(archive.store.root, 'leases')), names)
    one[Symbol.dispose]()
    assert.equal(third?.isHeld(), true)
    assert.deepEqual(readdirSync(join(archive.store.root, 'leases')), names)
  })

  it('believes in a holder elsewhere as long as it writes', () => {
    using archive = testArchive()
    let clock = 0
    const leases = new Leases(archive.store, { patience: 1000, now: () => clock })
    leases.take(id)![Symbol.dispose]()
    for (let beat = 0; beat < 5; beat++) {
      writeFileSync(join(archive.store.root, 'leases', `${id}.1`), `${JSON.stringify(other)}\n${beat}\n`)
      assert.equal(leases.take(id), undefined)
      clock += 900
    }
  })
})
