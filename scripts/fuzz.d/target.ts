/** What is fuzzed: a name, whole inputs to start from, and the parser that must bear what is made of them. */
import type { ByteSource } from '../../src/engine/bytes/byte-source.ts'
import type { Range } from './mutate.ts'

export interface Seed {
  readonly source: ByteSource
  /** Where damage tells; all of it where absent. */
  readonly hot?: readonly Range[]
}

export interface Target {
  readonly name: string
  seeds(): readonly Seed[]
  /** Must return, or throw one of our errors. */
  run(damaged: ByteSource, seed: Seed): void
}

export const bytesOf = (source: ByteSource): Uint8Array => source.read(0, source.size)
export const textOf = (source: ByteSource): string => Buffer.from(bytesOf(source)).toString('utf8')
