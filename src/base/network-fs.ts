/**
 * File systems that other machines write too, where inotify does not see all and file locks are not to be relied on
 * (f_type of statfs(2), linux/magic.h).
 */
import { statfsSync } from 'node:fs'

const networked = new Map<number, string>([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB2'],
  [0xff534d42, 'CIFS'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'kAFS'],
  [0x00c36400, 'CephFS'],
  // sshfs, glusterfs, s3fs, virtiofs: what is behind it is anyone's.
  [0x65735546, 'FUSE'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x19830326, 'BeeGFS'],
  [0x73757245, 'Coda'],
  [0xaad7aaea, 'PanFS'],
  // User-mode Linux, whose files the host writes too.
  [0x00c0ffee, 'hostfs'],
])

/** The file system's name where `path` lies on one of them, otherwise undefined. */
export function networkFileSystem(path: string): string | undefined {
  return networked.get(statfsSync(path).type >>> 0)
}
