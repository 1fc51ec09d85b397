/**
 * Who works on a dump: `leases/ID.N`, made with O_EXCL, which NFS does on the server, one winner however many try. The
 * highest N counts. Its holder writes into it every few seconds; one that has not changed for a while by the clock of
 * whoever looks is dead, and is outbid by N + 1, so that no two can take over from the same dead holder. Clocks of
 * different machines are never compared.
 */
import { closeSync, fstatSync, fsyncSync, lstatSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createFile, writeAll } from '../base/atomic-file.ts'
import { isNoSpace, reasonOf } from '../base/errors.ts'
import { bootId, machineId } from '../base/host-ids.ts'
import { makeDirectories } from './directories.ts'
import { namesIn, readText } from './files.ts'
import { idPattern } from './layout.ts'
import type { LocalStore } from './local-store.ts'
import { isAlive, ownIdentity, type ProcessIdentity } from './process-identity.ts'

export interface Lease extends Disposable {
  /** False once somebody has taken over: what is under way must not be published. */
  isHeld(): boolean
}

export interface LeaseOptions {
  /** A lease that nobody has written to for so long is dead, milliseconds. */
  patience?: number
  /** Milliseconds of a clock that does not jump. */
  now?: () => number
}

interface Holder extends ProcessIdentity {
  readonly host: string
  readonly boot_id?: string
}

/** Bytes; none of ours has more. */
const mostLease = 65536

/** How often `beat` should be called, milliseconds. */
export const leaseBeat = 10_000

export class Leases {
  readonly #store: LocalStore
  readonly #patience: number
  readonly #now: () => number
  readonly #held = new Map<string, { fd: number; beats: number }>()
  /** Leases of others: what they looked like, and since when. */
  readonly #seen = new Map<string, { look: string; since: number }>()

  constructor(store: LocalStore, { patience = 90_000, now = () => performance.now() }: LeaseOptions = {}) {
    this.#store = store
    this.#patience = patience
    this.#now = now
  }

  /** Undefined where somebody else works on this dump, or may do so. Throws where the archive can't be written. */
  take(id: string): Lease | undefined {
    if (!idPattern.test(id)) return undefined
    const last = this.#numbers(id).at(-1)
    if (last !== undefined && !this.#isDead(`${id}.${last}`)) return undefined
    const number = (last ?? 0) + 1
    const name = `${id}.${number}`
    if (this.#held.has(name) || !this.#create(name)) return undefined
    for (let old = 1; old < number; old++) rmSync(this.#path(`${id}.${old}`), { force: true })
    return {
      isHeld: () => this.#isOwn(name) && this.#numbers(id).at(-1) === number,
      [Symbol.dispose]: () => this.#release(name),
    }
  }

  /** For a deletion, which goes on without where the storage is full: it is what makes room. */
  takeToDelete(id: string): Lease | undefined {
    try {
      return this.take(id)
    } catch (error) {
      if (!isNoSpace(error)) throw error
      return { isHeld: () => true, [Symbol.dispose]: () => {} }
    }
  }

  /** Says of all leases that are held that their holder lives. */
  beat(): void {
    for (const lease of this.#held.values()) {
      try {
        this.#write(lease.fd, ++lease.beats)
      } catch {
        // The archive is in trouble; whoever works on the dump will meet it.
      }
    }
  }

  get #directory(): string {
    return join(this.#store.root, 'leases')
  }

  #path(name: string): string {
    return join(this.#directory, name)
  }

  #numbers(id: string): number[] {
    return namesIn(this.#directory)
      .filter(name => name.startsWith(`${id}.`) && /^[1-9][0-9]{0,8}$/.test(name.slice(id.length + 1)))
      .map(name => Number(name.slice(id.length + 1)))
      .sort((a, b) => a - b)
  }

  #create(name: string): boolean {
    const { root, rights } = this.#store
    makeDirectories(root, this.#directory, rights.directory)
    let fd: number
    try {
      fd = createFile(this.#path(name), rights.file)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
    try {
      this.#write(fd, 0)
    } catch (error) {
      closeSync(fd)
      rmSync(this.#path(name), { force: true })
      throw error
    }
    this.#held.set(name, { fd, beats: 0 })
    return true
  }

  /** Always of the same length, so that it is never seen half old and half new. */
  #write(fd: number, beats: number): void {
    writeAll(fd, Buffer.from(`${JSON.stringify(self)}\n${String(beats).padStart(12)}\n`), 0)
    fsyncSync(fd)
  }

  #release(name: string): void {
    const lease = this.#held.get(name)
    if (lease === undefined) return
    try {
      if (this.#isOwn(name)) rmSync(this.#path(name), { force: true })
    } catch {
      // It is dead in a while.
    }
    this.#held.delete(name)
    closeSync(lease.fd)
  }

  /** A lease that was outbid is removed, and its name may be another's by now. */
  #isOwn(name: string): boolean {
    const lease = this.#held.get(name)
    const there = lstatSync(this.#path(name), { throwIfNoEntry: false, bigint: true })
    if (lease === undefined || there === undefined) return false
    const own = fstatSync(lease.fd, { bigint: true })
    return own.ino === there.ino && own.dev === there.dev
  }

  #isDead(name: string): boolean {
    const text = textOf(this.#path(name))
    if (text === undefined || isGone(text)) return true
    const look = `${lstatSync(this.#path(name), { throwIfNoEntry: false })?.mtimeMs}\n${text}`
    const seen = this.#seen.get(name)
    if (seen?.look === look) return this.#now() - seen.since > this.#patience
    this.#seen.set(name, { look, since: this.#now() })
    return false
  }
}

/** Of a process of this very machine and boot the kernel knows whether it lives. */
function isGone(text: string): boolean {
  let holder: Holder
  try {
    holder = JSON.parse(text.split('\n')[0]!) as Holder
  } catch {
    return false
  }
  // Of another boot: of an earlier one, or of a machine that was made from the same image.
  if (holder.host !== self.host || self.boot_id === undefined || holder.boot_id !== self.boot_id) return false
  if (holder.pid_namespace !== self.pid_namespace || !Number.isSafeInteger(holder.pid) || holder.pid < 1)
    return false
  return !isAlive(holder)
}

const self: Holder = {
  // Two machines may share both; then they have different boots.
  host: `${hostname()} ${machineId() ?? ''}`,
  ...ifKnown('boot_id', bootId()),
  ...ownIdentity(),
}

function ifKnown<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>)
}

/** Undefined where it is gone. Why it can't be read is no sign of death: it is looked at as long as a text would be. */
function textOf(path: string): string | undefined {
  try {
    return readText(path, mostLease)?.slice(0, 4096)
  } catch (error) {
    return reasonOf(error)
  }
}
