/** A plain file as the engine takes it: whole in memory up to 256 MB, read at need above. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { type ByteSource, bytesSource } from '../../src/engine/bytes/byte-source.ts'

export function fileSource(path: string): ByteSource & Disposable {
  const fd = openSync(path, 'r')
  const size = fstatSync(fd).size
  if (size <= 256 << 20) {
    const source = bytesSource(path, readFileSync(fd))
    closeSync(fd)
    return { ...source, [Symbol.dispose]: () => {} }
  }
  return {
    name: path,
    size,
    read(offset, length) {
      const bytes = Buffer.allocUnsafe(length)
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset))
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}
