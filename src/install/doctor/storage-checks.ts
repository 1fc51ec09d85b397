/** Where dumps go: is it there, may root write it, what kind of file system is it, how much room has it. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  type StatsFs,
  statfsSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type DumpRef, openLocalStore } from '../../archive/index.ts'
import { knownFile, whyAbsent } from '../../archive/known.ts'
import { hasRestIn } from '../../archive/rest-note.ts'
import { reasonOf } from '../../base/errors.ts'
import { networkFileSystem } from '../../base/network-fs.ts'
import { type Config, formatSize, keepFreeBytes, spoolRoot } from '../../config/index.ts'
import { spoolRoom } from '../../handler/spool-bound.ts'
import { type Finding, ifSeen } from './finding.ts'

/** f_type of statfs(2), linux/magic.h. */
const memoryTypes = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
])

type Check = [name: string, check: (config: Config) => Finding]

export function checkStorage(config: Config): Finding[] {
  const absence = ifSeen('archive', () => checkPresence(config))
  const ofArchive: Check[] = [
    ['archive-rights', checkRights],
    ['archive-write', checkWrite],
    ['archive-space', checkSpace],
    ['archive-type', checkType],
  ]
  // Without the archive they matter the most.
  const ofState: Check[] = [
    ['state', checkState],
    ['spool', checkSpool],
    ['spool-space', checkSpoolSpace],
  ]
  const checks = absence?.status === 'problem' ? ofState : [...ofArchive, ...ofState]
  return [
    ...(absence === undefined ? [] : [absence]),
    ...checks.map(([name, check]) => ifSeen(name, () => check(config))),
  ]
}

/** A problem where the archive is not there. */
function checkPresence({ archive, state }: Config): Finding | undefined {
  const name = 'archive'
  const stat = statSync(archive, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isDirectory())
    return {
      name,
      status: 'problem',
      what: `${archive} ${stat === undefined ? 'does not exist' : 'is not a directory'}: no dump can be stored.`,
      remedy: 'gocore-sink install, or mount it',
    }
  const absent = whyAbsent(state, archive)
  if (absent === undefined) return undefined
  return {
    name,
    status: 'problem',
    what: `${absent}: dumps go to the spool until it is back.`,
    remedy: `mount it; or remove ${knownFile(state)} and restart the daemon where it is to begin anew`,
  }
}

function checkRights({ archive, userAccess }: Config): Finding {
  const name = 'archive-rights'
  const stat = statSync(archive)
  if (stat.uid !== 0)
    return {
      name,
      status: 'problem',
      what: `${archive} belongs to user ${stat.uid}, who can replace what is in it.`,
      remedy: `chown root ${archive}`,
    }
  if ((stat.mode & 0o022) !== 0)
    return {
      name,
      status: 'problem',
      what: `Others than root may write ${archive} (mode ${octal(stat.mode)}).`,
      remedy: `chmod go-w ${archive}`,
    }
  // With UserAccess users pass through to what is theirs.
  if ((stat.mode & (userAccess ? 0o006 : 0o007)) !== 0)
    return {
      name,
      status: 'warning',
      what: `Everyone may look into ${archive} (mode ${octal(stat.mode)}); dumps hold keys and passwords.`,
      remedy: `chmod ${userAccess ? 'o=x' : 'o='} ${archive}`,
    }
  return { name, status: 'ok', what: `${archive} is root's, mode ${octal(stat.mode)}.` }
}

const octal = (mode: number): string => (mode & 0o7777).toString(8)

/** Writes a file as the handler would: only that shows root_squash, read-only mounts and quotas. */
function checkWrite({ archive }: Config): Finding {
  const name = 'archive-write'
  if (process.geteuid?.() !== 0)
    return {
      name,
      status: 'skipped',
      what: 'Whether root can write the archive is only seen as root.',
      remedy: 'run doctor as root',
    }
  const network = networkFileSystem(archive)
  const path = join(archive, `.doctor-${process.pid}`)
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
    try {
      const { uid, mtimeMs } = fstatSync(fd)
      const skew = Math.abs(mtimeMs - Date.now())
      if (uid !== 0)
        return {
          name,
          status: 'problem',
          what: `What root writes to ${archive} becomes user ${uid}'s: the server squashes root, and anyone with that id may read and replace dumps.`,
          remedy: 'no_root_squash for this export, or an export that maps root to a user of its own',
        }
      if (network !== undefined && skew > 5000)
        return {
          name,
          status: 'warning',
          what: `The clock of the server of ${archive} is ${(skew / 1000).toFixed(0)} s away from this machine's: times of dumps of several machines do not compare.`,
          remedy: 'synchronise both clocks (NTP)',
        }
      return { name, status: 'ok', what: 'root can write the archive.' }
    } finally {
      closeSync(fd)
      rmSync(path, { force: true })
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (network !== undefined && (code === 'EACCES' || code === 'EPERM'))
      return {
        name,
        status: 'problem',
        what: `root may not write ${archive} (${code}): the server squashes root, so no dump can be stored.`,
        remedy: 'no_root_squash for this export, or an export that maps root to a user of its own',
      }
    return {
      name,
      status: 'problem',
      what: `root can not write ${archive}: ${reasonOf(error)}.`,
      remedy: 'remount it read-write, free space or quota, or allow root on the server',
    }
  }
}

/** What a dump of a program of ordinary size takes, and what is left of it where that is too much. */
const plainDump = 64 << 20
const smallDump = 4 << 20
/** Files of some hundred dumps. */
const fewFiles = 1000

function checkSpace({ archive, retention }: Config): Finding {
  const name = 'archive-space'
  const { bavail, bsize, blocks, ffree, files } = statfsSync(archive)
  const free = bavail * bsize
  if (files > 0 && ffree < fewFiles)
    return {
      name,
      status: 'problem',
      what: `Only ${ffree} files can still be made in the archive's file system.`,
      remedy: 'gocore-sink gc, or free files',
    }
  const keep = keepFreeBytes(retention.keepFree ?? 0, blocks * bsize)
  if (free < Math.max(keep, plainDump))
    return {
      name,
      status: free < plainDump ? 'problem' : 'warning',
      what: `${formatSize(roundTo3(free))} are free, KeepFree is ${keep === 0 ? 'not set' : formatSize(roundTo3(keep))}: a large dump is cut short.`,
      remedy: 'gocore-sink gc, a lower MaxAge or MaxSize, or more room',
    }
  return { name, status: 'ok', what: `${formatSize(roundTo3(free))} are free.` }
}

function lineIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim()
  } catch {
    return undefined
  }
}

/** `formatSize` is exact; for people three digits are enough. */
function roundTo3(bytes: number): number {
  const unit = 1024 ** Math.max(0, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1024)))
  return Math.floor(bytes / unit) * unit
}

function checkType({ archive }: Config): Finding {
  const name = 'archive-type'
  const { type } = statfsSync(archive)
  const network = networkFileSystem(archive)
  if (memoryTypes.has(type))
    return {
      name,
      status: 'warning',
      what: `${archive} is on ${memoryTypes.get(type)}: dumps take memory and are gone after a boot.`,
      remedy: 'ArchiveDirectory= on a disk',
    }
  const shared = `${archive} is on ${network}: the daemon polls it, other machines may share it.`
  // Linux 7.2 keeps an entry that it knows to be missing as long as it is asked for it.
  if (network === 'NFS' && lineIn('/sys/module/nfsv4/parameters/directory_delegations') === 'Y')
    return {
      name,
      status: 'note',
      what: `${shared} With this kernel's directory delegations their dumps may be seen minutes late.`,
      remedy: '"options nfsv4 directory_delegations=0" in a file of /etc/modprobe.d, and a boot',
    }
  if (network !== undefined) return { name, status: 'ok', what: shared }
  return { name, status: 'ok', what: `${archive} is on a local file system.` }
}

function checkState(config: Config): Finding {
  const name = 'state'
  const stat = statSync(config.state, { throwIfNoEntry: false })
  if (stat === undefined)
    return {
      name,
      status: 'warning',
      what: `${config.state} does not exist: there is no catalog.`,
      remedy: 'gocore-sink install',
    }
  const network = networkFileSystem(config.state)
  if (network !== undefined && network !== 'FUSE')
    return {
      name,
      status: 'problem',
      what: `The catalog in ${config.state} is on ${network}, where SQLite's locks are not to be relied on.`,
      remedy: 'StateDirectory= on a disk of this machine',
    }
  return { name, status: 'ok', what: `The catalog is in ${config.state}.` }
}

/** What handlers put on this machine's own disk while the archive did not take it. */
function checkSpool(config: Config): Finding {
  const name = 'spool'
  const root = spoolRoot(config)
  const inSpool = refsIn(root)
  const rests = restsAmong(inSpool, config.archive, root)
  const waiting = inSpool.length - rests.length
  const [first] = rests
  if (waiting > 0)
    return {
      name,
      status: 'warning',
      what: `${waiting} ${waiting === 1 ? 'dump waits' : 'dumps wait'} in ${root}, which the archive did not take.`,
      remedy: 'what is said of the archive; the daemon ships them once it can',
    }
  if (first === undefined) return { name, status: 'ok', what: 'No dump waits for the archive.' }
  return {
    name,
    status: 'warning',
    what: `${root} has the rest of ${rests.length === 1 ? 'a core' : `${rests.length} cores`}, which can't be joined with what the archive has: ${rests.map(({ id }) => id).join(', ')}.`,
    remedy: `gocore-sink show ${first.id} says why; remove dumps/${first.day}/${first.id} there when nobody needs it`,
  }
}

/** Whether it has room for a dump that the archive does not take. What lies beside it, such as the catalog, needs some as well. */
function checkSpoolSpace(config: Config): Finding {
  const name = 'spool-space'
  const root = spoolRoot(config)
  const { bavail, bsize, ffree, files } = statfsNear(root)
  const free = bavail * bsize
  const remedy = `free room in the file system of ${config.state}, or StateDirectory= elsewhere`
  if (files > 0 && ffree < fewFiles)
    return {
      name,
      status: 'problem',
      what: `Only ${ffree} files can still be made in the file system of ${root}.`,
      remedy,
    }
  if (free < smallDump)
    return {
      name,
      status: 'problem',
      what: `${formatSize(roundTo3(free))} are free for ${root}: what the archive does not take is lost, and the catalog can't grow.`,
      remedy,
    }
  const within = roomWithinBound(root, config)
  if (typeof within === 'string')
    return {
      name,
      status: 'problem',
      what: `What the archive does not take is lost: ${within}.`,
      remedy: 'what is said of the archive, or a higher SpoolMax',
    }
  const room = Math.min(free, within)
  if (room < plainDump)
    return {
      name,
      status: 'warning',
      what: `${root} has room for ${formatSize(roundTo3(room))}: a large dump that the archive does not take is cut short.`,
      remedy: within < free ? 'what is said of the archive, or a higher SpoolMax' : remedy,
    }
  return { name, status: 'ok', what: `${root} has room for ${formatSize(roundTo3(room))}.` }
}

/** Bytes below SpoolMax, or the sentence that there are none. */
function roomWithinBound(root: string, { spoolMax }: Config): number | string {
  try {
    return spoolRoom(root, spoolMax)
  } catch (error) {
    return reasonOf(error)
  }
}

/** Of the file system where `path` would be: handlers make the spool when they need it. */
function statfsNear(path: string): StatsFs {
  try {
    return statfsSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return statfsNear(dirname(path))
  }
}

function refsIn(spool: string): DumpRef[] {
  try {
    const paths = readdirSync(join(spool, 'dumps'), { recursive: true, encoding: 'utf8' })
    return paths
      .filter(path => path.split('/').length === 4)
      .map(path => ({ id: basename(path), day: dirname(path) }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return []
  }
}

/** Dumps in the spool of which the archive, as far as it can be read, says that they stay there. */
function restsAmong(refs: readonly DumpRef[], root: string, spool: string): DumpRef[] {
  const saysSo = (ref: DumpRef): boolean => {
    try {
      return hasRestIn(openLocalStore(root).readManifest(ref), spool)
    } catch {
      return false
    }
  }
  return refs.filter(saysSo)
}
