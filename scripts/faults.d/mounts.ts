/** File systems made for one trial, which stop answering when they are told to: whoever waits hangs in the kernel. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noCompiler } from './shim.ts'

const run = (program: string, ...args: string[]): void => {
  execFileSync(program, args, { stdio: 'ignore' })
}

const has = (program: string): boolean => spawnSync('/bin/sh', ['-c', `command -v ${program}`]).status === 0

export interface Mounted {
  freeze(): void
  thaw(): Promise<void>
  /** From now on it keeps something else than it is given to write, or no longer. */
  lie?(on: boolean): void
  /** Unmounts it, thawed. */
  end(): Promise<void>
}

/** What can be mounted: a file system of the kernel's in an image, or our own by FUSE. */
export interface MountKind {
  readonly name: string
  readonly how: string
  unavailable(): string | false
  /** Mounts an empty one on a directory, with its files in another. */
  mount(at: string, files: string): Promise<Mounted>
}

/** Makes an image of so many megabytes with an empty file system. */
export function makeImage(type: string, image: string, megabytes: number): void {
  run('truncate', '-s', `${megabytes}M`, image)
  // The kernel's lazy threads would write into what is frozen.
  const options = type === 'ext4' ? ['-m', '0', '-E', 'lazy_itable_init=0'] : []
  run(`mkfs.${type}`, '-q', ...options, image)
}

/** Mounts an image; two of the same birth beside each other need `nouuid` on XFS. */
export const mountImage = (type: string, image: string, at: string): void =>
  run('mount', '-o', type === 'xfs' ? 'loop,nouuid' : 'loop', '-t', type, image, at)

export function noImages(type: string): string | false {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const program of ['fsfreeze', `mkfs.${type}`, 'losetup']) if (!has(program)) return `no ${program}`
  return spawnSync('losetup', ['-f']).status === 0 ? false : 'no loop devices'
}

const inImage = (type: string, megabytes: number): MountKind => ({
  name: type,
  how: 'fsfreeze on a loop device',
  unavailable: () => noImages(type),
  async mount(at, files) {
    mkdirSync(files, { recursive: true })
    const image = join(files, 'image')
    makeImage(type, image, megabytes)
    mountImage(type, image, at)
    let frozen = false
    const thaw = async (): Promise<void> => {
      if (frozen) run('fsfreeze', '-u', at)
      frozen = false
    }
    return {
      freeze: () => {
        run('fsfreeze', '-f', at)
        frozen = true
      },
      thaw,
      async end() {
        await thaw()
        run('umount', '-l', at)
      },
    }
  },
})

let built: string | undefined

function hangFs(): string {
  if (built !== undefined) return built
  const directory = mkdtempSync(join(tmpdir(), 'gocore-hang-fs-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  built = join(directory, 'hang-fs')
  run('cc', '-O1', '-w', '-o', built, join(import.meta.dirname, 'hang-fs.c'))
  return built
}

async function serveFuse(at: string, files: string): Promise<ChildProcess> {
  const server = spawn(hangFs(), [join(files, 'content'), at, join(files, 'hang')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await Promise.race([
    once(server.stdout!, 'data'),
    once(server, 'exit').then(() => Promise.reject(new Error('hang-fs did not start'))),
  ])
  return server
}

const hanging = (name: string, how: string, mode: 'taken' | 'deaf'): MountKind => ({
  name,
  how,
  unavailable() {
    if (process.getuid?.() !== 0) return 'needs root'
    return existsSync('/dev/fuse') ? noCompiler() : 'no /dev/fuse'
  },
  async mount(at, files) {
    mkdirSync(join(files, 'content'), { recursive: true, mode: 0o700 })
    const server = await serveFuse(at, files)
    const told = join(files, 'hang')
    const thaw = async (): Promise<void> => rmSync(told, { force: true })
    return {
      freeze: () => writeFileSync(told, mode),
      thaw,
      lie: on => (on ? writeFileSync(`${told}.lie`, '') : rmSync(`${told}.lie`)),
      async end() {
        await thaw()
        run('umount', '-l', at)
        if (server.exitCode === null) {
          server.kill('SIGKILL')
          await once(server, 'exit')
        }
      },
    }
  },
})

/** A server of ours that hangs on command: whoever waits is beyond SIGKILL. */
export const byFuse = hanging('FUSE', 'a FUSE server that hangs on command', 'taken')

/** The same, and SIGKILL ends whoever waits, as on a hard NFS mount. */
export const byDeafFuse = hanging('deaf FUSE', 'a FUSE server that hears nothing on command', 'deaf')

/** The server dies, so that every call fails (ENOTCONN), and `thaw` starts another. */
export const byDyingFuse: MountKind = {
  ...byFuse,
  name: 'FUSE server killed',
  how: 'every call fails with ENOTCONN until it is mounted again',
  async mount(at, files) {
    mkdirSync(join(files, 'content'), { recursive: true, mode: 0o700 })
    let server = await serveFuse(at, files)
    return {
      freeze: () => void server.kill('SIGKILL'),
      async thaw() {
        if (!server.killed) return
        run('umount', '-l', at)
        server = await serveFuse(at, files)
      },
      async end() {
        run('umount', '-l', at)
        server.kill('SIGKILL')
      },
    }
  },
}

export const freezable: readonly MountKind[] = [inImage('ext4', 100), inImage('xfs', 320), byFuse]
