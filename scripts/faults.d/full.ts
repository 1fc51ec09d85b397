/** A real file system that has room for a part of a core, and keeps no more than that; there is no spool, or it is full, too. */
import { execFileSync } from 'node:child_process'
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { noKernel } from '../../test/support/handler-bed.ts'
import { type Fault, mostHeld, random } from './fault.ts'
import { makeImage, mountImage, noImages } from './mounts.ts'
import { coreOf, Trial } from './trial.ts'

/** Below the first, a handler takes nothing but the fact of the crash; a compressed core is as long as the last. */
const [least, enough, most] = [300_000, 1_200_000, 3_300_000]
const chunk = Buffer.alloc(1 << 20)

/** Fills a file system, but for so many bytes. */
function fill(directory: string, room: number): void {
  const fd = openSync(`${directory}/ballast`, 'w')
  try {
    for (;;) {
      // What is not on the disk yet is not counted.
      fsyncSync(fd)
      const { bavail, bsize } = statfsSync(directory)
      const left = bavail * bsize - room
      if (left < bsize) return
      writeSync(fd, chunk, 0, Math.min(chunk.length, left))
    }
  } finally {
    closeSync(fd)
  }
}

const full = (type: 'tmpfs' | 'ext4' | 'xfs', megabytes: number, tries: number): Fault => ({
  name: `${type} full at a random byte of a core`,
  about: `room for ${least / 1e6} to ${most / 1e6} MB; half of them with no spool, half with one on the same disk`,
  tries,
  short: 1,
  mostHeld,
  unavailable: () => (type === 'tmpfs' ? noKernel && 'needs root' : noImages(type)),
  async run(n, tally) {
    for (let i = 0; i < n; i++) {
      const hasSpool = i % 2 === 1
      await using trial = new Trial(hasSpool ? {} : { StateDirectory: '/proc/nowhere' })
      const { bed } = trial
      const disk = bed.path('disk')
      mkdirSync(disk)
      if (type === 'tmpfs')
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', disk])
      else {
        makeImage(type, bed.path('image'), megabytes)
        mountImage(type, bed.path('image'), disk)
      }
      try {
        for (const name of ['archive', 'state']) {
          mkdirSync(`${disk}/${name}`, { mode: 0o700 })
          mkdirSync(bed.path(name))
          execFileSync('mount', ['--bind', `${disk}/${name}`, bed.path(name)])
        }
        const room = least + random(most - least)
        fill(disk, room)
        const replay = trial.start(coreOf(6))
        replay.child.stdin!.end(replay.core)
        const { status, held } = await replay.ended
        await bed.settle()
        // Where there is none for the bare fact, nor for what lies in the spool, the daemon waits until somebody makes some.
        if (room < enough || hasSpool) rmSync(`${disk}/ballast`)
        const verdict = await trial.judge([replay], tally, held)
        if (room > enough && status !== 0) {
          tally.wrong++
          tally.why.push(`with room for ${room} bytes its handler found no place (${status})`)
        } else if (verdict.why.length > 0) tally.why.push(`  with room for ${room} bytes`)
      } finally {
        for (const name of [bed.path('archive'), bed.path('state'), disk])
          execFileSync('umount', ['-l', name])
      }
    }
  },
})

export const fullDisks: readonly Fault[] = [
  full('tmpfs', 16, 200),
  full('ext4', 32, 100),
  full('xfs', 320, 100),
]
