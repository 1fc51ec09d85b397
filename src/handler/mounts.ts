/** Which device numbers are of which file systems, as far as this process's own mounts tell: root made these. */
import { readFileSync } from 'node:fs'

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
  /** As `maps` writes it. */
  readonly device: string
  readonly point: string
  readonly type: string
  readonly options: string
}

/** `major:minor` of each file system that is no program's. */
export const kernelDevices = (mounts = ownMounts): Set<string> =>
  devicesOf(readMounts(mounts), ({ type }) => !type.startsWith('fuse'))

/** `major:minor` of each file system that nobody else is asked for. */
export function localDevices(mounts = ownMounts): Set<string> {
  const all = readMounts(mounts)
  return devicesOf(
    all,
    mount => localTypes.has(mount.type) || (mount.type === 'overlay' && hasLocalLayers(mount, all)),
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
function hasLocalLayers({ point, options }: Mount, mounts: readonly Mount[]): boolean {
  const layers = [
    ...options.matchAll(/(?:^|,)(?:lowerdir\+?|datadir\+|upperdir)=((?:[^,\\]|\\.)*)/g),
  ].flatMap(([, paths]) => (paths ?? '').split(/(?<!\\):+/))
  return point !== '/' && layers.length > 0 && layers.every(layer => localTypes.has(typeAt(layer, mounts)))
}

/** The type of the file system that holds this path, as far as its mounts tell; of those on the same point the last. */
function typeAt(path: string, mounts: readonly Mount[]): string {
  let found: Mount | undefined
  for (const mount of mounts) {
    const isAbove = `${path}/`.startsWith(mount.point === '/' ? '/' : `${mount.point}/`)
    if (isAbove && mount.point.length >= (found?.point.length ?? 0)) found = mount
  }
  return found?.type ?? ''
}

function readMounts(path: string): Mount[] {
  return readFileSync(path, 'latin1')
    .split('\n')
    .flatMap(line => {
      const [, device, point, type, options] =
        /^\d+ \d+ (\S+) \S+ (\S+) .*? - (\S+) \S+ (.*)$/.exec(line) ?? []
      return device === undefined
        ? []
        : [{ device: padded(device), point: point!, type: type!, options: options! }]
    })
}

/** Decimal there, two hexadecimal digits and more in `maps`. */
export const padded = (device: string): string =>
  device
    .split(':')
    .map(part => Number(part).toString(16).padStart(2, '0'))
    .join(':')
