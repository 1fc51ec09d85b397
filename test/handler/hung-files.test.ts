/** What a crashed program was made of, and where the spool would be, on storage that does not answer: nobody waits for it. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { byDeafFuse } from '../../scripts/faults.d/mounts.ts'
import { initializeStore } from '../../src/archive/format.ts'
import { layoutOf } from '../../src/archive/layout.ts'
import { attackBed, compile } from '../security/bed.ts'
import { HandlerBed, noKernel } from '../support/handler-bed.ts'

const unavailable = noKernel || byDeafFuse.unavailable()

const source = `#include <stdlib.h>
#include <unistd.h>
int main(void) {
  while (access("die", F_OK)) usleep(10000);
  abort();
}`

/** What storage-child.ts answers. */
function storageChild(bed: HandlerBed, order: string, config: Record<string, unknown> = {}) {
  const all = { archive: bed.path('archive'), state: bed.path('state'), ...config }
  const child = join(import.meta.dirname, 'storage-child.ts')
  const run = spawnSync(process.execPath, [child, order, JSON.stringify(all)], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  return JSON.parse(run.stdout || JSON.stringify(run.stderr))
}

describe('storage that does not answer', { skip: unavailable, timeout: 180_000 }, () => {
  test('and has the executable: the core is stored without it, and the process waits for the deadline', async () => {
    using bed = attackBed({ StorageDeadline: '3s' })
    const program = compile(bed, 'victim', source)
    for (const directory of ['fuse', 'files', 'files/content']) mkdirSync(bed.path(directory))
    copyFileSync(program, bed.path('files/content/victim'))
    const mounted = await byDeafFuse.mount(bed.path('fuse'), bed.path('files'))
    try {
      await bed.crash('fuse/victim & sleep 1; wait', {
        async during() {
          await new Promise(done => setTimeout(done, 500))
          mounted.freeze()
          execFileSync('touch', [bed.path('die')])
        },
      })
      const [dump] = bed.dumps()
      const { core, held_ms, notes, executable } = dump!.manifest
      assert.equal(core.state, 'complete', JSON.stringify(core))
      assert.match(notes.join('\n'), /storing the core without its executable: its storage does not answer/)
      assert.equal(executable, undefined)
      assert.ok(held_ms > 2900 && held_ms < 10_000, `${held_ms} ms`)
      assert.deepEqual(bed.handlers(), [])
    } finally {
      await mounted.end()
    }
  })

  test('and answers when the process has been let go: the executable is stored all the same', async () => {
    using bed = attackBed({ StorageDeadline: '2s' })
    const program = compile(bed, 'victim', source)
    for (const directory of ['fuse', 'files', 'files/content']) mkdirSync(bed.path(directory))
    copyFileSync(program, bed.path('files/content/victim'))
    const mounted = await byDeafFuse.mount(bed.path('fuse'), bed.path('files'))
    try {
      await bed.crash('fuse/victim; touch gone', {
        async during() {
          await new Promise(done => setTimeout(done, 1000))
          mounted.freeze()
          execFileSync('touch', [bed.path('die')])
          for (let i = 0; i < 300 && !existsSync(bed.path('gone')); i++)
            await new Promise(done => setTimeout(done, 50))
          await mounted.thaw()
        },
      })
      const { held_ms, notes, executable } = bed.dumps()[0]!.manifest
      assert.deepEqual(notes, [])
      assert.ok(held_ms > 1900, `${held_ms} ms`)
      assert.ok(readFileSync(bed.store.binaryPath(executable!.key!)!).equals(readFileSync(program)))
    } finally {
      await mounted.end()
    }
  })

  test('and has a layer of the overlay that the executable is on', async () => {
    using bed = attackBed({ StorageDeadline: '1s' })
    const program = compile(bed, 'victim', source)
    for (const directory of ['fuse', 'files', 'files/content', 'empty', 'merged'])
      mkdirSync(bed.path(directory))
    copyFileSync(program, bed.path('files/content/victim'))
    const mounted = await byDeafFuse.mount(bed.path('fuse'), bed.path('files'))
    try {
      execFileSync('mount', [
        ...['-t', 'overlay', 'overlay', bed.path('merged')],
        ...['-o', `lowerdir=${bed.path('fuse')}:${bed.path('empty')}`],
      ])
      await bed.crash('merged/victim & sleep 1; wait', {
        async during() {
          await new Promise(done => setTimeout(done, 500))
          mounted.freeze()
          execFileSync('touch', [bed.path('die')])
        },
      })
      const { core, held_ms, notes } = bed.dumps()[0]!.manifest
      assert.equal(core.state, 'complete', JSON.stringify(core))
      assert.match(notes.join('\n'), /storing the core without its executable: its storage does not answer/)
      assert.ok(held_ms > 900 && held_ms < 30_000, `${held_ms} ms`)
    } finally {
      spawnSync('umount', ['-l', bed.path('merged')])
      await mounted.end()
    }
  })

  test('and does: an executable on FUSE is stored as it is', async () => {
    using bed = attackBed()
    const program = compile(bed, 'victim', source)
    for (const directory of ['fuse', 'files', 'files/content']) mkdirSync(bed.path(directory))
    copyFileSync(program, bed.path('files/content/victim'))
    const mounted = await byDeafFuse.mount(bed.path('fuse'), bed.path('files'))
    try {
      await bed.crash('touch die; fuse/victim; true')
      const [dump] = bed.dumps()
      const { executable, libraries, notes } = dump!.manifest
      assert.deepEqual(notes, [])
      assert.ok(readFileSync(bed.store.binaryPath(executable!.key!)!).equals(readFileSync(program)))
      assert.ok(libraries.length > 0 && libraries.every(({ key }) => key !== undefined))
    } finally {
      await mounted.end()
    }
  })

  test('and is the archive, while files are stored: the spool gets those of this machine, and what is left out is told', async () => {
    using bed = new HandlerBed()
    for (const directory of ['fuse', 'files']) mkdirSync(bed.path(directory))
    const mounted = await byDeafFuse.mount(bed.path('fuse'), bed.path('files'))
    try {
      const archive = join(bed.path('fuse'), 'archive')
      const { stored, size, isInSpool, failures } = storageChild(bed, 'files', {
        archive,
        storageDeadline: 0.2,
        hang: bed.path('files/hang'),
      })
      assert.equal(isInSpool, true)
      assert.deepEqual(failures, [
        { root: archive, what: `Could not write to ${archive}: it has not answered for 3 s` },
      ])
      const { executable, libraries, notes } = stored
      assert.equal(executable.size, size)
      const path = layoutOf(join(bed.path('state'), 'spool')).binary(executable.key)
      assert.equal(statSync(join(path, 'binary')).size, size)
      assert.deepEqual(libraries, [])
      assert.deepEqual(notes, [
        'Could not copy 1 of its libraries, storing the core without them: its storage does not answer',
      ])
    } finally {
      await mounted.end()
    }
  })

  test('and would have the spool: it is asked where the archive has no room, for no longer than the deadline', async () => {
    using bed = new HandlerBed()
    for (const directory of ['fuse', 'files']) mkdirSync(bed.path(directory))
    const mounted = await byDeafFuse.mount(bed.path('fuse'), bed.path('files'))
    try {
      const { archive, answers } = storageChild(bed, 'room', {
        state: join(bed.path('fuse'), 'state'),
        storageDeadline: 1,
        hang: bed.path('files/hang'),
      })
      const [enough, more] = answers
      assert.deepEqual([enough.room, enough.stalled], [archive, false])
      assert.deepEqual([more.room, more.stalled], [archive, true])
      assert.ok(more.ms > 900 && more.ms < 20_000, `${more.ms} ms`)
    } finally {
      await mounted.end()
    }
  })
})

test('what is longer than a slot of the staging memory is written as it is, whichever slots are free', () => {
  using bed = new HandlerBed()
  initializeStore(bed.store)
  for (let blocks = 0; blocks <= 5; blocks++) {
    const { path, size, sha256 } = storageChild(bed, String(blocks))
    assert.equal(statSync(path).size, size)
    assert.equal(
      createHash('sha256').update(readFileSync(path)).digest('hex'),
      sha256,
      `behind ${blocks} blocks`,
    )
  }
})
