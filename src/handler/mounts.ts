/** Which device numbers are of which file systems, as far as this process's own mounts tell: root made these. */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { openSystemCalls } from '../base/system-calls.ts'

/** One of another process's namespace may be anything. */
export const ownMounts = '/proc/self/mountinfo'

/** Whose files are on this machine's own disks, or in its memory: they are there, or fail at once. */
const localTypes = new Set(
  'ext2 ext3 ext4 xfs btrfs bcachefs zfs f2fs jfs reiserfs vfat exfat ntfs3 tmpfs ramfs rootfs squashfs erofs iso9660'.split(
    ' ',
  ),
)

/** A line of mountinfo, proc_pid_mountinfo(5). */
interface Mount {
  readonly id: number
  /** As `maps` writes it. */
  readonly device: string
  readonly point: string
  readonly type: string
  readonly options: string
}

/** `major:minor` of each file system that is no program's. */
export const kernelDevices = (mounts = ownMounts): Set<string> =>
  devicesOf(readMounts(mounts), ({ type }) => !type.startsWith('fuse'))

/** File systems that nobody else is asked for: `major:minor` of each, and the ids of this process's mounts of them. */
export interface LocalMounts {
  readonly devices: ReadonlySet<string>
  readonly ids: ReadonlySet<number>
}

export function localMounts(mounts = ownMounts): LocalMounts {
  const all = readMounts(mounts)
  const typeAt = typesByPath(all)
  const isLocal = (mount: Mount): boolean =>
    localTypes.has(mount.type) || (mount.type === 'overlay' && hasLocalLayers(mount, typeAt))
  const local = new Set(all.filter(isLocal))
  return { devices: devicesOf(all, mount => local.has(mount)), ids: new Set([...local].map(({ id }) => id)) }
}

const AT_FDCWD = -100
const AT_STATX_DONT_SYNC = 0x4000
const STATX_MNT_ID = 0x1000

/**
 * Whether the file behind `path` is on one of them, by what the kernel knows: nobody is asked for it. False where that can't be
 * told. The mount tells more: files of btrfs have other devices than their file system. That of another namespace is not
 * among ours, and the device may be.
 */
export function isOnLocal(path: string, { devices, ids }: LocalMounts): boolean {
  const found = Buffer.alloc(256)
  const name = Buffer.from(`${path}\0`)
  const status = openSystemCalls()?.call('statx', AT_FDCWD, name, AT_STATX_DONT_SYNC, STATX_MNT_ID, found)
  if (status !== 0) return false
  // struct statx (linux/stat.h): stx_mask, stx_dev_major, stx_dev_minor, stx_mnt_id.
  const knowsMount = (found.readUInt32LE(0) & STATX_MNT_ID) !== 0
  return (
    (knowsMount && ids.has(Number(found.readBigUInt64LE(144)))) ||
    devices.has(padded(`${found.readUInt32LE(136)}:${found.readUInt32LE(140)}`))
  )
}

/** Those of the mounts that pass; of one that is mounted twice the last line counts. */
function devicesOf(mounts: readonly Mount[], passes: (mount: Mount) => boolean): Set<string> {
  const devices = new Set<string>()
  for (const mount of mounts)
    if (passes(mount)) devices.add(mount.device)
    else devices.delete(mount.device)
  return devices
}

/**
 * An overlay's files are where its layers are, an NFS server's for one. It names them as they were called when it was
 * mounted (fs/overlayfs/params.c), which for the root, or below a directory that is not told, is not known any more.
 */
function hasLocalLayers({ point, options }: Mount, typeAt: (path: string) => string): boolean {
  const layers = [
    ...options.matchAll(/(?:^|,)(?:lowerdir\+?|datadir\+|upperdir)=((?:[^,\\]|\\.)*)/g),
  ].flatMap(([, paths]) => (paths ?? '').split(/(?<!\\):+/))
  return point !== '/' && layers.length > 0 && layers.every(layer => localTypes.has(typeAt(layer)))
}

/**
 * Tells the type of the file system that holds a path, as far as its mounts tell; of those on the same point the last. Each
 * directory is looked at once: a node with hundreds of containers has thousands of layers.
 */
function typesByPath(mounts: readonly Mount[]): (path: string) => string {
  const types = new Map(mounts.map(({ point, type }) => [point, type]))
  const typeAt = (path: string): string => {
    const known = types.get(path)
    if (known !== undefined) return known
    const above = dirname(path)
    const type = above === path ? '' : typeAt(above)
    types.set(path, type)
    return type
  }
  return typeAt
}

function readMounts(path: string): Mount[] {
  return readFileSync(path, 'latin1')
    .split('\n')
    .flatMap(line => {
      const [, id, device, point, type, options] =
        /^(\d+) \d+ (\S+) \S+ (\S+) .*? - (\S+) \S+ (.*)$/.exec(line) ?? []
      return device === undefined
        ? []
        : [{ id: Number(id), device: padded(device), point: point!, type: type!, options: options! }]
    })
}

/** Decimal there, two hexadecimal digits and more in `maps`. */
export const padded = (device: string): string =>
  device
    .split(':')
    .map(part => Number(part).toString(16).padStart(2, '0'))
    .join(':')
