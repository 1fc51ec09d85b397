/** The kinds of Go types, numbered as internal/abi/type.go numbers them; the same since Go 1.4. */
export const kindNames = [
  'invalid',
  'bool',
  'int',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'uintptr',
  'float32',
  'float64',
  'complex64',
  'complex128',
  'array',
  'chan',
  'func',
  'interface',
  'map',
  'ptr',
  'slice',
  'string',
  'struct',
  'unsafe.Pointer',
] as const

export type Kind = (typeof kindNames)[number]

/** Bits above the kind were KindDirectIface (1<<5) and KindGCProg (1<<6) until Go 1.26, and are 0 since. */
export const kindMask = 31

/** Kinds whose value is an integer of the type's size, and whether it is signed. */
export function integerKind(kind: Kind): 'signed' | 'unsigned' | undefined {
  switch (kind) {
    case 'int':
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return 'signed'
    case 'uint':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'uint64':
    case 'uintptr':
      return 'unsigned'
    default:
      return undefined
  }
}
