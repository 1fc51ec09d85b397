/** Trees back into text: for messages, for the names of types, and with parentheses where precedence had put them. */
import type { Node } from './ast.ts'

/** The text of a node, in one spelling whatever was typed. */
export function show(node: Node): string {
  switch (node.kind) {
    case 'literal': {
      const { literal } = node
      if (literal.kind === 'string') return JSON.stringify(literal.value)
      return literal.kind === 'imaginary'
        ? `${showFloat(literal.value)}i`
        : literal.kind === 'float'
          ? showFloat(literal.value)
          : String(literal.value)
    }
    case 'name':
      return node.name
    case 'register':
      return `$${node.name}`
    case 'paren':
      return node.of.kind === 'binary' || node.of.kind === 'repeat' || node.of.kind === 'paren'
        ? show(node.of)
        : `(${show(node.of)})`
    case 'select':
      return `${show(node.of)}.${node.name}`
    case 'assert':
      return `${show(node.of)}.(${show(node.type)})`
    case 'index':
      return `${show(node.of)}[${node.indexes.map(show).join(', ')}]`
    case 'slice':
      return `${show(node.of)}[${node.low ? show(node.low) : ''}:${node.high ? show(node.high) : ''}]`
    case 'call':
      return `${show(node.of)}(${node.args.map(show).join(', ')})`
    case 'deref':
      return `*${show(node.of)}`
    case 'unary': {
      const of = show(node.of)
      // `- -x` is not `--x`, and `& ^x` not `&^x`.
      const apart = node.operator === of[0] || (node.operator === '&' && of[0] === '^')
      return `${node.operator}${apart ? ' ' : ''}${of}`
    }
    case 'binary':
      return `(${show(node.left)} ${node.operator} ${show(node.right)})`
    case 'repeat':
      return `(${show(node.of)} @ ${show(node.count)})`
    case 'scoped':
      return `'${node.scope}'::${node.name}`
    case 'arrayType':
      return `[${node.length ? show(node.length) : ''}]${show(node.elem)}`
    case 'mapType':
      return `map[${show(node.key)}]${show(node.elem)}`
    case 'chanType':
      return `${{ both: 'chan ', send: 'chan<- ', recv: '<-chan ' }[node.direction]}${show(node.elem)}`
    case 'textType':
      return node.text
  }
}

/** So that it reads as a float again. */
const showFloat = (value: number): string => String(value).replace('e+', 'e')
