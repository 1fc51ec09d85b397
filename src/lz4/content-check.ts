/**
 * What a frame says of its content as a whole: its length in the header, its XXH32 behind the end mark. Where blocks have no
 * checksums of their own, as in files of `lz4` by default, nothing else tells of rot. Known only when all blocks were decoded.
 */
import { Xxh32 } from './native.ts'

/** Of a frame that has blocks, and whose end was found. */
export interface FrameContent {
  /** Its blocks are `[from, to)` of the file's. */
  readonly from: number
  readonly to: number
  readonly size?: number | undefined
  readonly checksum?: number | undefined
}

/** Damage is told of so often; then it is known. */
const mostProblems = 32

export class ContentCheck {
  readonly #frames: readonly FrameContent[]
  #problems = 0
  #frame = 0
  #block = 0
  #size = 0
  #hash = new Xxh32()

  constructor(frames: readonly FrameContent[]) {
    this.#frames = frames.filter(
      ({ from, to, size, checksum }) => from < to && (size ?? checksum) !== undefined,
    )
  }

  /** Takes the content of the next block; answers what is wrong with the frame that ends with it, undefined where nothing is. */
  add(content: Buffer): string | undefined {
    const frame = this.#frames[this.#frame]
    const block = this.#block++
    if (frame === undefined || block < frame.from) return undefined
    this.#size += content.length
    if (frame.checksum !== undefined) this.#hash.update(content)
    if (block + 1 < frame.to) return undefined
    const problem = this.#problemOf(frame)
    this.#frame++
    this.#size = 0
    this.#hash = new Xxh32()
    return problem !== undefined && ++this.#problems <= mostProblems ? problem : undefined
  }

  #problemOf({ from, to, size, checksum }: FrameContent): string | undefined {
    const where = `blocks ${from} to ${to - 1}`
    if (size !== undefined && size !== this.#size)
      return `${where} hold ${this.#size} bytes where their frame says ${size}`
    if (checksum !== undefined && checksum !== this.#hash.digest())
      return `the checksum of the content of ${where} is wrong: some of its ${this.#size} bytes are not what they were`
    return undefined
  }
}
