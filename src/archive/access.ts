/** Who may read what. A core holds keys and tokens: root alone, and one configured group where the kernel's %d allows it. */
import { readFileSync } from 'node:fs'
import type { Access } from '../base/atomic-file.ts'

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

/** Rights of files and directories in one place. */
export class Rights {
  readonly gid: number | undefined
  constructor(gid: number | undefined) {
    this.gid = gid
  }

  /** For what any reader of the archive may see: directories, and files of ordinary processes. */
  get directory(): Access {
    return this.gid === undefined ? { mode: 0o700 } : { mode: 0o750, gid: this.gid }
  }

  get file(): Access {
    return this.gid === undefined ? { mode: 0o600 } : { mode: 0o640, gid: this.gid }
  }

  /**
   * Rights for the files of one process. Anything but dumpable 1 – a set-user-id program, one that changed its user, one
   * whose executable can't be read – stays with root, without exceptions (CVE-2022-4415).
   */
  forDumpable(dumpable: number | undefined): Rights {
    return dumpable === 1 ? this : new Rights(undefined)
  }
}
