/** What a core should hold, by the one who made the crash: the kernel's stream, or the memory that a victim filled. */

/** Bytes of memory that were the process's own. */
export interface Piece {
  readonly address: number
  readonly bytes: Buffer
}

export interface Truth {
  /** What the kernel would write; absent for a process of the kernel's own. */
  readonly stream?: Buffer
  readonly memory?: () => Generator<Piece>
  readonly threads?: number
}

const pieceSize = 64 * 1024
const page = 4096

/** Of a victim that was called with these arguments, and printed `got`: how much it got, and where it lies. */
export function truthOf([kind]: readonly string[], got: string): Truth {
  const [count, address] = got.split(' ').map(Number) as [number, number]
  if (kind === 'threads') return { threads: count + 1 }
  if (kind === 'memory') return { memory: () => filled(address, count) }
  const ones = kind === 'mappings' ? { step: 2 * page, end: count * page } : sparse(count)
  return { memory: () => everyNth(address, ones.step, ones.end) }
}

const gigabyte = 2 ** 30
const sparse = (count: number): { step: number; end: number } => ({
  step: 10 * gigabyte,
  end: count * gigabyte,
})

/** Each word is its own place times a constant. */
function* filled(address: number, size: number): Generator<Piece> {
  for (let at = 0; at < size; at += pieceSize) {
    const bytes = Buffer.alloc(Math.min(pieceSize, size - at))
    for (let n = 0; n < bytes.length; n += 8)
      bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(at + n) * 2654435761n), n)
    yield { address: address + at, bytes }
  }
}

function* everyNth(address: number, step: number, end: number): Generator<Piece> {
  for (let at = 0; at < end; at += step) yield { address: address + at, bytes: Buffer.from([1]) }
}
