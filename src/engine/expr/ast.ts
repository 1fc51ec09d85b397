/** Expressions as trees. Types are written as expressions are (`*main.T` may be either), so they share nodes. */

export type UnaryOperator = '+' | '-' | '!' | '^' | '&'

export type BinaryOperator =
  | ('||' | '&&' | '==' | '!=' | '<' | '<=' | '>' | '>=')
  | ('+' | '-' | '|' | '^' | '*' | '/' | '%' | '<<' | '>>' | '&' | '&^')

export type Literal =
  | { readonly kind: 'int'; readonly value: bigint; readonly rune?: boolean }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'imaginary'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }

/** Where a node is in the text, from its first character to behind its last. */
export interface Span {
  readonly at: number
  readonly end: number
}

export type Node = Span &
  (
    | { readonly kind: 'literal'; readonly literal: Literal }
    | { readonly kind: 'name'; readonly name: string }
    /** `$pc`, as gdb writes it. */
    | { readonly kind: 'register'; readonly name: string }
    | { readonly kind: 'paren'; readonly of: Node }
    /** `x.name`; of a string, a package path: `"net/http".DefaultClient`. */
    | { readonly kind: 'select'; readonly of: Node; readonly name: string }
    /** `x.(T)`; `data` as the type is whatever it holds. */
    | { readonly kind: 'assert'; readonly of: Node; readonly type: Node }
    /** More than one index only in `G[K, V]`, a type with arguments. */
    | { readonly kind: 'index'; readonly of: Node; readonly indexes: readonly Node[] }
    | { readonly kind: 'slice'; readonly of: Node; readonly low?: Node; readonly high?: Node }
    | { readonly kind: 'call'; readonly of: Node; readonly args: readonly Node[] }
    | { readonly kind: 'deref'; readonly of: Node }
    | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly of: Node }
    | {
        readonly kind: 'binary'
        readonly operator: BinaryOperator
        readonly left: Node
        readonly right: Node
      }
    /** `*p@n` of gdb: an array of n values that begins here. */
    | { readonly kind: 'repeat'; readonly of: Node; readonly count: Node }
    /** `'file.c'::name`, `function::name` of gdb. */
    | { readonly kind: 'scoped'; readonly scope: string; readonly name: string }
    | { readonly kind: 'arrayType'; readonly length?: Node; readonly elem: Node }
    | { readonly kind: 'mapType'; readonly key: Node; readonly elem: Node }
    | { readonly kind: 'chanType'; readonly direction: 'both' | 'send' | 'recv'; readonly elem: Node }
    /** `struct {...}`, `interface {...}`, `func(...) ...`: told by their text; also `struct foo` of C. */
    | { readonly kind: 'textType'; readonly text: string }
  )
