/** The values with which a program of test/programs/values-* dies, and what it says they are. */
import type { Process } from '../../src/engine/index.ts'
import { readGoDeath } from '../../src/engine/runtime/death.ts'
import type { Variable } from '../../src/engine/type/variable.ts'
import type { ValueContext } from '../../src/engine/value/context.ts'
import { descriptorContext, dynamicVariable } from '../../src/engine/value/descriptor-context.ts'
import { indexOf, lengthOf } from '../../src/engine/value/element.ts'
import { fieldOf } from '../../src/engine/value/field.ts'
import { dynamicOf } from '../../src/engine/value/interface.ts'
import { readText } from '../../src/engine/value/scalar.ts'
import type { ValueLimits } from '../../src/engine/value/value.ts'

export interface Probe {
  readonly name: string
  /** Undefined for a nil interface. */
  readonly value: Variable | undefined
  readonly truth: string
}

/** Loads everything. */
export const everything: ValueLimits = {
  depth: 12,
  items: 1e6,
  fields: 1e6,
  text: 1e6,
  follow: true,
  values: 1e6,
  slots: 1e7,
}

/** The context knows types by their descriptors only. */
export function contextOf(process: Process): ValueContext {
  const { runtime, types } = process
  return descriptorContext(types!, {
    goMinor: runtime!.context.goMinor,
    layout: field => runtime!.layout.find(field),
    functionAt: pc => runtime!.symtab.findFunc(pc)?.name,
  })
}

/** The elements of `*[]truth.Probe`, the panic's value. */
export function probesOf(process: Process, context: ValueContext): Probe[] {
  const death = readGoDeath(process.runtime!, process.types!)
  const { type, data } = death.panics.at(-1)!.value
  // A pointer's data word is all that is left of it: what it points to is what the word says.
  const list = dynamicVariable(
    context,
    { ...process.types!.elem(type!)!, pointerShaped: false },
    { word: data, addr: 0 },
  )
  return Array.from({ length: lengthOf(context, list)! }, (_, i) => {
    const probe = indexOf(context, list, BigInt(i))
    const text = (name: string): string =>
      Buffer.from(readText(context, fieldOf(context, probe, name)!, 1e6).bytes).toString()
    return {
      name: text('Name'),
      value: dynamicOf(context, fieldOf(context, probe, 'Value')!),
      truth: text('Truth'),
    }
  })
}
