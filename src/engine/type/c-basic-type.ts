/** The arithmetic types that C has in every program, as compilers for Unix in 64 bits size them (LP64). */
import type { Type } from './type.ts'

const words: ReadonlySet<string> = new Set([
  ...['char', 'int', 'float', 'double', '_Bool'],
  ...['short', 'long', 'signed', 'unsigned'],
])

/** Whether text in parentheses can be nothing but a type of C: `int`, `unsigned long`. */
export function isCBasicName(name: string): boolean {
  return name.split(' ').every(word => words.has(word))
}

/** A type by its words in any order, `long unsigned int`, under gdb's short name of it; undefined where it is none. */
export function cBasicType(text: string, ptrSize: number): Type | undefined {
  const given = text.split(' ')
  if (!isCBasicName(text)) return undefined
  const count = (word: string): number => given.filter(other => other === word).length
  const [long, short] = [count('long'), count('short')]
  const unsigned = count('unsigned') > 0
  const kinds = given.filter(word => ['char', 'int', 'float', 'double', '_Bool'].includes(word))
  if (long > 2 || short > 1 || kinds.length > 1 || count('unsigned') + count('signed') > 1) return undefined
  const base = { language: 'c', from: 'dwarf', named: false } as const
  const [kind = 'int'] = kinds
  const alone = given.length === kinds.length
  switch (kind) {
    case '_Bool':
      return alone ? { ...base, kind: 'bool', name: kind, size: 1 } : undefined
    case 'float':
      return alone ? { ...base, kind: 'float', name: kind, size: 4 } : undefined
    case 'double':
      if (given.length > 2 || long > 1 || (!alone && long === 0)) return undefined
      return { ...base, kind: 'float', name: alone ? kind : 'long double', size: alone ? 8 : 16 }
    case 'char': {
      if (long + short > 0) return undefined
      const name = alone ? kind : `${unsigned ? 'un' : ''}signed char`
      return { ...base, kind: 'int', name, size: 1, signed: !unsigned, char: true }
    }
    default: {
      if (long > 0 && short > 0) return undefined
      const size = short ? 2 : long === 0 ? 4 : long === 1 ? ptrSize : 8
      const width = short ? 'short' : long === 0 ? 'int' : 'long '.repeat(long).trim()
      return { ...base, kind: 'int', name: unsigned ? `unsigned ${width}` : width, size, signed: !unsigned }
    }
  }
}
