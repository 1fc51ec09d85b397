/** Which file systems nobody else is asked for. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { kernelDevices, localMounts } from '../../src/handler/mounts.ts'

/** Lines of mountinfo: device, mount point, type and the file system's options. */
function devices(mounts: readonly [string, string, string, string][]): { local: string[]; kernel: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'mounts-'))
  const file = join(folder, 'mountinfo')
  const lines = mounts.map(
    ([device, point, type, options], at) =>
      `${20 + at} 1 ${device} / ${point} rw,relatime shared:1 - ${type} none ${options}`,
  )
  try {
    writeFileSync(file, [...lines, 'no mount at all', ''].join('\n'))
    return { local: [...localMounts(file).devices], kernel: [...kernelDevices(file)] }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const disk: [string, string, string, string] = ['253:0', '/', 'ext4', 'rw']
const nfs: [string, string, string, string] = ['0:60', '/srv', 'nfs4', 'rw,vers=4.2']
const overlay = (options: string, point = '/merged'): [string, string, string, string] => [
  '0:61',
  point,
  'overlay',
  options,
]

test('a disk is local, NFS and FUSE are not, and FUSE is a program', () => {
  assert.deepEqual(devices([disk, nfs, ['0:62', '/f', 'fuse.sshfs', 'rw']]), {
    local: ['fd:00'],
    kernel: ['fd:00', '00:3c'],
  })
})

const overlays: [what: string, mount: [string, string, string, string], isLocal: boolean][] = [
  [
    'on local layers',
    overlay('rw,lowerdir=/var/l/A:/var/l/B,upperdir=/var/u/diff,workdir=/var/u/work'),
    true,
  ],
  ['on one that is read only', overlay('ro,lowerdir=/var/l/A'), true],
  [
    'as Linux 6.5 and later writes it',
    overlay('rw,lowerdir+=/var/l/A,lowerdir+=/var/l/B,datadir+=/var/d'),
    true,
  ],
  ['with a colon and a comma in names', overlay('rw,lowerdir=/var/a\\:b:/var/c\\,d,upperdir=/var/u'), true],
  ['with data-only layers', overlay('ro,lowerdir=/var/l/A::/var/d'), true],
  ['with a lower layer on NFS', overlay('rw,lowerdir=/var/l/A:/srv/l/B,upperdir=/var/u'), false],
  ['with a lower layer on NFS, later', overlay('rw,lowerdir+=/var/l/A,lowerdir+=/srv/l/B'), false],
  ['with data on NFS', overlay('ro,lowerdir=/var/l/A::/srv/d'), false],
  ['with its upper layer on NFS', overlay('rw,lowerdir=/var/l/A,upperdir=/srv/u'), false],
  ['with layers whose names begin like a mount point', overlay('ro,lowerdir=/srv2/A'), true],
  ['with layers below a directory that is not told', overlay('rw,lowerdir=l/A:l/B,upperdir=u/diff'), false],
  ['that tells of no layers', overlay('rw'), false],
  ['as the root: its layers were named before', overlay('rw,lowerdir=/ro,upperdir=/rw', '/'), false],
]
for (const [what, mount, isLocal] of overlays)
  test(`an overlay ${what}`, () => {
    const { local, kernel } = devices([disk, nfs, mount])
    assert.equal(local.includes('00:3d'), isLocal)
    assert.ok(kernel.includes('00:3d'))
  })

test('an overlay on an overlay, and on what was mounted over a local directory', () => {
  const above: [string, string, string, string] = ['0:63', '/top', 'overlay', 'ro,lowerdir=/merged/a']
  assert.deepEqual(devices([disk, overlay('ro,lowerdir=/var/l/A'), above]).local, ['fd:00', '00:3d'])
  const over: [string, string, string, string] = ['0:64', '/var', 'nfs', 'rw']
  assert.deepEqual(devices([disk, over, overlay('ro,lowerdir=/var/l/A')]).local, ['fd:00'])
})

test('a node of 250 pods is looked through at once', () => {
  const mounts = [disk]
  for (let pod = 0; pod < 250; pod++) {
    for (let n = 0; n < 6; n++)
      mounts.push([`0:${1000 + mounts.length}`, `/var/lib/kubelet/pods/${pod}/volumes/v${n}`, 'tmpfs', 'rw'])
    for (let n = 0; n < 2; n++) {
      const layers = Array.from(
        { length: 20 },
        (_, layer) => `/var/lib/containerd/snapshots/${pod * 100 + layer}/fs`,
      )
      const options = `rw,lowerdir=${layers.join(':')},upperdir=/var/lib/containerd/${pod}/${n}/fs`
      mounts.push([
        `0:${1000 + mounts.length}`,
        `/run/containerd/tasks/${pod}-${n}/rootfs`,
        'overlay',
        options,
      ])
    }
  }
  const began = process.cpuUsage()
  const { local } = devices(mounts)
  assert.equal(local.length, 2001)
  const { user, system } = process.cpuUsage(began)
  assert.ok(user + system < 400_000, `${(user + system) / 1000} ms`)
})
