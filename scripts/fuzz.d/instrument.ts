/**
 * Source text with counters: one for each stretch of code that may run or not run by itself (function bodies, branches, loop
 * bodies, cases, right sides of && || ??, defaults, handlers). And the numbers and texts that the source knows, which an
 * input may have to hold to get further.
 */
import { type AnyNode, type Node, parse } from 'acorn'
import { full } from 'acorn-walk'
import MagicString from 'magic-string'

export interface Instrumented {
  readonly text: string
  /** The line of each counter, the first of which is `base`. */
  readonly lines: readonly number[]
  readonly words: readonly (string | bigint)[]
}

/** The global array of counters. */
export const countersName = '__gocoreFuzzCounters'

/** `text` is an ECMAScript module. The code that comes back is on the same lines. */
export function instrument(text: string, base: number): Instrumented {
  const tree = parse(text, { ecmaVersion: 'latest', sourceType: 'module', locations: true })
  const edited = new MagicString(text)
  const words = new Set<string | bigint>()
  const lines: number[] = []
  const hit = ({ loc }: Node): string => `${countersName}[${base + lines.push(loc!.start.line) - 1}]++`
  /** An expression, which has its counter before it. */
  const wrap = (node: Node): void => {
    edited.prependRight(node.start, `(${hit(node)},`)
    edited.appendLeft(node.end, ')')
  }
  /** A statement, a block or not. */
  const enter = (body: Node): void => {
    if (body.type === 'BlockStatement') {
      edited.prependRight(body.start + 1, `${hit(body)};`)
      return
    }
    edited.prependRight(body.start, `{${hit(body)};`)
    edited.appendLeft(body.end, '}')
  }
  full(tree, found => {
    const node = found as AnyNode
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
        enter(node.body)
        break
      case 'ArrowFunctionExpression':
        if (node.body.type === 'BlockStatement') enter(node.body)
        else wrap(node.body)
        break
      case 'IfStatement':
        enter(node.consequent)
        if (node.alternate) enter(node.alternate)
        break
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'WhileStatement':
      case 'DoWhileStatement':
        enter(node.body)
        break
      case 'SwitchCase':
        if (node.consequent[0]) edited.prependRight(node.consequent[0].start, `${hit(node)};`)
        break
      case 'ConditionalExpression':
        wrap(node.consequent)
        wrap(node.alternate)
        break
      case 'LogicalExpression':
      case 'AssignmentPattern':
        wrap(node.right)
        break
      case 'CatchClause':
        enter(node.body)
        break
      case 'Literal':
        addWord(words, node.value)
        break
    }
  })
  return { text: `const ${countersName}=globalThis.${countersName};${edited}`, lines, words: [...words] }
}

function addWord(words: Set<string | bigint>, value: unknown): void {
  if (typeof value === 'bigint' && value >= 0n && value < 1n << 64n) words.add(value)
  else if (typeof value === 'number' && Number.isSafeInteger(value)) words.add(BigInt(value))
  else if (typeof value === 'string' && value.length > 0 && value.length <= 40) words.add(value)
}
