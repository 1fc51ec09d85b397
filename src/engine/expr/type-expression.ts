/** Types as they are written in casts and assertions, found among the types of the program. */
import { arrayOf, basicType, pointerTo, sliceOf, type Type } from '../type/type.ts'
import type { Node } from './ast.ts'
import type { Names } from './names.ts'

/** The type that `node` names; undefined where it names none of the program. */
export function typeOf(node: Node, names: Names, ptrSize: 4 | 8): Type | undefined {
  const inner = (of: Node): Type | undefined => typeOf(of, names, ptrSize)
  switch (node.kind) {
    case 'paren':
      return inner(node.of)
    case 'name':
      return names.ownType?.(node.name) ?? basicType(node.name, ptrSize) ?? names.type(node.name)
    case 'select':
    case 'index': {
      const name = typeName(node)
      return name === undefined ? undefined : (basicType(name, ptrSize) ?? names.type(name))
    }
    case 'literal':
      return node.literal.kind === 'string' ? names.type(node.literal.value) : undefined
    case 'textType':
      return (
        names.ownType?.(spaced(node.text)) ??
        names.type(spaced(node.text)) ??
        (/^interface\s*\{\s*\}$/.test(node.text) ? basicType('any', ptrSize) : undefined)
      )
    case 'deref': {
      const elem = inner(node.of)
      // The program's own pointer type is the better one: it has a descriptor.
      const own = elem?.language === 'c' ? undefined : elem && names.type(`*${elem.name}`)
      return own ?? (elem && pointerTo(elem, ptrSize))
    }
    case 'arrayType': {
      const elem = inner(node.elem)
      if (!elem) return undefined
      if (!node.length) return names.type(`[]${elem.name}`) ?? sliceOf(elem, ptrSize)
      if (node.length.kind !== 'literal' || node.length.literal.kind !== 'int') return undefined
      const length = Number(node.length.literal.value)
      return Number.isSafeInteger(length * Math.max(1, elem.size)) ? arrayOf(elem, length) : undefined
    }
    case 'mapType': {
      const [key, elem] = [inner(node.key), inner(node.elem)]
      return key && elem && names.type(`map[${key.name}]${elem.name}`)
    }
    case 'chanType': {
      const elem = inner(node.elem)
      const word = { both: 'chan', send: 'chan<-', recv: '<-chan' }[node.direction]
      return elem && names.type(`${word} ${elem.name}`)
    }
    default:
      return undefined
  }
}

/** The name that a type with a package, or with type arguments, has in the program. */
function typeName(node: Node): string | undefined {
  switch (node.kind) {
    case 'name':
      return node.name
    case 'paren':
      return typeName(node.of)
    case 'select':
      if (node.of.kind === 'name') return `${node.of.name}.${node.name}`
      return node.of.kind === 'literal' && node.of.literal.kind === 'string'
        ? `${node.of.literal.value}.${node.name}`
        : undefined
    case 'index': {
      const [of, ...args] = [node.of, ...node.indexes].map(typeName)
      return of === undefined || args.includes(undefined) ? undefined : `${of}[${args.join(',')}]`
    }
    case 'deref': {
      const elem = typeName(node.of)
      return elem && `*${elem}`
    }
    case 'arrayType': {
      const elem = typeName(node.elem)
      const length =
        node.length?.kind === 'literal' && node.length.literal.kind === 'int' ? node.length.literal.value : ''
      return elem && `[${length}]${elem}`
    }
    case 'mapType': {
      const [key, elem] = [typeName(node.key), typeName(node.elem)]
      return key && elem && `map[${key}]${elem}`
    }
    case 'chanType': {
      const elem = typeName(node.elem)
      return elem && `${{ both: 'chan', send: 'chan<-', recv: '<-chan' }[node.direction]} ${elem}`
    }
    case 'textType':
      return spaced(node.text)
    default:
      return undefined
  }
}

/** As the compiler writes structures: one blank, and one inside the braces. */
function spaced(text: string): string {
  const one = text.replace(/\s+/g, ' ').trim()
  return one
    .replace(/^(struct|interface) ?\{ ?/, '$1 {')
    .replace(/ ?\}$/, '}')
    .replace(/\{(?!\})/, '{ ')
    .replace(/(?<!\{)\}$/, ' }')
}
