/**
 * The bytes of a core on their way to a place: in memory that its thread reads, and kept there until it has acknowledged
 * them, so that another place can have them if it never does.
 */

/** Room for the longest block twice: a piece begins and ends where a block does. */
export const slotSize = 2_200_000
const slotCount = 5

/** Where a piece lies in the memory. */
export interface Put {
  readonly do: 'put'
  readonly at: number
  readonly length: number
}

interface Piece {
  readonly slot: number
  length: number
}

const putOf = ({ slot, length }: Piece): Put => ({ do: 'put', at: slot * slotSize, length })

export class StagedPieces {
  readonly memory = new SharedArrayBuffer(slotSize * slotCount)
  readonly #free = Array.from({ length: slotCount }, (_, i) => i)
  /** Not acknowledged, oldest first. */
  readonly #given: Piece[] = []
  #filling: Piece | undefined

  /** Another piece can be begun. */
  get hasFree(): boolean {
    return this.#free.length > 0
  }

  /** `length` bytes more go into the piece that is being filled. */
  hasRoomFor(length: number): boolean {
    return this.#filling !== undefined && this.#filling.length + length <= slotSize
  }

  begin(): void {
    this.#filling = { slot: this.#free.pop()!, length: 0 }
  }

  /** Answers whether the piece is long enough to be given: many small ones together, but what is there should be on its way. */
  add(bytes: Uint8Array): boolean {
    const piece = this.#filling!
    new Uint8Array(this.memory, piece.slot * slotSize + piece.length, bytes.length).set(bytes)
    piece.length += bytes.length
    return piece.length > slotSize / 4
  }

  /** What was being filled, which is now to be given to the place. */
  give(): Put | undefined {
    const piece = this.#filling
    if (piece === undefined) return undefined
    this.#filling = undefined
    this.#given.push(piece)
    return putOf(piece)
  }

  /** All that is not acknowledged, for another place. */
  given(): Put[] {
    return this.#given.map(putOf)
  }

  /** The place has the oldest piece; answers its length. */
  acknowledge(): number {
    const piece = this.#given.shift()!
    this.#free.push(piece.slot)
    return piece.length
  }

  forget(): void {
    if (this.#filling !== undefined) this.#free.push(this.#filling.slot)
    this.#filling = undefined
    for (const piece of this.#given.splice(0)) this.#free.push(piece.slot)
  }
}
