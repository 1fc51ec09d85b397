/** Opening what a program was made of, by a thread that is late. */
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it, test } from 'node:test'
import { MappedFileOpener } from '../../src/handler/mapped-files.ts'
import { isOnLocal, localMounts } from '../../src/handler/mounts.ts'
import { parseMaps } from '../../src/handler/proc-text.ts'
import type { Snapshot } from '../../src/handler/process-info.ts'
import { HandlerBed, noKernel } from '../support/handler-bed.ts'

const late = 'storing the core without its executable: its storage does not answer'

/** This process as one that crashed, whose executable is of elsewhere. */
function opener(how: 'busy' | 'waiting'): { opener: MappedFileOpener; snapshot: Snapshot } {
  process.env.LATE = how
  const snapshot: Snapshot = {
    facts: { pid: process.pid, uid: 0, gid: 0, comm: 'node', exe: process.execPath },
    ...{ mappings: [], anonymous: [], files: [], notes: [] },
    directory: `/proc/${process.pid}`,
    close() {},
  }
  return {
    snapshot,
    opener: new MappedFileOpener(snapshot, join(import.meta.dirname, 'late-open.ts'), {
      devices: new Set(),
      ids: new Set(),
    }),
  }
}

const waiting = { patience: 400, beat() {} }

describe('an executable that is late', { timeout: 60_000 }, () => {
  it('is waited for while its thread lacks a processor', () => {
    const { opener: files, snapshot } = opener('busy')
    files.wait(waiting)
    assert.equal(files.hasStalled, false)
    const { executable } = files.take(waiting)
    assert.deepEqual([executable?.path, executable?.isLocal, snapshot.notes], [process.execPath, false, []])
    closeSync(executable!.fd)
  })

  it('is given up while the process is held, and taken later where it has come', () => {
    const { opener: files, snapshot } = opener('waiting')
    files.wait(waiting)
    assert.equal(files.hasStalled, true)
    const { executable } = files.take({ ...waiting, patience: 5000 })
    assert.deepEqual([executable?.path, files.hasStalled, snapshot.notes], [process.execPath, false, []])
    closeSync(executable!.fd)
  })

  it('is missed, with its reason', () => {
    const { opener: files, snapshot } = opener('waiting')
    files.wait(waiting)
    assert.equal(files.take(waiting).executable, undefined)
    assert.equal(files.hasStalled, true)
    assert.deepEqual(snapshot.notes, [`Could not open /proc/${process.pid}/exe, ${late}`])
  })
})

/** Mounts its second argument's directory over the first, and has that one's file of its own name as code. */
const decoy = `#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>
int main(int count, char **words) {
  if (mount(words[2], words[1], 0, MS_BIND, 0)) return 1;
  if (mmap((void *)0x100000, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, open(words[0], O_RDONLY), 0) == MAP_FAILED) return 1;
  puts("ready");
  fflush(stdout);
  pause();
}`
const noCompiler = spawnSync('cc', ['--version']).status === 0 ? false : 'a C compiler is not installed'

test('an executable of another namespace is not local for a local file that is mapped by its path', {
  skip: noKernel || noCompiler,
  timeout: 60_000,
}, async () => {
  using bed = new HandlerBed()
  const [far, near] = ['far', 'near'].map(name => bed.path(name)) as [string, string]
  for (const directory of [far, near]) mkdirSync(directory)
  writeFileSync(bed.path('decoy.c'), decoy)
  execFileSync('cc', ['-w', '-o', join(near, 'prog'), bed.path('decoy.c')])
  copyFileSync(join(near, 'prog'), bed.path('prog'))
  // What is mounted in a namespace may be anything: a tmpfs stands for a file system that asks a program.
  const script = 'mount -t tmpfs none "$1" && cp "$0" "$1/prog" && exec "$1/prog" "$1" "$2"'
  const child = spawn('unshare', ['-m', 'sh', '-c', script, bed.path('prog'), far, near], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(child.stdout, 'data')
    const directory = `/proc/${child.pid}`
    const mappings = parseMaps(readFileSync(`${directory}/maps`, 'utf8'))
    const exe = readlinkSync(`${directory}/exe`)
    // The decoy comes first, and is of this machine.
    assert.equal(mappings.find(({ path }) => path === exe)?.range, '100000-101000')
    process.env.LATE = 'busy'
    const snapshot: Snapshot = {
      facts: { pid: child.pid!, uid: 0, gid: 0, comm: 'prog', exe },
      ...{ mappings, anonymous: [], files: [], notes: [] },
      directory,
      close() {},
    }
    const files = new MappedFileOpener(snapshot, join(import.meta.dirname, 'late-open.ts'))
    files.wait(waiting)
    const { executable } = files.take(waiting)
    assert.equal(executable?.isLocal, false)
    assert.equal(fstatSync(executable.fd).dev, statSync(`${directory}/exe`).dev)
  } finally {
    child.kill('SIGKILL')
  }
})

test('the program that runs this is local where its file system is', () => {
  const { dev } = statSync('/proc/self/exe')
  const none = { devices: new Set<string>(), ids: new Set<number>() }
  assert.equal(isOnLocal('/proc/self/exe', none), false)
  const hex = [(dev >>> 8) & 0xfff, (dev & 0xff) | ((dev >>> 12) & 0xfff00)].map(part =>
    part.toString(16).padStart(2, '0'),
  )
  assert.equal(isOnLocal('/proc/self/exe', { ...none, devices: new Set([hex.join(':')]) }), true)
  const all = readFileSync('/proc/self/mountinfo', 'latin1').split('\n')
  const ids = new Set(all.map(line => Number.parseInt(line, 10)))
  assert.equal(isOnLocal('/proc/self/exe', { ...none, ids }), true)
  assert.equal(isOnLocal('/nowhere', localMounts()), false)
})
