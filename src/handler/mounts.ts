/** Which device numbers are of which file systems, as far as this process's own mounts tell: root made these. */
import { readFileSync } from 'node:fs'

/** One of another process's namespace may be anything. */
export const ownMounts = '/proc/self/mountinfo'

/** Whose files are on this machine's own disks, or in its memory: they are there, or fail at once. */
const localTypes = new Set(
  'ext2 ext3 ext4 xfs btrfs bcachefs zfs f2fs jfs reiserfs vfat exfat ntfs3 tmpfs ramfs rootfs overlay squashfs erofs iso9660'.split(
    ' ',
  ),
)

/** `major:minor` of each file system that is no program's. */
export const kernelDevices = (mounts = ownMounts): Set<string> =>
  devicesOf(mounts, type => !type.startsWith('fuse'))

/** `major:minor` of each file system that nobody else is asked for. */
export const localDevices = (mounts = ownMounts): Set<string> =>
  devicesOf(mounts, type => localTypes.has(type))

/** Those whose type passes, as `maps` writes them; of one that is mounted twice the last line counts, proc_pid_mountinfo(5). */
function devicesOf(mounts: string, passes: (type: string) => boolean): Set<string> {
  const devices = new Set<string>()
  for (const line of readFileSync(mounts, 'latin1').split('\n')) {
    const device = line.split(' ', 3)[2]
    const type = / - (\S+) /.exec(line)?.[1]
    if (device === undefined || type === undefined) continue
    if (passes(type)) devices.add(padded(device))
    else devices.delete(padded(device))
  }
  return devices
}

/** Decimal there, two hexadecimal digits and more in `maps`. */
export const padded = (device: string): string =>
  device
    .split(':')
    .map(part => Number(part).toString(16).padStart(2, '0'))
    .join(':')
