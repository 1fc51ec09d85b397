/** The tokens of expressions: Go's (spec, "Lexical elements"), and the few of gdb that its users type by habit. */

export type TokenKind =
  | 'name'
  | 'register'
  | 'keyword'
  | 'int'
  | 'float'
  | 'imaginary'
  | 'char'
  | 'string'
  | 'quoted'
  | 'operator'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As written; of strings, characters and quoted names what they mean. */
  readonly text: string
  /** Where it begins and ends in the expression, in UTF-16 units. */
  readonly at: number
  readonly end: number
}

/** Words that begin a type; the other keywords of Go are statements and have no place here. */
export const typeKeywords: ReadonlySet<string> = new Set(['map', 'chan', 'struct', 'interface', 'func'])

/** Longest first: the first that fits is the token. */
export const operators = [
  ...['<<=', '>>=', '&^=', '...'],
  ...[
    '&&',
    '||',
    '==',
    '!=',
    '<=',
    '>=',
    '<<',
    '>>',
    '&^',
    '<-',
    '->',
    '::',
    '++',
    '--',
    ':=',
    '+=',
    '-=',
    '*=',
  ],
  ...['/=', '%=', '&=', '|=', '^='],
  ...[
    '+',
    '-',
    '*',
    '/',
    '%',
    '&',
    '|',
    '^',
    '<',
    '>',
    '!',
    '~',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    '.',
    ':',
    ';',
  ],
  ...['@', '=', '?'],
] as const
