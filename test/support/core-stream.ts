/** What the kernel sends, made up: for replays. */

/** A crash of a process that is not there. */
export const replayArguments: readonly string[] = [
  '2147483000',
  '33',
  '33',
  '11',
  String(Math.floor(Date.now() / 1000)),
  '18446744073709551615',
  'api',
]

/** Memory with pointers, noise and holes, behind the header of a core that promises `promised` bytes of it. */
export function coreOf(size: number, promised = size): Buffer {
  const core = Buffer.alloc(size)
  for (let at = 4096; at + 8 <= size; at += 8) {
    if (at >>> 21 === 1) at = 4 << 20
    if (at + 8 <= size) core.writeUInt32LE(Math.imul(at, 2654435761) >>> (at % 23), at)
  }
  core.write('\x7fELF\x02\x01\x01', 'latin1')
  core.writeBigUInt64LE(64n, 32)
  core.writeUInt16LE(56, 54)
  core.writeUInt16LE(1, 56)
  core.writeUInt32LE(1, 64)
  core.writeBigUInt64LE(4096n, 72)
  core.writeBigUInt64LE(BigInt(promised - 4096), 96)
  return core
}
