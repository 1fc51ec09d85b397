/** File systems on which inotify does not see what other machines write (f_type of statfs(2), linux/magic.h). */
import { statfsSync } from 'node:fs'

const networked = new Map<number, string>([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xfe534d42, 'smb2'],
  [0xff534d42, 'cifs'],
  [0x01021997, '9p'],
  [0x5346414f, 'afs'],
  [0x6b414653, 'kafs'],
  [0x00c36400, 'ceph'],
  // sshfs, glusterfs, s3fs, virtiofs: what is behind it is anyone's.
  [0x65735546, 'fuse'],
  [0x0bd00bd0, 'lustre'],
  [0x47504653, 'gpfs'],
  [0x01161970, 'gfs2'],
  [0x7461636f, 'ocfs2'],
  [0x19830326, 'beegfs'],
  [0x73757245, 'coda'],
  [0xaad7aaea, 'panfs'],
  // User-mode Linux, whose files the host writes too.
  [0x00c0ffee, 'hostfs'],
])

/** The file system's name where `path` lies on one that must be polled, otherwise undefined. */
export function networkFileSystem(path: string): string | undefined {
  return networked.get(statfsSync(path).type >>> 0)
}
