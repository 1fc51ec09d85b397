/** Who may read what. A core holds keys and tokens: root alone, and one configured group where the kernel's %d allows it. */
import { readFileSync, type Stats } from 'node:fs'
import type { Access } from '../base/atomic-file.ts'
import type { Manifest } from './manifest.ts'

/** The group's number in `file`, or undefined: the handler can't ask NSS, and a missing group means root alone. */
export function findGroup(name: string, file = '/etc/group'): number | undefined {
  if (name === '') return undefined
  try {
    const line = readFileSync(file, 'utf8')
      .split('\n')
      .find(entry => entry.startsWith(`${name}:`))
    const gid = Number(line?.split(':')[2])
    return Number.isInteger(gid) && gid >= 0 && gid < 0xffffffff ? gid : undefined
  } catch {
    return undefined
  }
}

/** What decides who may read a dump. */
export type Crash = Pick<Manifest, 'dumpable' | 'process' | 'imported_from'>

/** Rights of files and directories in one place. */
export class Rights {
  readonly gid: number | undefined
  /** Users may read the dumps of their own processes (UserAccess). */
  readonly users: boolean
  /** The one user who may, for the files of one dump. */
  readonly reader: number | undefined

  constructor(gid: number | undefined, users = false, reader?: number) {
    this.gid = gid
    this.users = users
    this.reader = reader
  }

  /** For directories: users pass through those of others, and list none. */
  get directory(): Access {
    const pass = this.users ? 0o001 : 0
    return this.gid === undefined ? { mode: 0o700 | pass } : { mode: 0o750 | pass, gid: this.gid }
  }

  /** For the files of ordinary processes. */
  get file(): Access {
    const access = this.gid === undefined ? { mode: 0o600 } : { mode: 0o640, gid: this.gid }
    return this.reader === undefined ? access : { ...access, reader: this.reader }
  }

  /**
   * Rights for the files of one process. Anything but dumpable 1 – a set-user-id program, one that changed its user, one
   * whose executable can't be read – stays with root, without exceptions (CVE-2022-4415).
   */
  forDumpable(dumpable: number | undefined): Rights {
    return dumpable === 1 ? this : new Rights(undefined, this.users)
  }

  /** The group may read what is kept of all crashes together, and not the files of this one. */
  hides({ dumpable }: Pick<Crash, 'dumpable'>): boolean {
    return this.gid !== undefined && dumpable !== 1
  }

  /** For what the process's user may not read. */
  get withoutReader(): Rights {
    return this.reader === undefined ? this : new Rights(this.gid, this.users)
  }

  /** The same, with the process's own user among the readers where that is configured and beyond doubt. */
  forCrash(crash: Crash): Rights {
    const reader = this.users ? readerOf(crash) : undefined
    const rights = this.forDumpable(crash.dumpable)
    return reader === undefined ? rights : new Rights(rights.gid, rights.users, reader)
  }
}

/**
 * The user to whom a crash belongs, undefined where there is any doubt: the kernel's own words for user and dump mode, a
 * pidfd that ties /proc to them (CVE-2025-4598), and a process that was this user's and group's in each of its four
 * identities and had no capability but in a user namespace of theirs. So it held nothing which its user could not have
 * read: these are the rules by which the kernel lets somebody trace a process (ptrace(2), cap_ptrace_access_check()).
 */
export function readerOf({ dumpable, process, imported_from }: Crash): number | undefined {
  const { uid, gid, status, user_namespace_owner: owner } = process
  // What was imported says of itself whatever it likes.
  if (dumpable !== 1 || process.pidfd !== true || imported_from !== undefined) return undefined
  if (!Number.isInteger(uid) || uid <= 0 || uid >= 0xffff_fffe || typeof status !== 'string') return undefined
  const allAre = (key: string, id: number): boolean => {
    const ids = statusWords(status, key)
    return ids.length === 4 && ids.every(text => text === String(id))
  }
  const isPowerless = owner === undefined ? /^0+$/.test(statusWords(status, 'CapPrm')[0]!) : owner === uid
  return allAre('Uid', uid) && allAre('Gid', gid) && isPowerless ? uid : undefined
}

/** Whether the process's user may read a file of these rights; lists beside them don't count. */
export function mayRead(
  { process }: Pick<Crash, 'process'>,
  { uid, gid, mode }: Pick<Stats, 'uid' | 'gid' | 'mode'>,
): boolean {
  if (uid === process.uid) return (mode & 0o400) !== 0
  const groups = [String(process.gid), ...statusWords(process.status ?? '', 'Groups')]
  return (mode & (groups.includes(String(gid)) ? 0o040 : 0o004)) !== 0
}

/** The values of a line of /proc/PID/status. */
function statusWords(status: string, key: string): string[] {
  const line = status.split('\n').find(entry => entry.startsWith(`${key}:`)) ?? ''
  return line
    .slice(key.length + 1)
    .trim()
    .split(/\s+/)
}
