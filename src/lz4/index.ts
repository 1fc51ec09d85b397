/** LZ4 frame files: written block by block, read at any offset. */
export { blockBound, writeBlock } from './block.ts'
export { hasIndex } from './block-index.ts'
export type { ByteFile } from './block-table.ts'
export { type CutEnd, endOfCut } from './cut-end.ts'
export { xxh32 } from './native.ts'
export { type Lz4Options, Lz4Reader, openLz4, unpackLz4 } from './reader.ts'
export { type ByteSink, Lz4Writer } from './writer.ts'
