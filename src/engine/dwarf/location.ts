/**
 * Where a variable is in one frame: its location expression (DWARF 5 section 2.6) worked out to a place of bytes. What
 * the compiler kept nowhere, or what lies in a register that is not known in this frame, is missing and says so.
 */
import { FormatError, MemoryFault } from '../../base/errors.ts'
import type { Memory } from '../core/memory.ts'
import {
  bytesPlace,
  compositePlace,
  memoryPlace,
  missingPlace,
  OptimizedOut,
  type Piece,
  type Place,
  placeAt,
} from '../type/place.ts'
import { bitsPlace } from './bits-place.ts'
import { LocationOp } from './constants.ts'
import type { BaseType, LocationExpression } from './debug-info.ts'
import { type ExpressionContext, type ExpressionStack, run } from './expression.ts'
import { FrameReader } from './frame-reader.ts'
import { converted, integerOf, isKnown, type Operand } from './operand.ts'

/** A register's value in a frame; vector registers have 128 bits. */
export interface KnownRegister {
  readonly value: bigint
  /** How it is known, where that is worth a word. */
  readonly note?: string
}

/** What a frame knows. */
export interface LocationContext {
  readonly memory: Memory
  /** How far from its link-time address the file was loaded. */
  readonly bias: number
  /** By DWARF number. */
  registers(number: number): KnownRegister | undefined
  /** Canonical frame address; undefined where it is not known. */
  readonly cfa?: number
  /** The function's DW_AT_frame_base. */
  readonly frameBase?: LocationExpression
  /** A register as it was when the function was entered. */
  entryValue?(register: number): KnownRegister | undefined
  /** Address of the thread's variable at this offset of the file's TLS block. */
  tls?(offset: number): number | undefined
}

/** DWARF number of the first register that is wider than an address, on every architecture that Go has. */
const firstVector = 17
const maxPieces = 64

/** The place of a variable; never throws: what cannot be found is a place that says why. */
export function evaluateLocation(expression: LocationExpression, context: LocationContext): Place {
  try {
    return new LocationEvaluator(expression, context).place()
  } catch (error) {
    if (error instanceof OptimizedOut) return missingPlace(error.message)
    if (error instanceof MemoryFault) return missingPlace(`its location is unreadable: ${error.message}`)
    if (error instanceof FormatError)
      return missingPlace(`its location cannot be worked out: ${error.problem}`)
    throw error
  }
}

/** The value of an expression that is one (DW_AT_call_value); undefined where it cannot be told. */
export function evaluateValue(
  expression: LocationExpression,
  context: LocationContext,
): KnownRegister | undefined {
  try {
    return new LocationEvaluator(expression, context).value()
  } catch (error) {
    if (error instanceof OptimizedOut || error instanceof MemoryFault || error instanceof FormatError)
      return undefined
    throw error
  }
}

class LocationEvaluator {
  readonly #expression: LocationExpression
  readonly #context: LocationContext
  readonly #pieces: Piece[] = []
  readonly #notes: string[] = []
  /** What the operations since the last piece say, where it is no address on the stack. */
  #current: Place | undefined

  constructor(expression: LocationExpression, context: LocationContext) {
    this.#expression = expression
    this.#context = context
  }

  place(): Place {
    const top = this.#run(this.#expression)
    const notes = this.#notes.length > 0 ? this.#notes : undefined
    if (this.#pieces.length > 0) return compositePlace(this.#pieces, notes)
    const place = this.#current ?? (top === undefined ? missingPlace() : this.#memoryPlace(top))
    return notes ? { ...place, notes } : place
  }

  value(): KnownRegister | undefined {
    const top = this.#run(this.#expression)
    if (top === undefined || this.#pieces.length > 0) return undefined
    return this.#notes[0] === undefined ? { value: top } : { value: top, note: this.#notes[0] }
  }

  #run(expression: LocationExpression): bigint | undefined {
    const { bytes, addrSize, littleEndian, file } = expression
    const origin = { file, section: 'a location', littleEndian, ptrSize: addrSize }
    const machine: ExpressionContext = {
      bias: BigInt(this.#context.bias),
      register: number => BigInt.asUintN(64, this.#register(number)),
      deref: (addr, size) => this.#deref(addr, size),
      operation: (op, reader, stack) => this.#operation(op, reader, stack),
    }
    return run(new FrameReader(bytes, origin, 0), machine)
  }

  #operation(op: number, reader: FrameReader, stack: ExpressionStack): boolean {
    const expression = this.#expression
    if (op >= LocationOp.reg0 && op <= LocationOp.reg31) {
      this.#current = this.#registerPlace(op - LocationOp.reg0)
      return true
    }
    switch (op) {
      case LocationOp.regx:
        this.#current = this.#registerPlace(reader.uvarint())
        return true
      case LocationOp.callFrameCfa:
        stack.push(BigInt(this.#cfa()))
        return true
      case LocationOp.fbreg:
        stack.push(this.#frameBase() + reader.sleb())
        return true
      case LocationOp.piece:
        this.#piece(reader.uvarint(), this.#taken(stack))
        return true
      case LocationOp.bitPiece: {
        const [size, offset] = [reader.uvarint(), reader.uvarint()]
        const place = this.#taken(stack)
        // Pieces of whole bytes are plain ones; others can only be the whole of a bit-field.
        if (size % 8 === 0 && offset % 8 === 0) this.#piece(size / 8, place && placeAt(place, offset / 8))
        else this.#piece(Math.ceil(size / 8), place && bitsPlace(place, offset, size))
        return true
      }
      case LocationOp.implicitValue:
        this.#current = bytesPlace(reader.take(reader.uvarint()))
        return true
      case LocationOp.stackValue:
        this.#current = this.#valuePlace(stack.popOperand())
        return true
      case LocationOp.implicitPointer:
      case LocationOp.gnuImplicitPointer:
        reader.skip(expression.offsetSize)
        reader.sleb()
        this.#current = missingPlace('optimized out, what it points to may not be')
        return true
      case LocationOp.addrx:
      case LocationOp.gnuAddrIndex:
        stack.push(BigInt(expression.addressAt(reader.uvarint()) + this.#context.bias))
        return true
      case LocationOp.constx:
      case LocationOp.gnuConstIndex:
        stack.push(BigInt(expression.addressAt(reader.uvarint())))
        return true
      case LocationOp.entryValue:
      case LocationOp.gnuEntryValue:
        this.#entryValue(reader.take(reader.uvarint()), stack)
        return true
      case LocationOp.formTlsAddress:
      case LocationOp.gnuPushTlsAddress: {
        const addr = this.#context.tls?.(Number(stack.pop()))
        if (addr === undefined) throw new OptimizedOut('in thread-local storage that could not be found')
        stack.push(BigInt(addr))
        return true
      }
      default:
        return this.#typed(op, reader, stack)
    }
  }

  /** Operations on values with a type (DWARF 5 section 2.5.1.1). */
  #typed(op: number, reader: FrameReader, stack: ExpressionStack): boolean {
    switch (op) {
      case LocationOp.constType:
      case LocationOp.gnuConstType: {
        const type = this.#type(reader)
        stack.push(this.#number(reader.take(reader.u8())), type)
        return true
      }
      case LocationOp.regvalType:
      case LocationOp.gnuRegvalType: {
        const value = this.#register(reader.uvarint())
        stack.push(value, this.#type(reader))
        return true
      }
      case LocationOp.derefType:
      case LocationOp.gnuDerefType: {
        const size = reader.u8()
        const value = this.#deref(Number(stack.pop()), size)
        stack.push(value, this.#type(reader))
        return true
      }
      case LocationOp.convert:
      case LocationOp.gnuConvert: {
        const value = converted(stack.popOperand(), this.#type(reader))
        if (!value) throw reader.error('an expression makes an integer of what is none')
        stack.push(value.bits, value.type)
        return true
      }
      case LocationOp.reinterpret:
      case LocationOp.gnuReinterpret:
        stack.push(stack.pop(), this.#type(reader))
        return true
      default:
        return false
    }
  }

  /** The base type whose offset comes next; undefined for 0, the generic type. */
  #type(reader: FrameReader): BaseType | undefined {
    const offset = reader.uvarint()
    if (offset === 0) return undefined
    const type = this.#expression.baseTypeAt(offset)
    if (!type) throw reader.error(`no base type at ${offset}`)
    if (!isKnown(type))
      throw reader.error(`an expression counts with ${type.encoding}s of ${type.size} bytes`)
    return type
  }

  /** A value that is nowhere but here: of a float its own bytes, of an integer as many as a variable may ask for. */
  #valuePlace(value: Operand): Place {
    const { type } = value
    if (type?.encoding === 'float') return bytesPlace(this.#bytesOf(value.bits, type.size))
    return bytesPlace(this.#bytesOf(integerOf(value), Math.max(8, type?.size ?? 0)))
  }

  /** What the piece that ends here consists of; undefined where the compiler kept nothing of it. */
  #taken(stack: ExpressionStack): Place | undefined {
    const place = this.#current ?? (stack.isEmpty ? undefined : this.#memoryPlace(stack.pop()))
    this.#current = undefined
    return place
  }

  #piece(size: number, place: Place | undefined): void {
    if (this.#pieces.length >= maxPieces || size > 1 << 20)
      throw new OptimizedOut('its location has too many pieces')
    this.#pieces.push({ size, place })
  }

  #memoryPlace(addr: bigint): Place {
    return memoryPlace(this.#context.memory, Number(addr))
  }

  #registerPlace(number: number): Place {
    const known = this.#context.registers(number)
    if (!known) return missingPlace(unknownRegister)
    this.#note(known)
    return bytesPlace(this.#bytesOf(known.value, number >= firstVector ? 16 : 8))
  }

  #register(number: number): bigint {
    const known = this.#context.registers(number)
    if (!known) throw new OptimizedOut(unknownRegister)
    this.#note(known)
    return known.value
  }

  #note({ note }: KnownRegister): void {
    if (note !== undefined && !this.#notes.includes(note)) this.#notes.push(note)
  }

  #cfa(): number {
    const { cfa } = this.#context
    if (!cfa) throw new OptimizedOut('the frame has no known place on the stack')
    return cfa
  }

  /** DW_OP_fbreg counts from the frame base, which may be a register's contents or the canonical frame address. */
  #frameBase(): bigint {
    const { frameBase } = this.#context
    if (!frameBase) throw new OptimizedOut('the function does not say where its frame is')
    const [op] = frameBase.bytes
    if (op === LocationOp.callFrameCfa && frameBase.bytes.length === 1) return BigInt(this.#cfa())
    if (op !== undefined && op >= LocationOp.reg0 && op <= LocationOp.reg31)
      return this.#register(op - LocationOp.reg0)
    const { frameBase: _, ...rest } = this.#context
    const value = new LocationEvaluator(frameBase, rest).value()
    if (!value) throw new OptimizedOut('the function does not say where its frame is')
    return value.value
  }

  /** The block is a register, alone or with the type of what is in it. */
  #entryValue(bytes: Uint8Array, stack: ExpressionStack): void {
    const { addrSize, littleEndian, file } = this.#expression
    const reader = new FrameReader(bytes, { file, section: 'a location', littleEndian, ptrSize: addrSize }, 0)
    const op = reader.u8()
    const typed = op === LocationOp.regvalType || op === LocationOp.gnuRegvalType
    const register =
      typed || op === LocationOp.regx
        ? reader.uvarint()
        : op >= LocationOp.reg0 && op <= LocationOp.reg31
          ? op - LocationOp.reg0
          : undefined
    const type = typed ? this.#type(reader) : undefined
    const known = register !== undefined && reader.done ? this.#context.entryValue?.(register) : undefined
    if (!known) throw new OptimizedOut('optimized out, known only where the function was called')
    this.#note(known)
    stack.push(known.value, type)
  }

  #deref(addr: number, size: number): bigint {
    if (!(size > 0 && size <= 16)) throw new OptimizedOut(`its location reads ${size} bytes at once`)
    return this.#number(this.#context.memory.read(addr, size))
  }

  #number(bytes: Uint8Array): bigint {
    const ordered = this.#expression.littleEndian ? [...bytes].reverse() : [...bytes]
    return ordered.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)
  }

  #bytesOf(value: bigint, size: number): Uint8Array {
    const bytes = Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
    return this.#expression.littleEndian ? bytes : bytes.reverse()
  }
}

const unknownRegister = 'optimized out, last in a register that a call has overwritten'
