/** Text of an expression into tokens. Bounded by the length of the text, which is bounded itself. */
import { ExpressionError } from '../../base/errors.ts'
import { operators, type Token, type TokenKind, typeKeywords } from './token.ts'
import { unquote } from './unquote.ts'

/** Longer than any that a person types; a list of arguments from a script may be long. */
export const maxText = 16_384
/** However they chain or nest, a tree is no deeper than it has tokens: it can be walked by recursion. */
const maxTokens = 1000

const space = /[ \t\r\n]+/y
const name = /[\p{L}_][\p{L}\p{Nd}_·]*/uy
const register = /\$[A-Za-z_][A-Za-z0-9_]*/y
const number =
  /(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]+)?|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)i?/y
const text = /"(?:[^"\\\n]|\\[\s\S])*"|`[^`]*`/y
const quoted = /'(?:[^'\\\n]|\\[\s\S])*'/y

/** The tokens of `source`, the last of kind `end`; throws ExpressionError for what is none. */
export function lex(source: string): Token[] {
  if (source.length > maxText)
    throw new ExpressionError(source, maxText, `it is longer than ${maxText} characters`)
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(source)?.[0]
  }
  while (at < source.length) {
    const blank = match(space)
    if (blank !== undefined) {
      at += blank.length
      continue
    }
    const token = next(source, at, match)
    tokens.push(token)
    at = token.end
    if (tokens.length > maxTokens)
      throw new ExpressionError(source, at, `it has more than ${maxTokens} parts`)
  }
  tokens.push({ kind: 'end', text: '', at: source.length, end: source.length })
  return tokens
}

function next(source: string, at: number, match: (pattern: RegExp) => string | undefined): Token {
  const token = (kind: TokenKind, written: string, meaning = written): Token => ({
    kind,
    text: meaning,
    at,
    end: at + written.length,
  })
  const word = match(name)
  if (word !== undefined) return token(typeKeywords.has(word) ? 'keyword' : 'name', word)
  const digits = /[0-9.]/.test(source[at]!) ? match(number) : undefined
  if (digits !== undefined && /[0-9]/.test(digits)) return token(numberKind(source, at, digits), digits)
  const string = match(text)
  if (string !== undefined) return token('string', string, unquote(string) ?? bad(source, at, 'a string'))
  const single = match(quoted)
  if (single !== undefined) return character(source, at, single, token)
  const dollar = match(register)
  if (dollar !== undefined) return token('register', dollar, dollar.slice(1))
  const operator = operators.find(known => source.startsWith(known, at))
  if (operator !== undefined) return token('operator', operator)
  if (`"'\``.includes(source[at]!)) throw new ExpressionError(source, at, 'the quote has no end')
  const strange = String.fromCodePoint(source.codePointAt(at)!)
  throw new ExpressionError(source, at, `${JSON.stringify(strange)} begins nothing that an expression has`)
}

/** `'a'` is a character; `'main.c'`, as gdb has it, the name of a file or function. */
function character(
  source: string,
  at: number,
  single: string,
  token: (kind: TokenKind, written: string, meaning?: string) => Token,
): Token {
  const meaning = unquote(single)
  if (meaning !== undefined && [...meaning].length === 1) return token('char', single, meaning)
  if (single.includes('\\') || single === "''") bad(source, at, 'a character')
  return token('quoted', single, single.slice(1, -1))
}

const bad = (source: string, at: number, what: string): never => {
  throw new ExpressionError(source, at, `this is not ${what} as Go writes it`)
}

function numberKind(source: string, at: number, digits: string): TokenKind {
  // Digits that run into letters are no number of Go: 0x, 12ab, 08.
  const follows = source.codePointAt(at + digits.length)
  if (follows !== undefined && /[\p{L}\p{Nd}_]/u.test(String.fromCodePoint(follows)))
    bad(source, at, 'a number')
  if (/_$|__|^_|[.eEpP+-]_|_[.eEpPi]/.test(digits)) bad(source, at, 'a number')
  const isImaginary = digits.endsWith('i')
  const kind = realKind(source, at, isImaginary ? digits.slice(0, -1) : digits)
  // Of these, a leading zero means nothing.
  if (isImaginary) return 'imaginary'
  return kind === 'int' && /^0[0-9_]*[89]/.test(digits) ? bad(source, at, 'a number') : kind
}

function realKind(source: string, at: number, digits: string): TokenKind {
  if (/^0[xX]/.test(digits)) {
    if (/[.pP]/.test(digits)) {
      // A digit before or behind the point, and an exponent.
      if (!/^0[xX](?=\.?[0-9a-fA-F_])[0-9a-fA-F_]*\.?[0-9a-fA-F_]*[pP]/.test(digits))
        bad(source, at, 'a number')
      return 'float'
    }
    return digits.length > 2 ? 'int' : bad(source, at, 'a number')
  }
  if (/^0[bBoO]/.test(digits)) return 'int'
  return /[.eE]/.test(digits) ? 'float' : 'int'
}
