/**
 * Expressions into trees: Go's grammar and precedences (spec, "Expressions", "Operators") as far as a dead program can
 * answer, with gdb's `$register`, `*p@n`, `p->field` and `'file.c'::name`. Depth and length are bounded.
 */
import { ExpressionError } from '../../base/errors.ts'
import { isCBasicName } from '../type/c-basic-type.ts'
import type { BinaryOperator, Literal, Node, UnaryOperator } from './ast.ts'
import { lex } from './lexer.ts'
import { parseFloatLiteral, parseIntLiteral } from './number.ts'
import { show } from './show.ts'
import type { Token } from './token.ts'

/** Nodes within nodes, however they nest. */
const maxDepth = 200

const precedence: Readonly<Record<string, number>> = {
  '@': 1,
  '||': 2,
  '&&': 3,
  ...{ '==': 4, '!=': 4, '<': 4, '<=': 4, '>': 4, '>=': 4 },
  ...{ '+': 5, '-': 5, '|': 5, '^': 5 },
  ...{ '*': 6, '/': 6, '%': 6, '<<': 6, '>>': 6, '&': 6, '&^': 6 },
}

const unary: ReadonlySet<string> = new Set(['+', '-', '!', '^', '&'])

/** Why what Go or C allow can't be had from a dump. */
const refusals: Readonly<Record<string, string>> = {
  '<-': 'nothing can be received in a program that is dead',
  '++': 'nothing can be changed in a program that is dead',
  '--': 'nothing can be changed in a program that is dead',
  '=': 'nothing can be changed in a program that is dead (== compares)',
  ':=': 'nothing can be changed in a program that is dead (== compares)',
  '~': 'Go writes the complement as ^',
  '?': 'Go has no conditional expression',
}

/** The tree of `source`; throws ExpressionError with the column at which it stops being an expression. */
export function parse(source: string): Node {
  return new Parser(source).whole()
}

class Parser {
  readonly #source: string
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(source: string) {
    this.#source = source
    this.#tokens = lex(source)
  }

  whole(): Node {
    if (this.#tokens.length === 1) this.#fail('it is empty')
    const first = this.#expression()
    const node = first.kind === 'textType' ? this.#pointersTo(first) : first
    if (this.#next < this.#tokens.length - 1) this.#unexpected('an operator')
    return node
  }

  #expression(least = 1): Node {
    return this.#nested(() => {
      let left = this.#unary()
      for (;;) {
        const operator = this.#token
        const level = operator.kind === 'operator' ? (precedence[operator.text] ?? 0) : 0
        if (level < least || level === 0 || this.#endsType()) return left
        this.#next++
        const right = this.#expression(level + 1)
        left = this.#binary(operator.text, left, right)
      }
    })
  }

  #binary(operator: string, left: Node, right: Node): Node {
    const span = { at: left.at, end: right.end }
    if (operator === '@') return { kind: 'repeat', of: left, count: right, ...span }
    return { kind: 'binary', operator: operator as BinaryOperator, left, right, ...span }
  }

  #unary(): Node {
    const { text, kind, at } = this.#token
    if (kind !== 'operator') return this.#primary()
    if (text === '*')
      return this.#nested(() => {
        this.#next++
        const of = this.#unary()
        return { kind: 'deref', of, at, end: of.end }
      })
    if (unary.has(text))
      return this.#nested(() => {
        this.#next++
        const of = this.#unary()
        return { kind: 'unary', operator: text as UnaryOperator, of, at, end: of.end }
      })
    if (text === '<-' && this.#tokens[this.#next + 1]?.text === 'chan') {
      this.#next += 2
      const elem = this.#type()
      return { kind: 'chanType', direction: 'recv', elem, at, end: elem.end }
    }
    return this.#primary()
  }

  #primary(): Node {
    let node = this.#operand()
    for (;;) {
      const { kind, text } = this.#token
      if (kind !== 'operator') return node
      if (text === '.' || text === '->') node = this.#member(node)
      else if (text === '[') node = this.#subscript(node)
      else if (text === '(') node = this.#call(node)
      else if (text === '::' && (node.kind === 'select' || node.kind === 'name')) node = this.#scoped(node)
      else if (text === '{' && isTypeLike(node)) this.#fail('values are not built in a program that is dead')
      else return node
    }
  }

  #operand(): Node {
    const token = this.#token
    const { at, end } = token
    switch (token.kind) {
      case 'int':
      case 'float':
      case 'imaginary':
      case 'char':
      case 'string':
        this.#next++
        return { kind: 'literal', literal: this.#literal(token), at, end }
      case 'register':
        this.#next++
        return { kind: 'register', name: token.text, at, end }
      case 'name':
      case 'quoted':
        return this.#named(token)
      case 'keyword':
        return this.#type()
      case 'operator':
        if (token.text === '(') return this.#parenthesis()
        if (token.text === '[') return this.#type()
        return this.#unexpected('a value')
      case 'end':
        return this.#unexpected('a value')
    }
  }

  #named({ kind, text, at, end }: Token): Node {
    this.#next++
    const { kind: follows, text: word } = this.#token
    if (kind === 'name' && follows === 'name' && (text === 'enum' || text === 'union')) {
      this.#next++
      return { kind: 'textType', text: `${text} ${word}`, at, end: this.#before.end }
    }
    if (kind === 'name' && follows === 'name' && typeWords.has(text)) return this.#words(text, at)
    if (kind === 'quoted' && this.#is('::')) return this.#scoped({ kind: 'name', name: text, at, end })
    if (kind === 'quoted') {
      this.#next--
      this.#fail(`a text is written in double quotes; '${text}' would be one character`)
    }
    return { kind: 'name', name: text, at, end }
  }

  /** gdb: `'file.c'::name`, `main.hold::name`. */
  #scoped(scope: Node): Node {
    this.#take('::')
    const name = this.#name('a name behind ::')
    return { kind: 'scoped', scope: show(scope), name: name.text, at: scope.at, end: name.end }
  }

  #parenthesis(): Node {
    const { at } = this.#take('(')
    const first = this.#expression()
    const of = this.#pointersTo(first)
    const { end } = this.#take(')')
    const paren: Node = { kind: 'paren', of, at, end }
    return this.#isCast(of, of !== first) ? this.#cast(paren) : paren
  }

  /** C's `unsigned long`. */
  #words(first: string, at: number): Node {
    let name = first
    for (; this.#token.kind === 'name'; this.#next++) name += ` ${this.#token.text}`
    return { kind: 'name', name, at, end: this.#before.end }
  }

  /** Whether nothing but the stars of C's pointers is left of a type. */
  #endsType(): boolean {
    let next = this.#next
    while (this.#tokens[next]?.kind === 'operator' && this.#tokens[next]?.text === '*') next++
    const { kind, text } = this.#tokens[next]!
    return next > this.#next && (kind === 'end' || (kind === 'operator' && text === ')'))
  }

  /** C's `struct foo **`. */
  #pointersTo(type: Node): Node {
    let node = type
    if (!isTypeLike(type)) return node
    for (; this.#is('*') && this.#endsType(); this.#next++)
      node = { kind: 'deref', of: node, at: node.at, end: this.#token.end }
    return node
  }

  /** C's `(type)value`: where no value can be in the parentheses, or no operator is between them and what follows. */
  #isCast(of: Node, isPointer: boolean): boolean {
    const { kind, text } = this.#token
    if (kind === 'operator') {
      const isType = of.kind === 'textType' || isPointer || (of.kind === 'name' && isCBasicName(of.name))
      return isType && ['*', '&', '-', '+', '^', '!'].includes(text)
    }
    return (
      isTypeLike(isPointer && of.kind === 'deref' ? innermost(of) : of) &&
      kind !== 'end' &&
      kind !== 'keyword'
    )
  }

  #cast(type: Node): Node {
    return this.#nested(() => {
      const value = this.#unary()
      return { kind: 'call', of: type, args: [value], at: type.at, end: value.end }
    })
  }

  #member(of: Node): Node {
    const { text } = this.#token
    this.#next++
    if (text === '.' && this.#is('(')) {
      this.#next++
      const type = this.#expression()
      const { end } = this.#take(')')
      return { kind: 'assert', of, type, at: of.at, end }
    }
    const name = this.#name(`the name of a field behind ${text}`)
    return { kind: 'select', of, name: name.text, at: of.at, end: name.end }
  }

  #subscript(of: Node): Node {
    this.#take('[')
    const first = this.#is(':') ? undefined : this.#expression()
    if (this.#is(':')) return this.#slice(of, first)
    const indexes = [first!]
    while (this.#is(',')) {
      this.#next++
      indexes.push(this.#expression())
    }
    const { end } = this.#take(']')
    return { kind: 'index', of, indexes, at: of.at, end }
  }

  #slice(of: Node, low: Node | undefined): Node {
    this.#take(':')
    const high = this.#is(']') || this.#is(':') ? undefined : this.#expression()
    if (this.#is(':')) this.#fail('a capacity as third index changes nothing of what is shown')
    const { end } = this.#take(']')
    return { kind: 'slice', of, ...(low ? { low } : {}), ...(high ? { high } : {}), at: of.at, end }
  }

  #call(of: Node): Node {
    this.#take('(')
    const args: Node[] = []
    while (!this.#is(')')) {
      args.push(this.#expression())
      if (!this.#is(',')) break
      this.#next++
    }
    const { end } = this.#take(')')
    return { kind: 'call', of, args, at: of.at, end }
  }

  /** A type that begins with a word or bracket that no value begins with. */
  #type(): Node {
    return this.#nested(() => {
      const { text, at } = this.#token
      if (text === '[') return this.#arrayType()
      if (text === 'map') return this.#mapType()
      if (text === 'chan') return this.#chanType()
      if (text === 'struct' || text === 'interface' || text === 'func') return this.#textType(at)
      if (text === '<-') return this.#unary()
      if (text === '*') {
        this.#next++
        const of = this.#type()
        return { kind: 'deref', of, at, end: of.end }
      }
      if (text === '(') {
        this.#next++
        const of = this.#type()
        return { kind: 'paren', of, at, end: this.#take(')').end }
      }
      return this.#typeName()
    })
  }

  /** `T`, `pkg.T`, `"path".T`, each with type arguments; a call behind it is a conversion to the whole. */
  #typeName(): Node {
    let node = this.#operand()
    while (this.#is('.')) {
      this.#next++
      const name = this.#name('the name of a type')
      node = { kind: 'select', of: node, name: name.text, at: node.at, end: name.end }
    }
    return this.#is('[') && this.#tokens[this.#next + 1]?.text !== ']' ? this.#subscript(node) : node
  }

  #arrayType(): Node {
    const { at } = this.#take('[')
    const length = this.#is(']') ? undefined : this.#expression()
    this.#take(']')
    const elem = this.#type()
    return { kind: 'arrayType', elem, ...(length ? { length } : {}), at, end: elem.end }
  }

  #mapType(): Node {
    const { at } = this.#token
    this.#next++
    this.#take('[')
    const key = this.#type()
    this.#take(']')
    const elem = this.#type()
    return { kind: 'mapType', key, elem, at, end: elem.end }
  }

  #chanType(): Node {
    const { at } = this.#token
    this.#next++
    const direction = this.#is('<-') ? 'send' : 'both'
    if (direction === 'send') this.#next++
    const elem = this.#type()
    return { kind: 'chanType', direction, elem, at, end: elem.end }
  }

  /** Up to the matching bracket; a function's result, and the name of a struct of C, belong to it. */
  #textType(at: number): Node {
    const { text: keyword } = this.#token
    this.#next++
    const named = this.#token
    if (keyword === 'struct' && named.kind === 'name') {
      this.#next++
      return { kind: 'textType', text: `struct ${named.text}`, at, end: named.end }
    }
    let end = this.#balanced(keyword === 'func' ? '(' : '{')
    if (keyword === 'func') {
      const result = this.#token
      if (result.text === '(' && result.kind === 'operator') end = this.#balanced('(')
      else if (result.kind === 'name' || result.kind === 'keyword' || ['*', '['].includes(result.text))
        end = this.#type().end
    }
    return { kind: 'textType', text: this.#source.slice(at, end), at, end }
  }

  #balanced(open: '(' | '{'): number {
    let depth = 0
    const begin = this.#take(open)
    for (depth = 1; depth > 0; this.#next++) {
      const token = this.#token
      if (token.kind === 'end') this.#fail(`the ${open} has no end`, begin.at)
      if (token.kind === 'operator' && '([{'.includes(token.text)) depth++
      if (token.kind === 'operator' && ')]}'.includes(token.text)) depth--
      if (depth === 0) {
        this.#next++
        return token.end
      }
    }
    return begin.end
  }

  #literal({ kind, text, at }: Token): Literal {
    if (kind === 'string') return { kind, value: text }
    if (kind === 'char') return { kind: 'int', value: BigInt(text.codePointAt(0)!), rune: true }
    if (kind === 'int') return { kind, value: parseIntLiteral(text) }
    const value = parseFloatLiteral(kind === 'imaginary' ? text.slice(0, -1) : text)
    if (!Number.isFinite(value)) this.#fail('the number is too large', at)
    return { kind: kind === 'imaginary' ? 'imaginary' : 'float', value }
  }

  /** The token that was last taken. */
  get #before(): Token {
    return this.#tokens[Math.max(0, this.#next - 1)]!
  }

  get #token(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)]!
  }

  #is(operator: string): boolean {
    return this.#token.kind === 'operator' && this.#token.text === operator
  }

  #take(operator: string): Token {
    const token = this.#token
    if (!this.#is(operator)) this.#unexpected(operator)
    this.#next++
    return token
  }

  #name(wanted: string): Token {
    const token = this.#token
    // A field may be called as one of our keywords is: C has no map.
    if (token.kind !== 'name' && token.kind !== 'keyword') this.#unexpected(wanted)
    this.#next++
    return token
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > maxDepth) this.#fail('it nests too deeply')
    const result = parse()
    this.#depth--
    return result
  }

  #unexpected(wanted: string): never {
    const { kind, text } = this.#token
    const why = kind === 'operator' ? refusals[text] : undefined
    if (why !== undefined) this.#fail(why)
    const found = kind === 'end' ? 'it ends' : `there is ${JSON.stringify(text)}`
    return this.#fail(`${found} where ${wanted} should be`)
  }

  #fail(problem: string, at = this.#token.at): never {
    throw new ExpressionError(this.#source, at, problem)
  }
}

/** Words of C's names of types that another follows. */
const typeWords: ReadonlySet<string> = new Set(['unsigned', 'signed', 'long', 'short', 'const', 'volatile'])

const innermost = (node: Node): Node => (node.kind === 'deref' ? innermost(node.of) : node)

const isTypeLike = ({ kind }: Node): boolean =>
  ['name', 'select', 'index', 'arrayType', 'mapType', 'textType'].includes(kind)
